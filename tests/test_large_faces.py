"""What `benchmarks/fine_detail.py` measures: sharpness, nearness and flicker of large faces."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from doubles import needs_detector, portrait, swapper

from benchmarks.fine_detail import _words
from benchmarks.harness.large_faces import WAYS, Scene, flicker, in_portrait, sharpness
from pipeline.faces.portraits import faces


def blurred(face: np.ndarray) -> np.ndarray:
    """What a generator that paints no pores makes of a face, (1, 256, 256, 3) or (256, 256, 3)."""
    if face.ndim == 4:
        return np.stack([blurred(one) for one in face])
    return cv2.GaussianBlur(face, (0, 0), 1.5)


def test_a_face_is_as_sharp_as_itself_and_sharper_than_its_blur() -> None:
    (face,) = faces(1)
    assert sharpness(face, face) == (1.0, 1.0)
    assert all(0 < ratio < 0.8 for ratio in sharpness(blurred(face), face))


@pytest.mark.slow
@needs_detector
def test_detail_brings_sharpness_back() -> None:
    scene = Scene("a portrait", portrait(0), portrait(1))
    told = in_portrait(swapper(blurred), swapper(blurred), scene)
    assert told["face_px"] > 256
    assert told["detail"]["cheeks"] > told["plain"]["cheeks"] + 0.05
    assert set(WAYS) <= set(told)


@pytest.mark.slow
@needs_detector
def test_a_swap_that_moves_with_its_film_flickers_less_than_one_that_trembles() -> None:
    scene, random = Scene("a portrait", portrait(0), portrait(1)), np.random.default_rng(0)

    def trembling(face: np.ndarray) -> np.ndarray:
        return np.clip(face + random.normal(0, 5, face.shape), 0, 255).astype(np.uint8)

    steady = flicker(swapper(blurred), scene, 0.0, detail=False)
    assert steady < 0.5 * flicker(swapper(trembling), scene, 0.0, detail=False)


def test_the_tables_name_bundle_portrait_and_way() -> None:
    figures = {"cheeks": 0.5, "forehead": 0.75, "identity_source": 0.25}
    portraits = [{"portrait": "skimage", "face_px": 664, **dict.fromkeys(WAYS, figures)}]
    films = [{"noise": 2.0, "plain": 2.25, "detail": 1.5}]
    told = _words([
        {"bundle": "dist/lite", "precision": "fp32", "portraits": portraits, "films": films}
    ])  # fmt: skip
    assert "lite    skimage       664  boost     0.50      0.75             0.250" in told
    assert told.splitlines()[-1].split() == ["lite", "2", "2.2", "1.5"]
