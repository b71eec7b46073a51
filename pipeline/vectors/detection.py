"""Vectors of BlazeFace's and the mesh's outputs, decoded."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.blazeface import BlazeFace
from pipeline.faces.facemesh import FaceMesh, crop_of_mesh, five_points
from pipeline.faces.pyramid import Pyramid
from pipeline.vectors.folder import Folder, numbers
from pipeline.vectors.scenes import scenes

_RANGES = {
    "short": "face_detection_short_range.tflite",
    "full": "face_detection_full_range.tflite",
}


class _Recorder:
    """Stands before a model and keeps what it was given and what it answered."""

    def __init__(self, model: Any) -> None:
        self._model, self.size = model, model.size
        self.outputs: list[NDArray[Any]] = []

    def run(self, picture: NDArray[np.uint8]) -> list[NDArray[Any]]:
        self.outputs = self._model.run(picture)
        return self.outputs


def write_boxes(folder: Folder) -> None:
    """Raw boxes and logits of both detectors on both portraits, and the faces read from them."""
    cases = []
    for name, file in _RANGES.items():
        blazeface = BlazeFace(file)
        recorder = _Recorder(blazeface._model)
        blazeface._model = recorder  # type: ignore[assignment]
        for scene in scenes():
            edge = len(scene.image)
            scale = blazeface.size / edge
            view = np.array([[scale, 0, (scale - 1) / 2], [0, scale, (scale - 1) / 2]])
            unit = np.add(view, [[0, 0, 0.5], [0, 0, 0.5]]) / blazeface.size
            found = blazeface.find(Pyramid(scene.image), unit)
            boxes, logits = (np.asarray(o, np.float32)[0] for o in recorder.outputs)
            kept = _near_a_face(logits[:, 0])
            cases.append(
                {
                    "range": name,
                    "size": blazeface.size,
                    "anchors": len(logits),
                    "rows": kept.tolist(),
                    "boxes": folder.array(f"boxes-{name}-{scene.name}", boxes[kept]),
                    "logits": numbers(logits[kept, 0]),
                    "view": numbers(view, 9),
                    "faces": [
                        {
                            "score": round(c.score, 6),
                            "centre": numbers(c.centre),
                            "side": round(c.side, 6),
                            "eyes": numbers(c.eyes),
                            "tilt_deg": round(c.tilt_deg, 6),
                        }
                        for c in found
                    ],
                }
            )
    folder.cases(
        "blazeface",
        "`boxes` (rows x 16) and `logits` are the detector's raw outputs at the anchors `rows` of "
        "`anchors`; all other anchors are below the score of 0.5. `view` (2 x 3) maps the picture "
        "to the `size` px square that was seen. `faces`: best first, in pixels of the picture, "
        "after non-maximum suppression at an overlap of 0.3.",
        {"pixels": 0.05, "score": 1e-4, "tilt_deg": 0.05},
        cases,
    )


def _near_a_face(logits: NDArray[np.float32]) -> NDArray[np.intp]:
    """Anchors that pass the threshold, and some that do not."""
    kept = np.flatnonzero(logits >= 0)
    below = np.flatnonzero(logits < 0)[::100]
    return np.sort(np.concatenate([kept, below]))


def write_meshes(folder: Folder) -> None:
    """Raw mesh outputs on both portraits, and the landmarks read from them."""
    mesh = FaceMesh()
    recorder = _Recorder(mesh._model)
    mesh._model = recorder  # type: ignore[assignment]
    cases = []
    for scene in scenes():
        crop = np.round(crop_of_mesh(scene.face.mesh), 9)
        points, score = mesh.fit(Pyramid(scene.image), crop)
        raw, logit = (np.asarray(o, np.float32).ravel() for o in recorder.outputs)
        cases.append(
            {
                "size": recorder.size,
                "raw": folder.array(f"mesh-raw-{scene.name}", raw.reshape(-1, 3)),
                "logit": round(float(logit[0]), 6),
                "crop": numbers(crop, 9),
                "mesh": folder.array(f"mesh-{scene.name}", points.astype(np.float32)),
                "score": round(score, 6),
                "five_points": numbers(five_points(points)),
                "next_crop": numbers(crop_of_mesh(points), 9),
            }
        )
    folder.cases(
        "mesh",
        "`raw` (468 x 3) and `logit` are the mesh's outputs for the view that `crop` (2 x 3, "
        "picture to unit square) describes. `mesh` (468 x 2) and `five_points` are in pixels of "
        "the picture; `next_crop` is the crop that belongs to these landmarks.",
        {"pixels": 0.01, "score": 1e-4, "matrix_abs": 1e-5},
        cases,
    )
