"""How a new bundle takes the place of an old one: exchange, locks, recovery, the user's files."""

import contextlib
import errno
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from export.staging import Staging, staging
from model import place as places
from model.errors import BadInput, ContractError
from model.manifest import load_bundle


def fill(folder: Path, text: str, *files: str) -> None:
    """A bundle as far as the exchange goes: a manifest that names files, and the files."""
    models = [{"file": name} for name in files]
    (folder / "manifest.json").write_text(json.dumps({"text": text, "models": models}))
    for name in files:
        (folder / name).write_text(text)


def content(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()
    }


def publish(place: Path, text: str, *files: str) -> None:
    with staging(place) as into:
        fill(into.bundle, text, *files)
        with into.alone():
            into.publish()


@pytest.fixture(params=["exchange", "two renames"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to replace a folder."""
    if request.param == "two renames":
        monkeypatch.setattr(places, "_exchange", lambda a, b: False)
    way: str = request.param
    return way


def test_a_new_bundle_replaces_the_models_of_the_old(way: str, tmp_path: Path) -> None:
    publish(tmp_path / "b", "old", "a.onnx", "gone.onnx")
    publish(tmp_path / "b", "new", "a.onnx")
    files = content(tmp_path / "b")
    assert sorted(files) == ["a.onnx", "manifest.json"]
    assert files["a.onnx"] == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


def test_the_users_files_in_a_bundle_stay(way: str, tmp_path: Path) -> None:
    place = tmp_path / "b"
    publish(place, "old", "a.onnx")
    (place / ".git").mkdir()
    (place / "golden").mkdir()
    for name in (".git/HEAD", "notes.txt", "golden/README", "b.onnx", ".hidden"):
        (place / name).write_text("mine")
    (place / "golden/index.json").write_text("ours")
    (place / "link").symlink_to("nowhere")
    os.mkfifo(place / "pipe")
    inode = (place / "notes.txt").stat().st_ino
    publish(place, "new", "a.onnx", "b.onnx")
    files = content(place)
    mine = {name for name, text in files.items() if text == "mine"}
    assert mine == {".git/HEAD", "notes.txt", "golden/README", "b-2.onnx", ".hidden"}
    assert files["b.onnx"] == "new"
    assert "golden/index.json" not in files
    assert (place / "link").is_symlink()
    assert stat.S_ISFIFO((place / "pipe").stat().st_mode)
    assert (place / "notes.txt").stat().st_ino == inode, "moved, not copied"


def test_a_file_of_the_user_that_cannot_be_moved_is_not_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path / "b", "old", "a.onnx")
    (tmp_path / "b/mounted").write_text("mine")
    move = places._move

    def busy(path: Path, folder: Path) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr(places, "_move", busy)
    with pytest.raises(BadInput, match="busy"):
        publish(tmp_path / "b", "new", "a.onnx")
    monkeypatch.setattr(places, "_move", move)
    with staging(tmp_path / "b"):
        assert (tmp_path / "b/mounted").read_text() == "mine"


def test_permissions_are_kept(way: str, tmp_path: Path) -> None:
    publish(tmp_path / "b", "old", "a.onnx")
    (tmp_path / "b").chmod(0o700)
    (tmp_path / "b/a.onnx").chmod(0o600)
    publish(tmp_path / "b", "new", "a.onnx", "c.onnx")
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "b/a.onnx").stat().st_mode) == 0o600


@pytest.mark.parametrize("error", [errno.EBUSY, errno.EXDEV, errno.ENOSPC, errno.EACCES])
def test_an_exchange_that_fails_leaves_the_old_bundle(
    error: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path / "b", "old", "a.onnx")
    before = content(tmp_path / "b")

    def fail(a: Path, b: Path) -> bool:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(places, "_exchange", fail)
    with pytest.raises(BadInput, match="cannot write to"):
        publish(tmp_path / "b", "new", "a.onnx")
    assert content(tmp_path / "b") == before
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


def test_a_second_rename_that_fails_puts_the_old_bundle_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path / "b", "old", "a.onnx")
    before = content(tmp_path / "b")
    monkeypatch.setattr(places, "_exchange", lambda a, b: False)
    with staging(tmp_path / "b") as into:
        into.bundle.rmdir()
        with pytest.raises(FileNotFoundError):
            into.publish()
    assert content(tmp_path / "b") == before


def killed(place: Path, point: str) -> None:
    """A process that is killed while it publishes `new` over `old`."""
    program = f"""
import os, signal
from pathlib import Path
from export.staging import staging
from model import place as places

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

place = Path({str(place)!r})
with staging(place) as into:
    (into.bundle / "manifest.json").write_text('{{"models": []}}')
    with into.alone():
        if {point!r} == "between two renames":
            places._exchange = lambda a, b: False
            rename = Path.rename
            def once(self, to):
                rename(self, to)
                die()
            Path.rename = once
        elif {point!r} == "after the exchange":
            places._keep_what_is_not_ours = die
        else:
            places._exchange = die
        into.publish()
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    "point", ["between two renames", "after the exchange", "before the exchange"]
)
def test_a_kill_while_publishing_loses_nothing(point: str, tmp_path: Path) -> None:
    place = tmp_path / "b"
    publish(place, "old", "a.onnx")
    (place / "notes.txt").write_text("mine")
    killed(place, point)
    if point == "between two renames":
        assert not place.exists()
        with pytest.raises(ContractError):  # it is no whole manifest; but it is put back
            load_bundle(place)
    text = "new" if point == "after the exchange" else "old"
    assert ("old" in (place / "manifest.json").read_text()) == (text == "old")
    with staging(place):
        assert (place / "notes.txt").read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


def test_what_runs_is_left_alone_and_what_was_killed_is_removed(tmp_path: Path) -> None:
    """By the lock, not by the process id, which means nothing in another container."""
    with staging(tmp_path / "b") as running:
        dead = tmp_path / f".b.partial-{os.getpid()}"  # this process lives, but holds no lock on it
        dead.mkdir()
        with staging(tmp_path / "b"):
            assert running.bundle.is_dir()
            assert not dead.exists()


def _add(into: Staging, name: str) -> None:
    """Fill a new bundle with what is there and one file more, as an export does."""
    earlier = []
    if (into.place / "manifest.json").exists():
        earlier = json.loads((into.place / "manifest.json").read_text())["models"]
    fill(into.bundle, "new", *sorted({model["file"] for model in earlier} | {name}))


def test_two_that_publish_at_once_both_have_their_files_in_the_bundle(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from test_place import _add, staging

with staging(Path({str(tmp_path / "b")!r})) as into:
    print("ready", flush=True)
    input()
    with into.alone():
        _add(into, "2.onnx")
        into.publish()
"""
    other = subprocess.Popen(
        [sys.executable, "-c", program], cwd=Path(__file__).parent, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert other.stdout is not None
    assert other.stdout.readline() == "ready\n"
    with staging(tmp_path / "b") as into, into.alone():
        _add(into, "1.onnx")  # it has read what is there, and has not published yet
        with pytest.raises(subprocess.TimeoutExpired):  # the other waits
            other.communicate("\n", timeout=0.5)
        into.publish()
    other.communicate()
    assert other.returncode == 0
    assert sorted(content(tmp_path / "b")) == ["1.onnx", "2.onnx", "manifest.json"]
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


def test_where_the_system_can_a_bundle_is_never_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "b"
    publish(place, "old", "a.onnx")
    (tmp_path / "c").mkdir()
    if not places._exchange(tmp_path / "c", place):
        pytest.skip("neither renameat2 nor renamex_np works here")
    places._exchange(tmp_path / "c", place)
    (tmp_path / "c").rmdir()
    seen: list[bool] = []
    rename = Path.rename

    def watched(self: Path, to: Path) -> Path:
        moved = rename(self, to)
        seen.append((place / "manifest.json").is_file())
        return moved

    monkeypatch.setattr(Path, "rename", watched)
    publish(place, "new", "a.onnx")
    assert content(place)["a.onnx"] == "new"
    assert seen
    assert all(seen)


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_something_in_place_of_the_lock_is_refused_and_stays(kind: str, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    lock = tmp_path / ".b.lock"
    if kind == "link":
        lock.symlink_to(tmp_path / "victim")
    else:
        lock.mkdir()
    with pytest.raises(BadInput), staging(tmp_path / "b"):
        pass
    assert (tmp_path / "victim").read_text() == "precious"
    assert os.path.lexists(lock)


@pytest.mark.parametrize("name", ["n" * 252, "ä" * 126, "a[b]", "a*", "-", "a b\n", "\udcff"])
def test_any_name_of_a_folder_will_do(name: str, tmp_path: Path) -> None:
    publish(tmp_path / name, "old", "a.onnx")
    killed(tmp_path / name, "between two renames")
    publish(tmp_path / name, "new", "b.onnx")
    assert sorted(content(tmp_path / name)) == ["b.onnx", "manifest.json"]
    assert [p.name for p in tmp_path.iterdir()] == [name]


def a_bundle(path: Path) -> Staging:
    """Enter and leave a staging folder."""
    with staging(path) as into:
        return into


@pytest.mark.parametrize("name", ["file", "file/below", "folder", "link", "dangling", "n" * 256])
def test_an_output_folder_that_is_something_else_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/precious").write_text("precious")
    publish(tmp_path / "bundle", "old", "a.onnx")
    (tmp_path / "link").symlink_to("bundle")
    (tmp_path / "dangling").symlink_to("nowhere")
    before = content(tmp_path)
    with pytest.raises(BadInput):
        a_bundle(tmp_path / name / "b" if "file" in name else tmp_path / name)
    assert content(tmp_path) == before
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_took_the_place_during_an_export_is_refused_and_stays(
    kind: str, tmp_path: Path
) -> None:
    place = tmp_path / "b"
    (tmp_path / "else").mkdir()
    with staging(place) as into:
        fill(into.bundle, "new", "a.onnx")
        if kind == "file":
            place.write_text("mine")
        elif kind == "folder":
            place.mkdir()
            (place / "notes").write_text("mine")
        else:
            place.symlink_to("else")
        before = place.lstat()
        with pytest.raises(BadInput), into.alone():
            into.publish()
        with pytest.raises(NotADirectoryError) if kind != "folder" else contextlib.nullcontext():
            places.publish(into.root, place)  # the second guard, without the first
    if kind == "folder":
        assert content(place)["notes"] == "mine"
    else:
        assert place.lstat() == before
    assert not list((tmp_path / "else").iterdir())


@pytest.mark.parametrize("seen", ["by its device", "in the table of mounts"])
def test_a_mount_point_is_refused_before_any_work(
    seen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "a b"
    place.mkdir()
    if seen == "by its device":
        monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == place)
    else:
        table = tmp_path / "mountinfo"
        where = str(place).replace(" ", "\\040")
        table.write_text(f"36 35 98:0 /sub {where} rw,noatime - ext4 /dev/root rw\n")
        monkeypatch.setattr("export.staging._MOUNTS", table)
    with pytest.raises(BadInput, match="is a mount point"):
        a_bundle(place)


def test_a_full_disk_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.mkdtemp", full)
    with pytest.raises(BadInput, match="No space left on device"):
        a_bundle(tmp_path / "b")
