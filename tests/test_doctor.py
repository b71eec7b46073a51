import itertools
import json
import tomllib

import pytest
from conftest import ROOT, run

from export import doctor


def test_the_versions_tested_together_are_those_of_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for package, extra, version in doctor.TESTED:
        pins = extras[extra] if extra else project["dependencies"]
        assert f"{package}=={version}" in pins


def test_every_pin_of_pyproject_is_in_the_lock_file() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    normal = {
        line.replace("_", "-").lower()
        for line in (ROOT / "requirements.lock").read_text().splitlines()
    }
    extras = project["optional-dependencies"].values()
    pins = [*project["dependencies"], *itertools.chain.from_iterable(extras)]
    assert not [pin for pin in pins if pin.replace("_", "-").lower() not in normal]


def test_all_formats_can_be_converted_here() -> None:
    result = run("export.doctor", "--json")
    assert result.returncode == 0
    formats = json.loads(result.stdout)["formats"]
    assert {name: ability["convert"] for name, ability in formats.items()} == {
        "onnx": "yes",
        "tflite": "yes",
        "mlpackage": "yes",
    }


def test_a_missing_converter_is_named_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    have = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda p: None if p == "onnx2tf" else have(p))
    assert doctor.main([]) == 3
    words = capsys.readouterr().out
    assert "no: onnx2tf not installed" in words
    assert "pip install 'onnx2tf==1.29.24'" in words


def test_an_export_without_its_converter_is_refused_before_any_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from export.convert.coreml import main

    monkeypatch.setattr(doctor, "_version", lambda p: None if p == "coremltools" else "1")
    assert main(["nothing.pt"]) == 3
    assert "coremltools not installed" in capsys.readouterr().err
