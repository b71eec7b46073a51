"""A swapper that always sees one face at one place, for tests of everything but faces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from doubles import MeanColour, Painter

from model.aligned_face import face_template
from pipeline.faces.face import Face
from pipeline.faces.facemesh import _FIVE, OVAL
from pipeline.faces.pyramid import Pyramid
from pipeline.swap import FaceSwapper

EDGE = 64  # of the square in the middle of the picture that the face fills


def face_in(picture: Pyramid) -> Face:
    """A face in the middle of a picture, upright, as wide as half an aligned face of `EDGE`."""
    width, height = picture.size
    corner = np.array([width, height]) / 2 - EDGE / 2
    mesh = np.tile(corner + EDGE / 2, (468, 1))
    angles = np.linspace(0, 2 * np.pi, len(OVAL), endpoint=False)
    mesh[list(OVAL)] += EDGE * 0.3 * np.column_stack([np.sin(angles), -np.cos(angles)])
    for indexes, point in zip(_FIVE, face_template(EDGE), strict=True):
        mesh[list(indexes)] = corner + point
    return Face(mesh, 1.0)


class Still:
    """A detector that finds `face_in` wherever `sees` says so."""

    def __init__(self, sees: Callable[[np.ndarray], bool]) -> None:
        self._sees = sees

    def find(self, picture: Pyramid, **_: object) -> list[Face]:
        return [face_in(picture)] if self._sees(picture.image) else []

    def glance(self, picture: Pyramid, known: object) -> list[Face]:
        return self.find(picture)

    def track(self, picture: Pyramid, face: Face) -> Face | None:
        return next(iter(self.find(picture)), None)


def still_swapper(
    paint: Callable[[np.ndarray], np.ndarray] = lambda face: 255 - face,
    sees: Callable[[np.ndarray], bool] = lambda picture: True,
) -> FaceSwapper:
    """A swapper that paints on `face_in`; its detector needs no models."""
    return FaceSwapper(Painter(paint), MeanColour, Still(sees))  # type: ignore[arg-type]
