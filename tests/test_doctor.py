import itertools
import json
import tomllib

import pytest
from conftest import ROOT, run
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from export import doctor


def locked() -> dict[str, Version]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = (line.split("==") for line in lines)
    return {canonicalize_name(name): Version(version) for name, version in pins}


def test_the_lock_file_has_a_version_in_every_range_of_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    wanted = map(Requirement, [*project["dependencies"], *itertools.chain.from_iterable(extras)])
    pins = locked()
    for requirement in wanted:
        if requirement.name != project["name"]:
            assert pins[canonicalize_name(requirement.name)] in requirement.specifier


def test_doctor_lists_every_package_of_every_extra_with_the_locked_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    tools = {tool.package: tool for tool in doctor.tools()}
    for extra, lines in {"": project["dependencies"], **project["optional-dependencies"]}.items():
        for requirement in map(Requirement, lines if extra not in ("all", "dev") else ()):
            assert extra in tools[canonicalize_name(requirement.name)].extra.split(", ")
    pins = locked()
    assert {name: pins[name] for name in tools} == {
        name: Version(version) for name, version in doctor.TESTED.items()
    }


def test_installed_package_knows_its_requirements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "__file__", "/nowhere/export/doctor.py")
    lines = ["numpy>=1", 'av>=18,<19; extra == "swap"', 'ruff>=0.1; extra == "dev"']
    monkeypatch.setattr(doctor.importlib.metadata, "requires", lambda name: lines)
    assert [(t.package, t.extra, t.accepted) for t in doctor.tools()] == [
        ("numpy", "", ">=1"),
        ("av", "swap", "<19,>=18"),
    ]


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
    from export.coreml import main

    monkeypatch.setattr(doctor, "_version", lambda p: None if p == "coremltools" else "1")
    assert main(["nothing.pt"]) == 3
    assert "coremltools not installed" in capsys.readouterr().err
