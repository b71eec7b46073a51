"""The place of the iris in drawn eyes."""

from __future__ import annotations

import numpy as np
import pytest

from training.judging.gaze import gaze_error, iris_places

SIZE, WIDTH = 256, 40.0
EYES = {  # middle, then lids of an ellipse from the outer corner on
    (33, 133): ((92.0, 110.0), (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145,
                                144, 163, 7)),
    (263, 362): ((164.0, 110.0), (362, 398, 384, 385, 386, 387, 388, 466, 263, 249, 390, 373, 374,
                                  380, 381, 382)),
}  # fmt: skip


def mesh(openness: float = 0.5) -> np.ndarray:
    """Landmarks whose lids are two ellipses."""
    points = np.zeros((468, 3))
    for middle, ring in EYES.values():
        angles = np.pi + np.arange(16) * 2 * np.pi / 16
        points[list(ring), 0] = middle[0] + WIDTH / 2 * np.cos(angles)
        points[list(ring), 1] = middle[1] + openness * WIDTH / 2 * np.sin(angles)
    return points


def face(look_px: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """White eyes with a dark iris of 12 px in each, moved by `look_px`."""
    y, x = np.mgrid[:SIZE, :SIZE]
    picture = np.full((SIZE, SIZE, 3), 220, np.uint8)
    for (cx, cy), _ in EYES.values():
        picture[(x - cx - look_px[0]) ** 2 + (y - cy - look_px[1]) ** 2 < 36] = 40
    return picture


def test_an_iris_in_the_middle_is_at_zero() -> None:
    for place in iris_places(face(), mesh()):
        assert place == pytest.approx((0, 0), abs=0.02)


def test_a_look_to_one_side_is_measured_in_widths_of_the_eye() -> None:
    right, left = iris_places(face((4, 0)), mesh())
    assert right[0] == pytest.approx(4 / WIDTH, abs=0.02)  # x grows towards the nose ...
    assert left[0] == pytest.approx(-4 / WIDTH, abs=0.02)  # ... of each eye
    assert gaze_error(face((4, 0)), mesh(), face(), mesh()) == pytest.approx(10, abs=1.5)


def test_light_does_not_move_the_look() -> None:
    darker = (face((3, 1)) * 0.6).astype(np.uint8)
    assert gaze_error(darker, mesh(), face((3, 1)), mesh()) == pytest.approx(0, abs=0.1)


def test_closed_and_blank_eyes_have_no_look() -> None:
    blank = np.full((SIZE, SIZE, 3), 128, np.uint8)
    assert iris_places(face(), mesh(openness=0.01)) == (None, None)
    assert iris_places(blank, mesh()) == (None, None)
    assert gaze_error(blank, mesh(), face(), mesh()) is None
