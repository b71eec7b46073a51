"""A training run of the generator: networks, one training step, and the state on disk."""

from __future__ import annotations

import copy
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from model.aligned_face import FACE_SIZE
from model.errors import CheckpointError
from model.lite import SwapNetwork
from training.data.batches import Batch, Mixer
from training.generator.adversary import Adversary
from training.generator.config import SMALLEST, Config, TrainingStage, as_json
from training.generator.fresh import starting_network
from training.generator.grow import Growing, Level, spare_constant_channels
from training.generator.objective import Judges, Objective
from training.generator.samples import Sampler, TrainingSample
from training.generator.span import heed_span
from training.generator.watch import watching
from training.running import packed, state
from training.running.average import follow, retaking_statistics
from training.running.ranks import Ranks, parallel
from training.running.rounding import BLOCKS, RoundingNoise
from training.running.seeds import seed_of
from training.running.state import Diverged

JOINING = 2.5  # by how much the number of people grows at once
SMOOTHING = 0.97  # of the cosine that decides on it, per step
LEAST_WARM = 0.05  # share of the rate at the first step of the warm-up
_AT_ONCE = 16  # sources whose embeddings are asked for together
_COUNTS = ("steps", "samples", "seconds", "reached", "began", "opened", "known", "recognised")


class Step(NamedTuple):
    """What a step gave: weighted losses by name, and how near swapped faces are to their source."""

    losses: dict[str, float]
    cosine: float  # mean over the samples of two people; NaN where there was none
    samples: int  # of all processes
    size: int


@dataclass(frozen=True, slots=True)
class Purpose:
    """What must be the same for a run to be resumed."""

    config: Config
    seed: int
    data: str

    def plain(self, ranks: Ranks) -> dict[str, Any]:
        """As lists, numbers and strings."""
        return {**as_json(self.config), "seed": self.seed, "data": self.data, "ranks": ranks.world}


class Trainer:
    """A generator in training. A step depends on its weights, the seed and its number only."""

    def __init__(
        self, purpose: Purpose, mixer: Mixer, judges: Judges, ranks: Ranks,
        init: SwapNetwork | None = None,
    ) -> None:  # fmt: skip
        """Start from random weights, or from `init`'s.

        Raises:
            BadInput: `init` is another network than the configuration describes.
        """
        self.purpose, self.config = purpose, purpose.config
        self.mixer, self.ranks = mixer, ranks
        for judge in judges:
            if judge is not None:
                judge.to(ranks.device)
            if isinstance(judge, nn.Module):
                judge.to(memory_format=ranks.compute.layout)  # type: ignore[call-overload]
        self._objective = Objective(self.config, judges)
        self._sampler = Sampler(self.config, judges.encoder, ranks.compute)
        torch.manual_seed(purpose.seed)
        size = judges.encoder.config.embedding_size
        self.generator = starting_network(self.config, size, init)
        self.generator.requires_grad_(True).train().to(ranks.device)
        self.generator.to(memory_format=ranks.compute.layout)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.generator).requires_grad_(False)
        self._rounding = RoundingNoise(self.generator, BLOCKS)
        self.adversary = Adversary(self.config, ranks)
        if ranks.world > 1 and ranks.device.type == "cuda":
            self.generator = nn.SyncBatchNorm.convert_sync_batchnorm(self.generator)
        betas = (self.config.beta1, self.config.beta2)
        self.optimizer = torch.optim.Adam(self.generator.parameters(), self.config.lr, betas)
        w = self.config.weights
        everything = all(w.adversarial) and not self.config.grow
        self._generate = parallel(
            Growing(self.generator) if self.config.grow else self.generator,
            ranks, all_used=everything and self.config.adversarial_from == 0,
        )  # fmt: skip
        self.known, self.recognised = self.config.people_from, 0.0
        self.reached = -1  # which of the stages it is in, none before the first step
        self.began = 0  # the step with which the present stage began
        self.opened = 0  # the step from which the rates rise
        self.steps, self.samples, self.seconds = 0, 0, 0.0
        self.kinds: Counter[str] = Counter()

    def step(self, progress: float) -> Step:
        """Learn from one batch.

        Args:
            progress: share of the run that is done, 0 to 1; the same in all processes.

        Raises:
            Diverged: a loss or the gradient is not finite; no weight has been changed by it.
        """
        seed = seed_of(self.purpose.seed, 6, self.steps, self.ranks.rank)
        self._rounding.begin(progress >= self.config.rounding, seed)
        stage = self.config.stage(progress)
        if self.reached < 0 or stage != self.stage:
            self._reach(stage)
        batch = self.mixer.batch(self.steps, self._side(stage.size), stage.batch, self.known)
        sample = self._sample(batch, self.steps)
        adversarial = progress >= self.config.adversarial_from and self.adversary.judges
        with watching(self.generator) as watch, self.ranks.compute.autocast():
            pictures = self._paint(self._generate, sample)
            sample = sample.shrunk(pictures[0].shape[-1])
            terms, cosine = self._objective.terms(pictures, sample, watch, whole=stage.whole)
        if adversarial:
            terms["adversarial"] = self.adversary.deceived(sample.real, pictures)
        values = self._finite(terms)
        self._move(torch.stack(list(terms.values())).sum(), progress)
        if adversarial:
            values |= self._finite({"discriminator": self.adversary.learn(sample.real, pictures)})
        age = self.steps - self.began
        follow(self.average, self.generator, age=age, most=self.config.ema)
        self.steps += 1
        count = len(batch.kinds) * self.ranks.world
        self.samples += count
        self.kinds.update(batch.kinds)
        between = torch.tensor([kind == "different" for kind in batch.kinds], device=cosine.device)
        nearness = cosine[between].mean().item()
        self._widen_circle(nearness)
        return Step(values, nearness, count, stage.size)

    @property
    def stage(self) -> TrainingStage:
        """The present one, or the one that comes first."""
        return self.config.stages[max(0, self.reached)]

    def example(self, count: int) -> Batch:
        """The same triplets each time, of the size now learned from."""
        return self.mixer.make(0, self._side(self.stage.size), count)

    def _side(self, level: int) -> int:
        """Of the pictures: a growing network always sees full-size ones."""
        return FACE_SIZE if self.config.grow else level

    def swap(self, batch: Batch) -> Tensor:
        """The averaged generator's results on a batch, (N, 3, S, S) float32 RGB in [-1, 1]."""
        sample = self._sample(batch, self.steps)
        with torch.no_grad(), self.ranks.compute.autocast():
            network = self.average.eval()
            painter = Growing(network) if self.config.grow else network
            return self._paint(painter, sample)[0]

    def finished(self) -> SwapNetwork:
        """The averaged generator with BN statistics of its own at the last stage's picture size."""
        network = copy.deepcopy(self.average)
        if self.config.span_samples:
            heed_span(network, self._sources(self.config.span_samples))
        painter: nn.Module = network.train()
        if self.config.grow:
            painter = Growing(network)
            painter.freeze_all_but(256, coarser=True)  # the way down keeps the statistics it has
        stage = self.config.stages[-1]
        with torch.no_grad(), self.ranks.compute.autocast(), retaking_statistics(network):
            side = self._side(stage.size)
            for i in range(math.ceil(self.config.statistics_samples / stage.batch)):
                step = self.steps + i
                self._paint(painter, self._sample(self.mixer.make(step, side, stage.batch), step))
        spare_constant_channels(network)
        network.to("cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        return network.eval()

    def _sources(self, count: int) -> Tensor:
        """Embeddings of that many sources, (count, D), of the batches that would come next."""
        found: list[Tensor] = []
        while sum(map(len, found)) < count:
            step = self.steps + len(found)
            sample = self._sample(self.mixer.make(step, SMALLEST, _AT_ONCE), step)
            found.append(sample.embedding[~sample.random])
        return torch.cat(found)[:count]

    def save(self, path: Path) -> None:
        """Write the run's state; a kill leaves the old file or the new one."""
        parts = {name: part.state_dict() for name, part in self._parts().items()}
        counts = {name: getattr(self, name) for name in _COUNTS}
        kinds = {"kinds": dict(self.kinds)}
        state.save(path, self.purpose.plain(self.ranks), {**parts, **counts, **kinds})

    def load(self, path: Path) -> None:
        """Go on where `save` was called.

        Raises:
            CheckpointError: no such state, or of a run with another configuration or other data.
        """
        with state.saved(path, self.purpose.plain(self.ranks)) as found:
            for name, part in self._parts().items():
                part.load_state_dict(found[name])
            for name in _COUNTS:
                setattr(self, name, found[name])
            self.kinds = Counter(found["kinds"])
            if self.config.grow and self.reached >= 0:
                self._learn_only()

    def unpack(self, path: Path) -> None:
        """Go on with a run that `training.running.packed` wrote; the optimizers start anew.

        Raises:
            CheckpointError: no such file, or of a run of other networks.
        """
        found = packed.unpack(path)
        try:
            for network in (self.generator, self.average):
                network.load_state_dict(found["generator"])
            self.adversary.discriminators.load_state_dict(found["discriminators"])
        except RuntimeError as error:
            raise CheckpointError(
                f"{path} does not fit this run ({str(error).splitlines()[0]}); expected networks "
                "of one kind and width. Give the configuration that it was trained with"
            ) from None
        for name in packed.COUNTS:
            setattr(self, name, found[name])
        self.kinds = Counter(found["kinds"])
        self.opened = self.steps

    def _parts(self) -> dict[str, Any]:
        return {
            "generator": self.generator, "average": self.average,
            "discriminators": self.adversary.discriminators, "optimizer": self.optimizer,
            "optimizer_d": self.adversary.optimizer,
        }  # fmt: skip

    def _sample(self, batch: Batch, step: int) -> TrainingSample:
        """What networks are shown of a batch; depends on the seed and the number of the step."""
        seed = seed_of(self.purpose.seed, 2, step, self.ranks.rank)
        return self._sampler.sample(batch, torch.Generator().manual_seed(seed))

    def _paint(self, painter: nn.Module, sample: TrainingSample) -> list[Tensor]:
        """The pictures, finest first; a growing network has one more per level."""
        if self.config.grow:
            pictures = painter(sample.target, sample.embedding, self.stage.size)
            return [p.float() for p in pictures]
        swap = painter(sample.target, sample.embedding)
        return [swap.image256.float(), swap.image128.float(), swap.image64.float()]

    def _reach(self, stage: TrainingStage) -> None:
        """Go on to the next stage; a growing network keeps, on average, what it has learned."""
        begun, self.reached = self.reached >= 0, self.config.stages.index(stage)
        if self.config.grow:
            if begun:
                self.generator.load_state_dict(self.average.state_dict())
            self._learn_only()
            self.began = self.steps

    def _learn_only(self) -> None:
        """What the stage is there for."""
        level = cast(Level, self.stage.size)
        Growing(self.generator).freeze_all_but(level, coarser=self.stage.whole)

    def _widen_circle(self, nearness: float) -> None:
        """Take sources from more people once the present ones are recognised.

        A generator that is shown thousands of people from the start learns for long that an
        embedding means nothing; with few it learns to heed it, and then to do so for others.
        """
        if math.isnan(nearness) or self.known >= 1:
            return
        self.recognised = SMOOTHING * self.recognised + (1 - SMOOTHING) * nearness
        if self.recognised > self.config.people_join:
            self.known = min(1.0, self.known * JOINING)
            self.recognised *= 0.85  # newcomers are not recognised yet

    def _move(self, total: Tensor, progress: float) -> None:
        self.optimizer.zero_grad()
        total.backward()
        norm = nn.utils.clip_grad_norm_(self.generator.parameters(), self.config.clip)
        self._finite({"gradient": norm})
        pace = self._pace(self.config.within_stage(progress) if self.config.grow else progress)
        self.optimizer.param_groups[0]["lr"] = pace * self.config.lr
        self.adversary.optimizer.param_groups[0]["lr"] = pace * self.config.lr_discriminator
        self.optimizer.step()

    def _pace(self, progress: float) -> float:
        since = self.steps - self.opened + 1
        warm = min(1.0, max(LEAST_WARM, since / max(1, self.config.warm_up)))
        end, full = self.config.lr_end, self.config.decay_from
        progress = max(0.0, progress - full) / (1 - full)
        return warm * (end + (1 - end) * 0.5 * (1 + math.cos(math.pi * progress)))

    def _finite(self, terms: dict[str, Tensor]) -> dict[str, float]:
        values = torch.stack([term.detach() for term in terms.values()]).tolist()
        found = dict(zip(terms, values, strict=True))
        wrong = [name for name, value in found.items() if not math.isfinite(value)]
        if wrong:
            raise Diverged(
                f"{' and '.join(wrong)} at step {self.steps} is {found[wrong[0]]}; expected a "
                "number. The last good state is kept. Start again with a lower lr than "
                f"{self.config.lr:g}, or a higher weight of `bounded`"
            )
        return found
