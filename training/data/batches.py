"""Batches of triplets as pictures, made by threads ahead of the step that uses them.

A batch is a pure function of (seed, step, rank, size, count), so a run resumes exactly without a
saved reader state. The order of the shards depends on (seed, epoch). Each shard gives a fixed
number of batches at a time, in which every photo is a target about equally often.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import torch
from torch import Tensor

from model.errors import BadInput
from training.data.mix import PHOTO, MixPlan, PictureRef, Triplet, draw
from training.data.records import Record, decode
from training.data.sources import Shard
from training.running.seeds import seed_of

SOURCE_SIZE = 176  # px; its identity crop has 140, enough for the recogniser's 112
KEPT_SHARDS = 2
AHEAD = 3  # batches in preparation
# Decoded pictures take at most a quarter of the machine's memory, and at most 8 GiB, because a
# container may have less than the machine.
KEPT_SHARE, KEPT_MOST = 4, 8 << 30

Pixels = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Triplets as pictures, NHWC uint8 RGB; a picture with several uses is stored once.

    Attributes:
        kinds: (N,) names; see `Triplet.kind`.
        source: (N, 176, 176, 3).
        pictures: (M, S, S, 3), which `target`, `truth` and `real` index.
        target: (N,) rows of `pictures`.
        truth: (N,) rows of `pictures`; the target where there is no truth.
        real: (N,) rows of `pictures`.
        has_truth: (N,) bool.
        random: (N,) bool, where a random embedding replaces the source's.
        names: (N,) names of the source pictures; a name always stands for the same picture.
    """

    kinds: tuple[str, ...]
    source: Tensor
    pictures: Tensor
    target: Tensor
    truth: Tensor
    real: Tensor
    has_truth: Tensor
    random: Tensor
    names: tuple[str, ...]


class Mixer:
    """Makes batches in threads, ahead of the requests."""

    def __init__(
        self, shards: Sequence[Shard], plan: MixPlan, *, rank: int = 0, world: int = 1
    ) -> None:
        self._shards = shards
        self._plan = plan
        self._rank, self._world = rank, world
        self._read: OrderedDict[str, list[Record]] = OrderedDict()
        self._reading = Lock()
        self._album = Album(min(KEPT_MOST, _memory() // KEPT_SHARE) // world)
        self._makers = ThreadPoolExecutor(AHEAD, "batches")
        self._ahead: dict[tuple[int, int, int, float], Future[Batch]] = {}

    def batch(self, step: int, size: int, count: int, known: float = 1.0) -> Batch:
        """The batch of a step: `count` triplets with pictures of `size` px.

        Args:
            step: number of the step.
            size: side of targets and truths.
            count: of triplets.
            known: share of each shard's people who are sources of `different`.

        Raises:
            BadInput: a shard or one of its pictures cannot be read.
        """
        keys = [(step + i, size, count, known) for i in range(AHEAD + 1)]
        for key in self._ahead.keys() - set(keys):
            self._ahead.pop(key).cancel()
        for key in keys:
            if key not in self._ahead:
                self._ahead[key] = self._makers.submit(self.make, *key)
        return self._ahead.pop(keys[0]).result()

    def make(self, step: int, size: int, count: int, known: float = 1.0) -> Batch:
        """As `batch`, in the calling thread."""
        visit, place = divmod(step, self._plan.shard_batches)
        shard = self._shard(visit)
        records = self._records(shard)
        rng = np.random.default_rng(seed_of(self._plan.seed, 3, step, self._rank))
        anchors = self._anchors(visit, place, count, len(records))
        try:
            triplets = draw(records, anchors, self._plan, rng, known)
            return self._decode(shard.name, records, triplets, size)
        except BadInput as error:
            raise BadInput(f"{shard.name}: {error}") from None

    def close(self) -> None:
        """End the threads."""
        self._makers.shutdown(cancel_futures=True)
        self._album.close()

    def _shard(self, visit: int) -> Shard:
        """The shard of a visit. All ranks share one order and take turns, so shards differ."""
        per_rank = max(1, len(self._shards) // self._world)
        epoch, turn = divmod(visit, per_rank)
        order = np.random.default_rng(seed_of(self._plan.seed, 4, epoch)).permutation(
            len(self._shards)
        )
        return self._shards[order[(turn * self._world + self._rank) % len(order)]]

    def _anchors(self, visit: int, place: int, count: int, photos: int) -> list[int]:
        """The photo that each triplet starts from: all photos in a new random order each round."""
        seats = np.arange(place * count, (place + 1) * count)
        rounds = [
            np.random.default_rng(
                seed_of(self._plan.seed, 5, visit, self._rank, int(turn))
            ).permutation(photos)[seats[seats // photos == turn] % photos]
            for turn in np.unique(seats // photos)
        ]
        return np.concatenate(rounds).tolist()

    def _records(self, shard: Shard) -> list[Record]:
        with self._reading:
            if shard.name not in self._read:
                self._read[shard.name] = shard.read()
                if not self._read[shard.name]:
                    raise BadInput(f"{shard.name} holds no record. Make the shard again")
                while len(self._read) > KEPT_SHARDS:
                    self._read.popitem(last=False)
            self._read.move_to_end(shard.name)
            return self._read[shard.name]

    def _decode(
        self, shard: str, records: list[Record], triplets: list[Triplet], size: int
    ) -> Batch:
        shown = {p for t in triplets for p in (t.target, t.truth or t.target, t.real)}
        rows = {picture: row for row, picture in enumerate(sorted(shown))}
        sources = [t.source for t in triplets]
        return Batch(
            kinds=tuple(t.kind for t in triplets),
            source=self._album.stack(shard, records, sources, SOURCE_SIZE),
            pictures=self._album.stack(shard, records, list(rows), size),
            target=torch.tensor([rows[t.target] for t in triplets]),
            truth=torch.tensor([rows[t.truth or t.target] for t in triplets]),
            real=torch.tensor([rows[t.real] for t in triplets]),
            has_truth=torch.tensor([t.truth is not None for t in triplets]),
            random=torch.tensor([t.kind == "random" for t in triplets]),
            names=tuple(f"{shard}/{records[i].key}.{part}" for i, part in sources),
        )


class Album:
    """Decodes pictures in threads and caches them up to a limit.

    Decoding and resizing to 256 px takes 3 ms a picture; a GPU trains on hundreds a second.
    """

    def __init__(self, room: int) -> None:
        """Start with an empty cache of `room` bytes; beyond it pictures are decoded each time."""
        self._room = room
        self._kept: dict[tuple[str, PictureRef, int], Pixels] = {}
        self._threads = ThreadPoolExecutor(max(2, (os.cpu_count() or 2) // 2), "decode")

    def stack(
        self, shard: str, records: Sequence[Record], pictures: Sequence[PictureRef], size: int
    ) -> Tensor:
        """Those pictures of a shard, (N, size, size, 3) uint8 RGB.

        Raises:
            BadInput: one of them cannot be read.
        """
        found: dict[PictureRef, Pixels] = {}
        missing = []
        for picture in dict.fromkeys(pictures):
            kept = self._kept.get((shard, picture, size))
            if kept is None:
                missing.append(picture)
            else:
                found[picture] = kept
        for picture, pixels in zip(
            missing, self._threads.map(lambda p: _pixels(records, p, size), missing), strict=True
        ):
            found[picture] = pixels
            if self._room >= pixels.nbytes:  # approximate: two threads may count a picture twice
                self._room -= pixels.nbytes
                self._kept[shard, picture, size] = pixels
        return torch.from_numpy(np.stack([found[picture] for picture in pictures]))

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(cancel_futures=True)


def _pixels(records: Sequence[Record], picture: PictureRef, size: int) -> Pixels:
    record, part = records[picture[0]], picture[1]
    return decode(record.photo if part == PHOTO else record.edits[part], size)  # type: ignore[index]


def _memory() -> int:
    """Bytes of memory of this machine; 4 GiB where the system does not tell, as on Windows."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 4 << 30
