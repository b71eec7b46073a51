"""Training data that is damaged or hostile ends in one line and exit code 4."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from train_data import TINY, add, face, plain_tar, shard

from model.errors import BadInput
from training import distill, measure_edits, train, triplets, verify
from training.data import archives
from training.data.archives import members
from training.data.faces import read_embeddings, read_faces
from training.data.photos import Photo, list_photos
from training.data.records import decode, read_shard
from training.data.sources import open_data
from training.edits.shards import PLAN
from training.generator.config_file import read_config

COMPRESSED = {"gz": gzip.compress, "xz": lzma.compress, "bz2": bz2.compress}
READERS: dict[str, Callable[[Path], object]] = {
    "distill": read_faces,
    "train": lambda path: open_data([path]),
    "shard": read_shard,
    "photos": list_photos,
}


def png(width: int, height: int) -> bytes:
    """A black picture of a few hundred bytes, whatever its size."""
    rows = zlib.compressobj()
    packed = b"".join(rows.compress(bytes(1 + (width + 7) // 8)) for _ in range(height))
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([1, 0, 0, 0, 0])
    chunks = ((b"IHDR", head), (b"IDAT", packed + rows.flush()), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
        for kind, data in chunks
    )


def tar_of(path: Path, files: dict[str, bytes]) -> Path:
    import tarfile

    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            add(tar, name, data)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", COMPRESSED)
@pytest.mark.parametrize("damage", ["cut", "overwritten"])
def test_a_damaged_compressed_tar_is_refused(
    reader: str, kind: str, damage: str, tmp_path: Path
) -> None:
    whole = (shard if reader == "shard" else plain_tar)(tmp_path / "whole.tar").read_bytes()
    data = COMPRESSED[kind](whole)
    at = 10 if kind == "gz" else len(data) // 2  # gzip stores pictures: nothing there to damage
    broken = data[: len(data) // 2]
    if damage == "overwritten":
        broken = data[:at] + b"\xff" * 64 + data[at + 64 :]
    path = tmp_path / f"faces.tar.{kind}"
    path.write_bytes(broken)
    with pytest.raises(BadInput, match="cannot be read as a tar") as refused:
        READERS[reader](path)
    assert "\n" not in str(refused.value)


def test_a_file_in_a_tar_that_fills_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "LARGEST_MEMBER_BYTES", 1000)
    path = tmp_path / "bomb.tar.gz"
    path.write_bytes(
        gzip.compress(tar_of(tmp_path / "a.tar", {"A/1.png": bytes(1001)}).read_bytes())
    )
    with pytest.raises(BadInput, match=r"A/1\.png of 1,001 bytes; expected at most 1,000"):
        list(members(path, "give another"))


@pytest.mark.parametrize("reader", ["distill", "train", "shard"])
def test_a_pipe_is_no_tar(reader: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "faces.tar")
    with pytest.raises(BadInput, match="is no regular file"):
        READERS[reader](tmp_path / "faces.tar")


def test_what_a_killed_writer_left_is_no_shard(tmp_path: Path) -> None:
    shard(tmp_path / "shard-00000.tar")
    (tmp_path / ".0123456789abcdef.tmp.tar").write_bytes(b"half a shard")
    assert open_data([tmp_path]).told == "1 shards"


@pytest.mark.parametrize("side", [4_200, 30_000])
def test_a_picture_of_few_bytes_and_many_pixels_is_refused(side: int, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"pixels"):
        decode(png(side, side), 64)


@pytest.mark.parametrize("data", [b"", b"RIFF no picture", face(0, 0)[:200], face(0, 0)[40:]])
def test_a_broken_picture_of_a_shard_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput, match="a picture cannot be read"):
        decode(data, 64)


def test_a_bomb_among_photos_counts_as_broken(tmp_path: Path) -> None:
    files = {f"P{i}/{j}.png": face(i, j) for i in range(3) for j in range(2)}
    bomb = png(30_000, 30_000)
    path = tar_of(tmp_path / "faces.tar", {**files, "P0/9.png": bomb})
    assert "1 broken" in open_data([path]).told
    assert read_faces(path).skipped == 1
    assert [photo.read() is None for photo in list_photos(path)].count(True) == 1
    (tmp_path / "bomb.png").write_bytes(bomb)
    assert Photo("P0/9", tmp_path / "bomb.png", 0, len(bomb)).read() is None


@pytest.mark.parametrize(
    "head",
    [
        b"[" * 100_000,
        b'{"schema": ' + b"9" * 400 + b"}",
        b"[1]",
        b"\xff",
        b'{"schema": 1}',
    ],
    ids=["deep", "long number", "no object", "no text", "no person"],
)
def test_a_shard_with_a_broken_head_is_refused(head: bytes, tmp_path: Path) -> None:
    path = tar_of(tmp_path / "shard.tar", {"a.json": head, "a.photo.webp": face(0, 0)})
    with pytest.raises(BadInput, match="cannot be read as a shard"):
        read_shard(path)


@pytest.mark.parametrize("plan", [b"[1]", b"[" * 100_000, b"7"])
def test_a_broken_plan_beside_shards_is_refused(plan: bytes, tmp_path: Path, capsys) -> None:
    photos = plain_tar(tmp_path / "faces.tar")
    shard(tmp_path / "out/shard-00000.tar")
    (tmp_path / "out" / PLAN).write_bytes(plan)
    command = [str(photos), "-o", str(tmp_path / "out"), "--size", "64", "--workers", "1"]
    assert triplets.main(command) == 2
    assert "error: " in capsys.readouterr().err


def test_a_configuration_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xef\xbb\xbfrandom_share = 0.25\n")
    assert read_config(tmp_path / "a.toml").random_share == 0.25


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "missing"])
def test_what_is_no_configuration_is_refused_at_once(kind: str, tmp_path: Path) -> None:
    path = {"device": Path("/dev/zero"), "folder": tmp_path}.get(kind, tmp_path / "a.toml")
    if kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(BadInput, match=str(path)):
        read_config(path)


@pytest.mark.parametrize("text", ["x = " + "[" * 100_000, "seed = " + "9" * 5000, "lr = \xff"])
def test_a_hostile_configuration_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "deep.toml").write_bytes(text.encode("latin1"))
    with pytest.raises(BadInput, match="cannot be read as TOML"):
        read_config(tmp_path / "deep.toml")


def broken_embeddings() -> dict[str, bytes]:
    whole = io.BytesIO()
    np.savez_compressed(whole, names=np.array(["A/1.jpg"]), emb=np.ones((1, 64)))
    plain, header = io.BytesIO(), io.BytesIO()
    np.save(plain, np.ones(3))
    with zipfile.ZipFile(header, "w") as archive:
        archive.writestr("names.npy", b"\x93NUMPY\x01\x00\xff\xff{'descr': '<f4'")
        archive.writestr("emb.npy", b"")
    data = bytearray(whole.getvalue())
    data[70:120] = bytes(50)
    return {"npy": plain.getvalue(), "header": header.getvalue(), "damaged": bytes(data),
            "cut": whole.getvalue()[:-30], "empty": b""}  # fmt: skip


@pytest.mark.parametrize("kind", broken_embeddings())
def test_broken_embeddings_are_refused(kind: str, tmp_path: Path) -> None:
    (tmp_path / "teacher.npz").write_bytes(broken_embeddings()[kind])
    with pytest.raises(BadInput, match="cannot be read as embeddings"):
        read_embeddings(tmp_path / "teacher.npz", ["A/1"])


def test_every_command_says_it_in_one_line_with_exit_code_4(
    tmp_path: Path, tiny_checkpoints, capsys
) -> None:
    path = tmp_path / "faces.tar.xz"
    path.write_bytes(lzma.compress(plain_tar(tmp_path / "faces.tar").read_bytes())[:2000])
    (tmp_path / "tiny.toml").write_text(TINY)
    npz, out = str(tmp_path / "teacher.npz"), str(tmp_path / "out.pt")
    recogniser = str(tiny_checkpoints[1])
    for run in (
        lambda: train.main(["--data", str(path), "--config", str(tmp_path / "tiny.toml"),
                            "--encoder", recogniser, "--device", "cpu", "-o", str(tmp_path / "r")]),
        lambda: distill.main(["--data", str(path), "--embeddings", npz, "-o", out]),
        lambda: verify.main([recogniser, "--data", str(path), "--embeddings", npz]),
        lambda: triplets.main([str(path), "-o", str(tmp_path / "shards")]),
        lambda: measure_edits.main([str(path), "--teacher", npz]),
    ):  # fmt: skip
        assert run() == 4
        said = capsys.readouterr().err.splitlines()
        assert [line.startswith("error: ") for line in said].count(True) == 1
        assert not any("Traceback" in line for line in said)


def test_a_whole_picture_is_decoded_as_pillow_decodes_it() -> None:
    with Image.open(io.BytesIO(face(1, 1))) as image:
        np.testing.assert_array_equal(decode(face(1, 1), 64), np.asarray(image.convert("RGB")))
