"""Bundles and packages from strangers: links, pipes, devices and sizes that do not end."""

import os
import shutil
from pathlib import Path

import onnx
import pytest
from small_bundles import ONNX, PACKAGE, WEIGHTS, spec_of, write_small

from model.digest import digest
from model.errors import ContractError
from model.manifest import checked_file, load_bundle
from model.untrusted import open_regular, read_regular
from pipeline.backends import open_backend
from pipeline.mlprogram.program import Package

KINDS = ["link", "link to a device", "pipe", "socket"]


def replace(path: Path, kind: str, victim: Path) -> None:
    """Put something that is no regular file at `path`."""
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    if kind == "link":
        path.symlink_to(victim)
    elif kind == "link to a device":
        path.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        import socket

        here = os.open(".", os.O_RDONLY)
        os.chdir(path.parent)  # the name of a socket is short
        socket.socket(socket.AF_UNIX).bind(path.name)
        os.fchdir(here)
        os.close(here)


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "victim"
    path.write_text("{}")
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_small(tmp_path / "small")


@pytest.mark.parametrize("kind", [*KINDS, "folder", "missing", "a\0b", "n" * 300])
def test_only_regular_files_are_opened(kind: str, tmp_path: Path, victim: Path) -> None:
    path = tmp_path / (kind if len(kind) > 30 or "\0" in kind else "file")
    if kind == "folder":
        path.mkdir()
    elif kind in KINDS:
        replace(path, kind, victim)
    with pytest.raises(ContractError):
        open_regular(path)


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ContractError, match=r"1,099,511,627,776 bytes; at most"):
        read_regular(tmp_path / "sparse")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["manifest.json", ONNX, PACKAGE])
def test_a_bundle_with_such_an_entry_is_refused(
    name: str, kind: str, small: Path, victim: Path
) -> None:
    replace(small / name, kind, victim)
    with pytest.raises(ContractError, match="regular files only"):
        load_bundle(small)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["Manifest.json", "Data", WEIGHTS, "Data/extra", ".DS_Store"])
def test_a_package_with_such_an_entry_is_refused_by_every_reader(
    name: str, kind: str, small: Path, victim: Path
) -> None:
    spec = load_bundle(small).find("generator", "mlpackage", "fp16")
    replace(small / PACKAGE / name, kind, victim)
    for read in (
        lambda: load_bundle(small),
        lambda: digest(small / PACKAGE),
        lambda: checked_file(small, spec),
        lambda: open_backend("coreml", spec, small),
        lambda: Package(small / PACKAGE),
    ):
        with pytest.raises(ContractError, match="regular files only"):
            read()


@pytest.mark.parametrize("litter", [".DS_Store", "Data/.DS_Store", "Data/._weights", "Thumbs.db"])
def test_what_file_managers_leave_in_a_package_does_not_change_its_hash(
    litter: str, small: Path
) -> None:
    spec = load_bundle(small).find("generator", "mlpackage", "fp16")
    (small / PACKAGE / litter).write_bytes(b"view settings")
    assert checked_file(small, spec) == small / PACKAGE


def test_any_other_file_in_a_package_changes_its_hash(small: Path) -> None:
    spec = load_bundle(small).find("generator", "mlpackage", "fp16")
    (small / PACKAGE / "Data/more").write_bytes(b"")
    with pytest.raises(ContractError, match="not the file that its manifest describes"):
        checked_file(small, spec)


def test_a_model_of_another_size_is_refused_unread(small: Path) -> None:
    spec = load_bundle(small).find("generator", "onnx", "fp32")
    os.truncate(small / ONNX, 1 << 42)  # sparse; reading it would take an hour
    with pytest.raises(ContractError, match="not the file that its manifest describes"):
        checked_file(small, spec)


def test_a_checkpoint_may_be_named_through_a_link(tmp_path: Path, victim: Path) -> None:
    (tmp_path / "link").symlink_to(victim)
    assert digest(tmp_path / "link") == digest(victim)


@pytest.mark.parametrize("location", ["../secret", "/etc/hostname", "weights.bin"])
def test_an_onnx_file_that_takes_weights_from_other_files_is_refused(
    location: str, small: Path
) -> None:
    model = onnx.load(small / ONNX)
    tensor = model.graph.initializer[0]
    for path in (small / "weights.bin", small.parent / "secret"):
        path.write_bytes(tensor.raw_data)
    onnx.external_data_helper.set_external_data(tensor, location)
    tensor.ClearField("raw_data")
    (small / ONNX).write_bytes(model.SerializeToString())
    with pytest.raises(ContractError, match="takes weights from other files"):
        open_backend("onnx", spec_of(small / ONNX), small)
