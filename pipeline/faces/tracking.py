"""Track faces through a video.

Faces are detected every few frames. In between the mesh follows them, and their landmarks are
smoothed over time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.faces.detect import LEAST_PX, Detector
from pipeline.faces.face import Face, same
from pipeline.faces.facemesh import Points
from pipeline.faces.pyramid import Pyramid

DETECT_EVERY = 10  # frames; beside known faces a new one may stay undetected for that long
# How long a face that is missed keeps its pose, while it is looked for in each frame. In a film two
# frames bridge a miss, and a swap does not stay where no face is any more. A live picture flickers
# more: its camera is worse and its frames have larger steps between them.
HOLD_FRAMES = 2
LIVE_HOLD_FRAMES = 5
_HOLD_S = 0.5  # at most, at whatever frame rate
_CUT = 24.0  # mean change of a coarse grey picture, in levels of 255, that no motion makes
_COARSE = (32, 18)
_LEAST = 1 / 64  # of a frame's longer edge; searching for smaller faces takes too long
# One Euro filter (Casiez, Roussel, Vogel, CHI 2012): its cutoff frequency rises with the speed, so
# points at rest do not tremble and moving points do not lag. Speed is in widths of the face per
# second.
_STILL_HZ = 1.5
_HZ_PER_SPEED = 30.0
_SPEED_HZ = 1.0


@dataclass(slots=True)
class _Track:
    """A face of the current scene.

    Attributes:
        number: of the face, from 0.
        face: as it was seen last.
        seen: when that was, in seconds.
        smooth: (468, 2) float64 landmarks in pixels, smoothed.
        speed: (468, 2) float64, of the landmarks, in widths of the face per second, smoothed.
        missed: frames since it was seen.
    """

    number: int
    face: Face
    seen: float
    smooth: Points
    speed: Points
    missed: int = 0


class Tracker:
    """The numbered faces of the current scene. Number 0 was the largest when the scene began."""

    def __init__(
        self, detector: Detector, *, thorough: bool = False, hold_frames: int = HOLD_FRAMES
    ) -> None:
        """Start before the first frame.

        Args:
            detector: finds the faces and follows them.
            thorough: search for turned and small faces at every detection, not only where a scene
                begins without a large upright face.
            hold_frames: how many frames a face that is missed keeps its pose, for half a second
                at most.
        """
        self._detector = detector
        self._thorough = thorough
        self._hold_frames = hold_frames
        self._tracks: list[_Track] = []
        self._coarse: NDArray[np.float32] | None = None
        self._since_look = 0
        self.cuts = 0

    def step(self, picture: Pyramid, seconds: float) -> list[tuple[int, Face]]:
        """The faces of the next frame with their numbers, in the order of these.

        Args:
            picture: the frame.
            seconds: when it is shown. The time since the last frame sets the smoothing.
        """
        begins = self._is_new_scene(picture)
        if begins:
            self._tracks = []
        all_seen = self._follow(picture, seconds)
        self._since_look += 1
        # A frame without a face costs little else, so it is searched each time.
        empty = not self._tracks and not self._thorough
        if begins or empty or not all_seen or self._since_look >= DETECT_EVERY:
            self._look(picture, seconds, deep=begins)
        self._tracks = [track for track in self._tracks if self._is_held(track, seconds)]
        return [(t.number, Face(t.smooth.copy(), t.face.score)) for t in self._tracks]

    def _is_new_scene(self, picture: Pyramid) -> bool:
        grey = cv2.cvtColor(picture.coarse(_COARSE), cv2.COLOR_RGB2GRAY).astype(np.float32)
        last, self._coarse = self._coarse, grey
        if last is None:
            return True
        # A change of brightness alone, such as a lamp that is switched on, is no cut.
        cut = float(np.abs((grey - grey.mean()) - (last - last.mean())).mean()) > _CUT
        self.cuts += cut
        return cut

    def _is_held(self, track: _Track, seconds: float) -> bool:
        """Whether a face was seen in this frame, or not long ago."""
        recently = track.missed <= self._hold_frames and seconds - track.seen <= _HOLD_S
        return not track.missed or recently

    def _follow(self, picture: Pyramid, seconds: float) -> bool:
        """Move every track to where its face is now; whether each face was seen again."""
        before = len(self._tracks)
        kept: list[_Track] = []
        for track in self._tracks:
            face = self._detector.track(picture, track.face)
            # Where two tracks are on one face, the younger one has lost its own face and ends.
            if face and any(same(face, other.face) for other in kept):
                continue
            if face:
                _see(track, face, seconds)
            else:
                track.missed += 1
            kept.append(track)
        self._tracks = kept
        return len(kept) == before and not any(track.missed for track in kept)

    def _look(self, picture: Pyramid, seconds: float, *, deep: bool) -> None:
        """Find new faces, and those that were missed."""
        self._since_look = 0
        known = [track.face for track in self._tracks if not track.missed]
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
            track = next((t for t in self._tracks if same(face, t.face)), None)
            if track is None:
                taken = {track.number for track in self._tracks}
                number = next(n for n in range(len(taken) + 1) if n not in taken)
                still = np.zeros_like(face.mesh)
                self._tracks.append(_Track(number, face, seconds, face.mesh, still))
            elif track.missed:
                _see(track, face, seconds)
        self._tracks.sort(key=lambda track: track.number)


def _see(track: _Track, face: Face, seconds: float) -> None:
    """Move the track to `face`, seen at `seconds`, through the One Euro filter."""
    elapsed = seconds - track.seen
    elapsed = elapsed if 0 < elapsed < 1 else 1 / 25  # out of order, or a gap
    speed = (face.mesh - track.smooth) / (elapsed * face.side)
    track.speed += _share(_SPEED_HZ, elapsed) * (speed - track.speed)
    # One cutoff for the whole face: with one per landmark the face would be distorted.
    pace = float(np.linalg.norm(track.speed.mean(axis=0)))
    share = _share(_STILL_HZ + _HZ_PER_SPEED * pace, elapsed)
    track.smooth = track.smooth + share * (face.mesh - track.smooth)
    track.face, track.seen, track.missed = face, seconds, 0


def _share(cutoff_hz: float, elapsed: float) -> float:
    """Weight of the new value in a first-order low-pass filter, 0..1."""
    return 1 / (1 + 1 / (2 * math.pi * cutoff_hz * elapsed))
