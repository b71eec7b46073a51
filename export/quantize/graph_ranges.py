"""Adjust measured 8-bit ranges to the operators around each tensor.

Some ranges are known exactly, because pictures are in [0, 1]. Before some activations a narrower
range gives a smaller error. XNNPACK runs a sum only if the steps of its inputs are not too
fine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.quantize import flatbuffer
from export.quantize.ranges import Method, Range, Ranges, Statistics, rounded
from model.tensors import Signature

# What happens to these is known, so their ranges are computed from those of the pictures; a folder
# of dark faces must not make white impossible.
_EXACT = frozenset({"MUL", "ADD", "SUB", "RESIZE_BILINEAR", "STRIDED_SLICE", "RESHAPE"})
# Shares of a range that are tried before a LeakyReLU (of its negative side) and before a tanh.
_CUTS = (1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.12, 0.08, 0.05)
# XNNPACK adds int8 tensors whose steps are at most 2^10 finer than the sum's; half of that is used.
FINEST = 2.0**-9


def fitted(model: Any, signature: Signature, statistics: Statistics, method: Method) -> Ranges:
    """The range of every computed tensor of a float file, by name.

    Args:
        model: the file, as `flatbuffer.read` gives it.
        signature: its inputs and outputs.
        statistics: what its tensors were like.
        method: how ranges are chosen where nothing else is known of a tensor.
    """
    ranges = statistics.ranges(method)
    leaky = [
        (flatbuffer.name_of(model, op.inputs[0]), op.operator.builtinOptions.alpha)
        for op in flatbuffer.ops(model)
        if op.name == "LEAKY_RELU"
    ]
    ranges = cut_before_leaky(leaky, statistics, ranges)
    tanh = [
        flatbuffer.name_of(model, o.inputs[0]) for o in flatbuffer.ops(model) if o.name == "TANH"
    ]
    ranges = cut_before_tanh(tanh, statistics, ranges)
    ranges = _pictures_exactly(model, signature, ranges)
    return _addable(model, ranges)


def cut_before_leaky(
    leaky: Iterable[tuple[str, float]], statistics: Statistics, ranges: Ranges
) -> Ranges:
    """Narrow the ranges before LeakyReLUs on the negative side, which they make much smaller.

    Args:
        leaky: name of the tensor before each LeakyReLU, and its slope.
        statistics: what the tensors were like.
        ranges: as chosen without regard to what follows.
    """
    cut = dict(ranges)
    for name, slope in leaky:
        low, high = ranges.get(name, (0.0, 0.0))
        if low < 0 < high:
            values = statistics.drawn(name)
            behind = partial(_leaky, slope=slope)
            errors = [_error_behind(behind, values, (low * share, high)) for share in _CUTS]
            cut[name] = (low * _CUTS[int(np.argmin(errors))], high)
    return cut


def cut_before_tanh(names: Iterable[str], statistics: Statistics, ranges: Ranges) -> Ranges:
    """Narrow the ranges before tanhs, which map large values to nearly 1 or -1.

    Args:
        names: the tensor before each tanh.
        statistics: what the tensors were like.
        ranges: as chosen without regard to what follows.
    """
    cut = dict(ranges)
    for name in set(names) & set(ranges):
        (low, high), values = ranges[name], statistics.drawn(name)
        spans = [(low * share, high * share) for share in _CUTS]
        errors = [_error_behind(np.tanh, values, span) for span in spans]
        cut[name] = spans[int(np.argmin(errors))]
    return cut


def _leaky(values: NDArray[np.float32], slope: float) -> NDArray[np.float32]:
    return np.where(values > 0, values, slope * values)


def _error_behind(
    behind: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    values: NDArray[np.float32],
    span: Range,
) -> float:
    """Mean squared error behind an activation of rounding in front of it."""
    return float(np.square(behind(rounded(values, span)) - behind(values)).mean())


def _addable(model: Any, ranges: Ranges) -> Ranges:
    """Widen the ranges of terms that are far smaller than their sum, so that XNNPACK takes the sum.

    A branch whose output is always zero has no range at all. The steps of a widened term stay finer
    than those of the sum.
    """
    wide = dict(ranges)
    for op in flatbuffer.ops(model):
        total = wide.get(flatbuffer.name_of(model, op.outputs[0]))
        if op.name not in ("ADD", "SUB") or total is None:
            continue
        least = FINEST * (total[1] - total[0])
        for tensor in op.inputs:
            name = flatbuffer.name_of(model, tensor)
            if name in wide and wide[name][1] - wide[name][0] < least:
                wide[name] = (-least / 2, least / 2)
    return wide


def _pictures_exactly(model: Any, signature: Signature, ranges: Ranges) -> Ranges:
    """`ranges` with those that follow from pictures being in [0, 1], at both ends of the graph.

    Args:
        model: the float file, as `flatbuffer.read` gives it.
        signature: its inputs and outputs.
        ranges: as measured.
    """
    inputs, outputs = flatbuffer.signature(model)
    known = {inputs[spec.name]: (0.0, 1.0) for spec in signature.inputs if spec.color}
    for op in flatbuffer.ops(model):
        if op.name == "TANH":
            known[op.outputs[0]] = (-1.0, 1.0)
        elif op.name == "LOGISTIC":
            known[op.outputs[0]] = (0.0, 1.0)
        elif op.name in _EXACT and op.inputs[0] in known and _has_one_map(model, op):
            known[op.outputs[0]] = _through(model, op, known[op.inputs[0]])
    # A picture that comes out is in [0, 1] too, however it is composed.
    known |= {outputs[spec.name]: (0.0, 1.0) for spec in signature.outputs if spec.color}
    for op in reversed(list(flatbuffer.ops(model))):
        if op.name in ("MUL", "ADD", "SUB") and op.outputs[0] in known and _has_one_map(model, op):
            known[op.inputs[0]] = _back_through(model, op, known[op.outputs[0]])
    exact = {flatbuffer.name_of(model, tensor): span for tensor, span in known.items()}
    return {**ranges, **exact}


def _has_one_map(model: Any, op: flatbuffer.Op) -> bool:
    """Whether all that an operator takes besides its first input is constant."""
    return all(flatbuffer.constant(model, tensor) is not None for tensor in op.inputs[1:])


def _through(model: Any, op: flatbuffer.Op, span: Range) -> Range:
    """The range behind an operator that combines a tensor with one constant number."""
    if op.name not in ("MUL", "ADD", "SUB"):
        return span
    number = _number(model, op)
    if op.name == "MUL":
        ends = [end * number for end in span]
    else:
        ends = [end + (number if op.name == "ADD" else -number) for end in span]
    return min(ends), max(ends)


def _back_through(model: Any, op: flatbuffer.Op, span: Range) -> Range:
    """The range in front of an operator that combines a tensor with one constant number."""
    number = _number(model, op)
    if op.name == "MUL":
        ends = [end / number for end in span]
    else:
        ends = [end - (number if op.name == "ADD" else -number) for end in span]
    return min(ends), max(ends)


def _number(model: Any, op: flatbuffer.Op) -> float:
    """The constant number that an operator combines its first input with."""
    other = flatbuffer.constant(model, op.inputs[1])
    assert other is not None
    assert other.size == 1
    return float(other.ravel()[0])
