"""Frozen BN inside the layers around it: the arithmetic of `model.deploy`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from model.blocks import IdentityEncoderBlock


def scale_and_shift(bn: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Frozen BN as (C,) float64 scale and shift; float64 so that folding rounds only once."""
    assert bn.running_mean is not None
    assert bn.running_var is not None
    scale = (bn.running_var.double() + bn.eps).rsqrt()
    shift = -bn.running_mean.double() * scale
    if bn.affine:
        return bn.weight.double() * scale, bn.weight.double() * shift + bn.bias.double()
    return scale, shift


def fold_bn_before(bn: nn.BatchNorm2d, conv: nn.Conv2d) -> nn.Conv2d:
    """One convolution for `conv(bn(x))`; exact only where `conv` pads with nothing."""
    assert conv.padding == (0, 0)
    scale, shift = scale_and_shift(bn)
    weight = conv.weight.double()
    bias = (weight * shift[:, None, None]).sum((1, 2, 3))
    if conv.bias is not None:
        bias = bias + conv.bias.double()
    folded = nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size)  # type: ignore[arg-type]
    with torch.no_grad():
        folded.weight.copy_(weight * scale[:, None, None])
        assert folded.bias is not None
        folded.bias.copy_(bias)
    return folded


def fuse_modulation(blocks: list[IdentityEncoderBlock]) -> nn.Conv2d:
    """One 1x1 convolution, 512 -> blocks * 2 * C: scale and shift of each block, in order.

    bn(x) * var(e) + mean(e) with frozen BN  =  x * [s * var(e)]  +  [mean(e) + t * var(e)].
    """
    rows, biases = [], []
    for block in blocks:
        s, t = scale_and_shift(block.normalize)
        var, mean = block.fc_var, block.fc_mean
        rows += [
            s[:, None] * var.weight.double(),
            mean.weight.double() + t[:, None] * var.weight.double(),
        ]
        biases += [s * var.bias.double(), mean.bias.double() + t * var.bias.double()]
    fused = nn.Conv2d(blocks[0].fc_mean.in_features, sum(len(bias) for bias in biases), 1)
    with torch.no_grad():
        fused.weight.copy_(torch.cat(rows)[:, :, None, None])
        assert fused.bias is not None
        fused.bias.copy_(torch.cat(biases))
    return fused
