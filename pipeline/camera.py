"""Swap live what a camera sees, in a window."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator

import cv2
import numpy as np

from model.errors import BackendUnavailable
from pipeline.faces.pyramid import Image8, Pyramid
from pipeline.faces.tracking import LIVE_HOLD_FRAMES, Tracker
from pipeline.media import label
from pipeline.overlap import Ahead
from pipeline.people import assign
from pipeline.quiet import quiet
from pipeline.request import Request
from pipeline.swap import FaceSwapper

_TITLE = "face swap (q or Esc ends)"
_ENDS = (ord("q"), 27)


class Live:
    """Swaps the faces of one picture of a camera after the other."""

    def __init__(self, swapper: FaceSwapper, request: Request) -> None:
        """Start before the first picture."""
        self._swapper, self._request = swapper, request
        self._tracker = Tracker(
            swapper.detector, thorough=request.thorough, hold_frames=LIVE_HOLD_FRAMES
        )

    def swapped(self, frame: Image8, seconds: float) -> Image8:
        """What the window shows: the picture swapped, with the visible mark.

        Args:
            frame: (H, W, 3) uint8 BGR, as OpenCV's cameras give it.
            seconds: when it was taken, by any clock.

        Returns:
            (H, W, 3) uint8 BGR.
        """
        request = self._request
        # OpenCV turns the channels in a twentieth of the time that NumPy takes.
        picture = Pyramid(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8))
        with self._swapper.watch.time("detect"):
            faces = self._tracker.step(picture, seconds)
        pairs = assign(faces, request.people, request.faces, request.pairs)
        result = self._swapper.put(picture, pairs, request.blend)
        label.stamp(result)
        return np.asarray(cv2.cvtColor(result, cv2.COLOR_RGB2BGR), np.uint8)


def show(swapper: FaceSwapper, camera: int, request: Request) -> None:
    """Show the swapped picture of a camera until q, Esc, Ctrl-C or its window is closed.

    Nothing is stored, and frames that come while one is being swapped are dropped.

    The visible mark is always on: a window has no metadata.

    Raises:
        BackendUnavailable: this OpenCV has no windows, or there is no such camera.
    """
    _refuse_without_window()
    with quiet():  # OpenCV says in several lines what the error below says in one
        capture = cv2.VideoCapture(camera)
    try:
        if not capture.isOpened():
            raise BackendUnavailable(f"camera {camera} cannot be opened; they count from 0")
        live = Live(swapper, request)
        frames, shown = Ahead(_frames(capture), live=True), False
        try:
            for frame in frames:
                cv2.imshow(_TITLE, live.swapped(frame, time.monotonic()))
                key = cv2.waitKey(1) & 0xFF
                if key in _ENDS or cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) < 1:
                    break
                shown = True
            else:
                if not shown:
                    raise BackendUnavailable(f"camera {camera} gives no picture; is it in use?")
        except KeyboardInterrupt:
            pass  # one of the ways to end
        finally:
            frames.close()
    finally:
        capture.release()
        cv2.destroyAllWindows()


def _frames(capture: cv2.VideoCapture) -> Iterator[Image8]:
    while True:
        read, frame = capture.read()
        if not read:
            return
        yield np.asarray(frame, np.uint8)


def _refuse_without_window() -> None:
    windows = [line for line in cv2.getBuildInformation().splitlines() if "GUI:" in line]
    if not windows or windows[0].split(":")[1].strip() == "NONE":
        raise BackendUnavailable(
            "this OpenCV has no windows; --camera needs the package opencv-python, not -headless"
        )
    # Qt would end the process.
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        raise BackendUnavailable("there is no display to show --camera on")
