"""Measure the range of every activation of a float TFLite file, and choose the 8-bit ranges.

The file runs on XNNPACK with all its tensors as outputs, which is several times as fast as the
converter's own calibration, needs no second trip through onnx2tf, and leaves the choice of ranges
to us. Measurements are cached, per file and calibration set.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from export.quantize import flatbuffer
from export.quantize.calibration import CalibrationSet
from model.errors import BadInput
from model.files import write_atomically
from model.tensors import Signature
from pipeline.progress import counted
from pipeline.quiet import quiet

Method = Literal["minmax", "percentile"]
METHOD: Method = "percentile"  # measured best: docs/quantization.md
_SAMPLES_PER_PAIR = 2048  # values kept of each tensor, besides its exact extremes
# The identity of a swap is carried by few, large values; cutting them loses the source.
_PERCENTILE = 99.999
_DRAWN = 20_000  # values that cuts of a range are compared on
_CACHE_VERSION = 1

Range = tuple[float, float]
Ranges = dict[str, Range]


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the computed tensors of a file were like over a calibration set.

    Attributes:
        names: the tensors.
        extremes: (T, 2) float32, smallest and largest value of each.
        samples: (T, S) float32, values drawn evenly from each.
    """

    names: list[str]
    extremes: NDArray[np.float32]
    samples: NDArray[np.float32]

    def ranges(self, method: Method = "minmax") -> Ranges:
        """The range that each tensor's 256 levels should span, by name."""
        rows = zip(self.names, self.extremes, self.samples, strict=True)
        return {
            name: _choose(method, samples, float(low), float(high))
            for name, (low, high), samples in rows
        }

    def drawn(self, name: str) -> NDArray[np.float32]:
        """Some values of one tensor, (S,)."""
        samples = self.samples[self.names.index(name)]
        drawn: NDArray[np.float32] = samples[:: max(1, samples.size // _DRAWN)]
        return drawn


class Tally:
    """Statistics in the making: one tensor of one pair after the other."""

    def __init__(self, names: list[str], pairs: int) -> None:
        self._names = names
        self._extremes = np.tile(np.array([np.inf, -np.inf], np.float32), (len(names), 1))
        self._samples = np.empty((len(names), pairs, _SAMPLES_PER_PAIR), np.float32)

    def add(self, tensor: int, pair: int, values: NDArray[np.float32]) -> None:
        """Take in the values of the tensor with that number; no view of them is kept."""
        values = values.ravel()
        low, high = self._extremes[tensor]
        self._extremes[tensor] = min(low, values.min()), max(high, values.max())
        # An odd stride visits every channel.
        stride = values.size // _SAMPLES_PER_PAIR | 1
        drawn = values[np.arange(_SAMPLES_PER_PAIR) * stride % values.size]
        self._samples[tensor, pair] = drawn

    def statistics(self) -> Statistics:
        """What came of it."""
        return Statistics(self._names, self._extremes, self._samples.reshape(len(self._names), -1))


def rounded(values: NDArray[np.float32], span: Range) -> NDArray[np.float32]:
    """`values` on the 256 levels of a range, zero among them."""
    low, high = min(span[0], 0.0), max(span[1], 0.0)
    step = max(high - low, 1e-9) / 255
    levels: NDArray[np.float32] = np.rint((values.clip(low, high) - low) / step) * step + low
    return levels


def measure(path: Path, signature: Signature, pairs: CalibrationSet, bar: bool) -> Statistics:
    """Run every pair through a float file, or recall what came of it last time.

    Args:
        path: float TFLite file.
        signature: its inputs and outputs.
        pairs: what to run.
        bar: show the progress on stderr.
    """
    key = hashlib.sha256(path.read_bytes())
    key.update(f"{pairs.sha256} {_SAMPLES_PER_PAIR} {_CACHE_VERSION}".encode())
    cached = cache_folder() / f"{key.hexdigest()}.npz"
    return recalled(cached, lambda: _run(path, signature, pairs, bar))


def recalled(cached: Path, run: Callable[[], Statistics]) -> Statistics:
    """What is kept in a file, or what `run` measures, which is kept then."""
    statistics = _recall(cached)
    if statistics is None:
        statistics = run()
        _remember(cached, statistics)
    return statistics


def cache_folder() -> Path:
    """Where measurements are kept: numbers only, no pictures."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "mobilefsgan" / "calibration"


def _run(path: Path, signature: Signature, pairs: CalibrationSet, bar: bool) -> Statistics:
    from ai_edge_litert.interpreter import Interpreter

    model = flatbuffer.read(path.read_bytes())
    names = _expose(model)
    inputs, _ = flatbuffer.signature(model)
    with quiet():
        interpreter = Interpreter(
            model_content=flatbuffer.pack(model), num_threads=os.cpu_count() or 1
        )
        interpreter.allocate_tensors()
    outputs = [int(i) for i in model.subgraphs[0].outputs]
    tally = Tally(names, len(pairs))
    for p in counted(len(pairs), f"{path.stem}: ranges", shown=bar):
        for name, value in pairs.feed(signature, p).items():
            interpreter.set_tensor(inputs[name], value)
        interpreter.invoke()
        for t, index in enumerate(outputs):
            tally.add(t, p, interpreter.tensor(index)())
    return tally.statistics()


def _expose(model: Any) -> list[str]:
    """Make every computed float tensor an output of `model`; their names."""
    graph = model.subgraphs[0]
    computed = [i for op in flatbuffer.ops(model) for i in op.outputs]
    graph.outputs = [i for i in computed if graph.tensors[i].type == 0]
    return [flatbuffer.name_of(model, i) for i in graph.outputs]


def _choose(method: Method, samples: NDArray[np.float32], low: float, high: float) -> Range:
    if method == "minmax":
        return low, high
    a, b = np.percentile(samples, (100 - _PERCENTILE, _PERCENTILE))
    return float(a), float(b)


def _recall(cached: Path) -> Statistics | None:
    try:
        with np.load(cached, allow_pickle=False) as file:
            return Statistics(file["names"].tolist(), file["extremes"], file["samples"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # not there, or cut short: measure again


def _remember(cached: Path, statistics: Statistics) -> None:
    """Keep what was measured; a cache that cannot be written is no reason to fail."""
    with contextlib.suppress(BadInput):
        write_atomically(
            cached,
            lambda beside: np.savez(
                beside, names=np.array(statistics.names), extremes=statistics.extremes,
                samples=statistics.samples,
            ),
        )  # fmt: skip
