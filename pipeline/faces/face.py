"""A face in a picture: its landmarks, where it lies and how it is turned, and how it is aligned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.aligned_face import FACE_SIZE, face_template
from pipeline.faces.align import Matrix, similarity
from pipeline.faces.facemesh import Points, five_points, turned_aside

_ASIDE = (0.8, 1.2)  # `turned_aside` at which a swap begins to fade, and at which it is gone


@dataclass(frozen=True, slots=True)
class Face:
    """A face in a picture.

    Attributes:
        mesh: (468, 2) float64 landmarks, x and y in pixels, pixel centres at the integers.
        score: 0..1, how sure the mesh is that it lies on a face.
    """

    mesh: Points
    score: float

    @property
    def points(self) -> Points:
        """(5, 2) float64: eyes, nose, mouth corners, left as seen in the upright face first."""
        return five_points(self.mesh)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the landmarks, in pixels."""
        left, top = self.mesh.min(axis=0)
        right, bottom = self.mesh.max(axis=0)
        return float(left), float(top), float(right), float(bottom)

    @property
    def frontal(self) -> float:
        """1 for a frontal face, 0 for a profile; the opacity of a swap.

        It falls smoothly between about 45 and 60 degrees, because the generator smears faces that
        are seen from the side.
        """
        start, end = _ASIDE
        x = min(max((end - turned_aside(self.mesh)) / (end - start), 0.0), 1.0)
        return x * x * (3 - 2 * x)

    @property
    def side(self) -> float:
        """Longer edge of `box` in pixels."""
        left, top, right, bottom = self.box
        return max(right - left, bottom - top)


def align_matrix(face: Face, size: int = FACE_SIZE) -> Matrix:
    """The alignment of a face, (2, 3): pixels of the picture to an aligned face of `size` px."""
    return similarity(face.points, np.array(face_template(size)))


def same(face: Face, other: Face) -> bool:
    """Whether two detections show one face: their middles are within half of the longer side."""
    near = float(np.linalg.norm(face.mesh.mean(axis=0) - other.mesh.mean(axis=0)))
    return near < max(face.side, other.side) / 2
