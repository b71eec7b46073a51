"""`--detail`: a large swapped face gets the target's fine detail where the two look alike."""

from __future__ import annotations

import cv2
import numpy as np
from ovals import oval_mesh

from pipeline.command_line import parser
from pipeline.faces.align import Matrix
from pipeline.faces.detail import gain
from pipeline.faces.paste import Blend, paste
from pipeline.faces.pyramid import Pyramid

SIZE, EDGE = 256, 640  # px: of the aligned face, and of the picture, which the face fills
TO_FACE = np.array([[SIZE / EDGE, 0, -0.3], [0, SIZE / EDGE, -0.3]])
MESH = oval_mesh((EDGE / 2, EDGE / 2), 0.42 * EDGE)
MIDDLE = slice(EDGE // 2 - 60, EDGE // 2 + 60)


def skin(seed: int = 0) -> np.ndarray:
    """A smoothly lit cheek with pores, (EDGE, EDGE) float."""
    pores = np.random.default_rng(seed).normal(0, 1, (EDGE, EDGE))
    fine = cv2.GaussianBlur(pores, (0, 0), 0.8) - cv2.GaussianBlur(pores, (0, 0), 2.0)
    return 150 + 30 * np.sin(np.arange(EDGE) / 90)[:, None] + 6 * fine / fine.std()


def grain_of(frame: int) -> np.ndarray:
    """(EDGE, EDGE) float, the noise of a film's frame."""
    return np.random.default_rng(frame).normal(0, 3, (EDGE, EDGE))


def picture(luma: np.ndarray) -> np.ndarray:
    """A grey picture of a luma plane."""
    return np.repeat(luma.round().clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def swapped_in(
    target: np.ndarray, swapped: np.ndarray, matrix: Matrix = TO_FACE, *, detail: bool
) -> np.ndarray:
    aligned = Pyramid(target).cut(matrix, SIZE, smooth=True)
    into = target.copy()
    paste(into, swapped, aligned, matrix, MESH, Blend(detail=detail, match_light=False))
    return into


def painted(luma: np.ndarray) -> np.ndarray:
    """What a generator makes of a face of that luma: 256 px, without pores."""
    return cv2.GaussianBlur(Pyramid(picture(luma)).cut(TO_FACE, SIZE, smooth=True), (0, 0), 1.2)


def pores_of(image: np.ndarray) -> float:
    """Mean absolute high pass in the middle of a picture, in levels."""
    plane = image[..., 1].astype(np.float32)
    return float(np.abs(plane - cv2.GaussianBlur(plane, (0, 0), 2.0))[MIDDLE, MIDDLE].mean())


def test_pores_of_a_large_face_come_back() -> None:
    target, swapped = picture(skin()), painted(skin())
    plain, fine = (pores_of(swapped_in(target, swapped, detail=d)) for d in (False, True))
    assert plain < 0.2 * pores_of(target)
    assert 0.85 * pores_of(target) < fine < 1.1 * pores_of(target)


def test_a_face_of_256_px_or_less_comes_out_the_same() -> None:
    rng = np.random.default_rng(0)
    target, swapped = (rng.integers(0, 256, (n, n, 3), dtype=np.uint8) for n in (EDGE, SIZE))
    for scale in (1.0, 1.7):
        centre = np.full(2, SIZE / 2) - scale * EDGE / 2
        matrix = np.column_stack([np.eye(2) * scale, centre])
        plain, fine = (swapped_in(target, swapped, matrix, detail=d) for d in (False, True))
        np.testing.assert_array_equal(fine, plain)


def test_detail_begins_at_256_px_and_is_whole_at_320() -> None:
    gains = [gain(np.eye(2, 3) * SIZE / edge, SIZE) for edge in (200, 256, 288, 320, 900)]
    np.testing.assert_allclose(gains, [0, 0, 0.5, 1, 1])


def test_a_contour_that_moved_is_not_doubled() -> None:
    brow, moved = skin(), skin()
    brow[300:308, 200:440] -= 90
    moved[336:344, 200:440] -= 90
    plain, fine = (
        swapped_in(picture(brow), painted(moved), detail=d).astype(int) for d in (False, True)
    )
    where = slice(298, 310), slice(240, 400)  # of the target's brow
    assert np.abs(fine - plain)[where].max() <= 1
    assert pores_of(fine) > 1.5 * pores_of(plain)


def test_a_contour_that_stayed_is_as_sharp_as_before() -> None:
    brow = skin()
    brow[300:308, 200:440] -= 90
    plain, fine = (swapped_in(picture(brow), painted(brow), detail=d) for d in (False, True))
    steepest = [
        np.abs(np.diff(image[290:318, 240:400, 1].astype(int), axis=0)).max(axis=0).mean()
        for image in (picture(brow), plain, fine)
    ]
    assert steepest[1] < 0.5 * steepest[0]
    assert steepest[2] > 0.8 * steepest[0]


def test_a_grey_picture_stays_grey() -> None:
    result = swapped_in(picture(skin()), painted(skin(1)), detail=True)
    assert (result == result[..., :1]).all()


def test_a_face_at_the_pictures_edge_has_no_line_there() -> None:
    matrix = TO_FACE.copy()
    matrix[0, 2] += 90  # the left third of the aligned face lies outside, and is black
    target = picture(skin())
    aligned = Pyramid(target).cut(matrix, SIZE, smooth=True)
    plain, fine = target.copy(), target.copy()
    for into, detail in ((plain, False), (fine, True)):
        swapped = cv2.GaussianBlur(aligned, (0, 0), 1.2)
        paste(into, swapped, aligned, matrix, MESH - [225, 0], Blend(detail=detail))
    edge = slice(280, 360), slice(0, 6)
    errors = [np.abs(image[edge].astype(int) - target[edge]).mean() for image in (plain, fine)]
    assert errors[1] < min(8, 0.5 * errors[0])


def test_grain_of_a_film_changes_as_much_as_in_the_target() -> None:
    film = [picture(skin() + grain_of(frame)) for frame in (1, 2)]
    swapped = painted(skin())
    first, second = (swapped_in(frame, swapped, detail=True).astype(int) for frame in film)
    own = np.abs(film[1].astype(int) - film[0])[MIDDLE, MIDDLE].mean()
    assert 0.8 * own < np.abs(second - first)[MIDDLE, MIDDLE].mean() < 1.05 * own


def test_the_flag_is_on_and_can_be_turned_off() -> None:
    assert parser().parse_args(["me.jpg"]).detail
    assert not parser().parse_args(["me.jpg", "--no-detail"]).detail
