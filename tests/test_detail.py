"""Detail and chroma of synthetic faces whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from model.aligned_face import face_template
from training.judging.detail import SIZE, detail
from training.judging.eyelids import blink_error, openness


def noise(strength: float, seed: int = 0, *, grey: bool = True) -> np.ndarray:
    """A face of noise, (256, 256, 3) uint8; grey noise has no chroma."""
    planes = np.random.default_rng(seed).normal(0, strength, (SIZE, SIZE, 1 if grey else 3))
    return (128 + planes + np.zeros(3)).clip(0, 255).round().astype(np.uint8)


def test_a_real_face_has_the_detail_of_real_faces() -> None:
    face = noise(20, grey=False)
    assert detail(face, face, face) == pytest.approx((1, 1, 1, 1))


def test_half_the_contrast_is_half_the_detail() -> None:
    found = detail(noise(10), noise(20), noise(20))
    assert found[:3] == pytest.approx((0.5, 0.5, 0.5), abs=0.02)


def test_the_reference_is_the_mean_of_source_and_target() -> None:
    assert detail(noise(10), noise(8), noise(12)).eyes == pytest.approx(1, abs=0.02)


def test_grey_detail_is_no_chroma_and_colour_noise_is() -> None:
    coloured = noise(20, grey=False)
    assert detail(noise(20), coloured, coloured).chroma == pytest.approx(0, abs=0.02)
    assert detail(coloured, noise(20), noise(20)).chroma is None  # grey photos have none


def test_a_blurred_mouth_shows_at_the_mouth_alone() -> None:
    face, blurred = noise(20), noise(20)
    x, y = (round(v) for v in np.array(face_template(SIZE))[3:].mean(axis=0))
    blurred[y - 22 : y + 22, x - 40 : x + 40] = 128
    found = detail(blurred, face, face)
    assert found.mouth == pytest.approx(0, abs=0.02)
    assert found.eyes == pytest.approx(1)


def test_a_smooth_shade_is_no_detail() -> None:
    ramp = np.linspace(0, 255, SIZE).astype(np.uint8)
    shade = np.stack([np.tile(ramp, (SIZE, 1))] * 3, -1)
    assert detail(shade, noise(20), noise(20)).cheeks == pytest.approx(0, abs=0.03)


def eyes(right: float, left: float) -> np.ndarray:
    """Landmarks of two eyes 30 px wide with lids so many pixels apart."""
    mesh = np.zeros((468, 3))
    for (up, low, outer, inner), gap, x in (
        ((159, 145, 33, 133), right, 0), ((386, 374, 263, 362), left, 100)
    ):  # fmt: skip
        mesh[[up, low, outer, inner]] = (
            (x + 15, -gap / 2, 0), (x + 15, gap / 2, 0), (x, 0, 0), (x + 30, 0, 0)
        )  # fmt: skip
    return mesh


def test_a_closed_eye_is_a_blink_error_whatever_the_size_of_the_face() -> None:
    assert openness(eyes(9, 6)) == pytest.approx((0.3, 0.2))
    assert blink_error(eyes(9, 9), 2 * eyes(9, 9)) == pytest.approx(0)
    assert blink_error(eyes(0, 9), eyes(9, 9)) == pytest.approx(15)  # 30 % at one eye of two
