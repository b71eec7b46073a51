"""What distillation steps learn from: which faces, how often, mixed how, past which stages."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from model.mobilefacenet import MobileFaceNet, MobileFaceNetConfig
from training.data.faces import Faces
from training.recogniser import lessons
from training.recogniser.distillation import DistillSettings, Run
from training.recogniser.hints import Answer, student_maps
from training.recogniser.lessons import Lesson, Lessons
from training.recogniser.views import covered, mixed

pytestmark = pytest.mark.usefixtures("one_thread")
COUNT, BATCH, TEACHER = 24, 4, 6


class Teacher:
    """Answers with pictures' means, and counts how often it is asked."""

    sizes = (3, 3, 3)

    def __init__(self) -> None:
        self.asked = 0

    def answer(self, view: Tensor) -> Answer:
        self.asked += 1
        embedding = torch.nn.functional.normalize(view.mean((2, 3)).repeat(1, 2) + 0.1)
        maps = [torch.nn.functional.adaptive_avg_pool2d(view, side) for side in (14, 14, 7)]
        return Answer(embedding, maps)


@pytest.fixture
def teacher() -> Teacher:
    return Teacher()


@pytest.fixture(scope="module")
def faces() -> Faces:
    random = np.random.default_rng(0)
    colours = random.integers(0, 256, (COUNT, 1, 1, 3)).repeat(24, 1).repeat(24, 2)
    names = tuple(f"P{i // 2}/{i}" for i in range(COUNT))
    return Faces(names, colours.astype(np.uint8))


def make(faces: Faces, teacher: Teacher | None, looks: int = 1, mix: float = 0.0) -> Lessons:
    targets = torch.eye(TEACHER).repeat(COUNT // TEACHER, 1)
    return Lessons(
        torch.from_numpy(faces.pixels), torch.arange(COUNT) // 2, targets, torch.eye(TEACHER),
        teacher, seed=0, batch=BATCH, looks=looks, mix=mix, cover=0.0,
    )  # fmt: skip


def given(view: Tensor) -> Tensor:
    return view


def seen(of: Lessons, steps: range) -> list[Lesson]:
    return [of.of_step(step, 112, given) for step in steps]


def test_an_epoch_shows_every_face_once(faces: Faces) -> None:
    epoch = seen(make(faces, None), range(COUNT // BATCH))
    people = torch.cat([lesson.people for lesson in epoch])
    assert people.sort().values.tolist() == [i // 2 for i in range(COUNT)]


def test_a_second_look_asks_the_teacher_nothing(
    faces: Faces, teacher: Teacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lessons, "KEPT", 3)
    everything = seen(make(faces, teacher, looks=2), range(9))
    first, again, new = everything[:3], everything[3:6], everything[6:]
    assert teacher.asked == 6
    assert all(a is b for a, b in zip(first, again, strict=True))
    assert not any(torch.equal(a.shown, b.shown) for a, b in zip(first, new, strict=True))


def test_a_resumed_run_gets_the_lessons_that_it_would_have_got(
    faces: Faces, teacher: Teacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lessons, "KEPT", 3)
    whole = seen(make(faces, teacher, looks=2, mix=0.5), range(9))
    resumed = seen(make(faces, teacher, looks=2, mix=0.5), range(4, 9))
    for expected, got in zip(whole[4:], resumed, strict=True):
        assert torch.equal(expected.shown, got.shown)
        assert torch.equal(expected.target, got.target)


def test_only_faces_with_little_of_another_count_as_one_person(
    faces: Faces, teacher: Teacher
) -> None:
    assert seen(make(faces, teacher), range(1))[0].plain.all()
    plain = torch.cat([x.plain for x in seen(make(faces, teacher, mix=1.0), range(25))])
    assert 0.2 < plain.float().mean() < 0.6  # of shares up to a half two fifths are up to a fifth


def test_a_mixed_view_lies_between_two_faces() -> None:
    view = torch.tensor([-1.0, 1.0]).view(2, 1, 1, 1).expand(2, 3, 4, 4)
    seeds = [torch.Generator().manual_seed(seed) for seed in range(20)]
    for view_mixed, share in (mixed(view, 1.0, random) for random in seeds):
        assert ((share >= 0) & (share <= 0.5)).all()
        moved = (view_mixed - view).abs().flatten(1).amax(1)
        assert ((moved == 0) | torch.isclose(moved, 2 * share)).all()
    untouched, share = mixed(view, 0.0, torch.Generator().manual_seed(0))
    assert torch.equal(untouched, view)
    assert not share.any()


def test_a_bar_covers_a_part_of_the_faces_chosen_and_nothing_else() -> None:
    view = torch.full((200, 3, 40, 40), 0.123)
    changed = (covered(view, 0.5, torch.Generator().manual_seed(0)) != view).any(1)
    shares = changed.flatten(1).float().mean(1)
    assert 70 < (shares > 0).sum() < 130
    assert shares.max() < 0.3  # a bar is at most 0.3 high and 0.8 wide
    for bar in changed[shares > 0]:
        rows, columns = bar.any(1), bar.any(0)
        assert torch.equal(bar, rows[:, None] & columns)


@pytest.mark.slow
@pytest.mark.parametrize("hinted", [True, False])
@pytest.mark.parametrize("held", [0, 3])
def test_stages_that_are_held_keep_weights_and_statistics(
    faces: Faces, teacher: Teacher, held: int, hinted: bool
) -> None:
    torch.manual_seed(0)
    before = MobileFaceNet(MobileFaceNetConfig(4, 16))
    settings = DistillSettings(
        batch=BATCH, steps=3, sizes=((112, 1.0),), hinted=hinted, held=held, mix=0.5 * hinted
    )
    targets = np.eye(TEACHER, dtype=np.float32).repeat(COUNT // TEACHER, 0)
    asked = teacher if hinted else None
    run = Run(settings, faces, targets, asked, copy.deepcopy(before))
    for _ in range(3):
        run.step()
    after = run.finished().state_dict()
    changed = {
        name.split(".")[0]
        for name, value in before.state_dict().items()
        if not torch.equal(value, after[name])
    }
    stem = {"conv1", "conv2_dw", "conv_23"}
    assert changed & stem == (set() if held else stem)
    assert changed >= {"conv_3", "conv_4", "linear"}


def test_what_is_held_is_done_once_per_view(
    faces: Faces, teacher: Teacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def halved(view: Tensor) -> Tensor:
        asked.append(view)
        return view[..., ::2, ::2]

    monkeypatch.setattr(lessons, "KEPT", 1)
    every = make(faces, teacher, looks=2)
    shown = [every.of_step(step, 112, halved).shown for step in range(4)]
    assert all(view.shape == (BATCH, 3, 56, 56) for view in shown)
    assert len(asked) == 2


def test_a_compiled_student_is_the_one_that_learns(
    faces: Faces, teacher: Teacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = []

    def noting(function: Any) -> Any:
        def noted(*args: Any) -> Any:
            called.append(function)
            return function(*args)

        return noted

    monkeypatch.setattr(torch, "compile", noting)
    settings = DistillSettings(
        batch=BATCH, steps=1, sizes=((112, 1.0),), hinted=True, compiled=True
    )
    targets = np.eye(TEACHER, dtype=np.float32).repeat(COUNT // TEACHER, 0)
    run = Run(settings, faces, targets, teacher, MobileFaceNet(MobileFaceNetConfig(4, 16)))
    run.step()
    assert called == [student_maps]


def test_a_view_kept_at_one_size_is_not_given_at_another(
    faces: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lessons, "KEPT", 1)
    every = make(faces, None, looks=2)
    sizes = [every.of_step(step, size, given).shown.shape[-1] for step, size in ((0, 64), (1, 80))]
    assert sizes == [64, 80]
