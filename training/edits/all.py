"""Every edit by its name, and one function that applies an edit to a face."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline.faces.facemesh import Points
from pipeline.faces.pyramid import Image8
from training.data.records import EDITS, Edit
from training.edits.ageing import older
from training.edits.beard import beard
from training.edits.glasses import glasses, sunglasses
from training.edits.hair import bald, fringe
from training.edits.shape import fat, grin
from training.edits.subject import EditedFace, EditFailed, Pixels

Editor = Callable[[EditedFace, np.random.Generator], Pixels]

EDITORS: dict[Edit, Editor] = {
    "fat": fat,
    "older": older,
    "beard": beard,
    "glasses": glasses,
    "sunglasses": sunglasses,
    "fringe": fringe,
    "bald": bald,
    "grin": grin,
}
_LEAST_CHANGE = 0.15  # mean absolute difference in levels of 255; an edit below it is refused


def edit(name: Edit, face: Image8, mesh: Points, seed: int) -> Image8:
    """Apply one edit to a face.

    Args:
        name: of the edit.
        face: (S, S, 3) uint8 RGB, aligned.
        mesh: (468, 3) float64, its landmarks in pixels, see `training.data.landmarks`.
        seed: of the random shape, colour and strength. One seed gives each edit other numbers.

    Returns:
        The edited face, (S, S, 3) uint8 RGB.

    Raises:
        EditFailed: the edit cannot be applied to this face, or changes almost nothing.
    """
    random = np.random.default_rng((seed, EDITS.index(name)))
    pixels = EDITORS[name](EditedFace(face, mesh), random)
    if not np.isfinite(pixels).all():
        raise EditFailed("its values are not finite")
    edited = np.rint(pixels.clip(0, 255)).astype(np.uint8)
    if np.abs(edited.astype(np.int16) - face).mean() < _LEAST_CHANGE:
        raise EditFailed("nothing changed")
    return edited
