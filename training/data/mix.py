"""Draw FSTriplets (source, target, ground truth) by the published mix.

A kind that a shard cannot provide is replaced, and counted as its replacement:

- an edit that no record has: `pair`, two photos of one person;
- `pair` where nobody has two photos: `same`, one photo as source, target and truth;
- `different` where the shard shows one person: `same`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from training.data.records import ATTRIBUTE_EDITS, IDENTITY_EDITS, Record

PHOTO = "photo"

Random = np.random.Generator
PictureRef = tuple[int, str]  # which record of the shard, and PHOTO or an edit


@dataclass(frozen=True, slots=True)
class Triplet:
    """One sample, before its pictures are decoded.

    Attributes:
        kind: a name of the mix, `pair unedited`, or `random`.
        source: gives the identity; kind `random` uses a random embedding instead.
        target: gives pose, light and background.
        truth: the right result, where it is known.
        real: the unedited photo among them; discriminators see it as real.
    """

    kind: str
    source: PictureRef
    target: PictureRef
    truth: PictureRef | None
    real: PictureRef


@dataclass(frozen=True, slots=True)
class MixPlan:
    """How triplets are drawn; the fields are those of `training.generator.config.Config`."""

    mix: Mapping[str, float]
    random_share: float
    shard_batches: int
    seed: int


def draw(
    records: Sequence[Record],
    anchors: Sequence[int],
    plan: MixPlan,
    rng: Random,
    known: float = 1.0,
) -> list[Triplet]:
    """One triplet per anchor; the last ones of a batch are the random ones.

    Args:
        records: of one shard.
        anchors: the photos to start from; an edit that one lacks starts from another.
        plan: see `MixPlan`.
        rng: the source of all randomness.
        known: share of the people, in the shard's order, who are sources of `different`.
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
    """A photo and its edit.

    An identity edit is the target. An attribute edit is the source, or target and truth.
    """
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
    """Two photos of one person; the target is an identity edit of the truth, or the truth."""
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
    """A source of another person than the anchor's; `sources` shows at least two people."""
    while True:
        other = int(rng.choice(sources))
        if records[other].person != records[anchor].person:
            return Triplet("different", (other, PHOTO), (anchor, PHOTO), None, (anchor, PHOTO))
