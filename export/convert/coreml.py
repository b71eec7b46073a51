"""PyTorch to Core ML packages: ML Programs with pictures as 8-bit RGB images."""

from __future__ import annotations

import shutil
import warnings
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from export.quantize.coreml_w8a8 import Ranges, activation_ranges, quantize_w8a8
from export.quantize.coreml_weights import compressed
from export.quantize.eight_bit import EightBit
from export.stages import log_tail
from export.subject import Artifact, Subject
from export.workbench import Workbench
from model.contract import DUAL_USE_NOTICE, Precision, TensorSpec
from model.digest import digest
from model.errors import ConversionError
from pipeline.mlprogram.program import Package
from pipeline.progress import counted
from pipeline.quiet import quiet

PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16", "int8", "pal6", "w8a8")
_TARGET: dict[Precision, str] = {"w8a8": "iOS17"}  # iOS16 for all others

# The L2 norm of an embedding stays out of fp16: eps 1e-12 underflows, the sum can overflow.
_KEEP_FP32 = frozenset({"reduce_l2_norm", "clip", "maximum", "tile", "real_div"})


class CoreMLConverter:
    """The Core ML packages of one network; for iOS 16 on, w8a8 for iOS 17 on."""

    def __init__(self, subject: Subject, bench: Workbench) -> None:
        """Prepare to convert `subject`."""
        self._subject = subject
        self._bench = bench
        self._floats: dict[Precision, Any] = {}
        self._ranges: Ranges | None = None

    def convert(self, precision: Precision, eight_bit: EightBit) -> Artifact:
        """Write the package of one precision.

        Args:
            precision: one of `PRECISIONS`. Core ML itself casts to fp16, since a PyTorch module in
                half does not convert. int8 (linear, per channel) and pal6 (palette of 64 values)
                compress the weights of the fp16 package; activations stay fp16. w8a8 makes them
                8-bit too, with ranges that the interpreter measures.
            eight_bit: how the compressed packages are made.

        Raises:
            ConversionError: coremltools refused the graph, or a layer to keep is not in it.
            ParityError: compressing damaged the weights.
        """
        subject, stages = self._subject, self._bench.stages
        path = self._bench.bundle / subject.file_name("mlpackage", precision)
        calibration = None
        with stages.stage(path.name):
            if precision == "w8a8":
                package = self._w8a8(eight_bit)
                calibration = eight_bit.pairs().record()
            else:
                package = self._float("fp32" if precision == "fp32" else "fp16")
                if precision in ("int8", "pal6"):
                    with quiet(self._bench.log):
                        package = compressed(package, precision, eight_bit.keep)
            _save(package, path, self._bench.log)
            target = _TARGET.get(precision, "iOS16")
            stages.note(f"{digest(path)[1] / 1e6:.2f} MB, {target}")
        signature = subject.signature("mlpackage", "uint8")
        return Artifact(subject, path, "mlpackage", precision, signature, calibration)

    def _w8a8(self, eight_bit: EightBit) -> Any:
        """The fp16 package with 8-bit weights and activations."""
        path, pairs = self._half_for_w8a8, eight_bit.pairs()
        if self._ranges is None:
            bar = not self._bench.stages.quiet
            bars = counted(len(pairs), f"{path.stem}: ranges", shown=bar)
            signature = self._subject.signature("mlpackage", "uint8")
            samples = (pairs.feed(signature, i) for i in bars)
            self._ranges = activation_ranges(Package(path), samples)
        coarse = self._subject.coarse
        return quantize_w8a8(path, self._ranges, eight_bit.keep, self._bench.log, coarse)

    def _float(self, precision: Precision) -> Any:
        """The package with float weights that packages are made from, made once."""
        if precision not in self._floats:
            made = _float_package(self._subject, precision, self._bench.log)
            self._floats[precision] = made
        return self._floats[precision]

    @cached_property
    def _half_for_w8a8(self) -> Path:
        """The fp16 package that w8a8 is made from, in the work folder."""
        path = self._bench.work / self._subject.file_name("mlpackage", "w8a8")
        _save(self._float("w8a8"), path, self._bench.log)
        return path


def _float_package(subject: Subject, precision: Precision, log: Path) -> Any:
    """The package with float weights, fp16 except for fp32, that a precision is made from.

    Raises:
        ConversionError: coremltools refused the graph.
    """
    with quiet(log), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import coremltools as ct
        import torch

        signature = subject.signature("mlpackage", "uint8")
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
                inputs=[_input(spec) for spec in signature.inputs],
                outputs=[_output(spec) for spec in signature.outputs],
                minimum_deployment_target=ct.target[_TARGET.get(precision, "iOS16")],
                compute_precision=compute,
                convert_to="mlprogram",
                skip_model_load=True,  # loading needs macOS, converting does not
            )
        except Exception as error:  # coremltools raises whatever its passes meet
            raise ConversionError(
                f"coremltools refused {subject.model}-{precision}: {error}. {log_tail(log)}"
            ) from error
    package.short_description = f"MobileFSGAN {subject.model} (arXiv:2204.08339). {DUAL_USE_NOTICE}"
    for spec in signature.inputs:
        package.input_description[spec.name] = spec.description
    for spec in signature.outputs:
        package.output_description[spec.name] = spec.description
    return package


def _save(package: Any, path: Path, log: Path) -> None:
    """Write a package, instead of the one that may be there."""
    if path.exists():
        shutil.rmtree(path)
    with quiet(log):
        package.save(str(path))


def _input(spec: TensorSpec) -> Any:
    import coremltools as ct

    if spec.color:
        _, height, width, channels = spec.shape
        return ct.ImageType(spec.name, (1, channels, height, width), color_layout=spec.color)
    return ct.TensorType(spec.name, spec.shape)


def _output(spec: TensorSpec) -> Any:
    import coremltools as ct

    if spec.color:
        return ct.ImageType(spec.name, color_layout=spec.color)
    return ct.TensorType(spec.name, dtype=np.float32)
