"""The discriminators in training: the generator's adversarial loss, and their own step."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.generator import losses
from training.generator.config import Config
from training.generator.discriminator import Discriminators
from training.running.ranks import Ranks, parallel


class Adversary:
    """The discriminators and their optimizer.

    Attributes:
        discriminators: on the run's device.
        optimizer: Adam; the trainer sets its rate.
    """

    def __init__(self, config: Config, ranks: Ranks) -> None:
        self._weights, self._compute = config.weights.adversarial, ranks.compute
        self._part_weight = config.weights.parts
        self._batch_counts = config.discriminator_norm == "batch"
        self.discriminators = Discriminators(
            norm=config.discriminator_norm,
            parts_of=config.parts_of if self._part_weight > 0 else None,
        ).to(ranks.device, memory_format=ranks.compute.layout)  # type: ignore[call-overload]
        if ranks.world > 1 and ranks.device.type == "cuda":
            self.discriminators = nn.SyncBatchNorm.convert_sync_batchnorm(self.discriminators)
        self.optimizer = torch.optim.Adam(
            self.discriminators.parameters(), config.lr_discriminator, (config.beta1, config.beta2)
        )
        all_used = all(self._weights) and not config.grow
        self._learner = parallel(self.discriminators, ranks, all_used=all_used)

    @property
    def judges(self) -> bool:
        """Whether any adversarial loss has a weight."""
        return any(self._weights) or self._part_weight > 0

    def deceived(self, real: Tensor, fakes: list[Tensor]) -> Tensor:
        """The generator's loss, weighted: its pictures should be taken for photos.

        Args:
            real: photos as large as the finest picture, (N, 3, S, S) float32 RGB in [-1, 1].
            fakes: the generator's pictures, finest first.
        """
        # Batch norm depends on the batch: judged without photos, pictures would meet another
        # function than the one that learns, and the generator would win by noise at their edges.
        beside = real if self._batch_counts else None
        self.discriminators.requires_grad_(False)
        verdicts = self._verdicts(self.discriminators, beside, fakes)
        self.discriminators.requires_grad_(True)
        count = len(fakes[0])
        return torch.stack(
            [weight * losses.generator_hinge(verdict[:count]) for weight, verdict in verdicts]
        ).sum()

    def learn(self, real: Tensor, fakes: list[Tensor]) -> Tensor:
        """Learn to tell photos from pictures; not from a loss that is not finite, which it returns.

        Arguments as of `deceived`.
        """
        count = len(real)
        verdicts = self._verdicts(self._learner, real, [fake.detach() for fake in fakes])
        total = torch.stack(
            [w * losses.discriminator_hinge(v[count:], v[:count]) for w, v in verdicts]
        ).sum()
        if torch.isfinite(total):
            self.optimizer.zero_grad()
            total.backward()
            self.optimizer.step()
        return total.detach()

    def _verdicts(
        self, judge: nn.Module, real: Tensor | None, fakes: list[Tensor]
    ) -> list[tuple[float, Tensor]]:
        """Weight and verdicts of each size and part of the face: on pictures, then on photos.

        Both are judged in one forward pass, because DDP and the spectral norm need one per
        backward pass.
        """
        # A growing network has fewer pictures than there are weights at first.
        weights = [*self._weights[: len(fakes)], *([self._part_weight] * 2)]
        judged = [
            _beside(fake, real) if weight or i == self.discriminators.parts_of else None
            for i, (weight, fake) in enumerate(zip(weights, fakes, strict=False))
        ]
        with self._compute.autocast():
            verdicts = judge(judged)
        pairs = zip(weights, verdicts, strict=False)
        return [(weight, verdict) for weight, verdict in pairs if verdict is not None]


def _beside(fake: Tensor, real: Tensor | None) -> Tensor:
    """Pictures, and photos averaged down to their size behind them where there are any."""
    if real is None:
        return fake
    return torch.cat((fake, F.avg_pool2d(real, real.shape[-1] // fake.shape[-1])))
