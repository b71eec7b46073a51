"""A trained generator that shows a new one how a face should change: its picture at 64 px.

An identity loss says how far a face is from a person, and hardly how to get there: its gradient
passes through a recogniser. A picture says it for every pixel. The idea is that of MobileFaceSwap
(arXiv:2201.03808), here with the coarse picture only: what a guide paints there is who a person is,
what it paints wrong is finer. Not in MobileFSGAN's paper.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from model.errors import UsageError
from model.generator import Generator
from model.lite import SwapNetwork
from training.generator.grow import Growing

_SIZE = 64  # side of the picture that is shown
_CLOSE = 1e-2  # of the picture's values, which are in [-1, 1]


class Guide:
    """A frozen published generator, computed up to its coarsest picture only."""

    def __init__(
        self, network: SwapNetwork, layout: torch.memory_format = torch.contiguous_format
    ) -> None:
        """Take a published generator that was grown (`training.generator.grow`).

        Its way down to 64 px is known, and costs nothing.

        Args:
            network: the generator.
            layout: memory format of its convolution weights, the run's (`ranks.Compute.layout`).

        Raises:
            UsageError: another network, or a generator with a way down of its own.
        """
        if not isinstance(network, Generator):
            raise UsageError(
                f"the guide is a {type(network).__name__}; expected a published generator. Take "
                "another --guide"
            )
        self._painter = Growing(network.eval().requires_grad_(False)).eval()
        target, embedding = _example(network.config.embedding_size)
        with torch.no_grad():
            whole = network(target, embedding).image64
            if not torch.allclose(self._short(target, embedding), whole, atol=_CLOSE):
                raise UsageError(
                    "the guide's way down to 64 px is its own; expected that of a generator that "
                    "was grown (grow = true). Take another --guide"
                )
        self._painter.to(memory_format=layout)  # type: ignore[call-overload]

    def to(self, device: torch.device) -> Guide:
        """Move to `device`, in place."""
        self._painter.to(device)
        return self

    def show(self, target: Tensor, embedding: Tensor) -> Tensor:
        """How the guide swaps, (N, 3, S / 4, S / 4) float32 RGB in [-1, 1], without a gradient.

        Args:
            target: (N, 3, S, S) NCHW float32 RGB in [-1, 1].
            embedding: of the sources, (N, 512) float32 unit norm.
        """
        with torch.no_grad():
            return self._short(target, embedding).float()

    def _short(self, target: Tensor, embedding: Tensor) -> Tensor:
        return self._painter(target, embedding, _SIZE)[0]


def _example(embedding_size: int) -> tuple[Tensor, Tensor]:
    """A smooth picture and somebody's embedding, always the same."""
    random = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, 8, 8, generator=random) * 2 - 1
    somebody = torch.randn(1, embedding_size, generator=random)
    return F.interpolate(coarse, _SIZE, mode="bilinear"), F.normalize(somebody)
