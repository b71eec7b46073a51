"""Track faces through a video: detect every few frames, follow the mesh between, smooth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.detect import LEAST_PX, Detector, Face, same
from pipeline.faces.facemesh import Points
from pipeline.faces.pyramid import Pyramid

DETECT_EVERY = 10  # frames; a new face may stay undetected for that long
_CUT = 24.0  # mean change of a coarse grey picture, in levels of 255, that no motion makes
_COARSE = (32, 18)
_LEAST = 1 / 64  # of a frame's longer edge: smaller faces would take too long in every scene
# One Euro filter (Casiez, Roussel, Vogel, CHI 2012): still points are smoothed much, moving ones
# hardly, so that a face neither trembles nor trails. Speed is in sizes of the face per second.
_STILL_HZ = 1.5
_HZ_PER_SPEED = 30.0
_SPEED_HZ = 1.0


@dataclass(slots=True)
class _Track:
    number: int
    face: Face
    smooth: Points
    speed: Points


class Tracker:
    """The faces of the current scene; 0 was the largest when the scene began."""

    def __init__(self, detector: Detector, *, thorough: bool = False) -> None:
        """Start before the first frame.

        Args:
            detector: finds and follows.
            thorough: look for turned and tiny faces whenever it looks, not just where a scene
                begins without any other.
        """
        self._detector = detector
        self._thorough = thorough
        self._tracks: list[_Track] = []
        self._coarse: NDArray[np.float32] | None = None
        self._since_look = 0
        self._seconds = 0.0
        self.cuts = 0

    def step(self, picture: Pyramid, seconds: float) -> list[tuple[int, Face]]:
        """The faces of the next frame with their numbers, in the order of these.

        Args:
            picture: the frame.
            seconds: when it is shown; a frame's distance to the last one sets the smoothing.
        """
        elapsed, self._seconds = seconds - self._seconds, seconds
        begins = self._is_new_scene(picture)
        if begins:
            self._tracks = []
        before = len(self._tracks)
        self._follow(picture, elapsed)
        self._since_look += 1
        if begins or len(self._tracks) < before or self._since_look >= DETECT_EVERY:
            self._look(picture, deep=begins)
        return [(t.number, Face(t.smooth.copy(), t.face.score)) for t in self._tracks]

    def _is_new_scene(self, picture: Pyramid) -> bool:
        grey = cv2.cvtColor(picture.coarse(_COARSE), cv2.COLOR_RGB2GRAY).astype(np.float32)
        last, self._coarse = self._coarse, grey
        if last is None:
            return True
        # A lamp that is switched on shifts all levels, and is no cut.
        cut = float(np.abs((grey - grey.mean()) - (last - last.mean())).mean()) > _CUT
        self.cuts += cut
        return cut

    def _follow(self, picture: Pyramid, elapsed: float) -> None:
        kept: list[_Track] = []
        for track in self._tracks:
            face = self._detector.track(picture, track.face)
            # Two tracks on one face: the younger one has lost its own.
            if face is None or any(same(face, other.face) for other in kept):
                continue
            _smooth(track, face, elapsed)
            kept.append(track)
        self._tracks = kept

    def _look(self, picture: Pyramid, *, deep: bool) -> None:
        self._since_look = 0
        known = [track.face for track in self._tracks]
        if deep or self._thorough:
            found = self._detector.find(
                picture,
                thorough=self._thorough,
                known=known,
                least_px=max(LEAST_PX, max(picture.size) * _LEAST),
            )
        else:
            found = self._detector.glance(picture, known)
        for face in found:
            if not any(same(face, track.face) for track in self._tracks):
                taken = {track.number for track in self._tracks}
                number = next(n for n in range(len(taken) + 1) if n not in taken)
                self._tracks.append(_Track(number, face, face.mesh, np.zeros_like(face.mesh)))
        self._tracks.sort(key=lambda track: track.number)


def _smooth(track: _Track, face: Face, elapsed: float) -> None:
    """Move the track to `face`, seen `elapsed` seconds later, through the One Euro filter."""
    elapsed = elapsed if 0 < elapsed < 1 else 1 / 25  # a broken clock
    speed = (face.mesh - track.smooth) / (elapsed * face.side)
    track.speed += _share(_SPEED_HZ, elapsed) * (speed - track.speed)
    # One cutoff for the whole face: points that moved apart would bend it.
    pace = float(np.linalg.norm(track.speed.mean(axis=0)))
    share = _share(_STILL_HZ + _HZ_PER_SPEED * pace, elapsed)
    track.smooth = track.smooth + share * (face.mesh - track.smooth)
    track.face = face


def _share(cutoff_hz: float, elapsed: float) -> float:
    """How much of the new value a low-pass filter of the first order takes."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff_hz * elapsed))
