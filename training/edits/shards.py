"""Make training shards of photos: plan them, edit the photos in parallel, write complete shards.

The plan depends on the photos and the settings only. After a kill a new run makes the shards that
are missing.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model.errors import BadInput, ContractError, UsageError
from model.files import write_atomically
from model.typed_json import load_json
from training.data.photos import Photo, held_out_people
from training.data.records import Record, write_shard
from training.edits.recording import Made, ShardSettings, make_record, start

PLAN = "plan.json"


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """The photos of each shard, the held-out people, and how many photos are broken."""

    shards: tuple[tuple[Photo, ...], ...]
    held_out: frozenset[str]
    broken: int


def make_plan(
    photos: Sequence[Photo], readable: Iterable[bool], settings: ShardSettings
) -> ShardPlan:
    """Divide the people, in random order and without the held-out ones, into shards.

    Raises:
        BadInput: no photo is readable, or the readable ones show one person.
    """
    sound = [photo for photo, fine in zip(photos, readable, strict=True) if fine]
    broken = len(photos) - len(sound)
    people = sorted({photo.person for photo in sound})
    if len(people) < 2:
        shows = f"one person, {people[0]}" if people else "nothing that can be read"
        raise BadInput(
            f"the photos show {shows} ({broken} broken); expected at least two people, each in a "
            "folder of their own, for a swap takes two"
        )
    held_out = held_out_people((photo.name for photo in sound), 0)
    random = np.random.default_rng(settings.seed)
    kept = random.permutation([person for person in people if person not in held_out])
    of_person: dict[str, list[Photo]] = {}
    for photo in sound:
        of_person.setdefault(photo.person, []).append(photo)
    shards: list[list[Photo]] = [[]]
    left = settings.limit or len(sound)
    for person in kept:
        theirs = of_person[str(person)][:left]
        if shards[-1] and len(shards[-1]) + len(theirs) > settings.per_shard:
            shards.append([])
        shards[-1] += theirs
        left -= len(theirs)
        if not left:
            break
    return ShardPlan(tuple(tuple(shard) for shard in shards if shard), held_out, broken)


def claim(folder: Path, plan: ShardPlan, settings: ShardSettings) -> None:
    """Write the plan's description into the folder, or check it against the one that is there.

    Raises:
        UsageError: the folder holds shards of other photos or settings.
    """
    names = "\n".join(photo.name for shard in plan.shards for photo in shard)
    wanted = {**asdict(settings), "photos": hashlib.sha256(names.encode()).hexdigest()}
    path = folder / PLAN
    try:
        there = load_json(path.read_bytes(), str(path))
    except (OSError, ContractError):
        if any(folder.glob("shard-*.tar")):
            raise UsageError(
                f"{folder} holds shards without a readable {PLAN}, so that nobody knows what they "
                "are made of. Use another folder with -o"
            ) from None
        _write_text(path, json.dumps(wanted, indent=2) + "\n")
        return
    if there != wanted:
        known = there if isinstance(there, dict) else {}
        differs = ", ".join(key for key in wanted if known.get(key) != wanted[key]) or "the format"
        raise UsageError(
            f"{folder} holds shards made with other {differs}; going on would mix the two. Use the "
            "same photos and flags, or another folder with -o"
        )


def shard_path(folder: Path, number: int) -> Path:
    """The file of a shard."""
    return folder / f"shard-{number:05}.tar"


def is_made(folder: Path, number: int) -> bool:
    """Whether a shard and its counts are complete."""
    return shard_path(folder, number).exists() and _counts_path(folder, number).exists()


def make_shards(
    folder: Path,
    plan: ShardPlan,
    settings: ShardSettings,
    workers: int,
    step: Callable[[], None],
    shown: Callable[[int, list[Record]], None],
) -> Counter[str]:
    """Make the shards that are not there yet.

    Args:
        folder: where they go.
        plan: all of them.
        settings: of the pictures.
        workers: processes.
        step: called after each photo.
        shown: called with the number and the records of each new shard, for previews.

    Returns:
        Counts over all shards, including earlier runs': `records`, `faceless`, `broken`, and for
        each edit `made EDIT` and `failed EDIT`.
    """
    missing = [i for i in range(len(plan.shards)) if not is_made(folder, i)]
    keys = _keys(plan)
    tasks = [(photo, keys[photo.name], settings) for i in missing for photo in plan.shards[i]]
    with workforce(workers, start) as each:
        made = each(make_record, tasks)
        for number in missing:
            results = []
            for _ in plan.shards[number]:
                results.append(next(made))
                step()
            records = [result.record for result in results if result.record]
            # The counts are written first, so every shard has them.
            _write_text(_counts_path(folder, number), json.dumps(_count(results)))
            write_shard(shard_path(folder, number), records)
            shown(number, records)
    total: Counter[str] = Counter()
    for number in range(len(plan.shards)):
        total.update(_read_counts(_counts_path(folder, number)))
    return total


@contextmanager
def workforce(
    workers: int, start: Callable[[], None]
) -> Iterator[Callable[[Callable[..., Any], Sequence[Any]], Iterator[Any]]]:
    """An ordered `map` over worker processes; with one worker it runs in this process."""
    if workers == 1:
        start()
        yield map
        return
    # Spawned: the threads of ONNX Runtime, OpenCV and LiteRT do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, _start_worker, (start,)) as pool:
        yield lambda function, tasks: pool.imap(function, tasks, chunksize=1)


def readable(photo: Photo) -> bool:
    """Whether a photo can be decoded."""
    return photo.read() is not None


def _start_worker(start: Callable[[], None]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process handles Ctrl-C
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    start()


def _counts_path(folder: Path, number: int) -> Path:
    return shard_path(folder, number).with_suffix(".json")


def _read_counts(path: Path) -> dict[str, int]:
    counts = load_json(path.read_bytes(), str(path))
    if not isinstance(counts, dict) or not all(type(count) is int for count in counts.values()):
        raise BadInput(f"{path} holds no counts of a shard; remove it to make the shard again")
    return counts


def _write_text(path: Path, text: str) -> None:
    write_atomically(path, lambda beside: beside.write_text(text, encoding="utf-8"))


def _keys(plan: ShardPlan) -> dict[str, str]:
    """A unique key of every photo: its name without dots and slashes, numbered if necessary."""
    keys: dict[str, str] = {}
    taken: Counter[str] = Counter()
    for shard in plan.shards:
        for photo in shard:
            key = photo.name.replace("/", "_").replace(".", "_")
            taken[key] += 1
            keys[photo.name] = key if taken[key] == 1 else f"{key}__{taken[key]}"
    return keys


def _count(results: list[Made]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for record, wrong, failed in results:
        counts[wrong or "records"] += 1
        if record:
            counts.update(f"made {name}" for name in record.edits)
            counts.update(f"failed {name}" for name in failed)
    return counts
