"""Teach a network to bear 8 bits: what its layers are given carries the noise rounding would add.

An 8-bit file rounds every tensor to 256 levels between its extremes. Even noise of that size, new
in every step, stands for it while weights are learned, and differs from rounding in having a
gradient (pseudo quantization noise; DiffQ, arXiv:2104.09987). The extremes have one too: a network
learns to have none that it can do without.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from model.blocks import (
    AttributeEncoderBlock,
    DecoderBlock,
    Downsample,
    IdentityEncoderBlock,
    Upsample,
)
from model.lite import ModulatedBlock

LEVELS = 255
# Of a generator: what its convolutions are given, and the streams, which are rounded as they are
# because a file has the batch norms folded into the layers behind them.
BLOCKS = (
    nn.Conv2d, AttributeEncoderBlock, IdentityEncoderBlock, DecoderBlock,
    Downsample, Upsample, ModulatedBlock,
)  # fmt: skip


class RoundingNoise:
    """Noise on the maps that enter some layers of a network, while those learn and it is on."""

    def __init__(self, network: nn.Module, layers: tuple[type[nn.Module], ...]) -> None:
        """Off at first.

        Args:
            network: gets hooks; copies that are made of it from now on have them too.
            layers: kinds of layers whose four-dimensional inputs are noised.
        """
        self.on = False
        for module in network.modules():
            if isinstance(module, layers):
                module.register_forward_pre_hook(self._enter)

    def begin(self, on: bool, seed: int) -> None:
        """Turn it on or off for a step, whose noise depends on its seed alone."""
        self.on = on
        if on:
            torch.manual_seed(seed)

    def _enter(self, layer: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...] | None:
        if not (self.on and layer.training and torch.is_grad_enabled()):
            return None
        return tuple(noised(x) if isinstance(x, Tensor) and x.dim() == 4 else x for x in inputs)


def noised(x: Tensor) -> Tensor:
    """A map with even noise, as wide as a step of 8 bits between its extremes.

    Args:
        x: (N, C, H, W); all samples share the extremes, as they will share a scale.
    """
    low, high = x.amin(), x.amax()
    return x + (high - low) / LEVELS * (torch.rand_like(x) - 0.5)
