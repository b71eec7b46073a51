import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.faces.pyramid import Pyramid

NEAR = 2  # levels of 255
PICTURE = cv2.GaussianBlur(
    np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8), (0, 0), 2
)


@settings(deadline=None, max_examples=60)
@given(
    angle=st.floats(0, 2 * math.pi),
    zoom=st.floats(0.51, 4),
    shift=st.tuples(st.integers(-200, 200), st.integers(-200, 200)),
)
def test_a_smooth_cut_is_near_opencvs_bicubic_one_and_black_outside(
    angle: float, zoom: float, shift: tuple[int, int]
) -> None:
    c, s = zoom * math.cos(angle), zoom * math.sin(angle)
    matrix = np.array([[c, -s, shift[0]], [s, c, shift[1]]])
    found = Pyramid(PICTURE).cut(matrix, (64, 48), smooth=True).astype(int)
    x, y = np.meshgrid(np.arange(64), np.arange(48))
    back = cv2.invertAffineTransform(matrix)
    at = np.stack([x, y, np.ones_like(x)], -1) @ back.T
    beyond = np.maximum(-at, at - (79, 59)).max(axis=-1)  # pixels of the picture; inside below 0
    wanted = cv2.warpAffine(PICTURE, matrix, (64, 48), flags=cv2.INTER_CUBIC).astype(int)
    assert np.abs(found - wanted)[beyond < -2].max(initial=0) <= NEAR
    assert (found[beyond > 1] == 0).all()


@pytest.mark.parametrize("smooth", [False, True])
@pytest.mark.parametrize("shape", [(40, 33000, 3), (33000, 40, 3), (2, 40000, 3)])
def test_a_picture_that_opencv_does_not_warp_whole_is_cut(
    shape: tuple[int, int, int], smooth: bool
) -> None:
    image = np.zeros(shape, np.uint8)
    image[-40:, -40:] = 200
    x, y = shape[1] - 20, shape[0] - min(20, shape[0] // 2)
    there = np.array([[1, 0, 16 - x], [0, 1, 16 - y]])
    assert Pyramid(image).cut(there, 32, smooth=smooth)[16, 16].tolist() == [200] * 3
    scale = 32 / max(shape)
    whole = Pyramid(image).cut(np.array([[scale, 0, 0], [0, scale, 0]]), 32, smooth=smooth)
    assert whole.shape == (32, 32, 3)
