"""Light and colours of a swapped face are those of the face that it replaces."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from doubles import IDENTITY, needs_detector, portrait, swapper

from pipeline.faces.light import match_light

SIZE = 128
EVERYWHERE = np.ones((SIZE, SIZE), np.float32)


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)


def grey(image: np.ndarray) -> np.ndarray:
    """Grey pixels in three equal channels, as in a grey photo that is stored as RGB."""
    return np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def tinted(image: np.ndarray, *gammas: float) -> np.ndarray:
    """A picture of one tint: each channel is the luma through a curve of its own."""
    return np.rint((grey(image) / 255) ** np.array(gammas) * 255).astype(np.uint8)


def chroma(image: np.ndarray) -> np.ndarray:
    return np.ptp(image.astype(int), axis=2)


def test_a_face_that_stays_as_it_is_is_unchanged() -> None:
    np.testing.assert_array_equal(match_light(noise(), noise(), EVERYWHERE), noise())


def test_light_is_matched_to_the_target() -> None:
    dark = (noise() // 4 + np.uint8(20)).astype(np.uint8)
    bright = (noise(1) // 4 + np.uint8(150)).astype(np.uint8)
    matched = match_light(dark, bright, EVERYWHERE)
    np.testing.assert_allclose(matched.mean((0, 1)), bright.mean((0, 1)), atol=1)
    np.testing.assert_allclose(matched.std((0, 1)), bright.std((0, 1)), atol=1)


@needs_detector
@pytest.mark.parametrize("index", [0, 1])
def test_a_grey_picture_of_three_channels_stays_grey(index: int) -> None:
    target, other = grey(portrait(index)), portrait(1 - index)
    painted = cv2.resize(other[:256, 128:384], (256, 256))
    result = swapper(lambda _: painted[None].copy()).swap(target, IDENTITY)
    assert (result != target).any()
    assert chroma(result).max() <= 2


@pytest.mark.parametrize(
    "tint",
    [
        grey,
        lambda image: tinted(image, 0.8, 1.0, 1.4),
        lambda image: tinted(image, 1.8, 1.0, 0.6),
        lambda image: (grey(image) * np.array([1, 0.8, 0.5])).astype(np.uint8),
    ],
    ids=["grey", "sepia", "blue", "linear"],
)
def test_a_tint_is_kept(tint: Callable[[np.ndarray], np.ndarray]) -> None:
    rng = np.random.default_rng(3)
    smooth = cv2.GaussianBlur(rng.integers(0, 256, (SIZE, SIZE, 3), np.uint8), (0, 0), 2)
    target = tint(cv2.normalize(smooth, None, 30, 230, cv2.NORM_MINMAX))
    matched = match_light(noise(1) // 2 + np.uint8(60), target, EVERYWHERE)
    for luma in range(60, 200, 10):
        wanted = chroma(target)[grey(target)[..., 0] == luma]
        found = chroma(matched)[grey(matched)[..., 0] == luma]
        if wanted.size and found.size:
            np.testing.assert_allclose(found, wanted.mean(), atol=3)


def test_pale_colours_do_not_become_strong_ones() -> None:
    vivid = noise(1)
    pale = (grey(noise()) * 0.8 + 0.1 * noise(2)).astype(np.uint8)
    assert chroma(match_light(vivid, pale, EVERYWHERE)).mean() < 2 * chroma(pale).mean()
