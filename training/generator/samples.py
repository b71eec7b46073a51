"""A batch of triplets as the networks take it: on its device, with the sources' embeddings."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from model.mobilefacenet import MobileFaceNet
from training.data.batches import Batch
from training.generator.config import Config
from training.recogniser.student import early_features, finish
from training.recogniser.views import Looks, identity_view, random_looks, random_moves
from training.running.ranks import Compute

KNOWN_SOURCES = 50_000  # embeddings kept, 100 MB
AT_ONCE = 32  # sources that a GPU looks at together


class TrainingSample(NamedTuple):
    """A batch on its device; pictures NCHW float32 RGB in [-1, 1]."""

    target: Tensor
    truth: Tensor
    real: Tensor
    embedding: Tensor  # (N, D) float32 unit norm
    has_truth: Tensor
    random: Tensor
    moves: Tensor | None
    looks: Looks | None

    def shrunk(self, size: int) -> TrainingSample:
        """With pictures averaged down to `size`: what a growing network is compared to."""
        factor = self.target.shape[-1] // size
        if factor == 1:
            return self
        return self._replace(
            target=F.avg_pool2d(self.target, factor),
            truth=F.avg_pool2d(self.truth, factor),
            real=F.avg_pool2d(self.real, factor),
        )


class Sampler:
    """Makes samples of batches; knows the embeddings of sources it has met."""

    def __init__(self, config: Config, encoder: MobileFaceNet, compute: Compute) -> None:
        self._config, self._encoder, self._compute = config, encoder, compute
        self._known: dict[str, Tensor] = {}

    def sample(self, batch: Batch, random: torch.Generator) -> TrainingSample:
        """The batch, with random embeddings where it asks for them.

        Args:
            batch: see `training.data.batches`.
            random: what embeddings and moves are drawn from.
        """
        device, layout = self._compute.device, self._compute.layout
        shown = batch.pictures.to(device)
        embedding = self._embeddings(batch)
        nobody = F.normalize(torch.randn(embedding.shape, generator=random)).to(device)
        chosen = batch.random.to(device)
        moves = random_moves(len(embedding), random).to(device) if self._config.jitter else None
        looks = random_looks(len(embedding), random).to(device) if self._config.relight else None
        return TrainingSample(
            target=_pictures(shown, batch.target, layout),
            truth=_pictures(shown, batch.truth, layout),
            real=_pictures(shown, batch.real, layout),
            embedding=torch.where(chosen[:, None], nobody, embedding),
            has_truth=batch.has_truth.to(device),
            random=chosen,
            moves=moves,
            looks=looks,
        )

    def _embeddings(self, batch: Batch) -> Tensor:
        """Of the sources, (N, D); each picture goes through the recogniser once."""
        new = [i for i, name in enumerate(batch.names) if name not in self._known]
        if new:
            with torch.no_grad(), self._compute.autocast():
                # On a CPU one picture at a time: a resumed run promises the same bits, and the
                # last bits of an embedding depend on the other pictures of its batch. On a GPU
                # always the same number: cuDNN plans a convolution again for each new shape.
                at_once = 1 if self._compute.device.type == "cpu" else AT_ONCE
                views = identity_view(batch.source[new].to(self._compute.device))
                views = F.pad(views, (0, 0, 0, 0, 0, 0, 0, -len(new) % at_once))
                found = torch.cat(
                    [
                        finish(self._encoder, early_features(self._encoder, view)[-1])
                        for view in views.split(at_once)
                    ]
                )[: len(new)]
            if len(self._known) > KNOWN_SOURCES:
                self._known.clear()
                return self._embeddings(batch)
            self._known |= {batch.names[i]: e for i, e in zip(new, found, strict=True)}
        return torch.stack([self._known[name] for name in batch.names])


def _pictures(shown: Tensor, rows: Tensor, layout: torch.memory_format) -> Tensor:
    """Rows of NHWC uint8 as NCHW float32 in [-1, 1], in the memory format `layout`."""
    pictures = shown[rows.to(shown.device)].permute(0, 3, 1, 2).float() / 127.5 - 1
    return pictures.contiguous(memory_format=layout)
