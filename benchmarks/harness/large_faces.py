"""How sharp a swapped face is beside its target, how near to its source, and how steady in a film.

Of the two public-domain portraits, each with the other's face: by a bundle's generator as it is,
with the target's fine detail (`pipeline.faces.detail`), and swapped at twice the size.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from model.aligned_face import FACE_SIZE, face_template
from pipeline.faces.align import Matrix, inverse, scale_of
from pipeline.faces.face import align_matrix
from pipeline.faces.paste import Blend
from pipeline.faces.portraits import PORTRAITS, enlarged, open_portrait
from pipeline.faces.pyramid import Image8, Pyramid
from pipeline.faces.tracking import Tracker
from pipeline.metrics import LUMA
from pipeline.swap import FaceSwapper
from training.judging.detail import box, cheeks, high_pass
from training.judging.flicker import move

WAYS = {  # name: boost, detail
    "plain": (False, False), "boost": (True, False), "detail": (False, True), "both": (True, True),
}  # fmt: skip
_FOREHEAD = (30, 12)  # half width and half height, px of 256
_RISE = 0.55  # from the eyes to the middle of the forehead, in distances of eyes and mouth
_FRAMES, _RATE = 12, 25
_NOISES = (0.0, 2.0)  # levels of a film's noise, standard deviation
_SWAY_PX = 0.8  # how far a face moves in a film


class Scene(NamedTuple):
    """A target with the face that it shall get.

    Attributes:
        name: the package that the target comes with.
        target: (H, W, 3) uint8 RGB.
        source: likewise.
    """

    name: str
    target: Image8
    source: Image8


def sharpness(face: Image8, target: Image8) -> tuple[float, float]:
    """How sharp cheeks and forehead are, as parts of the target's sharpness.

    Args:
        face: (256, 256, 3) uint8 RGB, aligned.
        target: likewise.
    """
    mine, theirs = (high_pass(picture.astype(np.float32) @ LUMA) for picture in (face, target))

    def ratio(boxes: list[tuple[slice, slice]]) -> float:
        return float(
            sum(mine[place].mean() for place in boxes)
            / sum(theirs[place].mean() for place in boxes)
        )

    return ratio(cheeks()), ratio([_forehead()])


def in_films(swapper: FaceSwapper, scenes: list[Scene]) -> list[dict[str, float]]:
    """Flicker without and with detail, the mean of the scenes, for each noise of a film."""
    return [
        {
            "noise": noise,
            **{
                way: float(np.mean([flicker(swapper, s, noise, detail=detail) for s in scenes]))
                for way, detail in (("plain", False), ("detail", True))
            },
        }
        for noise in _NOISES
    ]


def flicker(swapper: FaceSwapper, scene: Scene, noise: float, *, detail: bool) -> float:
    """How much a swap changes from frame to frame beside the film's own change, in levels.

    The target sways by fractions of a pixel; frames are moved back before they are compared. A
    figure is of the pixels that the swap changes.
    """
    identity, tracker = swapper.identity(scene.source), Tracker(swapper.detector)
    before, changes = None, []
    for index in range(_FRAMES):
        sway = _sway(index)
        frame = _noisy(move(scene.target, sway), noise, index)
        pyramid = Pyramid(frame)
        faces = [(face, identity) for _, face in tracker.step(pyramid, index / _RATE)]
        shown = swapper.put(pyramid, faces, Blend(detail=detail))
        back = inverse(sway)
        added = move(shown, back).astype(np.float32) - move(frame, back)
        if before is not None:
            swapped = (np.abs(added) + np.abs(before)).sum(2) > 0
            changes.append(float(np.abs(added - before).mean(2)[swapped].mean()))
        before = added
    return float(np.mean(changes))


def in_portrait(plain: FaceSwapper, boosted: FaceSwapper, scene: Scene) -> dict[str, Any]:
    """Sharpness and nearness to the source by each of `WAYS`, in the target's aligned face.

    Args:
        plain: a bundle's models.
        boosted: the same, opened with `boost`.
        scene: what to swap.
    """
    identity, face = plain.identity(scene.source), plain.find(scene.target)[0]
    matrix = align_matrix(face)

    def aligned(picture: Image8) -> Image8:
        return Pyramid(picture).cut(matrix, FACE_SIZE, smooth=True)

    target = aligned(scene.target)
    found: dict[str, Any] = {"portrait": scene.name, "face_px": round(FACE_SIZE / scale_of(matrix))}
    for name, (boost, detail) in WAYS.items():
        swapper = boosted if boost else plain
        result = aligned(swapper.swap(scene.target, identity, blend=Blend(detail=detail)))
        cheeks, forehead = sharpness(result, target)
        nearness = float(plain.embed(result) @ identity)
        found[name] = {"cheeks": cheeks, "forehead": forehead, "identity_source": nearness}
    return found


def scenes() -> list[Scene]:
    """Each portrait as a target: the first as it is, the second enlarged.

    Raises:
        BackendUnavailable: a package that carries a portrait is not installed.
    """
    first, second = (open_portrait(portrait) for portrait in PORTRAITS)
    names = [portrait.package for portrait in PORTRAITS]
    return [Scene(names[0], first, second), Scene(names[1], enlarged(second), first)]


def _forehead() -> tuple[slice, slice]:
    """Rows and columns of the forehead in an aligned face."""
    left, right, _, *corners = np.array(face_template(FACE_SIZE))
    eyes, mouth = (left + right) / 2, (corners[0] + corners[1]) / 2
    return box(eyes - _RISE * (mouth - eyes), _FOREHEAD)


def _sway(index: int) -> Matrix:
    """(2, 3): where a film's picture lies in that frame."""
    x, y = _SWAY_PX * math.sin(1.3 * index), _SWAY_PX * math.cos(0.9 * index)
    return np.array([[1, 0, x], [0, 1, y]])


def _noisy(picture: Image8, noise: float, seed: int) -> Image8:
    """With grey noise of `noise` levels."""
    drawn = np.random.default_rng(seed).normal(0, noise, picture.shape[:2])
    return np.rint(picture + drawn[..., None]).clip(0, 255).astype(np.uint8)
