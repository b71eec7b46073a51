"""Batches of distillation: augmented faces and the teacher's answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from training.recogniser.hints import HintingTeacher
from training.recogniser.views import augmented_view, covered, mixed
from training.running.seeds import seed_of

KEPT = 32  # lessons in memory; they are reused before new ones are made
ONE_PERSON = 0.2  # a view with at most this share of another face counts as one person


@dataclass(frozen=True, slots=True)
class Lesson:
    """A batch.

    Attributes:
        shown: the student's input, (N, 3, S, S) NCHW float32 in [-1, 1], or the maps after its
            frozen stages.
        people: (N,) int64, the person of each face.
        plain: (N,) bool, views that show one person only.
        target: the teacher's embeddings in the student's space, (N, D) float32 unit norm.
        maps: the teacher's feature maps; empty where only its embeddings are known.
    """

    shown: Tensor
    people: Tensor
    plain: Tensor
    target: Tensor
    maps: list[Tensor]


class Lessons:
    """All lessons of a run; the lesson of a step depends on the seed and the step's number only."""

    def __init__(
        self, pixels: Tensor, people: Tensor, targets: Tensor, space: Tensor,
        teacher: HintingTeacher | None, *, seed: int, batch: int, looks: int, mix: float,
        cover: float,
    ) -> None:  # fmt: skip
        """Make none yet.

        Args:
            pixels: (N, S, S, 3) NHWC uint8 RGB, aligned faces.
            people: (N,) int64, the person of each face.
            targets: the teacher's embeddings of them in the student's space, (N, D).
            space: the teacher's space to the student's, (T, D).
            teacher: asked about every view; without it `targets` are used.
            seed: of the order and the augmentation.
            batch: faces in a lesson.
            looks: how often a lesson is used; making one costs as much as a training step.
            mix: share of the views that are blended with another face; needs the teacher.
            cover: share of the views with a covered part; needs the teacher.
        """
        self._pixels, self._people, self.targets = pixels, people, targets
        self._space, self._teacher = space, teacher
        self._seed, self._looks, self._mix, self._cover = seed, looks, mix, cover
        self._batch = min(batch, len(pixels))
        self._made: dict[tuple[int, int], Lesson] = {}

    def of_step(self, step: int, size: int, held: Callable[[Tensor], Tensor]) -> Lesson:
        """The lesson of a step, made unless it is in memory.

        Args:
            step: 0, 1...
            size: side of the views in pixels.
            held: applied to every view once: the student's frozen stages.
        """
        block, place = divmod(step, KEPT * self._looks)
        number = block * KEPT + place % KEPT
        lesson = self._made.pop((number, size), None) or self._make(number, size, held)
        if place + KEPT < KEPT * self._looks:
            self._made[number, size] = lesson
        return lesson

    def _make(self, number: int, size: int, held: Callable[[Tensor], Tensor]) -> Lesson:
        rows = self._rows(number)
        random = torch.Generator(self._pixels.device).manual_seed(seed_of(self._seed, 2, number))
        view = augmented_view(self._pixels[rows], size, random)
        target, maps, plain = self.targets[rows], [], torch.ones_like(rows, dtype=torch.bool)
        if self._teacher:
            view, share = mixed(covered(view, self._cover, random), self._mix, random)
            answer = self._teacher.answer(view)
            target, maps, plain = answer.embedding @ self._space, answer.maps, share <= ONE_PERSON
        with torch.no_grad():
            shown = held(view.contiguous(memory_format=torch.channels_last))
        return Lesson(shown, self._people[rows], plain, target, maps)

    def _rows(self, number: int) -> Tensor:
        """The faces of a lesson: every face once per epoch, in a new order each time."""
        epoch, place = divmod(number, len(self._pixels) // self._batch)
        random = torch.Generator().manual_seed(seed_of(self._seed, 1, epoch))
        order = torch.randperm(len(self._pixels), generator=random)
        return order[place * self._batch : (place + 1) * self._batch].to(self._pixels.device)
