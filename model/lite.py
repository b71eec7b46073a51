"""LiteGenerator, a face-swap generator for phones: the published contract, a tenth of the work.

A U-Net from 256 px down to 16 and up again. The source is written in at 64, 32 and 16 px, where a
convolution costs little and sees much of the face. Nothing is convolved at 256 px: a face is
painted at 128 px, a mask at 64 px, both are enlarged, and the target shines through where the mask
is near zero.
Own design; the measurements behind it are in docs/lite.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.generator import Attributes, Generator, Swap


@dataclass(frozen=True, slots=True)
class LiteConfig:
    """What a checkpoint's shapes say of its network.

    Attributes:
        embedding_size: length of the source embedding.
        style: length of the vector that the embedding becomes before it modulates.
        width128: channels at 128 px.
        width64: channels at 64 px.
        width32: channels at 32 px.
        width16: channels at 16 px.
        blocks64: modulated blocks at 64 px, on the way down and again on the way up.
        blocks32: modulated blocks at 32 px, likewise.
        blocks16: modulated blocks at 16 px.
    """

    embedding_size: int = 512
    style: int = 128
    width128: int = 32
    width64: int = 64
    width32: int = 96
    width16: int = 96
    blocks64: int = 2
    blocks32: int = 2
    blocks16: int = 2


class LiteGenerator(nn.Module):
    """The whole network. Sizes in names are those of a 256 px picture; any multiple of 32 works."""

    def __init__(self, config: LiteConfig | None = None) -> None:
        super().__init__()
        self.config = c = config or LiteConfig()

        def blocks(count: int, width: int) -> nn.ModuleList:
            return nn.ModuleList(ModulatedBlock(width, c.style) for _ in range(count))

        self.style = nn.Linear(c.embedding_size, c.style)
        self.down128 = nn.Conv2d(3, c.width128, 4, stride=2, padding=1)
        self.down64 = nn.Conv2d(c.width128, c.width64, 4, stride=2, padding=1)
        self.b64_down = blocks(c.blocks64, c.width64)
        self.down32 = nn.Conv2d(c.width64, c.width32, 3, stride=2, padding=1)
        self.b32_down = blocks(c.blocks32, c.width32)
        self.down16 = nn.Conv2d(c.width32, c.width16, 3, stride=2, padding=1)
        self.b16 = blocks(c.blocks16, c.width16)
        self.up32 = nn.Conv2d(c.width16, c.width32, 1)
        self.b32_up = blocks(c.blocks32, c.width32)
        self.up64 = nn.Conv2d(c.width32, c.width64, 1)
        self.b64_up = blocks(c.blocks64, c.width64)
        self.up128 = nn.Conv2d(c.width64, c.width128, 3, padding=1)
        self.conv128 = nn.Conv2d(c.width128, c.width128, 3, padding=1)
        self.colours = nn.Conv2d(c.width128, 3, 3, padding=1)
        self.mask = nn.Sequential(nn.Conv2d(c.width64, 1, 3, padding=1), nn.Sigmoid())

    def forward(self, target: Tensor, embedding: Tensor) -> Swap:
        """Paint the identity `embedding` onto `target`.

        Args:
            target: aligned face, (N, 3, 256, 256) NCHW float32 RGB in [-1, 1].
            embedding: source identity, (N, 512) float32, unit L2 norm.

        Returns:
            The picture; its half and quarter are averages of it, and there are no attributes.
        """
        style = F.relu(self.style(embedding))
        x128 = F.relu(self.down128(target))
        x64 = modulate(self.b64_down, self.down64(x128), style)
        x32 = modulate(self.b32_down, self.down32(x64), style)
        x16 = modulate(self.b16, self.down16(x32), style)
        x32 = modulate(self.b32_up, x32 + enlarge(self.up32(x16)), style)
        x64 = modulate(self.b64_up, x64 + enlarge(self.up64(x32)), style)
        x128 = F.relu(x128 + enlarge(self.up128(x64)))
        x128 = F.relu(self.conv128(x128))
        painted, mask = torch.tanh(self.colours(x128)), self.mask(x64)
        image = compose(target, enlarge(painted), enlarge(mask, 4))
        half = F.avg_pool2d(image, 2)
        return Swap(image, half, F.avg_pool2d(half, 2), Attributes([], [], []))

    def modulated_blocks(self) -> list[ModulatedBlock]:
        """The modulated blocks in the order of the forward pass."""
        parts = (self.b64_down, self.b32_down, self.b16, self.b32_up, self.b64_up)
        return [block for part in parts for block in part]  # type: ignore[misc]

    def embedding_layers(self) -> list[nn.Linear]:
        """The layers that take the source embedding."""
        return [self.style]

    def attention_layers(self) -> list[nn.Module]:
        """The layers whose results are attention, meant to lie in 0..1: none."""
        return []

    def mask_layers(self) -> list[nn.Module]:
        """The layers whose results say where the target is painted over."""
        return [self.mask]

    def stream_ends(self) -> list[tuple[nn.Module, int]]:
        """Layers that take a residual stream at its end, and the position among their arguments."""
        ends = (self.down32, self.down16, self.up32, self.up64, self.up128, self.conv128,
                self.colours)  # fmt: skip
        return [(layer, 0) for layer in ends]


class ModulatedBlock(nn.Module):
    """Residual block 3x3 -> BN -> scale and shift by the source -> ReLU -> 3x3.

    As in `model.blocks.IdentityEncoderBlock` the statistics are running ones, not the picture's
    own, so that at inference the modulation is linear in the style.
    """

    def __init__(self, width: int, style: int) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.normalize = nn.BatchNorm2d(width, affine=False)
        self.scale = nn.Linear(style, width)
        self.shift = nn.Linear(style, width)
        self.conv_out = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        scale = self.scale(style)[:, :, None, None]
        shift = self.shift(style)[:, :, None, None]
        return x + self.conv_out(F.relu(self.normalize(self.conv_in(x)) * scale + shift))


def modulate(blocks: nn.ModuleList, x: Tensor, style: Tensor) -> Tensor:
    """Send (N, C, H, W) features through blocks that all hear one style, (N, style)."""
    for block in blocks:
        x = block(x, style)
    return x


def enlarge(x: Tensor, factor: int = 2) -> Tensor:
    """Multiply height and width of (N, C, H, W) by `factor`.

    Bilinear, not by a transposed convolution or a pixel shuffle: those can paint every second pixel
    differently, and a generator learned to please its recogniser by such a grid.
    """
    return F.interpolate(x, scale_factor=float(factor), mode="bilinear", align_corners=False)


def compose(target: Tensor, painted: Tensor, mask: Tensor) -> Tensor:
    """Lay the painted face over the target.

    Args:
        target: (N, 3, S, S) NCHW RGB in [-1, 1].
        painted: likewise.
        mask: (N, 1, S, S) in [0, 1].

    Returns:
        (N, 3, S, S) NCHW RGB in [-1, 1]: the target where the mask is 0, `painted` where it is 1.
    """
    return target + mask * (painted - target)


# Either network: the two have one contract.
SwapNetwork = Generator | LiteGenerator
