import math

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.pyramid import Pyramid

PICTURE = cv2.GaussianBlur(
    np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8), (0, 0), 2
)


@settings(deadline=None, max_examples=60)
@given(
    angle=st.floats(0, 2 * math.pi),
    zoom=st.floats(0.51, 4),
    shift=st.tuples(st.integers(-200, 200), st.integers(-200, 200)),
)
def test_a_smooth_cut_is_the_bicubic_one_of_opencv_and_black_outside(
    angle: float, zoom: float, shift: tuple[int, int]
) -> None:
    c, s = zoom * math.cos(angle), zoom * math.sin(angle)
    matrix = np.array([[c, -s, shift[0]], [s, c, shift[1]]])
    wanted = cv2.warpAffine(PICTURE, matrix, (64, 48), flags=cv2.INTER_CUBIC)
    found = Pyramid(PICTURE).cut(matrix, (64, 48), smooth=True)
    assert np.abs(found.astype(int) - wanted).max() <= 1
