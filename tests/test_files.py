"""How files are written: whole or not at all, never through a link, permissions kept."""

import os
import stat
from pathlib import Path

import numpy as np
import pytest

from model.errors import BadInput
from model.files import (
    LONGEST_NAME_BYTES,
    append_to,
    check_place,
    fitting,
    new_beside,
    new_log,
    write_atomically,
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def write(path: Path, text: str = "new", **options: bool) -> None:
    write_atomically(path, lambda beside: beside.write_text(text), **options)


def test_a_failure_leaves_the_earlier_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("earlier")

    def fail(beside: Path) -> None:
        beside.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(BadInput, match="No space left on device"):
        write_atomically(tmp_path / "a.txt", fail)
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"a.txt": "earlier"}


@pytest.mark.parametrize("name", ["file/a.txt", "file/new/a.txt", "folder", "n" * 256, "a\0b"])
def test_a_place_that_cannot_be_written_is_refused_beforehand(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("earlier")
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadInput, match=r"^cannot write .*\. Choose a writable place$"):
        check_place(tmp_path / name)


def test_the_check_of_a_place_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("earlier")
    check_place(tmp_path / "a.txt")
    check_place(tmp_path / "new/folder/a.txt")
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"a.txt": "earlier"}


def test_a_link_in_place_of_the_temporary_file_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "out").mkdir()
    (tmp_path / f"out/.a.{os.getpid()}.tmp.txt").symlink_to(victim)
    write(tmp_path / "out/a.txt")
    assert victim.read_text() == "precious"


def test_temporary_names_cannot_be_guessed(tmp_path: Path) -> None:
    names = {new_beside(tmp_path / "a.png").name for _ in range(9)}
    assert len(names) == 9
    assert all(name.endswith(".png") and "a.png" not in name for name in names)


def test_a_link_at_the_output_is_replaced_and_what_it_points_to_stays(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "a.txt").symlink_to(tmp_path / "victim")
    write(tmp_path / "a.txt")
    assert (tmp_path / "victim").read_text() == "precious"
    assert not (tmp_path / "a.txt").is_symlink()
    assert (tmp_path / "a.txt").read_text() == "new"


@pytest.mark.parametrize("kind", ["folder", "pipe", "link to a device", "device"])
def test_what_is_no_file_is_refused_and_stays(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "link to a device":
        path.symlink_to("/dev/null")
    else:
        path = Path("/dev/null")
    before = path.lstat().st_mode
    with pytest.raises(BadInput, match="expected the name of a file"):
        write(path)
    assert path.lstat().st_mode == before


@pytest.mark.parametrize("earlier", [0o600, 0o640, 0o644, 0o664, 0o400])
def test_the_permissions_of_an_earlier_file_are_kept(earlier: int, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("earlier")
    (tmp_path / "a.txt").chmod(earlier)
    write(tmp_path / "a.txt")
    assert mode(tmp_path / "a.txt") == earlier


def test_a_new_file_has_the_permissions_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "a.txt")
    finally:
        os.umask(before)
    assert mode(tmp_path / "a.txt") == 0o640


@pytest.mark.parametrize("earlier", [None, 0o644])
def test_a_private_file_is_for_its_owner(earlier: int | None, tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    if earlier is not None:
        path.touch(earlier)

    def check(beside: Path) -> None:
        assert mode(beside) == 0o600, "nobody else may read it while it is written"

    write_atomically(path, check, private=True)
    assert mode(path) == 0o600


def test_a_saved_identity_is_private(tmp_path: Path) -> None:
    from pipeline.people import save_identity

    save_identity(tmp_path / "me.npy", np.ones(4, np.float32))
    assert mode(tmp_path / "me.npy") == 0o600


@pytest.mark.parametrize("name", ["n" * 251 + ".png", "ä" * 125 + ".npy", "n." + "x" * 253])
def test_a_name_as_long_as_the_file_system_takes_can_be_written(name: str, tmp_path: Path) -> None:
    write(tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["n" * 256, "a\0b", "ä" * 200])
def test_a_name_that_no_file_system_takes_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot write"):
        write(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("stem", ["a", "n" * 251, "n" * 255, "ä" * 127, "\udcff" * 255])
def test_a_name_with_an_ending_fits(stem: str, tmp_path: Path) -> None:
    name = fitting(stem, "-generator-fp16.onnx.png")
    assert len(os.fsencode(name)) <= LONGEST_NAME_BYTES
    assert name.endswith("-generator-fp16.onnx.png")
    (tmp_path / name).touch()
    assert name == stem + "-generator-fp16.onnx.png" or name != fitting(stem[:-1] + "b", name[-24:])


def test_a_log_replaces_the_log_of_the_export_before(tmp_path: Path) -> None:
    first = new_log(tmp_path / "a.log")
    with append_to(first) as log:
        log.write(b"of the first")
    second = new_log(tmp_path / "a.log")
    assert second == first == tmp_path / "a.log"
    assert b"of the first" not in second.read_bytes()


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "pipe", "file", "empty file"])
def test_a_log_replaces_nothing_else(kind: str, tmp_path: Path) -> None:
    path, victim = tmp_path / "a.log", tmp_path / "victim"
    victim.write_text("precious")
    {
        "link": lambda: path.symlink_to(victim),
        "dangling link": lambda: path.symlink_to(tmp_path / "nowhere"),
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "file": lambda: path.write_text("of a training run"),
        "empty file": path.touch,
    }[kind]()
    before = path.lstat()
    assert new_log(path) == tmp_path / "a-2.log"
    assert path.lstat() == before
    assert victim.read_text() == "precious"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_log_is_not_appended_to_through_a_link_or_a_pipe(kind: str, tmp_path: Path) -> None:
    path, victim = tmp_path / "a.log", tmp_path / "victim"
    victim.write_text("precious")
    if kind == "link":
        path.symlink_to(victim)
    else:
        os.mkfifo(path)
    with pytest.raises(OSError):  # noqa: PT011
        append_to(path)
    assert victim.read_text() == "precious"
