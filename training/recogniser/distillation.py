"""A distillation run: the student, one training step, and the state on disk."""

from __future__ import annotations

import copy
import math
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from model.mobilefacenet import MobileFaceNet, MobileFaceNetConfig
from training.data.faces import Faces
from training.recogniser.hints import HINT_WEIGHT, HintingTeacher, Hints, student_maps
from training.recogniser.lessons import Lesson, Lessons
from training.recogniser.muon import Muon
from training.recogniser.student import STAGES, loss, person_centres, teacher_map
from training.recogniser.views import identity_view
from training.running import state
from training.running.average import follow, retaking_statistics
from training.running.ranks import Compute
from training.running.rounding import RoundingNoise
from training.running.seeds import seed_of
from training.running.state import Diverged

WARM_UP = 0.03  # share of the run in which the rate rises
AVERAGING = 0.995  # of the averaged weights, per step
ADAM_SHARE = 0.15  # of the rate, for weights that are no matrices
BN_SAMPLES = 1024
CPU_FP32 = Compute(torch.device("cpu"))


@dataclass(frozen=True, slots=True)
class DistillSettings:
    """All settings of a run besides its data.

    Attributes:
        batch: faces per step.
        lr: Muon's, for matrices; all other weights learn with Adam at 0.15 of it.
        seed: of the weights, the split, the order and the augmentation.
        minutes: time for training; the schedule follows it unless `steps` is given.
        steps: number of steps instead of a time.
        sizes: picture sides in pixels, each with the share of the run at which it ends.
        channels: the network's width; 64 is the published one.
        hinted: the teacher answers for every view, with its maps; at 112 px only.
        held: number of the student's first stages that are frozen. The first three take half of a
            step's time and converge early.
        looks: how many steps use one view.
        mix: share of the views that are blended with another face; needs `hinted`.
        cover: share of the views with a covered part; needs `hinted`.
        rounding: share of the run after which layer inputs get 8-bit rounding noise, 1 for never;
            see `training.running.rounding`.
        compiled: run the student through torch.compile, which needs a C++ compiler.
    """

    batch: int = 48
    lr: float = 0.02
    seed: int = 0
    minutes: float = 60.0
    steps: int | None = None
    sizes: tuple[tuple[int, float], ...] = ((64, 0.6), (80, 0.75), (112, 1.0))
    channels: int = 64
    hinted: bool = False
    held: int = 0
    looks: int = 1
    mix: float = 0.0
    cover: float = 0.0
    rounding: float = 1.0
    compiled: bool = False


class Run:
    """A student in training. A step depends on the seed and its number only, so a run resumes."""

    def __init__(
        self, settings: DistillSettings, faces: Faces, targets: np.ndarray[Any, Any],
        teacher: HintingTeacher | None = None, init: MobileFaceNet | None = None,
        compute: Compute = CPU_FP32,
    ) -> None:  # fmt: skip
        """Start from random weights, or from `init`'s.

        Args:
            settings: see `DistillSettings`.
            faces: for training.
            targets: the teacher's embeddings of them, (N, D) float32 unit norm.
            teacher: where `settings.hinted`.
            init: network to go on from, which is changed.
            compute: the device, which holds the faces too, and the arithmetic.
        """
        torch.manual_seed(settings.seed)
        self.settings, self.compute, device = settings, compute, compute.device
        self.pixels = torch.from_numpy(faces.pixels).to(device)
        self.network = init or MobileFaceNet(MobileFaceNetConfig(settings.channels))
        _learning(self.network, settings.held)
        self.network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network)
        self._rounding = RoundingNoise(self.network, (nn.Conv2d,))
        space = teacher_map(targets.shape[1], self.network.config.embedding_size)
        targets_here = torch.from_numpy(targets) @ space
        people = torch.from_numpy(np.unique(faces.people, return_inverse=True)[1])
        self.centres = person_centres(targets_here, people).to(device)
        people, targets_here, space = (t.to(device) for t in (people, targets_here, space))
        self.lessons = Lessons(
            self.pixels, people, targets_here, space, teacher, seed=settings.seed,
            batch=settings.batch, looks=settings.looks, mix=settings.mix,
            cover=settings.cover,
        )  # fmt: skip
        self.hints = Hints(self.network, teacher.sizes).to(device) if teacher else None
        self._maps = torch.compile(student_maps) if settings.compiled else student_maps
        everything = [*self.network.parameters(), *(self.hints.parameters() if self.hints else ())]
        weights = [weight for weight in everything if weight.requires_grad]
        matrices = [
            w for w in weights if w.dim() >= 2 and w.shape[1] > 1 and w.shape[2:].numel() == 1
        ]
        others = [w for w in weights if not any(w is m for m in matrices)]
        self.optimizers = (
            Muon(matrices, settings.lr),
            torch.optim.Adam(others, settings.lr * ADAM_SHARE, betas=(0.9, 0.99)),
        )
        self.steps = 0
        self.seconds = 0.0
        self.samples = 0

    @property
    def progress(self) -> float:
        """Share of the run that is done, 0 to 1."""
        s = self.settings
        done = self.steps / s.steps if s.steps else self.seconds / (60 * s.minutes)
        return min(1.0, done)

    @property
    def size(self) -> int:
        """Side of the pictures now learned from, in pixels."""
        return next((size for size, end in self.settings.sizes if self.progress < end), 112)

    def step(self) -> tuple[float, float]:
        """Learn from one batch: (loss, mean cosine to the teacher).

        Raises:
            Diverged: the loss is not finite; the weights are those before the step.
        """
        lesson = self.lessons.of_step(self.steps, self.size, self._held)
        seed = seed_of(self.settings.seed, 3, self.steps)
        self._rounding.begin(self.progress >= self.settings.rounding, seed)
        value, cosine = self._loss(lesson)
        if not math.isfinite(value.item()):
            raise Diverged(
                f"the loss is {value.item()} at step {self.steps}; expected a number. The last "
                f"good state is kept. Start again with a lower --lr than {self.settings.lr:g}"
            )
        value.backward()
        for optimizer, share in zip(self.optimizers, (1.0, ADAM_SHARE), strict=True):
            optimizer.param_groups[0]["lr"] = share * self.settings.lr * _pace(self.progress)
            optimizer.step()
            optimizer.zero_grad()
        follow(self.average, self.network, age=self.steps, most=AVERAGING)
        self.steps += 1
        self.samples += len(lesson.people)
        return value.item(), cosine.item()

    def _held(self, view: Tensor) -> Tensor:
        """What the stages that are held still make of a view; itself where none is."""
        for name in STAGES[: self.settings.held]:
            view = getattr(self.network, name)(view)
        return view

    def _loss(self, lesson: Lesson) -> tuple[Tensor, Tensor]:
        # bf16 pays on the large maps only: on small ones the conversions cost what it saves.
        with self.compute.autocast() if self.size > 64 else nullcontext():
            embedding, maps = self._maps(self.network, lesson.shown, self.settings.held)
            hint = HINT_WEIGHT * self.hints(maps, lesson.maps) if self.hints else 0.0
        value, cosine = loss(embedding, lesson.target, lesson.people, self.centres, lesson.plain)
        return value + hint, cosine

    def finished(self) -> MobileFaceNet:
        """The averaged network with BN statistics of its own, at 112 px, in eval mode."""
        network = copy.deepcopy(self.average)
        random = torch.Generator().manual_seed(self.settings.seed)
        rows = torch.randperm(len(self.pixels), generator=random)[:BN_SAMPLES]
        _learning(network, self.settings.held)
        with torch.no_grad(), retaking_statistics(network):
            for part in rows.to(self.pixels.device).chunk(math.ceil(len(rows) / 64)):
                network(identity_view(self.pixels[part]))
        return network.to("cpu").eval()

    def save(self, path: Path) -> None:
        """Write the run's state; a kill leaves the old file or the new one."""
        counts = {"steps": self.steps, "samples": self.samples, "seconds": self.seconds}
        parts = {name: part.state_dict() for name, part in self._parts().items()}
        state.save(path, self._purpose(), {**counts, **parts})

    def load(self, path: Path) -> None:
        """Go on where `save` was called.

        Raises:
            CheckpointError: no such state, or of a run with other settings or faces.
        """
        with state.saved(path, self._purpose()) as found:
            for name, part in self._parts().items():
                part.load_state_dict(found[name])
            self.steps, self.samples = found["steps"], found["samples"]
            self.seconds = found["seconds"]

    def _purpose(self) -> dict[str, Any]:
        plain = {**asdict(self.settings), "sizes": [list(pair) for pair in self.settings.sizes]}
        return {"settings": plain, "faces": len(self.pixels)}

    def _parts(self) -> dict[str, Any]:
        matrices, others = self.optimizers
        parts = {
            "network": self.network, "average": self.average, "matrices": matrices,
            "others": others,
        }  # fmt: skip
        return {**parts, "hints": self.hints} if self.hints else parts


def _learning(network: MobileFaceNet, held: int) -> None:
    """Set training mode, and freeze weights and statistics of the first `held` stages."""
    network.train().requires_grad_(True)
    for name in STAGES[:held]:
        getattr(network, name).eval().requires_grad_(False)


def _pace(progress: float) -> float:
    """Rise to 1 in the warm-up, then half a cosine down to 0.02."""
    if progress < WARM_UP:
        return max(0.05, progress / WARM_UP)
    return 0.02 + 0.49 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP)))
