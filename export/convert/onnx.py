"""PyTorch to ONNX: traced, simplified, checked; fp16 and int8 are made from the fp32 graph."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from export.quantize.eight_bit import EightBit
from export.quantize.onnx import quantize
from export.stages import run_child
from export.subject import Artifact, Subject
from export.workbench import Workbench
from model.contract import DUAL_USE_NOTICE, Precision
from model.errors import ConversionError
from pipeline.quiet import quiet

if TYPE_CHECKING:
    import onnx

PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16", "int8")
DEFAULT_OPSET = 17

# The L2 norm of an embedding does not survive fp16: its eps of 1e-12 becomes zero and the sum of
# squares can exceed 65504. onnxruntime's own list keeps Resize and friends in fp32 as well.
_KEEP_FP32 = ("ReduceL2", "Clip", "Expand", "Div")
_SAME_DB = 100.0  # simplifying may reorder float additions, nothing more


def float_graph(subject: Subject, bench: Workbench, opset: int = DEFAULT_OPSET) -> Artifact:
    """Trace and simplify `subject` as fp32 ONNX in the work folder.

    All ONNX and TFLite files are made from this graph, whether or not the bundle holds it.

    Args:
        subject: what to export.
        bench: where to work.
        opset: ONNX operator set.

    Returns:
        The file; pictures are NCHW float32 in [0, 1].

    Raises:
        ConversionError: a converter crashed.
    """
    import onnx

    path = bench.work / subject.file_name("onnx", "fp32")
    with bench.stages.stage(path.name):
        _trace(subject, path, opset, bench.log)
        how = _simplify(subject, path, bench.log)
        model = onnx.load(path)
        _label(model, subject)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, path)
        bench.stages.note(f"{path.stat().st_size / 1e6:.2f} MB, opset {opset}, {how}")
    return Artifact(subject, path, "onnx", "fp32", subject.signature("onnx"))


class OnnxConverter:
    """The ONNX files of one network, from its fp32 graph; inputs and outputs are float32 in all."""

    def __init__(self, graph: Artifact, bench: Workbench) -> None:
        """Take `float_graph`'s result."""
        self._graph = graph
        self._bench = bench

    def convert(self, precision: Precision, eight_bit: EightBit) -> Artifact:
        """Write the file of one of `PRECISIONS`.

        Raises:
            ConversionError: a converter crashed.
        """
        subject, bench = self._graph.subject, self._bench
        path = bench.bundle / subject.file_name("onnx", precision)
        calibration = None
        if precision == "fp32":
            shutil.copy(self._graph.path, path)
        else:
            with bench.stages.stage(path.name):
                if precision == "fp16":
                    _to_fp16(self._graph.path, path, bench.log)
                else:
                    quantize(self._graph, path, eight_bit, bench)
                    calibration = eight_bit.pairs().record()
                bench.stages.note(f"{path.stat().st_size / 1e6:.2f} MB, float32 inputs and outputs")
        return Artifact(subject, path, "onnx", precision, self._graph.signature, calibration)


def _trace(subject: Subject, path: Path, opset: int, log: Path) -> None:
    import torch

    signature = subject.signature("onnx")
    with quiet(log), warnings.catch_warnings():
        # The tracing exporter is called legacy, and is the one that onnx2tf is tested with.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            subject.wrapped(),
            subject.example(),
            str(path),
            dynamo=False,
            opset_version=opset,
            input_names=[t.name for t in signature.inputs],
            output_names=[t.name for t in signature.outputs],
        )


def _simplify(subject: Subject, path: Path, log: Path) -> str:
    """Simplify in place; keep the traced graph when onnxsim crashes or changes numbers."""
    simplified = path.with_suffix(".simplified.onnx")
    try:
        run_child("export.convert.simplify", [str(path), str(simplified)], log, path.parent)
    except ConversionError:
        simplified.unlink(missing_ok=True)
        return f"NOT simplified: onnxsim crashed, its output is in {log.name}"
    difference_db = _compare(subject, path, simplified)
    if not difference_db >= _SAME_DB:  # NaN counts as a change
        simplified.unlink()
        return f"NOT simplified: onnxsim changed the numbers ({difference_db:.1f} dB)"
    simplified.replace(path)
    return "simplified"


def _compare(subject: Subject, a: Path, b: Path) -> float:
    """PSNR of the outputs of two ONNX files on a face-like ramp and one unit embedding."""
    import numpy as np
    import onnxruntime

    from pipeline.backends.onnx import session_options
    from pipeline.metrics import psnr_db

    feeds: dict[str, Any] = {}
    for tensor in subject.signature("onnx").inputs:
        ramp = np.linspace(0.05, 0.95, int(np.prod(tensor.shape)), dtype=np.float32)
        value = ramp if tensor.color else ramp / np.linalg.norm(ramp)
        feeds[tensor.name] = value.reshape(tensor.shape)
    outputs = []
    for path in (a, b):
        session = onnxruntime.InferenceSession(
            str(path), session_options(), ["CPUExecutionProvider"]
        )
        outputs.append(session.run(None, feeds)[0])
    return psnr_db(outputs[0], outputs[1], peak=1.0)


def _to_fp16(fp32: Path, fp16: Path, log: Path) -> None:
    import onnx

    with quiet(log):
        from onnxruntime.transformers.float16 import (
            DEFAULT_OP_BLOCK_LIST,
            convert_float_to_float16,
        )

        model = convert_float_to_float16(
            onnx.load(fp32),
            keep_io_types=True,
            op_block_list=[*DEFAULT_OP_BLOCK_LIST, *_KEEP_FP32],
        )
    onnx.save(model, fp16)


def _label(model: onnx.ModelProto, subject: Subject) -> None:
    """Write into the file what its tensors are and what it is for."""
    signature = subject.signature("onnx")
    sentences = {t.name: t.description for t in (*signature.inputs, *signature.outputs)}
    for value in (*model.graph.input, *model.graph.output):
        value.doc_string = sentences[value.name]
    model.doc_string = f"MobileFSGAN {subject.model} (arXiv:2204.08339). {DUAL_USE_NOTICE}"
