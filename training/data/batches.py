"""Batches of triplets as pictures, made in threads ahead of the step that learns from them.

A batch is a pure function of (seed, step, rank, size, count): nothing of the reader has to be saved
to resume exactly. Shards are visited in an order of (seed, epoch), each for a fixed number of
batches, and within a visit every photo is a target about equally often.
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
AHEAD = 3  # batches that are being made while one is learned from
# Decoded pictures may take a quarter of the machine's memory, and no more than this: in a container
# the machine's is not the limit.
KEPT_SHARE, KEPT_MOST = 4, 8 << 30

Pixels = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Triplets as pictures, NHWC uint8 RGB; one that several triplets or roles show is in it once.

    Attributes:
        kinds: (N,) names; see `Triplet.kind`.
        source: (N, 176, 176, 3).
        pictures: (M, S, S, 3), what the next three point to.
        target: (N,) rows of `pictures`.
        truth: (N,) likewise; the target where there is none.
        real: (N,) likewise.
        has_truth: (N,) bool.
        random: (N,) bool, where a random embedding takes the source's place.
        names: (N,) of the source pictures; the same name is always the same picture.
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
    """Makes batches in threads, some ahead of the one asked for."""

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
            known: share of each shard's people that sources of `different` are taken from.

        Raises:
            BadInput: a shard or one of its pictures cannot be read.
        """
        keys = [(step + i, size, count, known) for i in range(AHEAD + 1)]
        for key in self._ahead.keys() - set(keys):
            self._ahead.pop(key).cancel()
        for key in keys:  # all are pure, so it does not matter when they are made
            if key not in self._ahead:
                self._ahead[key] = self._makers.submit(self.make, *key)
        return self._ahead.pop(keys[0]).result()

    def make(self, step: int, size: int, count: int, known: float = 1.0) -> Batch:
        """As `batch`, without thread."""
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
        """Whole epochs; ranks take turns in one order, so that they see different shards."""
        per_rank = max(1, len(self._shards) // self._world)
        epoch, turn = divmod(visit, per_rank)
        order = np.random.default_rng(seed_of(self._plan.seed, 4, epoch)).permutation(
            len(self._shards)
        )
        return self._shards[order[(turn * self._world + self._rank) % len(order)]]

    def _anchors(self, visit: int, place: int, count: int, photos: int) -> list[int]:
        """Which photo each triplet starts from: the shard's photos shuffled, over and over."""
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
    """Decodes pictures in threads, and keeps them while there is room.

    To decode one and enlarge it to 256 px takes 3 ms, and a GPU learns from hundreds a second.
    """

    def __init__(self, room: int) -> None:
        """With room for so many bytes; pictures that came later are decoded every time."""
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
            if self._room >= pixels.nbytes:  # roughly: two threads may count one picture twice
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
    """Bytes of memory that this machine has; where it does not say, as Windows, 4 GiB are taken."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 4 << 30
