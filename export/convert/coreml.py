"""PyTorch to a Core ML package."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.quantize.calibration import CalibrationSet
from export.quantize.coreml_weights import compressed
from export.stages import Stages, log_tail, progress
from export.subject import Artifact, Subject
from model.contract import DUAL_USE_NOTICE, Precision, TensorSpec, digest
from model.errors import ConversionError
from model.tensors import Signature
from pipeline.quiet import quiet

PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16", "int8", "pal6", "w8a8")
_TARGET: dict[Precision, str] = {"w8a8": "iOS17"}  # iOS16 for all others

# The L2 norm of an embedding stays out of fp16: eps 1e-12 underflows, the sum can overflow.
_KEEP_FP32 = frozenset({"reduce_l2_norm", "clip", "maximum", "tile", "real_div"})


def convert(
    subject: Subject,
    precisions: Sequence[Precision],
    folder: Path,
    *,
    calibration: CalibrationSet | None = None,
    keep: Sequence[NDArray[np.float32]] = (),
    log: Path,
    stages: Stages,
) -> Iterator[Artifact]:
    """Write `subject` as ML Programs (iOS 16 on, w8a8 iOS 17), pictures as 8-bit RGB images.

    Args:
        subject: what to export.
        precisions: some of `PRECISIONS`; Core ML itself casts to fp16, since a PyTorch module in
            half does not convert. int8 (linear, per channel) and pal6 (palette of 64 values)
            compress the weights of the fp16 package; activations stay fp16. w8a8 makes them 8-bit
            too, by ranges that the interpreter measures.
        folder: where to write.
        calibration: what w8a8 ranges are measured on.
        keep: weights that int8 and pal6 leave as they are; w8a8 knows no exceptions.
        log: the converter's own words.
        stages: told what is done.

    Yields:
        One artifact per precision.

    Raises:
        ConversionError: coremltools refused the graph.
    """
    border = subject.signature("mlpackage", "uint8")
    for precision in precisions:
        path = folder / subject.file_name("mlpackage", precision)
        with stages.stage(path.name):
            with quiet(log), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                _convert(subject, precision, path, keep, log)
            if precision == "w8a8":
                assert calibration is not None
                _quantize_activations(path, border, calibration, log, bar=not stages.quiet)
            target = _TARGET.get(precision, "iOS16")
            stages.note(f"{digest(path)[1] / 1e6:.2f} MB, {target}")
        ranged = calibration.record() if calibration and precision == "w8a8" else None
        yield Artifact(subject, path, "mlpackage", precision, border, ranged)


def _convert(
    subject: Subject,
    precision: Precision,
    path: Path,
    keep: Sequence[NDArray[np.float32]],
    log: Path,
) -> None:
    import coremltools as ct
    import torch

    border = subject.signature("mlpackage", "uint8")
    with torch.inference_mode():
        traced = torch.jit.trace(subject.wrapped(peak=255.0), subject.example(peak=255.0))
    compute = ct.precision.FLOAT32
    if precision != "fp32":
        compute = ct.transform.FP16ComputePrecision(
            op_selector=lambda op: op.op_type not in _KEEP_FP32
        )
    try:
        package = ct.convert(
            traced,
            inputs=[_input(spec) for spec in border.inputs],
            outputs=[_output(spec) for spec in border.outputs],
            minimum_deployment_target=ct.target[_TARGET.get(precision, "iOS16")],
            compute_precision=compute,
            convert_to="mlprogram",
            skip_model_load=True,  # loading needs macOS, converting does not
        )
    except Exception as error:  # coremltools raises whatever its passes meet
        raise ConversionError(
            f"coremltools refused {path.stem}: {error}. {log_tail(log)}"
        ) from error
    if precision in ("int8", "pal6"):
        package = compressed(package, precision, keep)
    package.short_description = f"MobileFSGAN {subject.model} (arXiv:2204.08339). {DUAL_USE_NOTICE}"
    for spec in border.inputs:
        package.input_description[spec.name] = spec.description
    for spec in border.outputs:
        package.output_description[spec.name] = spec.description
    package.save(str(path))


def _quantize_activations(
    path: Path, border: Signature, pairs: CalibrationSet, log: Path, *, bar: bool
) -> None:
    """Replace the fp16 package at `path` by one with 8-bit weights and activations."""
    from export.quantize.coreml_w8a8 import quantize_w8a8

    bars = progress(len(pairs), f"{path.stem}: ranges", bar)
    samples = (pairs.feed(border, i) for i in bars)
    quantized = quantize_w8a8(path, samples, log)
    with quiet(log):
        shutil.rmtree(path)
        quantized.save(str(path))


def _input(spec: TensorSpec) -> Any:
    import coremltools as ct

    if spec.color:
        _, height, width, channels = spec.shape
        return ct.ImageType(spec.name, (1, channels, height, width), color_layout=spec.color)
    return ct.TensorType(spec.name, spec.shape)


def _output(spec: TensorSpec) -> Any:
    import coremltools as ct
    import numpy as np

    if spec.color:
        return ct.ImageType(spec.name, color_layout=spec.color)
    return ct.TensorType(spec.name, dtype=np.float32)
