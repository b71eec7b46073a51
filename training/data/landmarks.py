"""The face mesh of aligned faces, without a face detector."""

from __future__ import annotations

import numpy as np

from model.aligned_face import face_template
from pipeline.faces.facemesh import FaceMesh, Points, crop_of_box, crop_of_mesh, turned
from pipeline.faces.pyramid import Image8, Pyramid

_MIN_SCORE = 0.5
# Centre and extent of a mesh on the template, as fractions of the face's edge: means over the two
# portraits.
_MIDDLE, _SIDE = (0.5, 0.59), 0.63
_PASSES = 2
_AROUND_DEG = (-6.0, -2.0, 2.0, 6.0)  # the mesh varies with the crop's angle; its mean less


class Landmarks:
    """The loaded landmark model."""

    def __init__(self, threads: int = 1) -> None:
        """Load it.

        Raises:
            BackendUnavailable: what carries or runs it is not installed.
        """
        self._mesh = FaceMesh(threads)

    def find(self, face: Image8) -> Points | None:
        """The landmarks of an aligned face, or None where the mesh sees no face.

        Args:
            face: (S, S, 3) HWC uint8 RGB.

        Returns:
            (468, 3) float64: x, y and z in pixels of the face; smaller z is nearer to the camera.
        """
        size, pyramid = len(face), Pyramid(face)
        crop = crop_of_box(
            np.array(_MIDDLE, np.float64) * size, _SIDE * size, np.array(face_template(size))[:2]
        )
        for _ in range(_PASSES):
            mesh, score = self._mesh.fit_deep(pyramid, crop)
            if score < _MIN_SCORE or not np.isfinite(mesh).all():
                return None
            crop = crop_of_mesh(mesh[:, :2])
        around = [self._mesh.fit_deep(pyramid, turned(crop, deg, 1.0))[0] for deg in _AROUND_DEG]
        return np.mean(around, axis=0)
