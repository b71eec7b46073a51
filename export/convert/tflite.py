"""ONNX to TensorFlow Lite through onnx2tf."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.quantize import flatbuffer
from export.quantize.eight_bit import EightBit
from export.quantize.graph_ranges import fitted
from export.quantize.ranges import METHOD, measure
from export.quantize.tflite import dynamic
from export.quantize.weights import same_layer
from export.stages import run_child
from export.subject import Artifact, Subject
from export.workbench import Workbench
from model.contract import Precision
from model.errors import ConversionError
from model.tensors import Pictures

PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16", "dynamic", "int8")

_PADDING = 2  # pixels by which a map is wider in front of a convolution

# onnx2tf runs graphs whose only input is a picture on 20 sample photos, and fetches them from the
# network unless a file of this name lies in its working folder (onnx2tf 1.29,
# utils/common_functions.py, download_test_image_data).
_SAMPLE_FILE = "calibration_image_sample_data_20x128x128x3_float32.npy"
_SAMPLE_COUNT, _SAMPLE_SIDE = 20, 128


class TfliteConverter:
    """The TFLite files of one network, from its fp32 ONNX graph, with one named signature.

    Pictures are NHWC float32 in [0, 1]; in int8 files uint8, scale 1/255 and zero point 0.
    """

    def __init__(self, graph: Artifact, precisions: Sequence[Precision], bench: Workbench) -> None:
        """Prepare to convert.

        Args:
            graph: the network as fp32 ONNX; the file is not changed.
            precisions: those that `convert` will be asked for; the float files of one network are
                made together.
            bench: where to work.
        """
        self._graph = graph
        self._precisions = precisions
        self._bench = bench

    def convert(self, precision: Precision, eight_bit: EightBit) -> Artifact:
        """Write the file of one precision.

        Args:
            precision: one of `PRECISIONS`. fp16 stores weights in half and computes in float32 on
                CPUs, in half on GPUs; dynamic stores weights in int8 and quantizes activations at
                run time; int8 computes in integers.
            eight_bit: how int8 and dynamic are made.

        Raises:
            ConversionError: onnx2tf or TensorFlow crashed, or XNNPACK cannot run the file in one
                piece.
        """
        subject, stages = self._graph.subject, self._bench.stages
        floats = self._floats
        path = self._bench.bundle / subject.file_name("tflite", precision)
        with stages.stage(path.name):
            if precision in ("fp32", "fp16"):
                shutil.copy(floats[precision], path)
            elif precision == "dynamic":
                content = floats["fp32"].read_bytes()
                path.write_bytes(dynamic(content, _names_of(content, eight_bit)))
            else:
                to_int8(subject, floats["fp32"], path, eight_bit, self._bench)
            pictures: Pictures = "uint8" if precision == "int8" else "float"
            artifact = Artifact(
                subject, path, "tflite", precision, subject.signature("tflite", pictures),
                eight_bit.pairs().record() if precision == "int8" else None,
            )  # fmt: skip
            partitions = _partitions(artifact)
            stages.note(f"{path.stat().st_size / 1e6:.2f} MB, {partitions} XNNPACK partition")
        if partitions != 1 and not eight_bit.keep:
            raise ConversionError(
                f"{path.name} runs in {partitions} XNNPACK partitions; one is expected, because "
                "operators between partitions run on slow kernels. An operator of this network is "
                "unknown to XNNPACK: see model/deploy.py for the rewrites that avoid those"
            )
        return artifact

    @cached_property
    def _floats(self) -> dict[Precision, Path]:
        """The float files by precision, in the work folder; fp32 is always there."""
        subject, bench = self._graph.subject, self._bench
        work = bench.work / f"onnx2tf-{self._graph.path.stem}"
        work.mkdir()
        wanted: list[Precision] = ["fp32"]
        if "fp16" in self._precisions:
            wanted.append("fp16")
        floats = {p: work / subject.file_name("tflite", p) for p in wanted}
        with bench.stages.stage(f"{self._graph.path.stem} through onnx2tf"):
            _through_onnx2tf(subject, self._graph.path, floats, work, bench.log)
        return floats


def _through_onnx2tf(
    subject: Subject, onnx_file: Path, floats: dict[Precision, Path], work: Path, log: Path
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
    subject: Subject, fp32: Path, path: Path, eight_bit: EightBit, bench: Workbench
) -> None:
    """Quantize a float file of `subject`, with ranges measured on the calibration pairs.

    Raises:
        ConversionError: TensorFlow's quantizer crashed, or a layer to keep is not in the file.
    """
    signature, content = subject.signature("tflite"), fp32.read_bytes()
    statistics = measure(fp32, signature, eight_bit.pairs(), bar=not bench.stages.quiet)
    task = {
        "float": str(fp32),
        "ranges": fitted(flatbuffer.read(content), signature, statistics, METHOD),
        "pictures": [t.name for t in (*signature.inputs, *signature.outputs) if t.color],
        "coarse": subject.coarse + _PADDING,
        "int8": {str(path): _names_of(content, eight_bit)},
    }
    described = bench.work / "quantize.json"
    described.write_text(json.dumps(task), encoding="utf-8")
    run_child("export.quantize.tflite", [str(described)], bench.log, bench.work)


def _names_of(content: bytes, eight_bit: EightBit) -> list[str]:
    """The tensors of a float file that the layers to keep compute."""
    model = flatbuffer.read(content) if eight_bit.keep else None
    return [_layer_with(model, weights) for weights in eight_bit.keep]


def _layer_with(model: Any, weights: NDArray[np.float32]) -> str:
    """The tensor that the layer with these weights, in PyTorch's layout, computes."""
    for op in flatbuffer.ops(model):
        if op.name not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            continue
        stored = flatbuffer.constant(model, op.inputs[1])
        if stored is None or stored.size != weights.size:
            continue
        if stored.ndim == 4:  # (O, H, W, I), or (1, H, W, O) of a depthwise convolution
            stored = stored.transpose((3, 0, 1, 2) if "DEPTH" in op.name else (0, 3, 1, 2))
        if same_layer(stored, weights):
            return flatbuffer.name_of(model, op.outputs[0])
    raise ConversionError(
        f"a layer of the recipe, with weights {weights.shape}, is not in the TFLite file as it is "
        "in PyTorch. Take it out of the recipe"
    )


def _examples(subject: Subject, work: Path) -> list[list[str]]:
    """Name and file of a value for each input, which onnx2tf uses to find the layout of maps.

    Without them onnx2tf feeds ones. Maps are then so flat that a transposed map of 64 channels and
    64 x 64 px matches as well as the right one, and most generators came out at 27 to 36 dB.
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
    from pipeline.backends.tflite import TfliteBackend

    return TfliteBackend.load(artifact.spec(), artifact.path.parent).partitions
