"""The discriminators in training: what they say to a generator's pictures, and how they learn."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training import losses
from training.config import Config
from training.discriminator import Discriminators
from training.ranks import Ranks, autocast, parallel


class Adversary:
    """Three discriminators and their optimizer.

    Attributes:
        discriminators: on the run's device.
        optimizer: Adam; the trainer sets its rate.
    """

    def __init__(self, config: Config, ranks: Ranks) -> None:
        self._weights, self._device = config.weights.adversarial, ranks.device
        self.discriminators = Discriminators().to(ranks.device)
        if ranks.world > 1 and ranks.device.type == "cuda":
            self.discriminators = nn.SyncBatchNorm.convert_sync_batchnorm(self.discriminators)
        self.optimizer = torch.optim.Adam(
            self.discriminators.parameters(), config.lr_discriminator, (config.beta1, config.beta2)
        )
        all_used = all(self._weights) and not config.grow
        self._learner = parallel(self.discriminators, ranks, all_used=all_used)

    @property
    def judges(self) -> bool:
        """Whether its verdict counts at all."""
        return any(self._weights)

    def deceived(self, pictures: list[Tensor]) -> Tensor:
        """The generator's loss, weighted: its pictures should be taken for photos.

        Args:
            pictures: finest first, (N, 3, S, S) float32 RGB in [-1, 1].
        """
        self.discriminators.requires_grad_(False)
        with autocast(self._device):
            verdicts = self.discriminators(pictures)
        self.discriminators.requires_grad_(True)
        return torch.stack(
            [w * losses.generator_hinge(v) for w, v in zip(self._weights, verdicts, strict=False)]
        ).sum()

    def learn(self, real: Tensor, fakes: list[Tensor]) -> Tensor:
        """Learn to tell photos from pictures; not from a loss that is not finite, which it returns.

        Args:
            real: photos as large as the finest picture, (N, 3, S, S) float32 RGB in [-1, 1].
            fakes: the generator's pictures, finest first.
        """
        # One pass over both: DDP and the spectral norm want one forward per backward.
        reals = [real, F.avg_pool2d(real, 2), F.avg_pool2d(real, 4)][: len(fakes)]
        both = [torch.cat((f.detach(), r)) for f, r in zip(fakes, reals, strict=True)]
        with autocast(self._device):
            verdicts = self._learner(both)
        terms = []
        for weight, verdict in zip(self._weights, verdicts, strict=False):
            fake, photo = verdict.chunk(2)
            terms.append(weight * losses.discriminator_hinge(photo, fake))
        total = torch.stack(terms).sum()
        if torch.isfinite(total):
            self.optimizer.zero_grad()
            total.backward()
            self.optimizer.step()
        return total.detach()
