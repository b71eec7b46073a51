"""PyTorch to ONNX: traced, simplified, checked."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from export.quantize.calibration import CalibrationSet
from export.quantize.onnx import quantize
from export.stages import Stages, run_child
from export.subject import Artifact, Subject
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


def convert(
    subject: Subject,
    precisions: Sequence[Precision],
    folder: Path,
    *,
    opset: int,
    calibration: CalibrationSet | None = None,
    keep: Sequence[NDArray[np.float32]] = (),
    log: Path,
    stages: Stages,
) -> Iterator[Artifact]:
    """Write `subject` as ONNX files, pictures NCHW float32 in [0, 1].

    Args:
        subject: what to export.
        precisions: some of `PRECISIONS`; fp16 and int8 are made from fp32, with float32 inputs and
            outputs.
        folder: where to write.
        opset: ONNX operator set.
        calibration: what int8 ranges are measured on.
        keep: weights, (O, I, H, W), of convolutions that int8 leaves in float.
        log: the converters' own words.
        stages: told what is done.

    Yields:
        One artifact per precision, fp32 first.

    Raises:
        ConversionError: a converter crashed.
    """
    import onnx

    fp32 = folder / subject.file_name("onnx", "fp32")
    with stages.stage(fp32.name):
        _trace(subject, fp32, opset, log)
        how = _simplify(subject, fp32, log)
        model = onnx.load(fp32)
        _label(model, subject)
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, fp32)
        stages.note(f"{fp32.stat().st_size / 1e6:.2f} MB, opset {opset}, {how}")
    border = subject.signature("onnx")
    if "fp32" in precisions:
        yield Artifact(subject, fp32, "onnx", "fp32", border)
    if "fp16" in precisions:
        fp16 = folder / subject.file_name("onnx", "fp16")
        with stages.stage(fp16.name):
            _to_fp16(fp32, fp16, log)
            stages.note(f"{fp16.stat().st_size / 1e6:.2f} MB, float32 inputs and outputs")
        yield Artifact(subject, fp16, "onnx", "fp16", border)
    if "int8" in precisions:
        assert calibration is not None
        int8 = folder / subject.file_name("onnx", "int8")
        with stages.stage(int8.name):
            bar = not stages.quiet
            quantize(fp32, int8, border, calibration, subject.coarse, log, bar=bar, keep=keep)
            stages.note(f"{int8.stat().st_size / 1e6:.2f} MB, float32 inputs and outputs")
        yield Artifact(subject, int8, "onnx", "int8", border, calibration.record())


def _trace(subject: Subject, path: Path, opset: int, log: Path) -> None:
    import torch

    border = subject.signature("onnx")
    with quiet(log), warnings.catch_warnings():
        # The tracing exporter is called legacy, and is the one that onnx2tf is tested with.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            subject.wrapped(),
            subject.example(),
            str(path),
            dynamo=False,
            opset_version=opset,
            input_names=[t.name for t in border.inputs],
            output_names=[t.name for t in border.outputs],
        )


def _simplify(subject: Subject, path: Path, log: Path) -> str:
    """Simplify in place; keep the traced graph when onnxsim crashes or changes numbers."""
    simplified = path.with_suffix(".simplified.onnx")
    try:
        run_child("export.convert.simplify", [str(path), str(simplified)], log, path.parent)
    except ConversionError:
        simplified.unlink(missing_ok=True)
        return f"NOT simplified: onnxsim crashed, its words are in {log.name}"
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
    border = subject.signature("onnx")
    sentences = {t.name: t.description for t in (*border.inputs, *border.outputs)}
    for value in (*model.graph.input, *model.graph.output):
        value.doc_string = sentences[value.name]
    model.doc_string = f"MobileFSGAN {subject.model} (arXiv:2204.08339). {DUAL_USE_NOTICE}"
