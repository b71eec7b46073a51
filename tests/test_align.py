import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.aligned_face import face_template
from pipeline.faces.align import align, similarity, warp
from pipeline.faces.portraits import PORTRAITS, VARIATIONS, faces

TEMPLATE = np.array(face_template())
TURNS = st.floats(-np.pi, np.pi)
ZOOMS = st.floats(0.3, 3)
SHIFTS = st.tuples(st.floats(-300, 300), st.floats(-300, 300))


def transform(angle: float, zoom: float, shift: tuple[float, float]) -> np.ndarray:
    c, s = zoom * np.cos(angle), zoom * np.sin(angle)
    return np.array([[c, -s, shift[0]], [s, c, shift[1]]])


@given(TURNS, ZOOMS, SHIFTS)
def test_five_moved_points_come_back_onto_the_template(angle, zoom, shift) -> None:
    moved = np.column_stack([TEMPLATE, np.ones(5)]) @ transform(angle, zoom, shift).T
    matrix = similarity(moved, TEMPLATE)
    back = np.column_stack([moved, np.ones(5)]) @ matrix.T
    np.testing.assert_allclose(back, TEMPLATE, atol=1e-6)


def test_a_mirrored_face_is_not_mirrored_back() -> None:
    matrix = similarity(TEMPLATE * (-1, 1) + (255, 0), TEMPLATE)
    assert np.linalg.det(matrix[:, :2]) > 0


def test_a_shift_of_whole_pixels_moves_the_picture_exactly() -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    moved = warp(image, np.array([[1.0, 0, 3], [0, 1, 5]]), 64)
    np.testing.assert_array_equal(moved[5:, 3:], image[:-5, :-3])


@given(TURNS, st.floats(0.8, 1.6))
def test_a_dot_lands_where_the_matrix_says(angle: float, zoom: float) -> None:
    centre = np.array([100.0, 90.0])
    image = np.zeros((200, 200, 3), np.uint8)
    ys, xs = np.mgrid[:200, :200]
    image[:] = (255 * np.exp(-((xs - 100) ** 2 + (ys - 90) ** 2) / 50))[..., None]
    matrix = transform(angle, zoom, (0, 0))
    matrix[:, 2] = (128, 120) - matrix[:, :2] @ centre
    weights = warp(image, matrix, 256)[..., 0].astype(float)
    ys, xs = np.mgrid[:256, :256]
    found = (xs * weights).sum() / weights.sum(), (ys * weights).sum() / weights.sum()
    assert found == pytest.approx((128, 120), abs=0.1)


def test_align_puts_the_points_on_the_template() -> None:
    points = np.array([[120, 80], [180, 85], [150, 120], [125, 150], [170, 155]], float)
    image = np.zeros((240, 300, 3), np.uint8)
    x, y = points[2].astype(int)
    image[y - 2 : y + 3, x - 2 : x + 3] = 255
    ys, xs = np.nonzero(align(image, points)[..., 0] > 128)
    wanted = similarity(points, TEMPLATE) @ [*points[2], 1]
    np.testing.assert_allclose([xs.mean(), ys.mean()], wanted, atol=0.7)


def test_every_portrait_sample_differs() -> None:
    samples = faces(len(PORTRAITS) * len(VARIATIONS), size=64)
    assert len({sample.tobytes() for sample in samples}) == 12
