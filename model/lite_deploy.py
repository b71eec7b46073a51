"""`LiteGenerator` rewritten for inference: the same function in fewer operations.

Both rewrites are exact; the difference that is left is float rounding (see tests/test_lite.py).

- Frozen BN and the modulation behind it are one scale and one shift, both linear in the style, so
  one layer gives those of all blocks. It is a 1x1 convolution, as in `model.deploy`.
- The half and quarter pictures serve training only, and go.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.fold import scale_and_shift
from model.lite import LiteGenerator, ModulatedBlock, compose, enlarge


def lite_modulation(trained: LiteGenerator) -> nn.Module:
    """From an embedding (N, 512, 1, 1) to every scale and shift (N, 2 * channels, 1, 1)."""
    style = nn.Conv2d(trained.config.embedding_size, trained.config.style, 1)
    rows, biases = [], []
    for block in trained.modulated_blocks():
        s, t = scale_and_shift(block.normalize)
        scale, shift = block.scale, block.shift
        rows += [
            s[:, None] * scale.weight.double(),
            shift.weight.double() + t[:, None] * scale.weight.double(),
        ]
        biases += [s * scale.bias.double(), shift.bias.double() + t * scale.bias.double()]
    fused = nn.Conv2d(trained.config.style, sum(map(len, biases)), 1)
    with torch.no_grad():
        _set(style, trained.style.weight, trained.style.bias)
        _set(fused, torch.cat(rows), torch.cat(biases))
    return nn.Sequential(style, nn.ReLU(), fused)


class LitePainter(nn.Module):
    """All of the generator but the modulation."""

    def __init__(self, trained: LiteGenerator) -> None:
        super().__init__()
        self.down128, self.down64, self.down32, self.down16 = (
            trained.down128, trained.down64, trained.down32, trained.down16,
        )  # fmt: skip
        self.b64_down, self.b32_down, self.b16, self.b32_up, self.b64_up = (
            nn.ModuleList(_Modulated(block) for block in part)  # type: ignore[arg-type]
            for part in (trained.b64_down, trained.b32_down, trained.b16, trained.b32_up,
                         trained.b64_up)
        )  # fmt: skip
        self.up32, self.up64, self.up128 = trained.up32, trained.up64, trained.up128
        self.conv128, self.colours, self.mask = trained.conv128, trained.colours, trained.mask

    def forward(self, target: Tensor, modulation: Tensor) -> Tensor:
        at = 0

        def modulate(blocks: nn.ModuleList, x: Tensor) -> Tensor:
            nonlocal at
            for block in blocks:
                scale, shift = (modulation[:, i : i + x.shape[1]] for i in (at, at + x.shape[1]))
                x, at = block(x, scale, shift), at + 2 * x.shape[1]
            return x

        x128 = F.relu(self.down128(target))
        x64 = modulate(self.b64_down, self.down64(x128))
        x32 = modulate(self.b32_down, self.down32(x64))
        x16 = modulate(self.b16, self.down16(x32))
        x32 = modulate(self.b32_up, x32 + enlarge(self.up32(x16)))
        x64 = modulate(self.b64_up, x64 + enlarge(self.up64(x32)))
        x128 = F.relu(x128 + enlarge(self.up128(x64)))
        x128 = F.relu(self.conv128(x128))
        painted, mask = torch.tanh(self.colours(x128)), self.mask(x64)
        return compose(target, enlarge(painted), enlarge(mask, 4))


class _Modulated(nn.Module):
    """`ModulatedBlock` that is handed its scale and shift, (N, C, 1, 1) each."""

    def __init__(self, block: ModulatedBlock) -> None:
        super().__init__()
        self.conv_in, self.conv_out = block.conv_in, block.conv_out

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        return x + self.conv_out(F.relu(self.conv_in(x) * scale + shift))


def _set(layer: nn.Conv2d, weight: Tensor, bias: Tensor) -> None:
    assert layer.bias is not None
    layer.weight.copy_(weight[:, :, None, None])
    layer.bias.copy_(bias)
