"""MobileFSGAN, the face-swap generator, exactly as trained (arXiv:2204.08339).

An aligned target face and a source embedding go in; the target's pose, light and background with
the source's identity come out. Sizes in names are those of a 256 px picture; the network is fully
convolutional and takes any multiple of 32 from 64 px on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from model.blocks import (
    LEAKY_SLOPE,
    AttributeEncoderBlock,
    DecoderBlock,
    Downsample,
    IdentityEncoderBlock,
    ImageOutput,
    Upsample,
)


@dataclass(frozen=True, slots=True)
class GeneratorConfig:
    """What a checkpoint's shapes say of its network. The published one is the default."""

    channels: int = 64
    embedding_size: int = 512


class Attributes(NamedTuple):
    """What the target looks like, per scale; each list starts with the scale's own input."""

    at256: list[Tensor]  # 3 maps (N, C, 256, 256)
    at128: list[Tensor]  # 4 maps (N, C, 128, 128)
    at64: list[Tensor]  # 5 maps (N, C, 64, 64)


class Swap(NamedTuple):
    """The pictures, NCHW RGB in [-1, 1]; the small ones serve multi-scale training only."""

    image256: Tensor  # (N, 3, 256, 256)
    image128: Tensor  # (N, 3, 128, 128)
    image64: Tensor  # (N, 3, 64, 64)
    attributes: Attributes


class Generator(nn.Module):
    """The whole network: 2,517,781 parameters in its published size."""

    def __init__(self, config: GeneratorConfig | None = None) -> None:
        super().__init__()
        self.config = config or GeneratorConfig()
        channels = self.config.channels
        self.encoder_head = EncoderHead(channels)
        self.identity_encoder = IdentityEncoder(channels, self.config.embedding_size)
        self.attribute_encoder = AttributeEncoder(channels)
        self.decoder = Decoder(channels)

    def forward(self, target: Tensor, embedding: Tensor) -> Swap:
        """Paint the identity `embedding` onto `target`.

        Args:
            target: aligned face, (N, 3, 256, 256) NCHW float32 RGB in [-1, 1].
            embedding: source identity, (N, 512) float32, unit L2 norm.
        """
        attribute_stream, identity_stream = self.encoder_head(target)
        attributes = self.attribute_encoder(attribute_stream)
        return self.decoder(self.identity_encoder(identity_stream, embedding), attributes)

    def embedding_layers(self) -> list[nn.Linear]:
        """The layers that take the source embedding."""
        blocks = self.identity_encoder.modulated_blocks()
        return [layer for block in blocks for layer in (block.fc_mean, block.fc_var)]

    def attention_layers(self) -> list[nn.Module]:
        """The layers whose results are attention, meant to lie in 0..1."""
        return [block.conv_attention for stage in self.decoder.stages() for block in stage]

    def mask_layers(self) -> list[nn.Module]:
        """The layers whose results say where the target is painted over: none, all of it is."""
        return []

    def stream_ends(self) -> list[tuple[nn.Module, int]]:
        """Layers that take a residual stream at its end, and the position among their arguments.

        The decoder meets the last attribute map of a scale first.
        """
        return [end for stage in self.decoder.stages() for end in ((stage[0], 1), (stage[-1], 0))]


class EncoderHead(nn.Module):
    """Splits the target into the stream that keeps attributes and the one that gets an identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_image = nn.Conv2d(3, channels, 3, padding=1)
        self.conv1x1 = nn.Conv2d(channels, channels, 1)
        self.conv3x3 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)

    def forward(self, target: Tensor) -> tuple[Tensor, Tensor]:
        attribute = F.leaky_relu(self.conv_image(target), LEAKY_SLOPE)
        return attribute, self.conv3x3(F.leaky_relu(self.conv1x1(attribute), LEAKY_SLOPE))


class IdentityEncoder(nn.Module):
    """Hourglass from 256 px down to 8 and up to 64 that writes the identity into the features."""

    def __init__(self, channels: int, embedding_size: int) -> None:
        super().__init__()
        self.b256_down = IdentityEncoderBlock(channels, embedding_size)
        self.down128 = Downsample(channels)
        self.b128_down = IdentityEncoderBlock(channels, embedding_size)
        self.down64 = Downsample(channels)
        self.b64_down = IdentityEncoderBlock(channels, embedding_size)
        self.down32 = Downsample(channels)
        self.b32_down = IdentityEncoderBlock(channels, embedding_size)
        self.down16 = Downsample(channels)
        self.b16_down = IdentityEncoderBlock(channels, embedding_size)
        self.down8 = Downsample(channels)
        self.b8_down = IdentityEncoderBlock(channels, embedding_size)
        self.up16 = Upsample(channels)
        self.b16_up = IdentityEncoderBlock(channels, embedding_size)
        self.up32 = Upsample(channels)
        self.b32_up = IdentityEncoderBlock(channels, embedding_size)
        self.up64 = Upsample(channels)
        self.b64_up = IdentityEncoderBlock(channels, embedding_size)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        def modulate(block: IdentityEncoderBlock, x: Tensor) -> Tensor:
            return x + block(x, embedding)

        x = modulate(self.b256_down, x)
        x = modulate(self.b128_down, self.down128(x))
        x64 = modulate(self.b64_down, self.down64(x))
        x32 = modulate(self.b32_down, self.down32(x64))
        x16 = modulate(self.b16_down, self.down16(x32))
        x8 = modulate(self.b8_down, self.down8(x16))
        x = modulate(self.b16_up, self.up16(x8) + x16)
        x = modulate(self.b32_up, self.up32(x) + x32)
        return modulate(self.b64_up, self.up64(x) + x64)

    def modulated_blocks(self) -> list[IdentityEncoderBlock]:
        """The nine AdaIN blocks in the order of the forward pass."""
        return [
            self.b256_down, self.b128_down, self.b64_down, self.b32_down, self.b16_down,
            self.b8_down, self.b16_up, self.b32_up, self.b64_up,
        ]  # fmt: skip

    def downsamples(self) -> list[Downsample]:
        """From fine to coarse."""
        return [self.down128, self.down64, self.down32, self.down16, self.down8]

    def upsamples(self) -> list[Upsample]:
        """From coarse to fine."""
        return [self.up16, self.up32, self.up64]


class AttributeEncoder(nn.Module):
    """Keeps pose, light and background at three scales."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.b256_1 = AttributeEncoderBlock(channels)
        self.b256_2 = AttributeEncoderBlock(channels)
        self.downsample128 = Downsample(channels)
        self.b128_1 = AttributeEncoderBlock(channels)
        self.b128_2 = AttributeEncoderBlock(channels)
        self.b128_3 = AttributeEncoderBlock(channels)
        self.downsample64 = Downsample(channels)
        self.b64_1 = AttributeEncoderBlock(channels)
        self.b64_2 = AttributeEncoderBlock(channels)
        self.b64_3 = AttributeEncoderBlock(channels)
        self.b64_4 = AttributeEncoderBlock(channels)

    def forward(self, x: Tensor) -> Attributes:
        stage256, stage128, stage64 = self.stages()
        at256 = _chain(x, stage256)
        at128 = _chain(self.downsample128(at256[-1]), stage128)
        at64 = _chain(self.downsample64(at128[-1]), stage64)
        return Attributes(at256, at128, at64)

    def stages(self) -> tuple[list[AttributeEncoderBlock], ...]:
        """Blocks per scale, from fine to coarse."""
        return (
            [self.b256_1, self.b256_2],
            [self.b128_1, self.b128_2, self.b128_3],
            [self.b64_1, self.b64_2, self.b64_3, self.b64_4],
        )

    def downsamples(self) -> list[Downsample]:
        """From fine to coarse."""
        return [self.downsample128, self.downsample64]


class Decoder(nn.Module):
    """Mixes identity and attributes from coarse to fine; the last attribute map is used first."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.b64_4 = DecoderBlock(channels)
        self.b64_3 = DecoderBlock(channels)
        self.b64_2 = DecoderBlock(channels)
        self.b64_1 = DecoderBlock(channels)
        self.b64_0 = DecoderBlock(channels)
        self.image64_output = ImageOutput(channels)
        self.up128 = Upsample(channels)
        self.b128_3 = DecoderBlock(channels)
        self.b128_2 = DecoderBlock(channels)
        self.b128_1 = DecoderBlock(channels)
        self.b128_0 = DecoderBlock(channels)
        self.image128_output = ImageOutput(channels)
        self.up256 = Upsample(channels)
        self.b256_2 = DecoderBlock(channels)
        self.b256_1 = DecoderBlock(channels)
        self.b256_0 = DecoderBlock(channels)
        self.image256_output = ImageOutput(channels)

    def forward(self, x: Tensor, attributes: Attributes) -> Swap:
        stage64, stage128, stage256 = self.stages()
        x64 = _mix(x, stage64, attributes.at64)
        x128 = _mix(self.up128(x64), stage128, attributes.at128)
        x256 = _mix(self.up256(x128), stage256, attributes.at256)
        return Swap(
            self.image256_output(x256),
            self.image128_output(x128),
            self.image64_output(x64),
            attributes,
        )

    def stages(self) -> tuple[list[DecoderBlock], ...]:
        """Blocks per scale, from coarse to fine, in the order of the forward pass."""
        return (
            [self.b64_4, self.b64_3, self.b64_2, self.b64_1, self.b64_0],
            [self.b128_3, self.b128_2, self.b128_1, self.b128_0],
            [self.b256_2, self.b256_1, self.b256_0],
        )

    def upsamples(self) -> list[Upsample]:
        """From coarse to fine."""
        return [self.up128, self.up256]


def _chain(x: Tensor, blocks: list[AttributeEncoderBlock]) -> list[Tensor]:
    maps = [x]
    for block in blocks:
        maps.append(maps[-1] + block(maps[-1]))
    return maps


def _mix(x: Tensor, blocks: list[DecoderBlock], attributes: list[Tensor]) -> Tensor:
    for block, attribute in zip(blocks, reversed(attributes), strict=True):
        x = x + block(x, attribute)
    return x
