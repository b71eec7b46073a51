"""Quantization-aware training by noise: layer inputs get the noise that 8-bit rounding would add.

An 8-bit file rounds every tensor to 256 levels between its minimum and maximum. During training
uniform noise of one level's width stands for the rounding, because noise has a gradient (pseudo
quantization noise; DiffQ, arXiv:2104.09987). Minimum and maximum have gradients too, so the network
learns to avoid outliers.
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
# In a generator noise is added to the inputs of convolutions and of whole blocks. Block inputs are
# rounded before batch norm, which deployed files fold into the next layer.
BLOCKS = (
    nn.Conv2d, AttributeEncoderBlock, IdentityEncoderBlock, DecoderBlock,
    Downsample, Upsample, ModulatedBlock,
)  # fmt: skip


class RoundingNoise:
    """Adds noise to the inputs of chosen layers, in training mode and while it is on."""

    def __init__(self, network: nn.Module, layers: tuple[type[nn.Module], ...]) -> None:
        """Register the hooks; the noise is off at first.

        Args:
            network: gets forward hooks; later copies of it have them too.
            layers: types of layers whose four-dimensional inputs get noise.
        """
        self.on = False
        for module in network.modules():
            if isinstance(module, layers):
                module.register_forward_pre_hook(self._enter)

    def begin(self, on: bool, seed: int) -> None:
        """Turn the noise on or off for one step; the seed decides the noise."""
        self.on = on
        if on:
            torch.manual_seed(seed)

    def _enter(self, layer: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...] | None:
        if not (self.on and layer.training and torch.is_grad_enabled()):
            return None
        return tuple(noised(x) if isinstance(x, Tensor) and x.dim() == 4 else x for x in inputs)


def noised(x: Tensor) -> Tensor:
    """Add uniform noise of the width of one of 256 levels between minimum and maximum.

    Args:
        x: (N, C, H, W); minimum and maximum are over all samples, as a file has one scale.
    """
    low, high = x.amin(), x.amax()
    return x + (high - low) / LEVELS * (torch.rand_like(x) - 0.5)
