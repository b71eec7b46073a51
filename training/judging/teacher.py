"""The teacher: SFace, a strong face recogniser that the generator never trains against directly."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.aligned_face import identity_crop
from model.errors import BackendUnavailable, BadInput, install
from pipeline.faces.pyramid import Image8

Embeddings = NDArray[np.float32]


class Teacher:
    """A recogniser as ONNX that takes 112 px ArcFace crops, such as OpenCV Zoo's SFace."""

    def __init__(self, path: Path, threads: int = 2) -> None:
        """Load it.

        Raises:
            BadInput: the file is missing, no ONNX, or takes something else than such crops.
            BackendUnavailable: ONNX Runtime is not installed.
        """
        if not path.is_file():
            raise BadInput(
                f"{path} does not exist; expected a face recogniser as ONNX. Give SFace of the "
                "OpenCV Zoo (face_recognition_sface_2021dec.onnx) with --teacher"
            )
        if importlib.util.find_spec("onnxruntime") is None:
            raise BackendUnavailable(
                f"the teacher runs in onnxruntime, which is not installed. {install('onnx')}"
            )
        import onnxruntime

        from pipeline.backends.onnx import session_options

        try:
            self._session = onnxruntime.InferenceSession(
                str(path), session_options(threads), providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own exceptions share no base class
            raise BadInput(
                f"{path} is not an ONNX file that can be loaded ({str(error).splitlines()[0]}). "
                "Copy or download it again"
            ) from None
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or list(inputs[0].shape[1:]) != [3, 112, 112] or len(outputs) != 1:
            takes = ", ".join(f"{i.name} {i.shape}" for i in inputs)
            raise BadInput(
                f"{path} takes {takes} and gives {len(outputs)} outputs; expected one picture "
                "(1, 3, 112, 112) and one embedding. Give a recogniser such as SFace"
            )
        self._input = inputs[0].name

    def embed(self, face: Image8) -> Embeddings:
        """Who an aligned face shows.

        Args:
            face: (S, S, 3) HWC uint8 RGB, aligned; the contract's identity crop is cut out of it.

        Returns:
            (D,) float32, unit L2 norm; D is 128 for SFace.
        """
        tensor = teacher_crop(face).transpose(2, 0, 1)[None].astype(np.float32)
        (answer,) = self._session.run(None, {self._input: tensor})
        vector: Any = answer.ravel()
        return np.asarray(vector / max(1e-12, float(np.linalg.norm(vector))), np.float32)

    def embed_all(self, faces: list[Image8]) -> Embeddings:
        """`embed` of each, (N, D). The file's batch is fixed to one."""
        return np.stack([self.embed(face) for face in faces])


def teacher_crop(face: Image8) -> Image8:
    """The identity crop of an aligned face, (112, 112, 3) uint8 RGB, bilinear.

    SFace expects RGB, 0..255: OpenCV's wrapper takes BGR but swaps the channels before inference.
    With BGR its embeddings differ, though they still tell people apart (docs/evaluation.md).
    """
    import cv2

    crop = identity_crop(len(face))
    inner = face[crop.start : crop.stop, crop.start : crop.stop]
    small = cv2.resize(inner, (crop.size, crop.size), interpolation=cv2.INTER_LINEAR)
    return np.asarray(small, np.uint8)
