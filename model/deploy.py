"""The generator rewritten for inference: the same function in fewer, friendlier operations.

Every rewrite is exact; the difference that is left is float rounding (see tests/test_deploy.py).

- BN before a 1x1 convolution folds into it.
- BN before bilinear upsampling and a reflection pad commutes with both (their weights sum to one),
  so it folds into the 3x3 convolution after them.
- BN before the zero-padded 4x4 convolution does not fold: the padding is zero after BN, not before.
  It stays as one multiplication and one addition.
- The modulation of all nine AdaIN blocks is linear in the embedding, frozen statistics included:
  one layer gives every scale and shift. It is a 1x1 convolution, so that its results are maps like
  all others: behind a linear layer onnx2tf transposes the 256 px maps to NCHW and back.
- The reflection pad becomes slices and a concatenation: TFLite's MIRROR_PAD is not in XNNPACK, and
  would cut the graph into six partitions.
- attention * x + (1 - attention) * attribute needs one multiplication less as
  attribute + attention * (x - attribute).
- The 64 and 128 px pictures and the attributes serve training only, and go.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.blocks import (
    LEAKY_SLOPE,
    AttributeEncoderBlock,
    DecoderBlock,
    Downsample,
    IdentityEncoderBlock,
    Upsample,
)
from model.generator import EncoderHead, Generator


class DeployedGenerator(nn.Module):
    """`Generator` for inference: same inputs, but only the 256 px picture comes out."""

    def __init__(self, trained: Generator) -> None:
        super().__init__()
        if trained.training:
            raise ValueError("call eval() on the generator first: its BN statistics get frozen")
        blocks = trained.identity_encoder.modulated_blocks()
        self.modulation = _fuse_modulation(blocks)
        self.painter = _Painter(trained)

    def forward(self, target: Tensor, embedding: Tensor) -> Tensor:
        """Paint the identity `embedding` onto `target`.

        Args:
            target: aligned face, (N, 3, 256, 256) NCHW float32 RGB in [-1, 1].
            embedding: source identity, (N, 512) float32, unit L2 norm.

        Returns:
            Swapped face; shape, layout, dtype and range as `target`.
        """
        return self.painter(target, self.modulation(embedding[:, :, None, None]))


class BakedGenerator(nn.Module):
    """A deployed generator for one source: the identity is constants, the target the only input."""

    modulation: Tensor

    def __init__(self, deployed: DeployedGenerator, embedding: Tensor) -> None:
        """Bake `embedding`, (1, 512) float32, unit L2 norm, into the graph."""
        super().__init__()
        self.painter = deployed.painter
        with torch.no_grad():
            self.register_buffer("modulation", deployed.modulation(embedding[:, :, None, None]))

    def forward(self, target: Tensor) -> Tensor:
        """Paint the baked identity onto `target`; tensors as in `DeployedGenerator.forward`."""
        return self.painter(target, self.modulation)


class _Painter(nn.Module):
    """All of the generator but the modulation layer."""

    def __init__(self, trained: Generator) -> None:
        super().__init__()
        identity, attribute, decoder = (
            trained.identity_encoder,
            trained.attribute_encoder,
            trained.decoder,
        )
        self.channels = trained.config.channels
        self.head: EncoderHead = trained.encoder_head
        self.modulated = nn.ModuleList(_Modulated(b) for b in identity.modulated_blocks())
        self.identity_downs = nn.ModuleList(_Down(d) for d in identity.downsamples())
        self.identity_ups = nn.ModuleList(_Up(u) for u in identity.upsamples())
        self.attribute_stages = nn.ModuleList(
            nn.ModuleList(_Folded(b) for b in stage) for stage in attribute.stages()
        )
        self.attribute_downs = nn.ModuleList(_Down(d) for d in attribute.downsamples())
        self.decoder_stages = nn.ModuleList(
            nn.ModuleList(_Mix(b) for b in stage) for stage in decoder.stages()
        )
        self.decoder_ups = nn.ModuleList(_Up(u) for u in decoder.upsamples())
        self.image_output = decoder.image256_output

    def forward(self, target: Tensor, modulation: Tensor) -> Tensor:
        x, identity_stream = self.head(target)
        attributes = self._attributes(x)
        x = self._identity(identity_stream, modulation)
        # Coarse to fine, so the attribute maps are used up from the end.
        for scale, stage in enumerate(self.decoder_stages):
            if scale > 0:
                x = self.decoder_ups[scale - 1](x)
            for block in cast(nn.ModuleList, stage):
                x = x + block(x, attributes.pop())
        return self.image_output(x)

    def _attributes(self, x: Tensor) -> list[Tensor]:
        maps = [x]
        for scale, stage in enumerate(self.attribute_stages):
            if scale > 0:
                maps.append(self.attribute_downs[scale - 1](maps[-1]))
            for block in cast(nn.ModuleList, stage):
                maps.append(maps[-1] + block(maps[-1]))
        return maps

    def _identity(self, x: Tensor, modulation: Tensor) -> Tensor:
        # Slices, not unbind: ONNX Runtime 1.23 cannot load a Split into more than 15 parts.
        vectors = (
            modulation[:, i : i + self.channels]
            for i in range(0, modulation.shape[1], self.channels)
        )
        blocks = iter(self.modulated)

        def modulate(x: Tensor) -> Tensor:
            return x + next(blocks)(x, next(vectors), next(vectors))

        passed = []
        x = modulate(x)
        for down in self.identity_downs:
            x = modulate(down(x))
            passed.append(x)
        passed.pop()  # the smallest map goes up itself
        for up in self.identity_ups:
            x = modulate(up(x) + passed.pop())
        return x


class _Folded(nn.Module):
    """`AttributeEncoderBlock` with its BN inside the 1x1 convolution."""

    def __init__(self, block: AttributeEncoderBlock) -> None:
        super().__init__()
        self.conv1x1 = _fold_bn_before(block.normalize, block.conv1x1)
        self.conv3x3 = block.conv3x3

    def forward(self, x: Tensor) -> Tensor:
        return self.conv3x3(F.leaky_relu(self.conv1x1(x), LEAKY_SLOPE))


class _Modulated(nn.Module):
    """`IdentityEncoderBlock` that is handed its scale and shift, (N, C, 1, 1) each."""

    def __init__(self, block: IdentityEncoderBlock) -> None:
        super().__init__()
        self.conv1x1 = block.conv1x1
        self.conv3x3 = block.conv3x3

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        x = F.leaky_relu(x * scale + shift, LEAKY_SLOPE)
        return self.conv3x3(F.leaky_relu(self.conv1x1(x), LEAKY_SLOPE))


class _Mix(nn.Module):
    """`DecoderBlock` with one multiplication less."""

    def __init__(self, block: DecoderBlock) -> None:
        super().__init__()
        self.conv_attention = block.conv_attention
        self.folded = _Folded(block.basic_block)

    def forward(self, x: Tensor, attribute: Tensor) -> Tensor:
        return self.folded(attribute + self.conv_attention(x) * (x - attribute))


class _Down(nn.Module):
    """`Downsample` with its BN as scale and shift, (C, 1, 1) each."""

    scale: Tensor
    shift: Tensor

    def __init__(self, down: Downsample) -> None:
        super().__init__()
        scale, shift = _scale_and_shift(down.normalize)
        self.register_buffer("scale", scale[:, None, None].float())
        self.register_buffer("shift", shift[:, None, None].float())
        self.conv = down.conv

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.conv(x * self.scale + self.shift), LEAKY_SLOPE)


class _Up(nn.Module):
    """`Upsample` with its BN inside the 3x3 convolution and the reflection pad as slices."""

    def __init__(self, up: Upsample) -> None:
        super().__init__()
        self.conv = _fold_bn_before(up.normalize, up.conv)

    def forward(self, x: Tensor) -> Tensor:
        x = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=True)
        return F.leaky_relu(self.conv(_reflect(x)), LEAKY_SLOPE)


def _reflect(x: Tensor) -> Tensor:
    """Reflection pad of one pixel, NCHW."""
    x = torch.cat((x[:, :, 1:2], x, x[:, :, -2:-1]), dim=2)
    return torch.cat((x[:, :, :, 1:2], x, x[:, :, :, -2:-1]), dim=3)


def _scale_and_shift(bn: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Frozen BN as (C,) float64 scale and shift; float64 so that folding rounds only once."""
    assert bn.running_mean is not None
    assert bn.running_var is not None
    scale = (bn.running_var.double() + bn.eps).rsqrt()
    shift = -bn.running_mean.double() * scale
    if bn.affine:
        return bn.weight.double() * scale, bn.weight.double() * shift + bn.bias.double()
    return scale, shift


def _fold_bn_before(bn: nn.BatchNorm2d, conv: nn.Conv2d) -> nn.Conv2d:
    """One convolution for `conv(bn(x))`; exact only where `conv` pads with nothing."""
    assert conv.padding == (0, 0)
    scale, shift = _scale_and_shift(bn)
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


def _fuse_modulation(blocks: list[IdentityEncoderBlock]) -> nn.Conv2d:
    """One 1x1 convolution, 512 -> blocks * 2 * C: scale and shift of each block, in order.

    bn(x) * var(e) + mean(e) with frozen BN  =  x * [s * var(e)]  +  [mean(e) + t * var(e)].
    """
    rows, biases = [], []
    for block in blocks:
        s, t = _scale_and_shift(block.normalize)
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
