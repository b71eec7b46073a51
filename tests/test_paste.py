import numpy as np
import pytest
from doubles import IDENTITY, needs_detector, portrait, swapper
from hypothesis import given, settings
from hypothesis import strategies as st
from ovals import oval_mesh

from pipeline.faces.occlusion import visible_skin
from pipeline.faces.paste import Blend, face_mask, paste
from pipeline.faces.pyramid import Pyramid
from pipeline.metrics import psnr_db

ADMIRAL, ASTRONAUT = 0, 1
SIZE = 128


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@settings(max_examples=40, deadline=None)
@given(
    st.floats(-180, 180), st.floats(0.2, 3), st.floats(-60, 260), st.floats(-60, 200), st.booleans()
)
def test_pixels_outside_of_the_hull_keep_their_bits(
    angle_deg: float, zoom: float, x: float, y: float, keep_mouth: bool
) -> None:
    c, s = zoom * np.cos(np.radians(angle_deg)), zoom * np.sin(np.radians(angle_deg))
    turn = np.array([[c, -s], [s, c]])
    matrix = np.column_stack([turn, np.full(2, SIZE / 2) - turn @ [x, y]])
    radius = 0.4 * SIZE / zoom
    target = noise(140, 200)
    into = target.copy()
    swapped, blend = noise(SIZE, SIZE, 1), Blend(keep_mouth=keep_mouth)
    paste(into, swapped, noise(SIZE, SIZE, 2), matrix, oval_mesh((x, y), radius), blend)
    ys, xs = np.mgrid[:140, :200]
    outside = np.hypot(xs - x, ys - y) > radius + 1.5 / zoom + 0.5
    np.testing.assert_array_equal(into[outside], target[outside])


def test_a_swapped_face_fills_the_middle() -> None:
    into, red = (
        np.zeros((SIZE, SIZE, 3), np.uint8),
        np.full((SIZE, SIZE, 3), (200, 10, 10), np.uint8),
    )
    matrix = np.eye(2, 3)
    paste(into, red, into.copy(), matrix, oval_mesh((64, 64), 50), Blend(match_light=False))
    np.testing.assert_array_equal(into[54:74, 54:74], red[54:74, 54:74])


def test_half_opacity_is_half_way() -> None:
    into, white = np.zeros((SIZE, SIZE, 3), np.uint8), np.full((SIZE, SIZE, 3), 255, np.uint8)
    blend = Blend(opacity=0.5, match_light=False)
    paste(into, white, into.copy(), np.eye(2, 3), oval_mesh((64, 64), 50), blend)
    assert into[64, 64].tolist() == pytest.approx([127.5] * 3, abs=1)


def test_opacity_zero_changes_nothing() -> None:
    target = noise(SIZE, SIZE)
    into = target.copy()
    paste(
        into, noise(SIZE, SIZE, 1), target, np.eye(2, 3), oval_mesh((64, 64), 50), Blend(opacity=0)
    )
    np.testing.assert_array_equal(into, target)


def test_the_mask_is_soft_and_ends_before_the_border() -> None:
    mask = face_mask(oval_mesh((64, 64), 90), SIZE)
    assert mask[64, 64] == 1
    assert not mask[[0, -1]].any()
    assert not mask[:, [0, -1]].any()
    assert np.abs(np.diff(mask, axis=0)).max() < 0.25


def test_a_kept_mouth_is_out_of_the_mask() -> None:
    mesh = oval_mesh((64, 64), 50)
    assert face_mask(mesh, SIZE)[89, 64] > 0.9
    assert face_mask(mesh, SIZE, keep_mouth=True)[89, 64] == 0


def test_light_is_not_matched_to_the_black_beyond_the_pictures_edge() -> None:
    target, matrix = np.full((SIZE, 64, 3), 150, np.uint8), np.eye(2, 3)
    aligned = np.zeros((SIZE, SIZE, 3), np.uint8)
    aligned[:, :64] = target
    into = target.copy()
    paste(into, aligned, aligned, matrix, oval_mesh((64, 64), 50))
    np.testing.assert_allclose(into, target, atol=1)
    dark = np.full((SIZE, SIZE, 3), 90, np.uint8)
    paste(into, dark, aligned, matrix, oval_mesh((64, 64), 50))
    np.testing.assert_allclose(into, target, atol=1)


@pytest.mark.parametrize("turn_deg", [0, 12])
@pytest.mark.parametrize("zoom", [1, 1.4, 3.2])
def test_a_face_that_is_cut_off_has_no_dark_line_at_the_pictures_edge(
    zoom: float, turn_deg: float
) -> None:
    flat, x = np.full((100, 60, 3), 150, np.uint8), 3.3
    c, s = zoom * np.cos(np.radians(turn_deg)), zoom * np.sin(np.radians(turn_deg))
    turn = np.array([[c, -s], [s, c]])
    matrix = np.column_stack([turn, np.full(2, SIZE / 2) - turn @ [x, 50]])
    aligned, into = Pyramid(flat).cut(matrix, SIZE, smooth=True), flat.copy()
    assert (aligned == 0).any()
    paste(into, aligned, aligned, matrix, oval_mesh((x, 50), 50 / zoom))
    np.testing.assert_allclose(into, flat, atol=1)


def test_at_the_pictures_edge_the_target_stays_and_four_pixels_inside_the_swap_is_shown() -> None:
    target, matrix = np.zeros((SIZE, 64, 3), np.uint8), np.eye(2, 3)
    into, white = target.copy(), np.full((SIZE, SIZE, 3), 255, np.uint8)
    mesh = oval_mesh((64, 64), 50)
    paste(into, white, np.zeros_like(white), matrix, mesh, Blend(match_light=False))
    row = into[64, ::-1, 0]
    assert row[:6].tolist() == pytest.approx([0, 40, 127.5, 215, 255, 255], abs=1)


def test_something_of_another_colour_before_the_face_is_kept() -> None:
    skin = np.full((SIZE, SIZE, 3), (200, 150, 120), np.int16)
    face = (skin + np.random.default_rng(0).integers(-8, 9, skin.shape)).astype(np.uint8)
    face[80:128, 40:60] = (20, 60, 200)  # a blue cup
    seen = visible_skin(face, np.ones((SIZE, SIZE), np.float32))
    assert seen[110, 50] == 0
    assert seen[40, 64] == 1


@needs_detector
@pytest.mark.parametrize("index", [ADMIRAL, ASTRONAUT])
def test_there_and_back_a_portrait_stays_what_it_was(index: int) -> None:
    image = portrait(index)
    result = swapper().swap(image, IDENTITY)
    changed = (result != image).any(axis=2)
    assert changed.any()
    before, after = image[changed].astype(float), result[changed].astype(float)
    assert psnr_db(before, after, 255) > 35


@needs_detector
def test_only_the_face_is_repainted() -> None:
    image, painted = portrait(ASTRONAUT), swapper(lambda face: 255 - face)
    (face,) = painted.find(image)
    changed = (painted.swap(image, IDENTITY) != image).any(axis=2)
    left, top, right, bottom = (round(edge) for edge in face.box)
    outside = np.ones(changed.shape, bool)
    outside[top - 1 : bottom + 2, left - 1 : right + 2] = False
    assert not changed[outside].any()
    assert changed[~outside].mean() > 0.5


def test_a_mesh_outside_of_the_picture_changes_nothing() -> None:
    target = noise(60, 60)
    into, far = target.copy(), oval_mesh((500, 500), 50)
    matrix = np.eye(2, 3) - [[0, 0, 436], [0, 0, 436]]
    paste(into, noise(SIZE, SIZE), noise(SIZE, SIZE), matrix, far)
    np.testing.assert_array_equal(into, target)
