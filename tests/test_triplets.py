"""Training shards: made of crops of the two public-domain portraits, by the command itself."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, run
from PIL import Image

from model.errors import BadInput
from pipeline.faces.portraits import PORTRAITS, faces, open_portrait, varied
from training import triplets
from training.data.photos import held_out_people, list_photos
from training.data.records import EDITS, Record, decode, read_shard
from training.edits.recording import ShardSettings, aligned, make_record
from training.edits.shards import make_plan, make_shards, shard_path

SIZE = 128


def webp(picture: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "webp", quality=95)
    return stream.getvalue()


def write_tar(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


@pytest.fixture(scope="module")
def crops() -> list[bytes]:
    return [webp(face) for face in varied(20, 176)]


@pytest.fixture(scope="module")
def tar(crops, tmp_path_factory) -> Path:
    """Eight people with two photos each, two of whom are held out, and two broken pictures."""
    files = {f"P{i // 2}/{i % 2}.webp": data for i, data in enumerate(crops[:16])}
    files |= {"P0/9.webp": b"RIFF, but no picture", "P9/0.webp": b""}
    return write_tar(tmp_path_factory.mktemp("photos") / "faces.tar", files)


@pytest.fixture(scope="module")
def made(tar: Path, tmp_path_factory) -> tuple[Path, dict]:
    """Shards of at most four photos, by two processes, and what the command said."""
    folder = tmp_path_factory.mktemp("made")
    result = run("training.triplets", tar, "-o", folder / "shards", "--size", SIZE, "--workers", 2,
                 "--per-shard", 4, "--previews", folder / "previews", "--json")  # fmt: skip
    assert result.returncode == 0, result.stderr
    return folder, json.loads(result.stdout)


def records(folder: Path) -> list[Record]:
    return [r for shard in sorted(folder.glob("*.tar")) for r in read_shard(shard)]


@pytest.mark.slow
def test_records_hold_the_photo_and_its_edits(made) -> None:
    folder, said = made
    everything = records(folder / "shards")
    assert len(everything) == said["records"] == 12
    for record in everything:
        photo = decode(record.photo, SIZE)
        assert record.edits.keys() >= {"fat", "glasses", "grin"}
        for data in record.edits.values():
            edited = decode(data, SIZE)
            assert edited.shape == (SIZE, SIZE, 3)
            assert (edited != photo).any()
    for edit in EDITS:
        assert said["edits"][edit] == sum(edit in record.edits for record in everything)
        assert said["edits"][edit] + said["failed"][edit] == said["records"]


def test_shards_hold_whole_people_and_nobody_held_out(made, tar) -> None:
    folder, said = made
    readable = [f"P{i // 2}/{i % 2}" for i in range(16)]
    held_out = held_out_people(readable)
    assert len(held_out) == said["held_out_people"] == 2
    where: dict[str, set[str]] = {}
    for shard in (folder / "shards").glob("*.tar"):
        for record in read_shard(shard):
            where.setdefault(record.person, set()).add(shard.name)
    assert set(where) == {f"P{i}" for i in range(8)} - held_out
    assert all(len(shards) == 1 for shards in where.values())


def test_broken_pictures_are_counted(made) -> None:
    assert made[1]["broken"] == 2


def test_previews_show_photo_and_edits(made) -> None:
    folder, said = made
    previews = sorted((folder / "previews").glob("*.webp"))
    assert len(previews) == said["shards"] == 3
    with Image.open(previews[0]) as sheet:
        assert sheet.width == 160 * (1 + len(EDITS))


@pytest.mark.slow
def test_a_finished_shard_is_not_made_again_and_a_lost_one_is_the_same(made, tar) -> None:
    folder = made[0] / "shards"
    first, second, _ = sorted(folder.glob("*.tar"))
    kept, lost = first.stat().st_mtime_ns, second.read_bytes()
    second.unlink()
    result = run("training.triplets", tar, "-o", folder, "--size", SIZE, "--workers", 1,
                 "--per-shard", 4, "--json")  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "2 of them there already" in result.stderr
    assert first.stat().st_mtime_ns == kept
    assert second.read_bytes() == lost  # by one process as by two
    assert json.loads(result.stdout)["records"] == 12


def test_other_settings_do_not_mix_with_shards_that_are_there(made, tar) -> None:
    result = run("training.triplets", tar, "-o", made[0] / "shards", "--size", 64,
                 "--per-shard", 4)  # fmt: skip
    assert result.returncode == 2
    assert "other size" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.slow
def test_a_kill_leaves_no_half_shard(tar, tmp_path) -> None:
    command = [sys.executable, "-m", "training.triplets", tar, "-o", tmp_path / "shards",
               "--size", str(SIZE), "--workers", "2", "--per-shard", "2"]  # fmt: skip
    process = subprocess.Popen(
        [str(word) for word in command], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 240  # on a loaded machine
    while not list((tmp_path / "shards").glob("shard-*.tar")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in said
    shards = list((tmp_path / "shards").iterdir())
    assert any(path.suffix == ".tar" for path in shards)
    assert not [path for path in shards if ".tmp" in path.name]
    for path in shards:
        if path.suffix == ".tar":
            assert read_shard(path)


def test_photos_that_are_not_aligned_are(tmp_path) -> None:
    whole = open_portrait(PORTRAITS[1])
    face, mesh = aligned(whole, 256)
    wanted = faces(2)[1]
    assert face.shape == (256, 256, 3)
    assert mesh.shape == (468, 3)
    inner = np.s_[60:200, 60:200]
    assert np.abs(face[inner].astype(float) - wanted[inner]).mean() < 12
    again, _ = aligned(face, 256)
    assert (again == face).all()  # what lies on the template already is left alone


@pytest.mark.slow
def test_a_picture_without_a_face_is_counted(crops, tmp_path) -> None:
    grey = webp(np.full((120, 160, 3), 128, np.uint8))
    folder = write_folder(tmp_path / "photos", {"A/1.webp": crops[0], "B/1.webp": grey})
    result = run("training.triplets", folder, "-o", tmp_path / "shards", "--size", SIZE,
                 "--workers", 1, "--json")  # fmt: skip
    assert result.returncode == 0, result.stderr
    said = json.loads(result.stdout)
    assert (said["records"], said["faceless"]) == (1, 1)


def write_folder(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"A/1.webp": "face", "A/2.webp": "face"}, "one person, A"),
        ({"A/1.webp": "broken", "B/1.webp": "broken"}, "nothing that can be read (2 broken)"),
        ({"notes.txt": "broken"}, "holds no photo"),
        ({"A/1.webp": "grey", "B/1.webp": "grey"}, "no face was found"),
    ],
)
def test_folders_that_cannot_be_used_say_why(files, words, crops, tmp_path, capsys) -> None:
    content = {
        "face": crops[0],
        "broken": b"no picture",
        "grey": webp(np.full((96, 96, 3), 128, np.uint8)),
    }
    folder = write_folder(
        tmp_path / "photos", {name: content[kind] for name, kind in files.items()}
    )
    code = triplets.main([str(folder), "-o", str(tmp_path / "shards"), "--workers", "1"])
    assert code == 4
    assert words in capsys.readouterr().err


def test_a_missing_folder_and_a_file_that_is_no_tar(tmp_path, capsys) -> None:
    assert triplets.main([str(tmp_path / "none"), "-o", str(tmp_path / "s")]) == 4
    (tmp_path / "file.tar").write_bytes(b"x" * 2000)
    assert triplets.main([str(tmp_path / "file.tar"), "-o", str(tmp_path / "s")]) == 4
    assert "uncompressed tar" in capsys.readouterr().err


@pytest.mark.slow
def test_keys_have_no_dots_and_differ(crops, tmp_path) -> None:
    names = {"J.R/1.webp": crops[0], "J_R/1.webp": crops[2], "B/x.y.webp": crops[1]}
    photos = list_photos(write_folder(tmp_path / "photos", names))
    settings = ShardSettings(SIZE, 0, None, 256)
    plan = make_plan(photos, [True] * 3, settings)
    counts = make_shards(tmp_path / "s", plan, settings, 1, lambda: None, lambda _n, _r: None)
    keys = [record.key for record in read_shard(shard_path(tmp_path / "s", 0))]
    assert counts["records"] == len(set(keys)) == 3
    assert not any("." in key or "/" in key for key in keys)


@pytest.mark.slow
def test_a_limit_is_kept_and_photos_have_their_own_seeds(tar) -> None:
    photos = [photo for photo in list_photos(tar) if photo.read() is not None]
    settings = ShardSettings(SIZE, 0, 3, 256)
    plan = make_plan(photos, [True] * len(photos), settings)
    assert sum(len(shard) for shard in plan.shards) == 3
    photo = plan.shards[0][0]
    one = make_record((photo, "k", settings))
    other = make_record((photo, "k", ShardSettings(SIZE, 1, 3, 256)))
    assert one.record == make_record((photo, "k", settings)).record
    assert one.record.photo == other.record.photo
    assert one.record.edits["glasses"] != other.record.edits["glasses"]


def test_one_person_is_refused_before_any_work() -> None:
    with pytest.raises(BadInput, match="at least two people"):
        make_plan([], [], ShardSettings(SIZE, 0, None, 256))
