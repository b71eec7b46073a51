"""Cut the recogniser's input out of aligned faces, plain or augmented."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from model.aligned_face import FACE_SIZE, IDENTITY_INPUT_SIZE, identity_crop

_CROP = identity_crop(FACE_SIZE)
# The crop's first and last pixel centre, as grid_sample counts from the picture's middle.
_REACH = (_CROP.stop - 1 - _CROP.start) / FACE_SIZE

MAX_TURN = math.radians(8)
MAX_SCALE = 0.08
MAX_SHIFT = 0.04  # of the picture's width


def identity_view(faces: Tensor, size: int = IDENTITY_INPUT_SIZE) -> Tensor:
    """The identity encoder's input, cut out of aligned faces.

    Args:
        faces: (N, S, S, 3) NHWC uint8 RGB, aligned at any size S.
        size: side of the view in pixels.

    Returns:
        (N, 3, size, size) NCHW float32 RGB in [-1, 1].
    """
    return _sample(faces, straight_moves(len(faces), faces.device), size) * 2 - 1


def augmented_view(
    faces: Tensor, size: int, random: torch.Generator, moves: Tensor | None = None
) -> Tensor:
    """Like `identity_view`, mirrored, moved, relit, blurred and noised at random.

    `moves` are those of `random_moves`, drawn here where None.
    """
    moves = random_moves(len(faces), random) if moves is None else moves
    view = _sample(faces, moves, size)
    return _degrade(_relight(view, random), random) * 2 - 1


def mixed(view: Tensor, share: float, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Blend some of the faces with another face of the batch, by up to one half.

    A teacher can be asked about any picture, so blending makes millions of training pictures of a
    few thousand people (function matching, arXiv:2106.05237).

    Args:
        view: (N, C, S, S).
        share: of the faces, 0..1.
        random: draws the partners and the shares.

    Returns:
        The view, and the share of the other face in each, (N,) float32.
    """
    count = len(view)
    part = torch.where(_unit(count, random) < share, _unit(count, random) / 2, 0.0)
    others = view[torch.randperm(count, generator=random, device=random.device)]
    return torch.lerp(view, others, part.view(-1, 1, 1, 1)), part


def covered(view: Tensor, share: float, random: torch.Generator) -> Tensor:
    """Cover a part of some faces with a bar of one colour, like sunglasses, hands or hair.

    Args:
        view: (N, 3, S, S) in [-1, 1].
        share: of the faces, 0..1.
        random: draws which, where, how large and of what colour.
    """
    count, size = len(view), view.shape[-1]
    at = (torch.arange(size, device=view.device) + 0.5) / size
    inside = []
    for largest in (0.3, 0.8):  # height, width
        middle, reach = _unit(count, random), (0.1 + _unit(count, random) * (largest - 0.1)) / 2
        inside.append((at - middle[:, None]).abs() < reach[:, None])
    chosen = (_unit(count, random) < share).view(-1, 1, 1, 1)
    bar = (inside[0][:, None, :, None] & inside[1][:, None, None, :]) & chosen
    colour = (_unit(3 * count, random) * 2 - 1).view(-1, 3, 1, 1)
    return torch.where(bar, colour, view)


def recogniser_view(
    pictures: Tensor, size: int, moves: Tensor | None = None, *, smooth: bool = False
) -> Tensor:
    """As `identity_view`, of pictures that a network made; differentiable.

    Differs from the paper: the authors cut whole pixels, 7:57 of a 64 px picture, which is 3 %
    closer than 26:230 of 256. Here the view shows the same part of the face at every size.

    Args:
        pictures: (N, 3, S, S) NCHW float32 RGB in [-1, 1].
        size: side of the view in pixels.
        moves: (N, 2, 3) from `random_moves`, to show the faces moved and mirrored.
        smooth: average all pixels under a view's pixel, where the contract's plain bilinear resize
            skips some: a pattern finer than the view could please the recogniser by that.

    Returns:
        (N, 3, size, size) NCHW float32 RGB in [-1, 1].
    """
    if moves is None:
        moves = straight_moves(len(pictures), pictures.device)
    return _resample(pictures, moves, size, smooth=smooth)


class Looks(NamedTuple):
    """How pictures are changed before the recogniser sees them, one row per picture.

    Attributes:
        gain: (N, 3, 1, 1), what each colour is multiplied by: contrast and tint.
        lift: (N, 1, 1, 1), what is added: brightness.
        blur: (N, 1, 1, 1) in 0..1, the share of a 3x3 average.
    """

    gain: Tensor
    lift: Tensor
    blur: Tensor

    def to(self, device: torch.device) -> Looks:
        """The same on another device."""
        return Looks(*(part.to(device) for part in self))


def random_looks(count: int, random: torch.Generator) -> Looks:
    """Contrast by up to a fifth, tint by 6 %, brightness by a tenth; every second one blurred."""
    contrast = 1 + _between(count, 0.2, random).view(-1, 1, 1, 1)
    tint = 1 + _between(3 * count, 0.06, random).view(-1, 3, 1, 1)
    lift = _between(count, 0.1, random).view(-1, 1, 1, 1)
    blur = (_unit(count, random) * 2 - 1).clamp(0).view(-1, 1, 1, 1)
    return Looks(contrast * tint, lift, blur)


def relit(view: Tensor, looks: Looks) -> Tensor:
    """(N, 3, S, S) in [-1, 1] with other light, colour and sharpness; differentiable."""
    soft = F.avg_pool2d(F.pad(view, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return torch.lerp(view, soft, looks.blur) * looks.gain + looks.lift


def straight_moves(count: int, device: torch.device) -> Tensor:
    """The moves that show the identity crop as it is, (count, 2, 3) float32."""
    return torch.eye(2, 3, device=device).expand(count, 2, 3) * _REACH


def random_moves(count: int, random: torch.Generator) -> Tensor:
    """Small random turns, scales, shifts and mirrorings, (count, 2, 3) float32."""
    turn = _between(count, MAX_TURN, random)
    scale = _REACH * (1 + _between(count, MAX_SCALE, random))
    mirror = torch.where(_unit(count, random) < 0.5, -1.0, 1.0)
    cos, sin = scale * turn.cos(), scale * turn.sin()
    shift = _between(2 * count, 2 * MAX_SHIFT, random).view(count, 2)
    rows = (mirror * cos, -sin, shift[:, 0], mirror * sin, cos, shift[:, 1])
    return torch.stack(rows, dim=1).view(count, 2, 3)


def _sample(faces: Tensor, moves: Tensor, size: int) -> Tensor:
    return _resample(faces.permute(0, 3, 1, 2).float() / 255, moves, size)


def _resample(pictures: Tensor, moves: Tensor, size: int, *, smooth: bool = False) -> Tensor:
    # Bilinear sampling skips pixels when it shrinks: small views are sampled twice as fine and
    # averaged. At 112 px the contract asks for the plain bilinear resize.
    fine = 2 if smooth or size < IDENTITY_INPUT_SIZE else 1
    steps = torch.linspace(-1, 1, size * fine, device=pictures.device)
    grid = torch.stack((steps.expand(len(steps), -1), steps[:, None].expand(-1, len(steps))), -1)
    grid = torch.einsum("hwi,noi->nhwo", grid, moves[:, :, :2]) + moves[:, None, None, :, 2]
    view = F.grid_sample(pictures, grid, align_corners=False)
    return F.avg_pool2d(view, fine) if fine > 1 else view


def _relight(view: Tensor, random: torch.Generator) -> Tensor:
    count = len(view)
    contrast = 1 + _between(count, 0.25, random).view(-1, 1, 1, 1)
    brightness = _between(count, 0.12, random).view(-1, 1, 1, 1)
    tint = 1 + _between(3 * count, 0.06, random).view(-1, 3, 1, 1)
    gamma = (_between(count, 0.3, random)).exp().view(-1, 1, 1, 1)
    view = ((view - 0.5) * contrast + 0.5 + brightness) * tint
    view = view.clamp(1e-4, 1) ** gamma
    grey = (_unit(count, random) < 0.1).view(-1, 1, 1, 1)
    return torch.where(grey, view.mean(1, keepdim=True), view)


def _degrade(view: Tensor, random: torch.Generator) -> Tensor:
    """Blur a quarter of the pictures as small or compressed photos are, and add sensor noise."""
    count, size = len(view), view.shape[-1]
    small = F.avg_pool2d(view, 2)
    soft = F.interpolate(small, size=(size, size), mode="bilinear")
    strength = _unit(count, random)
    strength = torch.where(_unit(count, random) < 0.25, strength, 0.0)
    view = torch.lerp(view, soft, strength.view(-1, 1, 1, 1))
    sigma = 0.02 * _unit(count, random).view(-1, 1, 1, 1)
    noise = torch.randn(view.shape, generator=random, device=random.device)
    return (view + sigma * noise).clamp(0, 1)


def _between(count: int, limit: float, random: torch.Generator) -> Tensor:
    return (_unit(count, random) * 2 - 1) * limit


def _unit(count: int, random: torch.Generator) -> Tensor:
    """Numbers from 0 to 1, (count,), on the generator's device."""
    return torch.rand(count, generator=random, device=random.device)
