"""The five blocks the generator is made of (MobileFSGAN, arXiv:2204.08339).

All blocks map NCHW float32 to NCHW float32 and keep the number of channels. Attribute names are the
authors' own, because a checkpoint trained with their code must load unchanged.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEAKY_SLOPE = 0.01


class AttributeEncoderBlock(nn.Module):
    """Residual branch BN -> 1x1 -> LeakyReLU -> 3x3; the caller adds the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.normalize = nn.BatchNorm2d(channels)
        self.conv1x1 = nn.Conv2d(channels, channels, 1)
        self.conv3x3 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv3x3(F.leaky_relu(self.conv1x1(self.normalize(x)), LEAKY_SLOPE))


class IdentityEncoderBlock(nn.Module):
    """Residual branch modulated by the source embedding: the paper's AdaIN.

    Differs from the usual AdaIN: the picture is normalised by running statistics, not by its own,
    so at inference the whole modulation is linear in the embedding (see `model.deploy`).
    `fc_var` predicts a scale, not a variance; the name is the authors'.
    """

    def __init__(self, channels: int, embedding_size: int) -> None:
        super().__init__()
        self.normalize = nn.BatchNorm2d(channels, affine=False)
        self.fc_mean = nn.Linear(embedding_size, channels)
        self.fc_var = nn.Linear(embedding_size, channels)
        self.conv1x1 = nn.Conv2d(channels, channels, 1)
        self.conv3x3 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        scale = self.fc_var(embedding)[:, :, None, None]
        shift = self.fc_mean(embedding)[:, :, None, None]
        x = F.leaky_relu(self.normalize(x) * scale + shift, LEAKY_SLOPE)
        return self.conv3x3(F.leaky_relu(self.conv1x1(x), LEAKY_SLOPE))


class DecoderBlock(nn.Module):
    """Residual branch that mixes the identity stream with one attribute map.

    The attention is one map of weights, meant to lie in 0..1 but not squashed: the architecture
    leaves it to training to keep it there.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_attention = nn.Conv2d(channels, 1, 1)
        self.basic_block = AttributeEncoderBlock(channels)

    def forward(self, x: Tensor, attribute: Tensor) -> Tensor:
        attention = self.conv_attention(x)
        return self.basic_block(attention * x + (1 - attention) * attribute)


class Downsample(nn.Module):
    """Halve height and width: BN -> 4x4 convolution with stride 2 -> LeakyReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.normalize = nn.BatchNorm2d(channels)
        self.conv = nn.Conv2d(channels, channels, 4, stride=2, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.conv(self.normalize(x)), LEAKY_SLOPE)


class Upsample(nn.Module):
    """Double height and width: BN -> bilinear -> reflection pad -> 3x3 -> LeakyReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.normalize = nn.BatchNorm2d(channels)
        self.conv = nn.Conv2d(channels, channels, 3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = F.interpolate(self.normalize(x), scale_factor=2.0, mode="bilinear", align_corners=True)
        return F.leaky_relu(self.conv(F.pad(x, (1, 1, 1, 1), mode="reflect")), LEAKY_SLOPE)


class ImageOutput(nn.Module):
    """Turn features into an RGB picture in [-1, 1]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.conv(x))
