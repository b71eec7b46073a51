"""Ranges that are fitted to the graph they are for."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from export.quantize import flatbuffer
from export.quantize.graph_ranges import FINEST, fitted
from export.quantize.ranges import Ranges, Statistics
from model.tensors import Signature

BORDER = Signature((), ())


def fit(monkeypatch: pytest.MonkeyPatch, op: flatbuffer.Op, values: dict[str, Any]) -> Ranges:
    """The ranges of a graph of one operator whose tensors have these values."""
    names = list(values)
    monkeypatch.setattr(flatbuffer, "ops", lambda _model: [op])
    monkeypatch.setattr(flatbuffer, "signature", lambda _model: ({}, {}))
    monkeypatch.setattr(flatbuffer, "name_of", lambda _model, index: names[index])
    samples = np.stack([np.asarray(v, np.float32) for v in values.values()])
    extremes = np.stack([samples.min(1), samples.max(1)], axis=1)
    return fitted(None, BORDER, Statistics(names, extremes, samples), "minmax")


def leaky(slope: float) -> flatbuffer.Op:
    options = SimpleNamespace(builtinOptions=SimpleNamespace(alpha=slope))
    return flatbuffer.Op("LEAKY_RELU", [0], [1], options)


def test_few_levels_go_to_what_a_leaky_relu_makes_small(monkeypatch: pytest.MonkeyPatch) -> None:
    before = np.concatenate([np.linspace(0, 1, 4900), np.linspace(-10, 0, 100)])
    ranges = fit(monkeypatch, leaky(0.01), {"before": before, "after": before})
    low, high = ranges["before"]
    assert high == 1
    assert -3 < low < 0


def test_no_level_goes_to_what_a_tanh_flattens(monkeypatch: pytest.MonkeyPatch) -> None:
    before = np.concatenate([np.linspace(-1, 1, 4900), np.linspace(-12, 12, 100)])
    tanh = flatbuffer.Op("TANH", [0], [1], None)
    low, high = fit(monkeypatch, tanh, {"before": before, "after": np.tanh(before)})["before"]
    assert 1 <= high < 6
    assert low == -high


def test_a_tanh_of_small_numbers_costs_no_level(monkeypatch: pytest.MonkeyPatch) -> None:
    before = np.linspace(-0.3, 0.3, 5000)
    tanh = flatbuffer.Op("TANH", [0], [1], None)
    ranges = fit(monkeypatch, tanh, {"before": before, "after": np.tanh(before)})
    assert ranges["before"] == pytest.approx((-0.3, 0.3))


def test_no_level_is_saved_where_negative_numbers_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    before = np.linspace(-10, 1, 5000)
    assert fit(monkeypatch, leaky(1.0), {"before": before, "after": before})["before"][0] == -10


def test_a_silent_branch_of_a_sum_gets_levels_finer_than_the_sums(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = np.linspace(-1, 3, 100)
    values = {"stream": stream, "branch": np.zeros(100), "sum": stream}
    ranges = fit(monkeypatch, flatbuffer.Op("ADD", [0, 1], [2], None), values)
    assert ranges["branch"] == (-2 * FINEST, 2 * FINEST)
    assert ranges["stream"] == ranges["sum"] == (-1, 3)
