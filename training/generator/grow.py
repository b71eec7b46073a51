"""Grow a generator from its coarse picture to its fine one, all the while on pictures of full size.

Most of the network's work is at 256 px, most of what makes an identity is visible at 64. Training
on small pictures first is no short cut to a generator at 256: its hourglass would see faces four
times larger. So the picture stays large and the network starts small: the way down from 256 to 64
px is laid so that it loses nothing and needs no training (48 of the 64 channels at 64 px are the
4x4 pixels below), and the picture at 64 px, then the one at 128, then the one at 256 is learned.
A step at 64 px costs a sixteenth of a whole one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.blocks import AttributeEncoderBlock, Downsample, IdentityEncoderBlock
from model.errors import UsageError
from model.generator import Attributes, Generator
from model.lite import SwapNetwork

Level = Literal[64, 128, 256]
LEVELS: tuple[Level, ...] = get_args(Level)

# Pixels in [-1, 1] plus this are positive, where LeakyReLU changes nothing.
_LIFT = 1.5
_PIXEL_MEAN, _PIXEL_VAR = 1.4, 0.25  # of lifted face pixels, roughly; see _pass_through
_RESIDUAL_GAIN = 0.1
# Unit embeddings have entries near 0.04: without gain, people would hardly differ at first.
_MODULATION_GAIN = 16.0
_OPENING = 0.1  # of what is not the target in the first coarse picture
_TANH = 0.83  # mean slope of tanh over the colours of a face


def prepare(network: Generator) -> None:
    """Lay the lossless way down and start all learned parts gently, in place.

    Raises:
        UsageError: the network is too narrow to carry the 48 values of 4x4 pixels.
    """
    if network.config.channels < 48:
        raise UsageError(
            f"growing needs 48 channels for the way down, the network has "
            f"{network.config.channels}. Train it whole instead: grow = false"
        )
    with torch.no_grad():
        head = network.encoder_head
        _select(head.conv_image, 3)
        head.conv_image.bias.copy_(_lifted(head.conv_image.bias))  # type: ignore[union-attr, arg-type]
        _select(head.conv1x1, 3)
        nn.init.zeros_(head.conv1x1.bias)  # type: ignore[arg-type]
        _select(head.conv3x3, 3)
        for down, count in _way_down(network):
            _pass_through(down, count)
        for block in _untouched(network):
            nn.init.zeros_(block.conv3x3.weight)
        _start_gently(network)


def spare_constant_channels(network: nn.Module) -> None:
    """Give channels that never vary a variance of one, in place; what is painted stays the same.

    The way down leaves some channels at zero. Their statistics ask for a gain of 316, which changes
    nothing in floats, for it meets zeros; but 8-bit weights share a scale with it, and drown.
    """
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d) and layer.running_var is not None:
            layer.running_var[layer.running_var == 0] = 1.0


class Growing(nn.Module):
    """A prepared generator that is trained up to one level."""

    def __init__(self, network: SwapNetwork) -> None:
        """Hold the network.

        Raises:
            UsageError: it is no published generator; no other has the way down to prepare.
        """
        super().__init__()
        if not isinstance(network, Generator):
            raise UsageError(
                f"`grow` is set and the network is a {type(network).__name__}; expected a "
                "published generator. Take another --init, or a configuration without `grow`"
            )
        self.network = network

    def freeze_all_but(self, level: Level, *, coarser: bool) -> None:
        """Let the parts learn that paint the picture of `level`, and with `coarser` those before.

        Layers that do not learn keep their batch statistics too.
        """
        self.network.requires_grad_(False).eval()
        levels = [size for size in LEVELS if size == level or (coarser and size < level)]
        for module in itertools.chain(*(_parts(self.network, size) for size in levels)):
            module.requires_grad_(True).train()

    def forward(self, target: Tensor, embedding: Tensor, level: Level) -> list[Tensor]:
        """The pictures up to `level`, finest first, each (N, 3, S, S) in [-1, 1].

        Equals the pictures of the whole network as long as the way down is as prepared.

        Args:
            target: (N, 3, 256, 256) NCHW float32 RGB in [-1, 1].
            embedding: (N, 512) float32, unit L2 norm.
            level: side of the finest picture for an input of 256 px.
        """
        net = self.network
        pixels = target + _LIFT
        if torch.is_autocast_enabled(target.device.type):  # half of what fp32 has to be carried
            pixels = pixels.to(torch.get_autocast_dtype(target.device.type))
        at256 = _widen(pixels, net.config.channels)
        at128 = _widen(F.pixel_unshuffle(pixels, 2), net.config.channels)
        at64 = _widen(F.pixel_unshuffle(F.pixel_unshuffle(pixels, 2), 2), net.config.channels)
        maps = [at64]
        for block in net.attribute_encoder.stages()[2]:
            maps.append(maps[-1] + block(maps[-1]))
        attributes = Attributes([at256] * 3, [at128] * 4, maps)
        x = _identity_from_64(net, at64, embedding)
        pictures = []
        decoder = net.decoder
        outputs = (decoder.image64_output, decoder.image128_output, decoder.image256_output)
        ups = (None, *decoder.upsamples())
        kept = (attributes.at64, attributes.at128, attributes.at256)
        for size, up, blocks, output, attribute in zip(
            (64, 128, 256), ups, decoder.stages(), outputs, kept, strict=True
        ):
            if size > level:
                break
            x = up(x) if up is not None else x
            for mix, a in zip(blocks, reversed(attribute), strict=True):
                x = x + mix(x, a)
            pictures.append(output(x))
        return pictures[::-1]


def _identity_from_64(net: Generator, x: Tensor, embedding: Tensor) -> Tensor:
    e = net.identity_encoder
    x64 = x + e.b64_down(x, embedding)
    x32 = e.down32(x64)
    x32 = x32 + e.b32_down(x32, embedding)
    x16 = e.down16(x32)
    x16 = x16 + e.b16_down(x16, embedding)
    x8 = e.down8(x16)
    x8 = x8 + e.b8_down(x8, embedding)
    x = e.up16(x8) + x16
    x = x + e.b16_up(x, embedding)
    x = e.up32(x) + x32
    x = x + e.b32_up(x, embedding)
    x = e.up64(x) + x64
    return x + e.b64_up(x, embedding)


def _parts(network: Generator, level: Level) -> Iterator[nn.Module]:
    e, d = network.identity_encoder, network.decoder
    if level == 64:
        yield from e.modulated_blocks()[2:]
        yield from e.downsamples()[2:]
        yield from e.upsamples()
        yield from network.attribute_encoder.stages()[2]
        yield from d.stages()[0]
        yield d.image64_output
    elif level == 128:
        yield d.up128
        yield from d.stages()[1]
        yield d.image128_output
    else:
        yield d.up256
        yield from d.stages()[2]
        yield d.image256_output


def _way_down(network: Generator) -> Iterator[tuple[Downsample, int]]:
    """The four layers from 256 to 64 px, each with the number of channels it carries."""
    for downs in (network.attribute_encoder.downsamples(), network.identity_encoder.downsamples()):
        yield downs[0], 3
        yield downs[1], 12


def _untouched(network: Generator) -> Iterator[AttributeEncoderBlock | IdentityEncoderBlock]:
    """The residual blocks on the way down: they add nothing until the whole network learns."""
    yield from itertools.chain(*network.attribute_encoder.stages()[:2])
    yield from network.identity_encoder.modulated_blocks()[:2]


def _start_gently(network: Generator) -> None:
    for block in network.identity_encoder.modulated_blocks():
        block.fc_var.bias.fill_(1.0)
        block.fc_var.weight.mul_(_MODULATION_GAIN)
        block.fc_mean.weight.mul_(_MODULATION_GAIN)
        block.conv3x3.weight.mul_(0.3)
    for mix in itertools.chain(*network.decoder.stages()):
        mix.conv_attention.weight.mul_(0.02)
        mix.conv_attention.bias.fill_(0.5)  # type: ignore[union-attr]
        mix.basic_block.conv3x3.weight.mul_(_RESIDUAL_GAIN)
    for encode in network.attribute_encoder.stages()[2]:
        encode.conv3x3.weight.mul_(_RESIDUAL_GAIN)
    _start_from_target(network)


def _start_from_target(network: Generator) -> None:
    """Let the first coarse picture be nearly the target: the mean of the pixels it carries."""
    network.identity_encoder.up64.conv.weight.mul_(_OPENING)
    output = network.decoder.image64_output.conv
    output.weight.mul_(_OPENING)
    output.bias.fill_(-_LIFT / _TANH)  # type: ignore[union-attr]
    for color in range(3):
        output.weight[color, 16 * color : 16 * color + 16, 1, 1] += 1 / 16 / _TANH


def _select(conv: nn.Conv2d, count: int) -> None:
    """Make a convolution hand its first `count` channels on and give zero for the others."""
    middle = conv.kernel_size[0] // 2
    nn.init.zeros_(conv.weight)
    for channel in range(count):
        conv.weight[channel, channel, middle, middle] = 1.0


def _lifted(bias: Tensor) -> Tensor:
    lifted = torch.zeros_like(bias)
    lifted[:3] = _LIFT
    return lifted


def _pass_through(down: Downsample, count: int) -> None:
    """Make a downsample move the four pixels of a 2x2 square into four channels, unchanged.

    Its BN is set so that it changes nothing either, in eval mode exactly, and roughly in training,
    should it be unfrozen.
    """
    norm, weight = down.normalize, down.conv.weight
    nn.init.zeros_(weight)
    for channel, dy, dx in itertools.product(range(count), (0, 1), (0, 1)):
        weight[4 * channel + 2 * dy + dx, channel, 1 + dy, 1 + dx] = 1.0
    norm.running_mean[:count] = _PIXEL_MEAN  # type: ignore[index]
    norm.running_var[:count] = _PIXEL_VAR  # type: ignore[index]
    norm.weight[:count] = (_PIXEL_VAR + norm.eps) ** 0.5
    norm.bias[:count] = _PIXEL_MEAN


def _widen(x: Tensor, channels: int) -> Tensor:
    return F.pad(x, (0, 0, 0, 0, 0, channels - x.shape[1]))
