"""ONNX to TensorFlow Lite through onnx2tf."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.quantize import flatbuffer
from export.quantize.calibration import CalibrationSet
from export.quantize.graph_ranges import fitted
from export.quantize.ranges import METHOD, measure
from export.quantize.tflite import dynamic
from export.stages import Stages, run_child
from export.subject import Artifact, Subject
from model.contract import Precision
from model.errors import ConversionError
from model.tensors import Pictures

PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16", "dynamic", "int8")

_PADDING = 2  # pixels that a map is wider in front of a convolution

# onnx2tf runs graphs whose only input is a picture on 20 sample photos, and fetches them from the
# network unless a file of this name lies in its working folder (onnx2tf 1.29,
# utils/common_functions.py, download_test_image_data).
_SAMPLE_FILE = "calibration_image_sample_data_20x128x128x3_float32.npy"
_SAMPLE_COUNT, _SAMPLE_SIDE = 20, 128


def convert(
    subject: Subject,
    precisions: Sequence[Precision],
    folder: Path,
    onnx_file: Path,
    *,
    calibration: CalibrationSet | None = None,
    keep: Sequence[NDArray[np.float32]] = (),
    work: Path,
    log: Path,
    stages: Stages,
) -> Iterator[Artifact]:
    """Write `subject` as TFLite files, with one named signature.

    Pictures are NHWC float32 in [0, 1]; for int8 uint8, scale 1/255 and zero point 0.

    Args:
        subject: what to export.
        precisions: some of `PRECISIONS`; fp16 stores weights in half and computes in float32 on
            CPUs, in half on GPUs; dynamic stores weights in int8 and quantizes activations on the
            fly; int8 is whole numbers throughout.
        folder: where to write.
        onnx_file: `subject` as fp32 ONNX; not changed.
        calibration: what int8 ranges are measured on.
        keep: weights (O, I, H, W) of the layers that int8 leaves float.
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
    paths = {p: folder / subject.file_name("tflite", p) for p in precisions}
    fp32 = paths.get("fp32", work / "float.tflite")
    floats = {"fp32": fp32}
    if "fp16" in paths:
        floats["fp16"] = paths["fp16"]
    with stages.stage(f"{onnx_file.stem} through onnx2tf"):
        _through_onnx2tf(subject, onnx_file, floats, work, log)
    for precision, path in paths.items():
        with stages.stage(path.name):
            if precision == "dynamic":
                path.write_bytes(dynamic(fp32.read_bytes()))
            if precision == "int8":
                assert calibration is not None
                to_int8(subject, fp32, path, calibration, keep, work, log, stages)
            pictures: Pictures = "uint8" if precision == "int8" else "float"
            artifact = Artifact(
                subject, path, "tflite", precision, subject.signature("tflite", pictures),
                calibration.record() if calibration and precision == "int8" else None,
            )  # fmt: skip
            partitions = _partitions(artifact)
            stages.note(f"{path.stat().st_size / 1e6:.2f} MB, {partitions} XNNPACK partition")
        if partitions != 1 and not keep:
            raise ConversionError(
                f"{path.name} runs in {partitions} XNNPACK partitions; one is expected, because "
                "whatever lies between them runs on slow kernels. An operator of this network is "
                "unknown to XNNPACK: see model/deploy.py for the rewrites that avoid those"
            )
        yield artifact
    shutil.rmtree(work)


def _through_onnx2tf(
    subject: Subject, onnx_file: Path, floats: dict[str, Path], work: Path, log: Path
) -> None:
    """Write the float files, by precision."""
    copy = work / "graph.onnx"
    shutil.copy(onnx_file, copy)  # onnx2tf rewrites its input file
    np.save(work / _SAMPLE_FILE, np.stack([_uneven_picture(_SAMPLE_SIDE)] * _SAMPLE_COUNT))
    task = {
        "onnx": str(copy),
        "examples": _examples(subject, work),
        "output": subject.signature("tflite").outputs[0].name,
        "tflite": {precision: str(path) for precision, path in floats.items()},
    }
    run_child("export.convert.onnx2tf_child", [json.dumps(task)], log, work)


def to_int8(
    subject: Subject, fp32: Path, path: Path, calibration: CalibrationSet,
    keep: Sequence[NDArray[np.float32]],
    work: Path, log: Path, stages: Stages,
) -> None:  # fmt: skip
    """Quantize a float file of `subject`, with ranges measured on `calibration`."""
    border = subject.signature("tflite")
    statistics = measure(fp32, border, calibration, bar=not stages.quiet)
    model = flatbuffer.read(fp32.read_bytes())
    task = {
        "float": str(fp32),
        "ranges": fitted(model, border, statistics, METHOD),
        "pictures": [t.name for t in (*border.inputs, *border.outputs) if t.color],
        "coarse": subject.coarse + _PADDING,
        "int8": {str(path): [_layer_with(model, weights) for weights in keep]},
    }
    described = work / "quantize.json"
    described.write_text(json.dumps(task), encoding="utf-8")
    run_child("export.quantize.tflite", [str(described)], log, work)


def _layer_with(model: Any, weights: NDArray[np.float32]) -> str:
    """The tensor that the convolution with these weights, (O, I, H, W), computes.

    Names do not survive onnx2tf; weights do.
    """
    for op in flatbuffer.ops(model):
        if op.name == "CONV_2D":
            stored = flatbuffer.constant(model, op.inputs[1])
            if stored is not None and stored.size == weights.size:
                found = stored.transpose(0, 3, 1, 2)
                if found.shape == weights.shape and np.allclose(found, weights, rtol=1e-4):
                    return flatbuffer.name_of(model, op.outputs[0])
    raise ConversionError(
        f"a layer of the recipe, with weights {weights.shape}, is not in the TFLite file as it is "
        "in PyTorch. Take it out of the recipe"
    )


def _examples(subject: Subject, work: Path) -> list[list[str]]:
    """Name and file of a value for each input, by which onnx2tf tells layouts apart.

    Left alone it feeds ones, which leave maps so flat that a transposed one of 64 channels and
    64 x 64 px agrees as well as the right one: most conversions of a generator came out at 27 to
    36 dB.
    """
    files = []
    for spec in subject.signature("tflite").inputs:
        if spec.color:
            value = _uneven_picture(spec.shape[1])[None]
        else:
            value = np.cos(np.arange(spec.shape[1], dtype=np.float32))[None]
            value /= np.linalg.norm(value)
        path = work / f"{spec.name}.npy"
        np.save(path, value)
        files.append([spec.name, str(path)])
    return files


def _uneven_picture(side: int) -> NDArray[np.float32]:
    """A picture that is another one when turned or mirrored, (side, side, 3) float32 in [0, 1]."""
    y, x, color = np.mgrid[0:side, 0:side, 0:3] / np.array([side, side, 3])[:, None, None, None]
    wave: NDArray[np.float32] = np.sin(11 * x + 5 * y * (1 + x) + 2 * color).astype(np.float32)
    return 0.5 + 0.5 * wave


def _partitions(artifact: Artifact) -> int:
    from export.bundle import describe
    from pipeline.backends.tflite import TfliteBackend

    return TfliteBackend.load(describe(artifact), artifact.path.parent).partitions
