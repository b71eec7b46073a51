"""The loss `bounded`: values that leave the range which fp16 and 8-bit files can hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

WORST_COUNTS = 0.1


def attention_excess(attentions: Iterable[Tensor]) -> Tensor:
    """How far attention leaves 0..1: mean square, plus a tenth of the worst pixel's of each map.

    Not in the paper. The decoder multiplies by twelve attentions in a row and the architecture
    squashes none; unpunished they reach 16, and then some faces overflow. The worst pixel is in it
    because that is where an overflow begins, and it would vanish in the mean.

    Args:
        attentions: (N, 1, H, W) each, of any float type, meant to lie in [0, 1].

    Returns:
        The mean over the maps, a float32 number; 0 where there is none.
    """
    return _mean([_Excess.apply(x, 0.0, 1.0) for x in attentions])


def feature_excess(features: Iterable[Tensor], limit: float) -> Tensor:
    """As `attention_excess`, for residual features beyond +-limit; limit is the unit.

    Args:
        features: (N, C, H, W) each, of any float type.
        limit: above 0.

    Returns:
        The mean over the maps, a float32 number; 0 where there is none.
    """
    return _mean([_Excess.apply(x, -limit, limit) for x in features]) / limit**2


def _mean(terms: list[Tensor]) -> Tensor:
    return torch.stack(terms).mean() if terms else torch.zeros(())


class _Excess(torch.autograd.Function):
    """Of one map: mean square of what lies beyond `low` and `high`, plus the samples' worst.

    The gradient is written by hand because the maps are the largest of a step: autograd keeps
    several copies of each, this keeps one, and none where nothing is beyond.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, low: float, high: float) -> Tensor:
        """(N, C, H, W) of any float type -> a float32 number."""
        beyond = x - x.clamp(low, high)
        worst = beyond.abs().amax((1, 2, 3))
        ctx.save_for_backward(beyond if worst.any() else None)
        mean = torch.linalg.vector_norm(beyond, dtype=torch.float32) ** 2 / x.numel()
        return mean + WORST_COUNTS * (worst.float() ** 2).mean()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, None, None]:
        """The mean pulls everything beyond the range, and the worst its own pixel beside that."""
        (beyond,) = ctx.saved_tensors
        if beyond is None:
            return None, None, None
        samples = torch.arange(len(beyond), device=beyond.device)
        rows = beyond.abs().amax((1, 3)).argmax(1)
        in_row = beyond[samples, :, rows].flatten(1)  # (N, C * W)
        at = in_row.abs().argmax(1)
        width = beyond.shape[3]
        pull = beyond * (2 * gradients[0] / beyond.numel())
        of_worst = in_row[samples, at] * (2 * gradients[0] * WORST_COUNTS / len(beyond))
        pull[samples, at // width, rows, at % width] += of_worst.to(pull.dtype)
        return pull.to(beyond.dtype), None, None
