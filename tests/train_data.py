"""Generated faces to train on: each person is a blob of a colour and a place of their own."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from training.data.records import Record, write_shard

TINY = """
lr = 2e-3
adversarial_from = 0.0
shard_batches = 2
statistics_samples = 4
span_samples = 8
channels = 4
random_share = 0.2
rounding = 0.5
[[stages]]
size = 64
batch = 4
until = 1.0
"""


def face(person: int, photo: int, size: int = 64) -> bytes:
    """An encoded picture of a made-up person."""
    random = np.random.default_rng((person, 7))
    color, (cx, cy) = random.uniform(0, 255, 3), random.uniform(0.3, 0.7, 2) * size
    y, x = np.mgrid[0:size, 0:size]
    blob = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / size)[..., None] * color
    noise = np.random.default_rng((person, photo)).normal(30, 8, (size, size, 3))
    data = io.BytesIO()
    Image.fromarray((blob + noise).clip(0, 255).astype(np.uint8)).save(data, "PNG")
    return data.getvalue()


def plain_tar(path: Path, people: int = 6, photos: int = 3, broken: int = 0) -> Path:
    """A tar of `Person/N.png`."""
    with tarfile.open(path, "w") as tar:
        for i in range(people):
            for j in range(photos):
                add(tar, f"P{i:02}/{j}.png", face(i, j))
        for j in range(broken):
            add(tar, f"P00/broken{j}.png", b"no picture")
    return path


def shard(path: Path, first: int = 0, people: int = 3, edits: tuple[str, ...] = ("fat",)) -> Path:
    """A shard of people with two photos each, each photo with the edits named."""
    write_shard(path, records(first, people, edits))
    return path


def records(first: int, people: int, edits: tuple[str, ...]) -> list[Record]:
    """Two records per person; edits are other pictures."""
    return [
        Record(f"P{i}_{j}", f"P{i}", face(i, j),
               {e: face(i, 10 + n) for n, e in enumerate(edits)})  # type: ignore[misc]
        for i in range(first, first + people) for j in range(2)
    ]  # fmt: skip


def add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))
