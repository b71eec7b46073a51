"""A picture of what 8 bits changed: PyTorch | artifact | difference x 8, worst pair first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.files import write_atomically

_ROWS = 4
_GAIN = 8


def write_comparison(
    path: Path,
    wanted: Sequence[NDArray[np.float32]],
    got: Sequence[NDArray[np.float32]],
    psnrs_db: Sequence[float],
) -> None:
    """Write the worst pairs side by side as PNG.

    Args:
        path: where to.
        wanted: PyTorch's unit pictures, (H, W, 3) float32 RGB in [0, 1].
        got: the artifact's.
        psnrs_db: how near each is.
    """
    from PIL import Image

    worst = np.argsort(psnrs_db)[:_ROWS]
    rows = [
        np.concatenate([wanted[i], got[i], 0.5 + _GAIN * (got[i] - wanted[i])], axis=1)
        for i in worst
    ]
    picture = np.rint(np.concatenate(rows).clip(0, 1) * 255).astype(np.uint8)
    write_atomically(path, lambda beside: Image.fromarray(picture).save(beside))
