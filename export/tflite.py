"""ONNX to TensorFlow Lite through onnx2tf. `python -m export.tflite CKPT`."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from export.stages import Stages, run_child
from export.subject import Artifact, Subject
from model.contract import Precision
from model.errors import ConversionError, guard

PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16")

# onnx2tf runs graphs whose only input is a picture on 20 sample photos, and fetches them from the
# network unless a file of this name lies in its working folder (onnx2tf 1.29,
# utils/common_functions.py, download_test_image_data).
_SAMPLE_FILE = "calibration_image_sample_data_20x128x128x3_float32.npy"
_SAMPLE_SHAPE = (20, 128, 128, 3)


def convert(
    subject: Subject,
    precisions: Sequence[Precision],
    folder: Path,
    onnx_file: Path,
    *,
    work: Path,
    log: Path,
    stages: Stages,
) -> Iterator[Artifact]:
    """Write `subject` as TFLite files, pictures NHWC float32 in [0, 1], with one named signature.

    Args:
        subject: what to export.
        precisions: some of `PRECISIONS`; fp16 stores weights in half and computes in float32 on
            CPUs, in half on GPUs.
        folder: where to write.
        onnx_file: `subject` as fp32 ONNX; not changed.
        work: for files on the way.
        log: the converters' own words.
        stages: told what is done.

    Yields:
        One artifact per precision.

    Raises:
        ConversionError: onnx2tf or TensorFlow crashed, or XNNPACK cannot run the file in one piece.
    """
    work = work / f"onnx2tf-{onnx_file.stem}"
    work.mkdir()
    copy = work / "graph.onnx"
    shutil.copy(onnx_file, copy)  # onnx2tf rewrites its input file
    np.save(work / _SAMPLE_FILE, _smooth_pictures())
    paths = {precision: folder / subject.file_name("tflite", precision) for precision in precisions}
    task = {
        "onnx": str(copy),
        "output": subject.signature("tflite").outputs[0].name,
        "tflite": {precision: str(path) for precision, path in paths.items()},
    }
    with stages.stage(f"{onnx_file.stem} through onnx2tf"):
        run_child("export.tflite_child", [json.dumps(task)], log, work)
    shutil.rmtree(work)
    border = subject.signature("tflite")
    for precision, path in paths.items():
        with stages.stage(path.name):
            artifact = Artifact(subject, path, "tflite", precision, border)
            partitions = _partitions(artifact)
            stages.note(f"{path.stat().st_size / 1e6:.2f} MB, {partitions} XNNPACK partition")
        if partitions != 1:
            raise ConversionError(
                f"{path.name} runs in {partitions} XNNPACK partitions; one is expected, because "
                "whatever lies between them runs on slow kernels. An operator of this network is "
                "unknown to XNNPACK: see model/deploy.py for the rewrites that avoid those"
            )
        yield artifact


def _smooth_pictures() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Stand-ins for the sample photos, float32 NHWC in [0, 1]: they only steer axis checks."""
    ramp = np.linspace(0, 1, int(np.prod(_SAMPLE_SHAPE)), dtype=np.float32)
    return (0.5 + 0.5 * np.sin(40 * ramp)).reshape(_SAMPLE_SHAPE).astype(np.float32)


def _partitions(artifact: Artifact) -> int:
    from export.bundle import describe
    from pipeline.backends.tflite import TfliteBackend

    return TfliteBackend.load(describe(artifact), artifact.path.parent).partitions


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Export to TFLite only."""
    from export.cli import export_command

    return export_command("tflite", argv)


if __name__ == "__main__":
    sys.exit(main())
