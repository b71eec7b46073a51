"""The console command and the Python door: both lead to the commands' own functions."""

import importlib
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

import mobilefsgan
from mobilefsgan.__main__ import COMMANDS, main
from model.contract import Checkpoint
from model.digest import digest
from pipeline.bundles import find_checkpoint

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("name", COMMANDS)
def test_command_calls_the_main_of_its_module(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(COMMANDS[name].module)
    heard = []
    monkeypatch.setattr(module, "main", lambda argv: heard.append(argv) or 3)
    assert main([name, "--flag", "value"]) == 3
    assert heard == [["--flag", "value"]]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_wrong_flag_names_the_command_that_was_typed(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name, "a", "--no-such-flag"]) == 2
    assert capsys.readouterr().err.endswith(f". See mobilefsgan {name} --help\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_begins_with_the_command_that_was_typed(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([name, "--help"])
    usage, said, *_ = capsys.readouterr().out.split("\n\n")
    assert usage.startswith(f"usage: mobilefsgan {name} ")
    assert "python" not in said.split(". ")[0], "the description names the module's own command"


def test_every_command_with_a_parser_has_a_word() -> None:
    listed = {command.module for command in COMMANDS.values()}
    for floor in ("model", "pipeline", "export", "training", "benchmarks"):
        for file in sorted((ROOT / floor).rglob("*.py")):
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            own = "arguments.Parser(" in file.read_text()
            # These two hold the flags of commands; the galleries draw this repository's pictures.
            flags = module in ("export.cli", "pipeline.command_line")
            elsewhere = flags or module.endswith(".gallery")
            assert not own or elsewhere or module in listed, module


def test_help_lists_the_commands_within_a_second() -> None:
    started = time.perf_counter()
    shown = subprocess.run(
        [sys.executable, "-m", "mobilefsgan", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert time.perf_counter() - started < 1
    assert all(f"  {name} " in shown for name in COMMANDS)


@pytest.mark.parametrize("words", [[], ["swpa"], ["--flag"]])
def test_unknown_command_is_a_usage_error(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err.endswith(". See mobilefsgan --help\n")


def test_importing_the_door_loads_no_runtime() -> None:
    heavy = "torch tensorflow onnx onnxruntime cv2 av ai_edge_litert coremltools PIL"
    code = f"import sys, mobilefsgan; print(set('{heavy}'.split()) & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_public_names_exist_and_are_documented() -> None:
    assert mobilefsgan.SHIPPED_GENERATOR.is_file()
    for name in mobilefsgan.__all__:
        thing = getattr(mobilefsgan, name)
        assert isinstance(thing, Path) or thing.__doc__


def test_shipped_weights_are_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shipped = mobilefsgan.SHIPPED_GENERATOR
    found = find_checkpoint(Checkpoint(shipped.name, digest(shipped)[0]))
    assert found == shipped


def test_every_package_is_installed_with_its_types() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    packages = {file.parent.name for file in ROOT.glob("*/__init__.py")} - {"tests"}
    assert {f"{name}*" for name in packages} == set(setuptools["packages"]["find"]["include"])
    for name in packages:
        assert (ROOT / name / "py.typed").is_file()
