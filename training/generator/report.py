"""Averages over some training steps, as one row of the run's log."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from training.generator.trainer import Step


def averages(steps: Sequence[Step], seconds: float) -> dict[str, Any]:
    """Mean losses, mean cosine and pace of some steps.

    Args:
        steps: at least one.
        seconds: that they took.

    Returns:
        `size`, `losses` by name, `cosine` (0 where no two people were swapped) and
        `samples_per_second`, of all processes.
    """
    names = {name: None for step in steps for name in step.losses}
    cosines = [step.cosine for step in steps if math.isfinite(step.cosine)]
    return {
        "size": steps[-1].size,
        "losses": {
            name: round(_mean([s.losses[name] for s in steps if name in s.losses]), 5)
            for name in names
        },
        "cosine": round(_mean(cosines), 5),
        "samples_per_second": round(sum(step.samples for step in steps) / max(seconds, 1e-9), 2),
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
