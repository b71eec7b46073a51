"""Compress the weights of a Core ML package, and check every layer of the result.

Some versions of coremltools corrupted weights silently when they made palettes. So the stored
weights are decoded and compared with those before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.quantize.weights import PALETTE_BITS, same_layer
from model.contract import Precision
from model.errors import ConversionError, ParityError

_MIN_ELEMENTS = 2048  # below that the scales or the palette cost more than they save
_MIN_SNR_DB: dict[Precision, float] = {"int8": 30.0, "pal6": 20.0}


def compressed(package: Any, precision: Precision, keep: Sequence[NDArray[np.float32]] = ()) -> Any:
    """`package` with its weights in 8 bits, linear per channel, or from a palette of 64 values.

    Args:
        package: an `MLModel` with float weights.
        precision: int8 or pal6.
        keep: weights that stay as they are, in PyTorch's layout.

    Raises:
        ConversionError: a layer to keep is not in the package.
        ParityError: the stored weights of a layer differ too much from its weights.
    """
    import coremltools.optimize.coreml as cto

    before = _weights(package)
    chosen: Any
    if precision == "int8":
        chosen = cto.OpLinearQuantizerConfig(
            mode="linear_symmetric", weight_threshold=_MIN_ELEMENTS
        )
        compress = cto.linear_quantize_weights
    else:
        chosen = cto.OpPalettizerConfig(
            mode="kmeans", nbits=PALETTE_BITS, weight_threshold=_MIN_ELEMENTS
        )
        compress = cto.palettize_weights
    kept, _ = names_of(package, keep)
    config = cto.OptimizationConfig(
        global_config=chosen, op_name_configs={name: None for name in kept} or None
    )
    after = compress(package, config)
    _verify(before, _weights(cto.decompress_weights(after)), _MIN_SNR_DB[precision])
    return after


def names_of(package: Any, keep: Sequence[NDArray[np.float32]]) -> tuple[list[str], list[str]]:
    """The constants with the weights in `keep`, and the operations that use them, by name.

    Raises:
        ConversionError: a layer is not in the package.
    """
    import coremltools.optimize.coreml as cto

    if not keep:
        return [], []
    constants = cto.get_weights_metadata(package, weight_threshold=0)
    names: list[str] = []
    for weights in keep:
        found = [
            name
            for name, entry in constants.items()
            if np.shape(entry.val) == weights.shape
            and same_layer(np.asarray(entry.val, np.float32), weights)
        ]
        if not found:
            raise ConversionError(
                f"a layer of the recipe, with weights {weights.shape}, is not in the Core ML "
                "package as it is in PyTorch. Take it out of the recipe"
            )
        names += found
    users = [child.name for name in names for child in constants[name].child_ops]
    return names, users


def _weights(package: Any) -> dict[str, NDArray[np.float32]]:
    """Every large constant of a package by the name it had before any compression."""
    import coremltools.optimize.coreml as cto

    metadata = cto.get_weights_metadata(package, weight_threshold=_MIN_ELEMENTS)
    return {
        name.removesuffix("_quantized").removesuffix("_palettized"): np.asarray(
            entry.val, np.float32
        )
        for name, entry in metadata.items()
    }


def _verify(
    before: dict[str, NDArray[np.float32]], after: dict[str, NDArray[np.float32]], gate_db: float
) -> None:
    for name, wanted in before.items():
        got = after.get(name)
        if got is None or got.shape != wanted.shape:
            raise ParityError(
                f"compressing lost the weights '{name}' {wanted.shape}. "
                "Use another precision, and report it to coremltools"
            )
        error = float(np.square(got - wanted).mean())
        signal = float(np.square(wanted).mean())
        snr_db = 10 * np.log10(signal / error) if error > 0 and signal > 0 else np.inf
        if not snr_db >= gate_db:
            raise ParityError(
                f"compressing corrupted the weights '{name}': {snr_db:.1f} dB against those "
                f"before; the gate is {gate_db:g} dB. Keep this layer with --recipe"
            )
