"""A face that the models miss for a moment keeps its pose; no models are needed here."""

import numpy as np
import pytest
from stillface import Still

from pipeline.faces.pyramid import Pyramid
from pipeline.faces.tracking import HOLD_FRAMES, LIVE_HOLD_FRAMES, Tracker

GREY = Pyramid(np.full((96, 128, 3), 128, np.uint8))
STRIPES = Pyramid(np.tile(np.uint8([[[0] * 3] * 64 + [[255] * 3] * 64]), (96, 1, 1)))


def faces_seen(script: str, *, rate: float = 25, **options: int) -> list[list[int]]:
    """The numbers of the faces in each frame; the detector sees a face where `script` has an x."""
    index = 0
    tracker = Tracker(Still(lambda _: script[index] == "x"), **options)  # type: ignore[arg-type]
    numbers = []
    for index in range(len(script)):
        numbers.append([number for number, _ in tracker.step(GREY, index / rate)])
    return numbers


@pytest.mark.parametrize(
    ("options", "hold"), [({}, HOLD_FRAMES), ({"hold_frames": LIVE_HOLD_FRAMES}, LIVE_HOLD_FRAMES)]
)
def test_a_missed_face_keeps_its_pose_for_some_frames(options: dict[str, int], hold: int) -> None:
    assert faces_seen("x" + hold * "." + "x", **options) == [[0]] * (hold + 2)
    assert faces_seen("x" + (hold + 1) * ".", **options)[-2:] == [[0], []]


def test_a_face_that_comes_back_after_long_is_found_in_its_first_frame() -> None:
    assert faces_seen("x.....x")[-2:] == [[], [0]]


def test_at_two_frames_a_second_a_missed_face_is_held_for_one() -> None:
    assert faces_seen("x..", rate=2) == [[0], [0], []]


def test_a_pose_is_not_held_over_a_scene_cut() -> None:
    sees = True
    tracker = Tracker(Still(lambda _: sees))  # type: ignore[arg-type]
    assert tracker.step(GREY, 0)
    sees = False
    assert tracker.step(STRIPES, 0.04) == []
    assert tracker.cuts == 1
