"""Core ML, which computes on Apple systems only."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.contract import Measured, ModelSpec, TensorSpec
from pipeline.backends.base import Arrays, Availability, check_inputs, installed
from pipeline.quiet import quiet


class CoreMLBackend:
    """One loaded model. Pictures cross the border as 8-bit images, as they do in the app."""

    name: ClassVar[str] = "coreml"
    measured: Measured = "executed"

    def __init__(self, mlmodel: Any, spec: ModelSpec) -> None:
        """Use `load`."""
        self.spec = spec
        self._mlmodel = mlmodel

    @classmethod
    def available(cls) -> Availability:
        """Core ML needs macOS, and coremltools as the way to it."""
        if sys.platform != "darwin":
            return Availability(False, "Core ML runs on Apple systems only; try it on a Mac")
        return installed("coremltools", "coreml")

    @classmethod
    def load(cls, spec: ModelSpec, root: Path, *, threads: int = 4) -> Self:
        """Load `root / spec.file`; Core ML chooses its threads and compute units itself."""
        with quiet():
            import coremltools

            return cls(coremltools.models.MLModel(str(root / spec.file)), spec)

    def run(self, **inputs: NDArray[Any]) -> Arrays:
        """Compute one frame."""
        check_inputs(self.spec, inputs)
        values = {t.name: _to_coreml(inputs[t.name], t) for t in self.spec.inputs}
        answers = self._mlmodel.predict(values)
        return {t.name: _from_coreml(answers[t.name], t) for t in self.spec.outputs}


def _to_coreml(array: NDArray[Any], spec: TensorSpec) -> Any:
    return Image.fromarray(array[0]) if spec.color and spec.dtype == "uint8" else array


def _from_coreml(value: Any, spec: TensorSpec) -> NDArray[Any]:
    if isinstance(value, Image.Image):  # Core ML hands out RGBA
        return np.asarray(value.convert("RGB"))[None]
    return np.asarray(value, spec.dtype).reshape(spec.shape)
