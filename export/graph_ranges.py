"""Fit measured 8-bit ranges to their graph: what follows exactly, what pays, what runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from export import flatbuffer
from export.ranges import Method, Range, Ranges, Statistics, rounded
from model.tensors import Signature

# What happens to these is known, so their ranges are computed from those of the pictures; a folder
# of dark faces must not make white impossible.
_EXACT = frozenset({"MUL", "ADD", "SUB", "RESIZE_BILINEAR", "STRIDED_SLICE", "RESHAPE"})


# Shares of a range's negative side that are tried before a LeakyReLU.
_CUTS = (1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.12, 0.08, 0.05)
# XNNPACK adds int8 tensors whose steps are at most 2^10 finer than the sum's; half of that is used.
FINEST = 2.0**-9


def fitted(model: Any, border: Signature, statistics: Statistics, method: Method) -> Ranges:
    """The range of every computed tensor of a float file, by name.

    Args:
        model: the file, as `flatbuffer.read` gives it.
        border: its inputs and outputs.
        statistics: what its tensors were like.
        method: how ranges are chosen where nothing else is known of a tensor.
    """
    ranges = statistics.ranges(method)
    ranges = _cut_before_leaky(model, statistics, ranges)
    ranges = _pictures_exactly(model, border, ranges)
    return _addable(model, ranges)


def _cut_before_leaky(model: Any, statistics: Statistics, ranges: Ranges) -> Ranges:
    """Spend few levels on what a LeakyReLU is about to make a hundred times smaller."""
    cut = dict(ranges)
    for op in flatbuffer.ops(model):
        name = flatbuffer.name_of(model, op.inputs[0])
        if op.name != "LEAKY_RELU" or name not in ranges:
            continue
        low, high = ranges[name]
        slope = op.operator.builtinOptions.alpha
        values = statistics.drawn(name)

        def error(share: float) -> float:
            kept = rounded(values, (low * share, high))  # noqa: B023, used at once
            difference = np.where(kept > 0, kept, slope * kept) - leaky  # noqa: B023
            return float(np.square(difference).mean())

        leaky = np.where(values > 0, values, slope * values)
        if low < 0 < high:
            cut[name] = (low * min(_CUTS, key=error), high)
    return cut


def _addable(model: Any, ranges: Ranges) -> Ranges:
    """Widen what is added to something far larger, so that XNNPACK takes the sum.

    A branch that gives nothing has no range at all. Its levels stay finer than those of the sum.
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


def _pictures_exactly(model: Any, border: Signature, ranges: Ranges) -> Ranges:
    """`ranges` with those that follow from pictures being in [0, 1], at both ends of the graph.

    Args:
        model: the float file, as `flatbuffer.read` gives it.
        border: its inputs and outputs.
        ranges: as measured.
    """
    inputs, _ = flatbuffer.border(model)
    known = {inputs[spec.name]: (0.0, 1.0) for spec in border.inputs if spec.color}
    for op in flatbuffer.ops(model):
        if op.name == "TANH":
            known[op.outputs[0]] = (-1.0, 1.0)
        elif op.name in _EXACT and op.inputs[0] in known:
            known[op.outputs[0]] = _through(model, op, known[op.inputs[0]])
    exact = {flatbuffer.name_of(model, tensor): span for tensor, span in known.items()}
    return {**ranges, **exact}


def _through(model: Any, op: flatbuffer.Op, span: Range) -> Range:
    """The range behind an operator that combines a tensor with one constant number."""
    if op.name not in ("MUL", "ADD", "SUB"):
        return span
    other = flatbuffer.constant(model, op.inputs[1])
    assert other is not None
    assert other.size == 1
    number = float(other.ravel()[0])
    if op.name == "MUL":
        ends = [end * number for end in span]
    else:
        ends = [end + (number if op.name == "ADD" else -number) for end in span]
    return min(ends), max(ends)
