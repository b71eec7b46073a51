"""Commands whose stdout or stderr is closed, full or gone, and what the system refuses."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from mobilefsgan.__main__ import COMMANDS

COMMAND = """
import argparse, os, sys
from model.errors import guard
from pipeline.quiet import quiet

@guard
def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("todo")
    args = parser.parse_args(argv)
    for i in range(3):
        print("talk", file=sys.stderr)
    with quiet():
        os.system("echo noise")
    print("results")
    exec(args.todo)
    return 0

sys.exit(main())
"""


def run(shell: str, todo: str = "pass") -> subprocess.CompletedProcess[str]:
    """A small command under `shell`, a redirection."""
    return subprocess.run(
        ["bash", "-c", f'"$@" {shell}', "bash", sys.executable, "-c", COMMAND, todo],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
    )


@pytest.mark.parametrize(
    ("shell", "out"),
    [
        (">&-", ""),
        ("2>&-", "results\n"),
        ("<&-", "results\n"),
        (">&- 2>&-", ""),
        ("<&- >&- 2>&-", ""),
        ("2>/dev/full", "results\n"),
        ("2> >(:)", "results\n"),
    ],
)
def test_a_closed_stream_or_a_lost_stderr_does_not_end_the_work(shell: str, out: str) -> None:
    result = run(shell)
    assert result.returncode == 0, result.stderr
    assert result.stdout == out
    assert "noise" not in result.stderr
    assert "Traceback" not in result.stderr


def test_a_file_never_takes_the_place_of_a_closed_stdout(tmp_path: Path) -> None:
    file = tmp_path / "model"
    todo = f"f = open({str(file)!r}, 'w'); os.system('echo noise'); f.write('whole'); f.close()"
    assert run(">&-", todo).returncode == 0
    assert file.read_text() == "whole"


@pytest.mark.parametrize("todo", ["pass", "print('x' * 100_000)", "parser.parse_args(['--help'])"])
def test_a_stdout_that_takes_nothing_is_one_line_and_exit_4(todo: str) -> None:
    result = run(">/dev/full", todo)
    assert result.returncode == 4
    lines = [line for line in result.stderr.splitlines() if line != "talk"]
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert "No space left on device" in lines[0]


def test_a_reader_that_leaves_ends_the_command_quietly() -> None:
    result = run("| true", "import time; time.sleep(0.3); print('x' * 100_000)")
    assert "Traceback" not in result.stderr
    assert "error" not in result.stderr


@pytest.mark.parametrize(
    ("todo", "words"),
    [
        ("open('/nowhere/file')", "/nowhere/file: No such file or directory"),
        ("raise PermissionError(13, 'Permission denied', 'w.pt')", "w.pt: Permission denied"),
        ("open('/dev/full', 'w').write('x' * 100_000)", "No space left on device. Free some"),
        ("open('n' * 300)", "File name too long. Give a shorter name"),
        ("open('a' + chr(0))", "holds a NUL"),
        ("os.replace('/nowhere/a', '/nowhere/b')", "/nowhere/a -> /nowhere/b: No such"),
        ("raise OSError('9 requested and 3 written')", "could not be written in full (9 requested"),
        ("raise OSError('three\\nlines\\nlong')", "three lines long. Check the path"),
    ],
)
def test_what_the_system_refuses_is_one_line_and_exit_4(todo: str, words: str) -> None:
    result = run("", todo)
    assert result.returncode == 4
    assert words in result.stderr
    assert result.stderr.startswith("talk\ntalk\ntalk\nerror: ")
    assert len(result.stderr.splitlines()) == 4


def test_a_name_that_stdout_cannot_encode_is_printed_with_escapes() -> None:
    result = run("", "print(os.fsdecode(b'caf\\xe9'))")
    assert result.returncode == 0, result.stderr
    assert "caf\\udce9" in result.stdout


@pytest.mark.parametrize(
    "todo",
    [
        "open('/nowhere/two' + chr(10) + 'lines' + chr(27) + '[2J')",
        "from model.errors import BadInput; raise BadInput('two' + chr(10) + 'lines\x1b[2J')",
    ],
)
def test_a_name_in_an_error_neither_ends_the_line_nor_reaches_the_terminal(todo: str) -> None:
    result = run("", todo)
    assert result.returncode == 4
    assert "two\\nlines\\x1b[2J" in result.stderr
    assert len(result.stderr.splitlines()) == 4


def test_a_bug_still_ends_in_a_traceback() -> None:
    result = run("", "1 / 0")
    assert result.returncode == 1
    assert "ZeroDivisionError" in result.stderr
    assert run("", "int('x')").stderr.endswith("with base 10: 'x'\n")


MODULES = ["mobilefsgan.__main__", *(command.module for command in COMMANDS.values())]


@pytest.mark.parametrize("module", MODULES)
def test_every_command_is_guarded(module: str) -> None:
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text())
    (main,) = (n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "main")
    assert [ast.unparse(decorator) for decorator in main.decorator_list] == ["guard"]
