"""`--camera`, with a stand-in for the camera and its window."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest
from doubles import IDENTITY, needs_detector, portrait, swapper

from model.errors import BackendUnavailable
from pipeline import camera
from pipeline.request import Request

pytestmark = needs_detector


class Camera:
    """Gives `count` pictures, 50 a second; opens as number 0 only."""

    count = 30

    def __init__(self, number: int) -> None:
        self.number, self.given, self.released = number, 0, False

    def isOpened(self) -> bool:
        return self.number == 0

    def read(self) -> tuple[bool, np.ndarray | None]:
        time.sleep(0.02)
        self.given += 1
        return (True, portrait(1)[..., ::-1].copy()) if self.given <= self.count else (False, None)

    def release(self) -> None:
        self.released = True


class Window:
    """Keeps what is shown; is closed, or interrupted, with the picture asked for."""

    def __init__(self) -> None:
        self.shown: list[np.ndarray] = []
        self.key, self.close_at, self.interrupt_at = -1, 0, 0

    def show(self, _: str, picture: np.ndarray) -> None:
        self.shown.append(picture)
        if len(self.shown) == self.interrupt_at:
            raise KeyboardInterrupt

    def visible(self, *_: object) -> float:
        return float(len(self.shown) != self.close_at)


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Window:
    made = Window()
    monkeypatch.setattr(camera, "_refuse_without_window", lambda: None)
    monkeypatch.setattr(cv2, "VideoCapture", Camera)
    monkeypatch.setattr(cv2, "imshow", made.show)
    monkeypatch.setattr(cv2, "waitKey", lambda _: made.key)
    monkeypatch.setattr(cv2, "getWindowProperty", made.visible)
    monkeypatch.setattr(cv2, "destroyAllWindows", lambda: None)
    return made


def slow_negative(face: np.ndarray) -> np.ndarray:
    time.sleep(0.1)
    return 255 - face


@pytest.mark.slow
def test_what_a_slow_generator_shows_is_swapped_marked_and_not_old(window: Window) -> None:
    camera.show(swapper(slow_negative), 0, Request((IDENTITY,)))
    assert 1 < len(window.shown) < Camera.count / 2  # the others were dropped, not queued
    changed = (window.shown[0] != portrait(1)[..., ::-1]).any(axis=2)
    assert changed[60:180, 180:280].any()
    assert changed[450:, :200].any()


@pytest.mark.parametrize("ending", ["key", "close_at", "interrupt_at"])
def test_a_key_a_closed_window_and_ctrl_c_end_it(ending: str, window: Window) -> None:
    setattr(window, ending, ord("q") if ending == "key" else 1)
    camera.show(swapper(), 0, Request((IDENTITY,)))
    assert len(window.shown) == 1


def test_a_camera_that_is_not_there_is_said(window: Window) -> None:
    with pytest.raises(BackendUnavailable, match="camera 3 cannot be opened"):
        camera.show(swapper(), 3, Request((IDENTITY,)))


def test_a_camera_without_a_picture_is_said(window: Window, monkeypatch) -> None:
    monkeypatch.setattr(Camera, "count", 0)
    with pytest.raises(BackendUnavailable, match="gives no picture"):
        camera.show(swapper(), 0, Request((IDENTITY,)))
