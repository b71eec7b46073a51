"""Flicker of generators whose answers are known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from model.tensors import signature
from pipeline.faces.portraits import varied
from training.judging.flicker import flicker, move
from training.judging.swaps import SwapPairs, paint

PAIRS = SwapPairs(np.array([0, 1]), np.array([1, 0]))


def network(model: str, answer) -> SimpleNamespace:
    inputs, outputs = signature(model, "onnx", "float")
    spec = SimpleNamespace(model=model, inputs=inputs, outputs=outputs)
    return SimpleNamespace(spec=spec, run=answer)


ENCODER = network("identity", lambda face: {"embedding": np.ones((1, 512), np.float32)})


def measured(generator: SimpleNamespace) -> list[float]:
    faces = np.stack(varied(2, seed=3))
    swapped = list(paint(generator, ENCODER, faces, PAIRS))
    return list(flicker(generator, ENCODER, faces, PAIRS, swapped, seed=1))


def test_a_generator_that_copies_the_target_does_not_flicker() -> None:
    copies = network("generator", lambda target, embedding: {"image": target})
    assert measured(copies) == pytest.approx([0, 0], abs=0.01)


def test_a_pattern_that_stands_still_in_the_crop_flickers() -> None:
    stripes = 0.2 * (np.arange(256) % 2).astype(np.float32)
    lays = network("generator", lambda target, embedding: {"image": target * 0.8 + stripes})
    assert min(measured(lays)) > 3


def test_a_shift_moves_the_picture_that_way() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[30, 20] = 200
    moved = move(picture, np.array([[1.0, 0, 3], [0, 1, -2]]))
    assert np.argwhere(moved[..., 0] == 200).tolist() == [[28, 23]]
