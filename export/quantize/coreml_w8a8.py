"""8-bit activations for Core ML, calibrated without a Mac.

coremltools finds the range of every activation by running Core ML, so its quantizer works on Macs
only. Here the interpreter finds the ranges instead. That replaces a private function of
coremltools 9.0, which also keeps only the last sample's ranges (`record_intermediate_output`
overwrites before it compares); so the version and the function are checked before anything is done.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from model.errors import BackendUnavailable
from pipeline.mlprogram.program import Intermediate, Package
from pipeline.quiet import quiet

Sample = dict[str, NDArray[Any]]
Ranges = dict[str, dict[str, float]]

_KNOWN_VERSION = "9.0"
_PRIVATE = "_get_activation_calibration_stats"


def quantize_w8a8(path: Path, samples: Iterable[Sample], log: Path | None = None) -> Any:
    """Quantize weights (per channel) and activations of a package to 8 bits.

    Args:
        path: a float package, made for iOS 17 or later.
        samples: inputs by name, as `Function.run` takes them; hundreds are better than few.
        log: where coremltools' own words go.

    Returns:
        The quantized `coremltools.models.MLModel`, not loaded; `save()` it.

    Raises:
        BackendUnavailable: this coremltools is not the one whose inside is known.
        ContractError: the package is damaged or has operations that are not known.
    """
    ranges = activation_ranges(Package(path), samples)
    with quiet(log):
        import coremltools as ct
        import coremltools.optimize.coreml as cto

        # Small weights too: a convolution in float between 8-bit ones costs two conversions.
        symmetric = cto.OptimizationConfig(
            global_config=cto.OpLinearQuantizerConfig(mode="linear_symmetric", weight_threshold=0)
        )
        model = ct.models.MLModel(str(path), skip_model_load=True)
        with _calibrated_by(ranges):
            # One empty sample: the ranges are known, and coremltools only wants a list.
            model = cto.linear_quantize_activations(model, symmetric, [{}])
        return cto.linear_quantize_weights(model, symmetric)


def activation_ranges(package: Package, samples: Iterable[Sample]) -> Ranges:
    """Smallest and largest value of every input and intermediate result over all samples.

    The package's own outputs are left out, as coremltools does: they stay float.
    """
    function = package.function()
    outputs = set(function.block.outputs)
    ranges: Ranges = {}

    def widen(name: str, low: float, high: float) -> None:
        known = ranges.setdefault(name, {"rmin": low, "rmax": high})
        known["rmin"], known["rmax"] = min(known["rmin"], low), max(known["rmax"], high)

    def look(seen: Intermediate) -> None:
        if seen.name not in outputs:
            widen(seen.name, float(seen.value.min()), float(seen.value.max()))

    for sample in samples:
        for name, array in sample.items():
            widen(name, float(np.min(array)), float(np.max(array)))
        function.run(sample, mode="stored", hook=look)
    return ranges


@contextlib.contextmanager
def _calibrated_by(ranges: Ranges) -> Iterator[None]:
    """Let coremltools' quantizer take `ranges` instead of running Core ML."""
    import coremltools
    from coremltools.optimize.coreml import _post_training_quantization as inside
    from coremltools.optimize.coreml.experimental import _post_training_quantization as ranging

    if coremltools.__version__ != _KNOWN_VERSION or not hasattr(inside, _PRIVATE):
        raise BackendUnavailable(
            f"8-bit activations need a Mac with coremltools {coremltools.__version__}: calibrating "
            f"without Core ML reaches into coremltools {_KNOWN_VERSION}. "
            f"pip install coremltools=={_KNOWN_VERSION}"
        )

    def known_ranges(model: Any, *_: Any) -> Ranges:
        # What goes into one concatenation has to share a range, as coremltools arranges it.
        concatenations = ranging.ModelDebugger(model)._get_concat_op_info()
        ranging._adjust_concat_surrounding_activation_stats(concatenations, ranges)
        return ranges

    with mock.patch.object(inside, _PRIVATE, known_ranges):
        yield
