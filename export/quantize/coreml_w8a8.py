"""8-bit activations for Core ML, calibrated without a Mac.

coremltools finds the range of every activation by running Core ML, so its quantizer works on Macs
only. Here the interpreter measures the ranges, and the graph passes of coremltools' quantizer are
run with them. Those passes are internal to coremltools, so its version is checked first.
(coremltools 9.0 also keeps only the last sample's ranges: `record_intermediate_output` overwrites
before it compares.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from export.quantize.coreml_weights import names_of
from model.errors import BackendUnavailable
from pipeline.mlprogram.evaluate import is_constant
from pipeline.mlprogram.program import Intermediate, Package
from pipeline.mlprogram.values import tensor_kind
from pipeline.quiet import quiet

if TYPE_CHECKING:
    from torch import Tensor

Feed = dict[str, NDArray[Any]]
Ranges = dict[str, dict[str, float]]

_LEFT_OUT = 1e-5
_KNOWN_VERSION = "9.0"
_PASSES = (
    "compression::insert_prefix_quantize_dequantize_pair",
    "compression::insert_suffix_quantize_dequantize_pair",
    "common::dequantize_quantize_pair_elimination",
)


def quantize_w8a8(
    path: Path,
    ranges: Ranges,
    keep: Sequence[NDArray[np.float32]] = (),
    log: Path | None = None,
    coarse: int = 0,
) -> Any:
    """Quantize weights (per channel) and activations of a package to 8 bits.

    Args:
        path: a float package, made for iOS 17 or later.
        ranges: of its activations, from `activation_ranges`.
        keep: weights, in PyTorch's layout, of layers that stay in float.
        log: where the output of coremltools goes.
        coarse: longest side in pixels of the maps that stay in float; vectors stay so too.

    Returns:
        The quantized `coremltools.models.MLModel`, not loaded; `save()` it.

    Raises:
        BackendUnavailable: this is not the version of coremltools whose passes are known.
        ConversionError: a layer to keep is not in the package.
    """
    with quiet(log):
        import coremltools as ct
        import coremltools.optimize.coreml as cto

        if ct.__version__ != _KNOWN_VERSION:
            raise BackendUnavailable(
                f"8-bit activations need a Mac with coremltools {ct.__version__}: calibrating "
                f"without Core ML uses internals of coremltools {_KNOWN_VERSION}. "
                f"pip install coremltools=={_KNOWN_VERSION}"
            )
        model = ct.models.MLModel(str(path), skip_model_load=True)
        kept, operations = names_of(model, keep)
        # Small weights too: a convolution in float between 8-bit ones costs two conversions.
        symmetric = cto.OpLinearQuantizerConfig(mode="linear_symmetric", weight_threshold=0)

        def all_but(names: Iterable[str]) -> Any:
            spared = {name: None for name in names}
            return cto.OptimizationConfig(global_config=symmetric, op_name_configs=spared or None)

        in_float = (*operations, *_coarse_maps(Package(path), coarse))
        model = _quantize_activations(model, all_but(in_float), ranges)
        return cto.linear_quantize_weights(model, all_but((*kept, *operations)))


def activation_ranges(package: Package, samples: Iterable[Feed]) -> Ranges:
    """The range of every input and intermediate result over all samples.

    Of each intermediate result the most extreme `_LEFT_OUT` at either end are left out: a few large
    values would make the steps between all others coarse. The package's own outputs are left out,
    as coremltools does: they stay float.

    Args:
        package: a float package.
        samples: inputs by name, as `Function.run` takes them; hundreds are better than few.

    Raises:
        ContractError: the package is damaged or has operations that are not known.
    """
    function = package.function()
    outputs = set(function.block.outputs)
    ranges: Ranges = {}

    def widen(name: str, low: float, high: float) -> None:
        known = ranges.setdefault(name, {"rmin": low, "rmax": high})
        known["rmin"], known["rmax"] = min(known["rmin"], low), max(known["rmax"], high)

    def look(seen: Intermediate) -> None:
        if seen.name not in outputs:
            widen(seen.name, *_span(seen.value))

    for sample in samples:
        for name, array in sample.items():
            widen(name, float(np.min(array)), float(np.max(array)))
        function.run(sample, mode="stored", hook=look)
    return ranges


def _span(values: Tensor) -> tuple[float, float]:
    """Smallest and largest value, but for the share `_LEFT_OUT` at either end."""
    flat = values.flatten()
    count = max(1, round(flat.numel() * _LEFT_OUT))
    low, high = flat.topk(count, largest=False).values, flat.topk(count).values
    return float(low[-1]), float(high[-1])


def _coarse_maps(package: Package, longest: int) -> list[str]:
    """The operations that give maps of at most `longest` pixels a side, or vectors, by name."""
    names = []
    for op in package.block(package.default_function).operations:
        if is_constant(op):
            continue
        shape = tensor_kind(op.outputs[0].type).shape
        if (max(shape[2:]) if len(shape) == 4 else 1) <= longest:
            names.append(op.attributes["name"].immediateValue.tensor.strings.values[0])
    return names


def _quantize_activations(model: Any, config: Any, ranges: Ranges) -> Any:
    """What `coremltools.optimize.coreml.linear_quantize_activations` does with measured ranges."""
    from coremltools import _SPECIFICATION_VERSION_IOS_17
    from coremltools.converters.mil.frontend.milproto import load as milproto
    from coremltools.converters.mil.mil.passes.graph_pass import PassOption
    from coremltools.converters.mil.mil.passes.pass_registry import PASS_REGISTRY
    from coremltools.models import utils as model_utils
    from coremltools.optimize.coreml.experimental import _post_training_quantization as ranging

    # Inputs of one concatenation have to share a range.
    stats = {name: dict(span) for name, span in ranges.items()}
    concatenations = ranging.ModelDebugger(model)._get_concat_op_info()
    ranging._adjust_concat_surrounding_activation_stats(concatenations, stats)
    passes = [PASS_REGISTRY[name] for name in _PASSES]
    for graph_pass in passes[:2]:
        options = [PassOption("config", config), PassOption("activation_stats", stats)]
        graph_pass.set_options(options)
    return model_utils._apply_graph_pass(
        model,
        passes,
        spec_version=_SPECIFICATION_VERSION_IOS_17,
        pymil_load_func=milproto.load,
        skip_model_load=True,
    )
