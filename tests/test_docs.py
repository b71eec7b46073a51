"""The README's commands exist, with the flags it shows."""

import re
import shlex
import subprocess
import sys

import pytest
from conftest import ROOT, run

TEXTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "model/weights/README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
BLOCKS = [
    line.split("  #")[0].strip()
    for text in TEXTS
    for block in re.findall(r"```sh\n(.*?)```", text.read_text(), re.DOTALL)
    for line in block.splitlines()
    if line.strip() and not line.lstrip().startswith("#")
]
PYTHON = [line for line in BLOCKS if "python -m " in line]
BENCHMARKS = [line for line in BLOCKS if "python benchmarks/" in line]
MAKE = [line for line in BLOCKS if line.startswith("make ")]


@pytest.mark.slow
@pytest.mark.parametrize("line", PYTHON)
def test_every_python_command_exists_with_its_flags(line: str) -> None:
    words = shlex.split(line)
    module = words[words.index("-m") + 1]
    result = run(module, "--help")
    assert result.returncode == 0, result.stderr
    assert_flags_exist([word for word in words if word != "-m"], result.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("line", BENCHMARKS)
def test_every_benchmark_exists_with_its_flags(line: str) -> None:
    words = shlex.split(line)
    result = subprocess.run(
        [sys.executable, words[1], "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert_flags_exist(words, result.stdout)


def assert_flags_exist(words: list[str], shown: str) -> None:
    for flag in (word for word in words if word.startswith("-")):
        assert re.search(rf"(?<![\w-]){flag}(?![\w-])", shown), flag


@pytest.mark.parametrize("line", MAKE)
def test_every_make_command_exists(line: str) -> None:
    result = subprocess.run(
        ["make", "-n", *shlex.split(line)[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_the_two_commands_that_do_all_set_up_are_there() -> None:
    assert {"make demo", "make test"} <= set(MAKE)


@pytest.mark.parametrize("text", TEXTS, ids=lambda t: t.name)
def test_links_to_files_and_headings_lead_somewhere(text) -> None:
    for target, anchor in re.findall(r"\]\(([^)#:]*)(#[^)]+)?\)", text.read_text()):
        file = text.parent / target if target else text
        assert file.exists(), target
        assert not anchor or anchor in anchors(file.read_text()), target + anchor


def anchors(markdown: str) -> set[str]:
    """The links to its headings, as GitHub makes them."""
    words = re.findall(r"^#+ (.*)", re.sub(r"(?ms)^```.*?^```", "", markdown), re.MULTILINE)
    return {"#" + re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in words}
