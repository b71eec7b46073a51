"""Where the face is in an aligned picture: ovals, as shares of the picture's side."""

from __future__ import annotations

import torch
from torch import Tensor

# x and y: brows to lower lip, both eyes; forehead, chin and cheeks are beside it.
_OVAL_MIDDLE, _OVAL_RADII = (0.5, 0.6), (0.22, 0.25)
_FACE_MIDDLE, _FACE_RADII = (0.5, 0.63), (0.31, 0.38)  # with temples and chin
_FEATURE_MIDDLE, _FEATURE_RADII = (0.5, 0.55), (0.25, 0.33)  # with the ends of brows
_WITHIN, _BESIDE = 0.92, 1.05  # of that oval: up to where features are, from where temples


def face_oval(size: int, device: torch.device) -> Tensor:
    """(S, S) bool: eyes, nose and mouth of an aligned face."""
    return _distance(size, device, _OVAL_MIDDLE, _OVAL_RADII) < 1


def inside(size: int, device: torch.device) -> Tensor:
    """(S, S) in 0..1: how much a pixel is the face's.

    1 in the face's middle, falling to 0 beside an oval that temples and chin belong to.
    """
    return torch.exp(-(_distance(size, device, _FACE_MIDDLE, _FACE_RADII) ** 4))


def outskirts(size: int, device: torch.device) -> Tensor:
    """(S, S) in 0..1: 0 where brows, eyes, nose and mouth are, 1 from temples and jaw outwards."""
    distance = _distance(size, device, _FEATURE_MIDDLE, _FEATURE_RADII).sqrt()
    return ((distance - _WITHIN) / (_BESIDE - _WITHIN)).clamp(0, 1)


def _distance(
    size: int, device: torch.device, middle: tuple[float, float], radii: tuple[float, float]
) -> Tensor:
    """(S, S), the square of a pixel's distance to the oval's middle; 1 on the oval."""
    at = (torch.arange(size, device=device) + 0.5) / size
    (x, y), (wide, high) = middle, radii
    return ((at - x) / wide) ** 2 + ((at[:, None] - y) / high) ** 2
