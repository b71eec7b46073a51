"""`python benchmarks/latency.py` and its siblings find the toolkit that they belong to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

FILES = sorted((ROOT / "benchmarks").glob("[a-z]*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_python_without_packages_shows_the_help_from_any_folder(
    file: Path, tmp_path: Path
) -> None:
    without_path = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-S", str(file), "--help"],  # -S: nothing that was installed
        cwd=tmp_path, env=without_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"usage: python benchmarks/{file.name}" in done.stdout


def test_an_installed_copy_does_not_take_the_place_of_the_file_s_own(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model/errors.py").write_text("raise ZeroDivisionError")
    done = subprocess.run(
        [sys.executable, "-S", str(ROOT / "benchmarks/report.py"), "--help"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_benchmark_runs_as_a_module_too() -> None:
    command = [sys.executable, "-m", "benchmarks.report", "--help"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0
