"""MobileFaceNet, the identity encoder (arXiv:1804.07573): aligned face in, unit embedding out."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class MobileFaceNetConfig:
    """What a checkpoint's shapes say of its network; wider layers are multiples of `channels`."""

    channels: int = 64
    embedding_size: int = 512


class MobileFaceNet(nn.Module):
    """1,200,512 parameters in its published size.

    Layer names are the authors' own, because their checkpoints must load unchanged.
    """

    def __init__(self, config: MobileFaceNetConfig | None = None) -> None:
        super().__init__()
        self.config = config or MobileFaceNetConfig()
        c, embedding_size = self.config.channels, self.config.embedding_size
        self.conv1 = ConvBlock(3, c, 3, stride=2, padding=1)
        self.conv2_dw = ConvBlock(c, c, 3, padding=1, groups=c)
        self.conv_23 = Bottleneck(c, c, expand=2 * c, stride=2)
        self.conv_3 = Residuals(4, c, expand=2 * c)
        self.conv_34 = Bottleneck(c, 2 * c, expand=4 * c, stride=2)
        self.conv_4 = Residuals(6, 2 * c, expand=4 * c)
        self.conv_45 = Bottleneck(2 * c, 2 * c, expand=8 * c, stride=2)
        self.conv_5 = Residuals(2, 2 * c, expand=4 * c)
        self.conv_6_sep = ConvBlock(2 * c, 8 * c, 1)
        self.conv_6_dw = LinearConvBlock(8 * c, 8 * c, 7, groups=8 * c)
        self.linear = nn.Linear(8 * c, embedding_size, bias=False)
        self.bn = nn.BatchNorm1d(embedding_size)

    def forward(self, face: Tensor) -> Tensor:
        """Tell who is in the picture.

        Args:
            face: ArcFace crop, (N, 3, 112, 112) NCHW float32 RGB in [-1, 1].

        Returns:
            Embedding, (N, 512) float32, unit L2 norm.
        """
        x = self.conv2_dw(self.conv1(face))
        x = self.conv_3(self.conv_23(x))
        x = self.conv_4(self.conv_34(x))
        x = self.conv_5(self.conv_45(x))
        x = self.conv_6_dw(self.conv_6_sep(x))
        return F.normalize(self.bn(self.linear(x.flatten(1))))


class LinearConvBlock(nn.Module):
    """Convolution and BN, without activation."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, padding: int = 0,
        groups: int = 1,
    ) -> None:  # fmt: skip
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x))


class ConvBlock(LinearConvBlock):
    """Convolution, BN and PReLU with one slope per channel."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, padding: int = 0,
        groups: int = 1,
    ) -> None:  # fmt: skip
        super().__init__(inputs, outputs, kernel, stride=stride, padding=padding, groups=groups)
        self.prelu = nn.PReLU(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.prelu(super().forward(x))


class Bottleneck(nn.Module):
    """1x1 expand, depthwise 3x3, linear 1x1."""

    def __init__(self, inputs: int, outputs: int, *, expand: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = ConvBlock(inputs, expand, 1)
        self.conv_dw = ConvBlock(expand, expand, 3, stride=stride, padding=1, groups=expand)
        self.project = LinearConvBlock(expand, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.project(self.conv_dw(self.conv(x)))


class Residuals(nn.Module):
    """A row of bottlenecks, each added to its input."""

    def __init__(self, count: int, channels: int, *, expand: int) -> None:
        super().__init__()
        self.model = nn.Sequential(
            *(Bottleneck(channels, channels, expand=expand) for _ in range(count))
        )

    def forward(self, x: Tensor) -> Tensor:
        for bottleneck in self.model:
            x = x + bottleneck(x)
        return x
