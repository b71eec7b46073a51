import math

import cv2
import numpy as np
import pytest
from doubles import needs_detector, portrait
from hypothesis import given, settings
from hypothesis import strategies as st

from model.aligned_face import face_template
from pipeline.faces.align import similarity
from pipeline.faces.detect import Detector, aligned_faces
from pipeline.faces.portraits import PORTRAITS
from pipeline.faces.pyramid import Pyramid
from pipeline.faces.views import tiles

pytestmark = needs_detector
ADMIRAL, ASTRONAUT = 0, 1


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


def turned(image: np.ndarray, angle_deg: float, zoom: float) -> tuple[np.ndarray, np.ndarray]:
    """The picture turned and scaled with nothing cut off, and the (2, 3) matrix that did it."""
    c, s = zoom * np.cos(np.radians(angle_deg)), zoom * np.sin(np.radians(angle_deg))
    turn = np.array([[c, -s], [s, c]])
    height, width = image.shape[:2]
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ turn.T
    matrix = np.column_stack([turn, -corners.min(axis=0)])
    size = np.ceil(np.ptp(corners, axis=0)).astype(int)
    if zoom < 1:  # as a camera further away would: no aliasing
        image = cv2.GaussianBlur(image, (0, 0), 0.5 * (1 / zoom - 0.6))
    return cv2.warpAffine(image, matrix, tuple(map(int, size)), flags=cv2.INTER_CUBIC), matrix


@pytest.mark.parametrize("index", [ADMIRAL, ASTRONAUT])
def test_the_portraits_points_are_those_that_mediapipe_finds(
    index: int, detector: Detector
) -> None:
    (face,) = detector.find(portrait(index))
    wanted = np.array(PORTRAITS[index].points)
    eyes = np.linalg.norm(wanted[1] - wanted[0])
    assert np.linalg.norm(face.points - wanted, axis=1).max() < 0.05 * eyes


@pytest.mark.slow
@pytest.mark.parametrize(
    ("index", "zoom"),
    [(ADMIRAL, 0.3), (ADMIRAL, 1), (ADMIRAL, 3), (ASTRONAUT, 0.5), (ASTRONAUT, 2), (ASTRONAUT, 3)],
)
@pytest.mark.parametrize("angle_deg", [0, 50, 65, 100, 140, 180, 215, 260, 330])
def test_five_points_follow_a_turned_and_scaled_face(
    index: int, zoom: float, angle_deg: float, detector: Detector
) -> None:
    image = portrait(index)
    upright = detector.find(image)[0].points
    picture, matrix = turned(image, angle_deg, zoom)
    (face,) = detector.find(picture)
    wanted = upright @ matrix[:, :2].T + matrix[:, 2]
    eyes = np.linalg.norm(wanted[1] - wanted[0])
    assert np.linalg.norm(face.points - wanted, axis=1).max() <= 0.02 * eyes


def test_a_tiny_face_in_a_large_picture_is_found(detector: Detector) -> None:
    picture = np.full((3000, 4000, 3), 90, np.uint8)
    small = cv2.resize(portrait(ADMIRAL), (205, 240), interpolation=cv2.INTER_AREA)
    picture[2000:2240, 300:505] = small
    (face,) = detector.find(picture)
    left, top, right, bottom = face.box
    assert 300 < left < right < 505
    assert 2000 < top < bottom < 2240


def test_a_small_face_in_a_picture_of_48_million_pixels_is_found(detector: Detector) -> None:
    picture = np.full((6048, 8064, 3), 90, np.uint8)
    small = cv2.resize(portrait(ADMIRAL), (237, 278), interpolation=cv2.INTER_AREA)
    picture[5000:5278, 7000:7237] = small
    (face,) = detector.find(picture)
    assert face.side == pytest.approx(95, abs=3)
    assert 7000 < face.box[0] < face.box[2] < 7237


@pytest.mark.slow
@pytest.mark.parametrize("side", [22, 36, 44, 90])
def test_faces_from_20_pixels_are_found_anywhere(side: int, detector: Detector) -> None:
    picture, places = np.full((1200, 2400, 3), 90, np.uint8), [(200, 150), (777, 611), (1500, 1001)]
    for i, (x, y) in enumerate(places):
        zoom = side / (205.4, 106.0)[i % 2]
        small = cv2.resize(portrait(i % 2), None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
        height, width = small.shape[:2]
        picture[y : y + height, x : x + width] = small[: 1200 - y]
    found = detector.find(picture, thorough=True)
    assert [face.side for face in found] == pytest.approx([side] * 3, rel=0.12)


def test_tiles_cover_every_pixel_and_grow_with_the_picture_alone() -> None:
    pyramid = Pyramid(np.zeros((700, 1000, 3), np.uint8))
    for views in tiles(pyramid, 20):
        seen = np.zeros((700, 1000), bool)
        for view in views:
            left, top = np.ceil(-view[:, 2] / view[0, 0]).astype(int)
            side = math.floor(1 / view[0, 0])
            seen[max(top, 0) : top + side, max(left, 0) : left + side] = True
        assert seen.all()
    large = Pyramid(np.zeros((4000, 6000, 3), np.uint8))
    assert sum(map(len, tiles(large, 20))) < 24 * 70


def test_a_face_that_the_edge_cuts_is_found(detector: Detector) -> None:
    picture = portrait(ADMIRAL)[:, 215:]  # one eye is gone
    assert len(detector.find(picture)) == 1


def test_faces_come_largest_first(detector: Detector) -> None:
    picture = np.full((600, 1100, 3), 90, np.uint8)
    picture[:512, :512] = portrait(ASTRONAUT)
    picture[:, 560:1072] = portrait(ADMIRAL)
    large, small = detector.find(picture, thorough=True)
    assert large.box[0] > 560
    assert small.box[2] < 512


@pytest.mark.parametrize("level", [0, 255])
def test_an_empty_picture_has_no_face(level: int, detector: Detector) -> None:
    assert detector.find(np.full((300, 400, 3), level, np.uint8)) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 3)])
def test_a_sliver_of_a_picture_has_no_face(shape: tuple[int, int], detector: Detector) -> None:
    assert detector.find(np.zeros((*shape, 3), np.uint8)) == []


def test_a_known_face_is_not_fitted_again(detector: Detector, monkeypatch) -> None:
    image = portrait(ASTRONAUT)
    (face,) = detector.find(image)
    monkeypatch.setattr(detector, "_settle", lambda *_: pytest.fail("fitted again"))
    assert detector.glance(image, [face]) == [face]
    assert detector.find(image, thorough=True, known=[face]) == [face]


def test_tracking_follows_a_moved_face(detector: Detector) -> None:
    image = portrait(ASTRONAUT)
    (face,) = detector.find(image)
    moved = detector.track(np.roll(image, (5, -7), axis=(0, 1)), face)
    np.testing.assert_allclose(moved.points, face.points + np.array([-7, 5]), atol=2)


def test_tracking_says_when_the_face_is_gone(detector: Detector) -> None:
    (face,) = detector.find(portrait(ASTRONAUT))
    assert detector.track(np.zeros((512, 512, 3), np.uint8), face) is None


def test_an_aligned_face_lies_as_the_template_fits_best(detector: Detector) -> None:
    image, template = portrait(ASTRONAUT), np.array(face_template())
    (aligned,) = aligned_faces(image)
    points = detector.find(image)[0].points
    wanted = np.column_stack([points, np.ones(5)]) @ similarity(points, template).T
    np.testing.assert_allclose(detector.find(aligned)[0].points, wanted, atol=2)


@settings(max_examples=30, deadline=None)
@given(st.floats(-180, 180), st.floats(0.3, 3), st.floats(0, 1), st.floats(0, 1))
def test_a_dot_cut_out_and_found_again_is_where_it_was(
    angle_deg: float, zoom: float, x: float, y: float
) -> None:
    dot = np.array([120 + 60 * x, 120 + 60 * y])
    ys, xs = np.mgrid[:300, :300]
    blob = 255 * np.exp(-((xs - dot[0]) ** 2 + (ys - dot[1]) ** 2) / 50)
    image = np.repeat(np.rint(blob).astype(np.uint8)[..., None], 3, axis=2)
    c, s = np.cos(np.radians(angle_deg)) * zoom, np.sin(np.radians(angle_deg)) * zoom
    turn = np.array([[c, -s], [s, c]])
    there = np.column_stack([turn, np.array([150, 150]) - turn @ [150, 150]])
    back = np.linalg.inv(np.vstack([there, [0, 0, 1]]))[:2]
    size = 300
    again = Pyramid(Pyramid(image).cut(there, size, smooth=True)).cut(back, size, smooth=True)
    weights = again[..., 0].astype(float)
    weights[weights < 8] = 0
    if zoom > 2:  # part of the picture is outside of the cut-out; the dot is not
        assert weights.sum() > 0
    found = np.array([(xs * weights).sum(), (ys * weights).sum()]) / weights.sum()
    assert np.linalg.norm(found - dot) <= 0.5


def test_similarity_of_a_face_to_the_template_is_undone_exactly(detector: Detector) -> None:
    points = detector.find(portrait(ASTRONAUT))[0].points
    matrix = np.vstack([similarity(points, np.array(face_template())), [0, 0, 1]])
    there = np.column_stack([points, np.ones(5)]) @ matrix.T
    np.testing.assert_allclose((there @ np.linalg.inv(matrix).T)[:, :2], points, atol=1e-9)
