"""Draw batches of FSTriplets (source, target, ground truth) by the published mix.

A batch is a pure function of (seed, step, rank, size, count): nothing of the reader has to be saved
to resume exactly. Shards are visited in an order of (seed, epoch), each for a fixed number of
batches, and within a visit every photo is a target about equally often.

What cannot be drawn is replaced, and counted as what it became: an edit that no record of the shard
has, by two photos of one person; two photos of one person where nobody has two, by one photo that
is everything; different people in a shard of one, likewise.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import torch
from torch import Tensor

from model.errors import BadInput
from training.data import Shard
from training.records import ATTRIBUTE_EDITS, IDENTITY_EDITS, Record, decode
from training.seeds import seed_of

SOURCE_SIZE = 176  # px; its identity crop has 140, enough for the recogniser's 112
KEPT_SHARDS = 2
AHEAD = 3  # batches that are being made while one is learned from
PHOTO = "photo"

Random = np.random.Generator
Picture = tuple[int, str]  # which record of the shard, and PHOTO or an edit


@dataclass(frozen=True, slots=True)
class Triplet:
    """One sample, before its pictures are decoded.

    Attributes:
        kind: what was drawn: a name of the mix, `pair unedited`, or `random`.
        source: who is to be seen; with kind `random` replaced by a random embedding.
        target: what else is to be seen.
        truth: what is to come out, if that is known.
        real: the unedited photo among them, which discriminators are shown.
    """

    kind: str
    source: Picture
    target: Picture
    truth: Picture | None
    real: Picture


@dataclass(frozen=True, slots=True)
class Batch:
    """Triplets as pictures, NHWC uint8 RGB.

    Attributes:
        kinds: (N,) names; see `Triplet.kind`.
        source: (N, 176, 176, 3).
        target: (N, S, S, 3).
        truth: (N, S, S, 3); the target where there is none.
        real: (N, S, S, 3).
        has_truth: (N,) bool.
        random: (N,) bool, where a random embedding takes the source's place.
        names: (N,) of the source pictures; the same name is always the same picture.
    """

    kinds: tuple[str, ...]
    source: Tensor
    target: Tensor
    truth: Tensor
    real: Tensor
    has_truth: Tensor
    random: Tensor
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What batches depend on besides step, rank, size and count; see `training.config.Config`."""

    mix: Mapping[str, float]
    random_share: float
    shard_batches: int
    seed: int


class Mixer:
    """Makes batches in threads, some ahead of the one asked for."""

    def __init__(
        self, shards: Sequence[Shard], plan: Plan, *, rank: int = 0, world: int = 1
    ) -> None:
        self._shards = shards
        self._plan = plan
        self._rank, self._world = rank, world
        self._read: OrderedDict[str, list[Record]] = OrderedDict()
        self._reading = Lock()
        # A GPU takes a batch in some 30 ms; one thread makes one in 100.
        self._makers = ThreadPoolExecutor(AHEAD, "batches")
        self._decoders = ThreadPoolExecutor(max(2, (os.cpu_count() or 2) // 2), "decode")
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
        self._decoders.shutdown(cancel_futures=True)

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
        wanted = {(t.source, SOURCE_SIZE) for t in triplets}
        for t in triplets:
            wanted |= {(t.target, size), (t.truth or t.target, size), (t.real, size)}
        keys = sorted(wanted)
        decoded = dict(
            zip(keys, self._decoders.map(lambda key: _picture(records, *key), keys), strict=True)
        )

        def stack(pictures: list[tuple[Picture, int]]) -> Tensor:
            return torch.from_numpy(np.stack([decoded[key] for key in pictures]))

        return Batch(
            kinds=tuple(t.kind for t in triplets),
            source=stack([(t.source, SOURCE_SIZE) for t in triplets]),
            target=stack([(t.target, size) for t in triplets]),
            truth=stack([(t.truth or t.target, size) for t in triplets]),
            real=stack([(t.real, size) for t in triplets]),
            has_truth=torch.tensor([t.truth is not None for t in triplets]),
            random=torch.tensor([t.kind == "random" for t in triplets]),
            names=tuple(
                f"{shard}/{records[i].key}.{part}" for i, part in (t.source for t in triplets)
            ),
        )


def draw(
    records: Sequence[Record], anchors: Sequence[int], plan: Plan, rng: Random, known: float = 1.0
) -> list[Triplet]:
    """One triplet per anchor; the last ones of a batch are the random ones.

    Args:
        records: of one shard.
        anchors: the photos to start from; an edit that one lacks starts from another.
        plan: see `Plan`.
        rng: where all chance comes from.
        known: share of the people that sources of `different` are taken from, the first ones.
    """
    kinds, shares = list(plan.mix), np.array(list(plan.mix.values()))
    chosen = rng.choice(len(kinds), len(anchors), p=shares / shares.sum())
    random = round(plan.random_share * len(anchors)) or int(plan.random_share > 0)
    people: dict[str, list[int]] = {}
    for i, record in enumerate(records):
        people.setdefault(record.person, []).append(i)
    first = list(people.values())[: max(2, round(known * len(people)))]
    sources = [i for photos in first for i in photos]
    triplets = []
    for place, (anchor, kind) in enumerate(zip(anchors, chosen, strict=True)):
        name = "random" if place >= len(anchors) - random else kinds[kind]
        if name == "different" and len(people) > 1:
            triplets.append(_different(records, sources, int(anchor), rng))
        else:
            triplets.append(_triplet(records, people, int(anchor), name, rng))
    return triplets


def _triplet(
    records: Sequence[Record], people: dict[str, list[int]], anchor: int, kind: str, rng: Random
) -> Triplet:
    photo = (anchor, PHOTO)
    if kind == "random":
        return Triplet(kind, photo, photo, None, photo)
    if kind in IDENTITY_EDITS or kind in ATTRIBUTE_EDITS:
        return _edited(records, people, anchor, kind, rng)
    if kind == "pair":
        return _pair(records, people, anchor, rng)
    return Triplet("same", photo, photo, photo, photo)


def _edited(
    records: Sequence[Record], people: dict[str, list[int]], anchor: int, kind: str, rng: Random
) -> Triplet:
    """A photo and its edit: of who is seen, as the target; of what else, as source or as truth."""
    if kind not in records[anchor].edits:
        having = [i for i, record in enumerate(records) if kind in record.edits]
        if not having:
            return _pair(records, people, anchor, rng)
        anchor = int(rng.choice(having))
    photo, edit = (anchor, PHOTO), (anchor, kind)
    if kind in IDENTITY_EDITS:
        return Triplet(kind, photo, edit, photo, photo)
    if rng.random() < 0.5:
        return Triplet(kind, edit, photo, photo, photo)
    return Triplet(kind, photo, edit, edit, photo)


def _pair(
    records: Sequence[Record], people: dict[str, list[int]], anchor: int, rng: Random
) -> Triplet:
    """Two photos of one person; the target is the truth, with another identity if there is one."""
    if len(people[records[anchor].person]) < 2:
        able = [i for group in people.values() if len(group) > 1 for i in group]
        if not able:
            return Triplet("same", *[(anchor, PHOTO)] * 4)
        anchor = int(rng.choice(able))
    others = [i for i in people[records[anchor].person] if i != anchor]
    source, photo = (int(rng.choice(others)), PHOTO), (anchor, PHOTO)
    edits = [edit for edit in IDENTITY_EDITS if edit in records[anchor].edits]
    if not edits:
        return Triplet("pair unedited", source, photo, photo, photo)
    return Triplet("pair", source, (anchor, str(rng.choice(edits))), photo, photo)


def _different(
    records: Sequence[Record], sources: Sequence[int], anchor: int, rng: Random
) -> Triplet:
    """Somebody else's face on a photo; `sources` shows at least two people."""
    while True:
        other = int(rng.choice(sources))
        if records[other].person != records[anchor].person:
            return Triplet("different", (other, PHOTO), (anchor, PHOTO), None, (anchor, PHOTO))


def _picture(
    records: Sequence[Record], picture: Picture, size: int
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    record, part = records[picture[0]], picture[1]
    return decode(record.photo if part == PHOTO else record.edits[part], size)  # type: ignore[index]
