"""The generator rewritten for inference: the same function in fewer, friendlier operations.

Every rewrite is exact; the difference that is left is float rounding (see tests/test_deploy.py).
Those of the published network are listed here, those of `LiteGenerator` in `model.lite_deploy`.

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
- A residual block whose last convolution training left at zero adds nothing, and goes.
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
from model.errors import CheckpointError
from model.fold import fold_bn_before, fuse_modulation, scale_and_shift
from model.generator import EncoderHead, Generator
from model.lite import LiteGenerator, SwapNetwork
from model.lite_deploy import LitePainter, lite_modulation


class DeployedGenerator(nn.Module):
    """A generator for inference: same inputs, but only the 256 px picture comes out."""

    def __init__(self, trained: SwapNetwork) -> None:
        """Rewrite a generator in eval mode.

        Raises:
            CheckpointError: no embedding would change its picture.
        """
        super().__init__()
        if trained.training:
            raise ValueError("call eval() on the generator first: its BN statistics get frozen")
        self.modulation, self.painter = (
            _lite_parts(trained) if isinstance(trained, LiteGenerator) else _parts(trained)
        )

    def forward(self, target: Tensor, embedding: Tensor) -> Tensor:
        """Paint the identity `embedding` onto `target`.

        Args:
            target: aligned face, (N, 3, 256, 256) NCHW float32 RGB in [-1, 1].
            embedding: source identity, (N, 512) float32, unit L2 norm.

        Returns:
            Swapped face; shape, layout, dtype and range as `target`.
        """
        return self.painter(target, self.modulation(embedding[:, :, None, None]))


def _parts(trained: Generator) -> tuple[nn.Module, nn.Module]:
    blocks = trained.identity_encoder.modulated_blocks()
    heard = [block for block in blocks if not _gives_zero(block.conv3x3)]
    if not heard:
        raise _no_embedding_heard()
    return fuse_modulation(heard), _Painter(trained)


def _lite_parts(trained: LiteGenerator) -> tuple[nn.Module, nn.Module]:
    if not any(block.conv_out.weight.any() for block in trained.modulated_blocks()):
        raise _no_embedding_heard()
    return lite_modulation(trained), LitePainter(trained)


def _no_embedding_heard() -> CheckpointError:
    return CheckpointError(
        "the last layer of every identity block is zero, so no embedding would change "
        "anything; expected weights of a trained generator. Train it further"
    )


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
        self.modulated = nn.ModuleList(
            _residual(_Modulated(b), b.conv3x3) for b in identity.modulated_blocks()
        )
        self.identity_downs = nn.ModuleList(_Down(d) for d in identity.downsamples())
        self.identity_ups = nn.ModuleList(_Up(u) for u in identity.upsamples())
        self.attribute_stages = nn.ModuleList(
            nn.ModuleList(_residual(_Folded(b), b.conv3x3) for b in stage)
            for stage in attribute.stages()
        )
        self.attribute_downs = nn.ModuleList(_Down(d) for d in attribute.downsamples())
        self.decoder_stages = nn.ModuleList(
            nn.ModuleList(_residual(_Mix(b), b.basic_block.conv3x3) for b in stage)
            for stage in decoder.stages()
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
                x = block(x, attributes.pop())
        return self.image_output(x)

    def _attributes(self, x: Tensor) -> list[Tensor]:
        maps = [x]
        for scale, stage in enumerate(self.attribute_stages):
            if scale > 0:
                maps.append(self.attribute_downs[scale - 1](maps[-1]))
            for block in cast(nn.ModuleList, stage):
                maps.append(block(maps[-1]))
        return maps

    def _identity(self, x: Tensor, modulation: Tensor) -> Tensor:
        # Slices, not unbind: ONNX Runtime 1.23 cannot load a Split into more than 15 parts.
        vectors = (
            modulation[:, i : i + self.channels]
            for i in range(0, modulation.shape[1], self.channels)
        )
        blocks = iter(self.modulated)

        def modulate(x: Tensor) -> Tensor:
            block = next(blocks)
            return x if isinstance(block, _Silent) else block(x, next(vectors), next(vectors))

        passed = []
        x = modulate(x)
        for down in self.identity_downs:
            x = modulate(down(x))
            passed.append(x)
        passed.pop()  # the smallest map goes up itself
        for up in self.identity_ups:
            x = modulate(up(x) + passed.pop())
        return x


class _Residual(nn.Module):
    """What a branch makes of a map and what else it takes, added to the map."""

    def __init__(self, branch: nn.Module) -> None:
        super().__init__()
        self.branch = branch

    def forward(self, x: Tensor, *others: Tensor) -> Tensor:
        return x + self.branch(x, *others)


class _Silent(nn.Module):
    """A branch that adds nothing."""

    def forward(self, x: Tensor, *_: Tensor) -> Tensor:
        return x


def _residual(branch: nn.Module, last: nn.Conv2d) -> _Residual | _Silent:
    """The branch as a residual block, or nothing where its last layer gives zero."""
    return _Silent() if _gives_zero(last) else _Residual(branch)


def _gives_zero(layer: nn.Conv2d) -> bool:
    assert layer.bias is None
    return not layer.weight.any()


class _Folded(nn.Module):
    """`AttributeEncoderBlock` with its BN inside the 1x1 convolution."""

    def __init__(self, block: AttributeEncoderBlock) -> None:
        super().__init__()
        self.conv1x1 = fold_bn_before(block.normalize, block.conv1x1)
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
        scale, shift = scale_and_shift(down.normalize)
        self.register_buffer("scale", scale[:, None, None].float())
        self.register_buffer("shift", shift[:, None, None].float())
        self.conv = down.conv

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.conv(x * self.scale + self.shift), LEAKY_SLOPE)


class _Up(nn.Module):
    """`Upsample` with its BN inside the 3x3 convolution and the reflection pad as slices."""

    def __init__(self, up: Upsample) -> None:
        super().__init__()
        self.conv = fold_bn_before(up.normalize, up.conv)

    def forward(self, x: Tensor) -> Tensor:
        x = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=True)
        return F.leaky_relu(self.conv(_reflect(x)), LEAKY_SLOPE)


def _reflect(x: Tensor) -> Tensor:
    """Reflection pad of one pixel, NCHW."""
    x = torch.cat((x[:, :, 1:2], x, x[:, :, -2:-1]), dim=2)
    return torch.cat((x[:, :, :, 1:2], x, x[:, :, :, -2:-1]), dim=3)
