"""Swaps side by side: source, target, and the result of every model file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.media.sheet import Tile, write_grid
from training.data.faces import Faces
from training.judging.swaps import JudgedModel, Painted, SwapPairs, paint

if TYPE_CHECKING:
    from pipeline.backends.base import Backend

GRID_ROWS = 12


def draw_portraits(
    path: Path, opened: Sequence[tuple[JudgedModel, tuple[Backend, Backend]]]
) -> None:
    """Write a sheet of the two public-domain portraits, each with the other's face.

    Args:
        path: the picture.
        opened: the models, each with its generator and identity encoder.
    """
    from pipeline.faces.portraits import faces

    portraits = Faces(("Hopper/1", "Collins/1"), np.stack(faces(2)))
    pairs = SwapPairs(np.array([0, 1]), np.array([1, 0]))
    painted = {
        f"{model.backend} {model.precision}": list(paint(*loaded, portraits.pixels, pairs))
        for model, loaded in opened
    }
    write_swaps(path, portraits, pairs, painted)


def write_swaps(
    path: Path, faces: Faces, pairs: SwapPairs, painted: dict[str, list[Painted]]
) -> None:
    """Write a sheet of the first pairs; it shows people.

    Args:
        path: the picture.
        faces: what `pairs` refers to.
        pairs: which faces were swapped.
        painted: by the name of a model file, at least `GRID_ROWS` of its swaps, or all.
    """
    rows = []
    for i in range(min(GRID_ROWS, len(pairs.source))):
        source, target = faces.pixels[pairs.source[i]], faces.pixels[pairs.target[i]]
        swaps = [Tile(pictures[i].image, name) for name, pictures in painted.items()]
        rows.append([Tile(source, "source"), Tile(target, "target"), *swaps])
    write_grid(path, rows)
    print(f"{path}: the first {len(rows)} pairs", file=sys.stderr, flush=True)
