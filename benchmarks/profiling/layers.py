"""The profile of a model file, the same for all runtimes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class LayerTime:
    """The time of one operator.

    Attributes:
        kind: operator name.
        name: of the tensor that it computes.
        shape: of that tensor.
        ms: median time.
        gflop: multiplications plus additions, in 10^9; 0 for operators other than convolutions and
            matrix products.
    """

    kind: str
    name: str
    shape: tuple[int, ...]
    ms: float
    gflop: float


@dataclass(frozen=True, slots=True)
class Profile:
    """The times of one file.

    Attributes:
        layers: operators, in their order.
        whole_ms: median time of a whole frame.
        left_out: operators that cannot be timed alone, each with the reason.
    """

    layers: list[LayerTime]
    whole_ms: float
    left_out: list[str] = field(default_factory=list)


def by_kind(layers: list[LayerTime]) -> Iterator[tuple[str, int, float, float]]:
    """For each kind of operator: its name, number, milliseconds and gflop; the slowest first."""
    kinds = sorted(
        {layer.kind for layer in layers},
        key=lambda kind: -sum(layer.ms for layer in layers if layer.kind == kind),
    )
    for kind in kinds:
        of_kind = [layer for layer in layers if layer.kind == kind]
        yield (
            kind,
            len(of_kind),
            sum(layer.ms for layer in of_kind),
            sum(layer.gflop for layer in of_kind),
        )


def random_input(rng: np.random.Generator, shape: Sequence[int], dtype: Any) -> Any:
    """Values for an input: random for 8-bit integers and floats, else zeros.

    Wider integers are mostly indices and shapes, for which only zeros are always valid.
    """
    if np.dtype(dtype) in (np.uint8, np.int8):
        limits = np.iinfo(dtype)
        return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    if np.issubdtype(dtype, np.floating):
        return rng.random(shape).astype(dtype)
    return np.zeros(shape, dtype)
