"""Pictures of a run's progress: rows of source, target and swapped face."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from model.files import write_atomically


def write_grid(path: Path, source: Tensor, target: Tensor, swapped: Tensor) -> None:
    """Write one row per face, as large as the swapped ones.

    Args:
        path: `.png` or `.webp`.
        source: (N, A, A, 3) NHWC uint8 RGB.
        target: (N, S, S, 3) NHWC uint8 RGB.
        swapped: (N, 3, S, S) NCHW float32 RGB in [-1, 1].
    """
    from PIL import Image

    size = swapped.shape[-1]
    sources = F.interpolate(source.permute(0, 3, 1, 2).float(), size, mode="area")
    targets = F.interpolate(target.permute(0, 3, 1, 2).float(), size, mode="area")
    columns = [sources, targets, (swapped.cpu() + 1) * 127.5]
    rows = torch.cat([column.clamp(0, 255) for column in columns], dim=3)
    grid = rows.permute(0, 2, 3, 1).reshape(-1, 3 * size, 3).round().byte().numpy()
    write_atomically(path, lambda beside: Image.fromarray(grid).save(beside))
