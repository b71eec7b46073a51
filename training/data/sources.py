"""Open what --data names: shards made by training.triplets, or plain photos as `Person/N.webp`.

Plain photos become records without edits. They are divided in memory into shards of whole people.
The people that are held out for evaluation are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from model.errors import BadInput
from training.data.archives import LARGEST_MEMBER_BYTES, members, open_tar, tars_in
from training.data.faces import PICTURES, held_out_people
from training.data.records import Record, decode, read_shard

# Plain photos are in memory anyway; large shards make the batches similar to each other.
SHARD_PHOTOS = 16384
_EXPECTED = (
    "expected shards of training.triplets, or a tar or folder of Person/N.webp. Check --data"
)
_CHECK_SIZE = 16  # px; a broken picture shows at any size, and small ones decode fastest


@dataclass(frozen=True, slots=True)
class Shard:
    """All records of some people: a name, and a function that reads them."""

    name: str
    read: Callable[[], list[Record]]


@dataclass(frozen=True, slots=True)
class Data:
    """What was found.

    Attributes:
        shards: in the order of the flags and of their names.
        told: a line for the user on what was found.
    """

    shards: tuple[Shard, ...]
    told: str


def open_data(paths: Sequence[Path], seed: int = 0) -> Data:
    """Find the shards and the plain photos.

    Args:
        paths: shards, tars of photos, or folders of either.
        seed: decides who is held out. They are left out of plain photos; shards are made
            without them.

    Raises:
        BadInput: a file is missing or is neither, or there are no faces of two people.
    """
    shards, told = [], []
    for path in paths:
        tars = tars_in(path) if path.is_dir() else []
        for file in tars or [path]:
            if file.is_file() and _is_shard(file):
                shards.append(Shard(file.name, lambda file=file: read_shard(file)))  # type: ignore[misc]
            else:
                found = _plain(file, seed)
                shards += found.shards
                told.append(found.told)
    made = len(shards) - sum(shard.name.startswith("photos-") for shard in shards)
    if made:
        people = len({record.person for record in shards[0].read()})
        if people < 2 and len(shards) == 1:
            raise _one_person(str(paths[0]))
        told.insert(0, f"{made} shards")
    return Data(tuple(shards), "; ".join(told))


def _is_shard(path: Path) -> bool:
    """Whether the first file of a tar is a record's; photos are in folders."""
    with open_tar(path, _EXPECTED) as tar:
        first = next((member for member in tar if member.isfile()), None)
    return first is not None and "/" not in first.name.removeprefix("./")


def _plain(path: Path, seed: int) -> Data:
    with ThreadPoolExecutor(4) as pool:
        found = list(_photos(path))
        sound = list(pool.map(lambda photo: _decodes(photo[1]), found))
    photos = [photo for photo, good in zip(found, sound, strict=True) if good]
    broken = len(found) - len(photos)
    if not photos:
        raise BadInput(
            f"{path} holds no readable face ({broken} broken); expected shards of "
            "training.triplets, or Person/N.webp. Look at what it holds with tar -tf or ls"
        )
    people = np.array([PurePosixPath(name).parent.name for name, _ in photos])
    if len(set(people)) < 2:
        raise _one_person(f"{path} ({people[0] or 'no folder per person'})")
    out = set(held_out_people(people, seed))
    records = [
        Record(f"{i:06}", person, data, {})  # file names repeat: everybody has a photo 1
        for i, ((_, data), person) in enumerate(zip(photos, people.tolist(), strict=True))
        if person not in out
    ]
    told = (
        f"{len(records)} photos of {len({r.person for r in records})} people in {path}, without "
        f"{len(out)} held-out people; {broken} broken pictures skipped"
    )
    return Data(tuple(_cut(records, seed)), told)


def _photos(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.suffix.lower() in PICTURES and file.is_file():
                yield file.relative_to(path).as_posix(), _content(file)
        return
    for name, data in members(path, _EXPECTED):
        if name.lower().endswith(PICTURES):
            yield name, data


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(LARGEST_MEMBER_BYTES)
    except OSError as error:
        raise BadInput(f"{file} cannot be read ({error.strerror}); check its permissions") from None


def _cut(records: list[Record], seed: int) -> Iterator[Shard]:
    """Divide records into shards of whole people, in a random order that `seed` decides."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(record.person, []).append(record)
    names = sorted(groups)
    order = np.random.default_rng(seed).permutation(len(names))
    count = max(1, round(len(records) / SHARD_PHOTOS))
    parts: list[list[Record]] = [[] for _ in range(count)]
    for i in order:
        min(parts, key=len).extend(groups[names[i]])
    for i, part in enumerate(parts):
        yield Shard(f"photos-{i:04}", lambda part=part: part)  # type: ignore[misc]


def _decodes(data: bytes) -> bool:
    try:
        decode(data, _CHECK_SIZE)
    except BadInput:
        return False
    return True


def _one_person(where: str) -> BadInput:
    return BadInput(
        f"{where} shows one person; a swap needs at least two. Each person is a folder of photos"
    )
