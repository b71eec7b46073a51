"""Triplets are what the paper says, by the shares asked for, and a function of the step alone."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from train_data import plain_tar, records, shard

from model.errors import BadInput
from training.data import batches
from training.data.batches import Album, Mixer
from training.data.mix import PHOTO, MixPlan, Triplet, draw
from training.data.records import EDITS, decode
from training.data.sources import Shard, open_data
from training.generator.config import PUBLISHED_MIX


def plan(random_share: float = 0.0, **mix: float) -> MixPlan:
    return MixPlan(mix or PUBLISHED_MIX, random_share, shard_batches=2, seed=0)


def drawn(edits: tuple[str, ...], count: int = 400, people: int = 5, **mix: float) -> list[Triplet]:
    faces = records(0, people, edits)
    anchors = [i % len(faces) for i in range(count)]
    return draw(faces, anchors, plan(**mix), np.random.default_rng(0))


def test_the_published_shares_make_one() -> None:
    assert sum(PUBLISHED_MIX.values()) == pytest.approx(1)


def test_kinds_come_by_their_shares() -> None:
    found = Counter(t.kind for t in drawn(EDITS, 4000))
    for kind, share in PUBLISHED_MIX.items():
        assert found[kind] / 4000 == pytest.approx(share, abs=0.03), kind
    assert set(found) <= set(PUBLISHED_MIX)


def test_different_people_have_no_truth_and_really_differ() -> None:
    faces = records(0, 5, ())
    for t in drawn((), different=1.0):
        assert t.truth is None
        assert t.real == t.target
        assert faces[t.source[0]].person != faces[t.target[0]].person


def test_an_identity_edit_is_the_target_of_its_own_photo() -> None:
    for t in drawn(("fat",), fat=1.0):
        assert t.target == (t.source[0], "fat")
        assert t.source == t.truth == t.real == (t.source[0], PHOTO)


def test_an_attribute_edit_is_source_or_truth_and_target_stays_with_truth() -> None:
    triplets = drawn(("glasses",), glasses=1.0)
    ways = Counter((t.source[1], t.target[1]) for t in triplets)
    assert set(ways) == {("glasses", PHOTO), (PHOTO, "glasses")}
    assert min(ways.values()) > 100
    assert all(t.truth == t.target and t.real[1] == PHOTO for t in triplets)


def test_a_pair_is_two_photos_of_one_person_with_the_target_edited() -> None:
    faces = records(0, 5, ("older",))
    for t in drawn(("older",), pair=1.0):
        assert t.truth is not None
        assert t.source[0] != t.truth[0]
        assert faces[t.source[0]].person == faces[t.truth[0]].person
        assert t.target == (t.truth[0], "older")


def test_what_cannot_be_drawn_is_counted_as_what_it_became() -> None:
    assert {t.kind for t in drawn((), fat=1.0)} == {"pair unedited"}
    alone = records(0, 4, ())[::2]  # one photo each
    found = draw(alone, [0, 1, 2, 3], plan(fat=0.5, pair=0.5), np.random.default_rng(0))
    assert {t.kind for t in found} == {"same"}
    one_person = records(0, 1, ())
    found = draw(one_person, [0, 1], plan(different=1.0), np.random.default_rng(0))
    assert {t.kind for t in found} == {"same"}


def test_a_share_of_every_batch_is_random_and_at_least_one() -> None:
    faces = records(0, 5, ())
    found = draw(faces, [0] * 8, plan(0.05, same=1.0), np.random.default_rng(0))
    assert [t.kind for t in found] == ["same"] * 7 + ["random"]


def mixer(rank: int = 0, world: int = 1, shards: int = 4) -> Mixer:
    parts = [Shard(f"s{i}", lambda i=i: records(3 * i, 3, ("fat",))) for i in range(shards)]
    return Mixer(parts, plan(0.2, different=0.5, fat=0.5), rank=rank, world=world)


def test_a_batch_depends_on_its_step_alone() -> None:
    onwards, anew = mixer(), mixer()
    for step in range(5):
        last = onwards.batch(step, 64, 4)
    again = anew.batch(4, 64, 4)
    assert again.kinds == last.kinds
    for name in ("source", "pictures", "target", "truth", "real", "has_truth", "random"):
        assert torch.equal(getattr(again, name), getattr(last, name)), name
    assert not torch.equal(anew.batch(3, 64, 4).source, last.source)
    onwards.close()
    anew.close()


def test_a_batch_points_to_the_pictures_that_its_triplets_name() -> None:
    faces = {record.key: record for record in records(0, 3, ("fat",))}
    batch = Mixer([Shard("s", lambda: list(faces.values()))], plan(fat=1.0)).make(0, 64, 6)
    assert len(batch.pictures) == 6 + 6  # edits and photos; each photo is truth and real at once
    for row, name in enumerate(batch.names):
        record = faces[name.removeprefix("s/").removesuffix(".photo")]
        photo = torch.from_numpy(decode(record.photo, 64))
        edited = torch.from_numpy(decode(record.edits["fat"], 64))
        assert torch.equal(batch.pictures[batch.target[row]], edited)
        assert torch.equal(batch.pictures[batch.truth[row]], photo)
        assert torch.equal(batch.pictures[batch.real[row]], photo)


def test_an_album_decodes_once_and_shows_the_same_without_room(monkeypatch) -> None:
    decoded: list[bytes] = []
    monkeypatch.setattr(batches, "decode", lambda d, size: (decoded.append(d), decode(d, size))[1])
    faces, wanted = records(0, 2, ()), [(0, PHOTO), (3, PHOTO), (0, PHOTO)]
    roomy, narrow = Album(1 << 20), Album(64 * 64 * 3)
    first = roomy.stack("s", faces, wanted, 64)
    assert len(decoded) == 2
    assert torch.equal(roomy.stack("s", faces, wanted, 64), first)
    assert len(decoded) == 2
    for _ in range(2):
        assert torch.equal(narrow.stack("s", faces, wanted, 64), first)
    assert len(decoded) == 2 + 2 + 1  # there was room for one


def test_ranks_share_the_shards_and_an_epoch_meets_them_all() -> None:
    visited = [[mixer(rank, 2)._shard(visit).name for visit in range(2)] for rank in range(2)]
    assert sorted(visited[0] + visited[1]) == ["s0", "s1", "s2", "s3"]


def test_plain_photos_are_cut_into_shards_of_whole_people_without_the_held_out(tmp_path) -> None:
    data = open_data([plain_tar(tmp_path / "faces.tar", people=8, broken=2)])
    found = [record.person for part in data.shards for record in part.read()]
    assert len(set(found)) == 6  # a quarter of eight is held out
    assert "2 broken" in data.told
    keys = [record.key for part in data.shards for record in part.read()]
    assert len(set(keys)) == len(keys) == 18
    assert not any("." in key or "/" in key for key in keys)


def test_shards_and_folders_of_shards_are_data(tmp_path) -> None:
    for i in range(3):
        shard(tmp_path / f"train-{i}.tar", 3 * i)
    assert len(open_data([tmp_path]).shards) == 3
    assert len(open_data([tmp_path / "train-0.tar"]).shards) == 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: p / "gone.tar", "does not exist"),
        (lambda p: plain_tar(p / "one.tar", people=1), "one person"),
        (lambda p: shard(p / "one-shard.tar", people=1), "one person"),
        (lambda p: plain_tar(p / "none.tar", people=0, broken=3), "no readable face (3 broken)"),
    ],
)
def test_unusable_data_is_said_in_words(make, words, tmp_path) -> None:
    with pytest.raises(BadInput, match=words.replace("(", r"\(").replace(")", r"\)")):
        open_data([make(tmp_path)])
