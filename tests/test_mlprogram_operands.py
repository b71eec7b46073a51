"""No operand of an operation is ignored: changing any one changes the result, or is refused."""

from typing import Any

import numpy as np
import pytest
import torch
from mlprogram_packages import ct  # skips where coremltools is not installed
from torch import Tensor

from pipeline.mlprogram.constexpr import CONSTEXPR
from pipeline.mlprogram.operands import Operands
from pipeline.mlprogram.ops import OPS

assert ct
from coremltools.converters.mil.mil.ops.registry import SSAOpRegistry  # noqa: E402

Case = dict[str, tuple[Any, Any]]  # operand: (a value, another value)


def t(*values: float) -> Tensor:
    return torch.tensor(values)


def i(*values: int) -> Tensor:
    return torch.tensor(values, dtype=torch.int32)


def flag(value: bool) -> Tensor:
    return torch.tensor(value)


X = torch.arange(2 * 4 * 6 * 6.0).reshape(2, 4, 6, 6).sin()
Y = torch.arange(2 * 4 * 6 * 6.0).reshape(2, 4, 6, 6).cos() * 3
V, W = torch.rand(4) + 0.5, torch.rand(4) + 2
PAIR: Case = {"x": (X, Y), "y": (Y, X + 3)}
ONE: Case = {"x": (X, Y)}
REDUCE: Case = {**ONE, "axes": (i(1), i(2)), "keep_dims": (flag(False), flag(True))}
A, B = np.arange(8, dtype=np.int8).reshape(2, 4), np.arange(8, dtype=np.int8)[::-1].reshape(2, 4)
S, T = np.array([0.5, 2], np.float32), np.array([3, 5], np.float32)
MASK, OTHER = np.array([[1, 0, 0, 1]], np.uint8), np.array([[0, 1, 1, 0]], np.uint8)
LUT = np.arange(8, dtype=np.float32).reshape(1, 1, 4, 2)

CASES: dict[str, list[Case]] = {
    "conv": [
        {
            "x": (X, Y), "weight": (torch.rand(4, 2, 3, 3), torch.zeros(4, 2, 3, 3)),
            "bias": (V, W), "strides": (i(2, 1), i(1, 1)), "pad_type": ("custom", "valid"),
            "pad": (i(1, 0, 2, 1), i(0, 0, 2, 1)), "dilations": (i(1, 2), i(1, 1)),
            "groups": (i(2), i(1)),
        }
    ],
    "pad": [
        {
            "x": (X, Y), "pad": (i(1, 0, 2, 1), i(0, 0, 2, 1)), "mode": ("constant", "reflect"),
            "constant_val": (t(0.5), t(0.7)),
        }
    ],
    "linear": [
        {
            "x": (X, Y), "weight": (torch.rand(4, 6), torch.zeros(4, 6)), "bias": (V, W),
        }
    ],
    "matmul": [
        {**PAIR, "transpose_x": (flag(True), flag(False)), "transpose_y": (flag(True), flag(False))}
    ],
    "batch_norm": [
        {
            "x": (X, Y), "mean": (V, W), "variance": (V, W), "gamma": (V, W), "beta": (V, W),
            "epsilon": (t(0.1), t(0.9)),
        }
    ],
    "upsample_bilinear": [
        {
            "x": (X, Y), "scale_factor_height": (t(2), t(3)), "scale_factor_width": (t(2), t(3)),
            "align_corners": (flag(True), flag(False)),
            "half_pixel_centers": (flag(False), flag(True)),
        }
    ],
    "slice_by_index": [
        {
            "x": (X, Y), "begin": (i(0, 1, 1, 1), i(0, 2, 1, 1)),
            "end": (i(1, 3, 5, 5), i(1, 3, 5, 4)),
            "stride": (i(1, 1, 2, 1), i(1, 1, 1, 1)),
            "begin_mask": (torch.tensor([False] * 4), torch.tensor([False, False, True, False])),
            "end_mask": (torch.tensor([False] * 4), torch.tensor([False, False, True, False])),
            "squeeze_mask": (torch.tensor([True] + [False] * 3), torch.tensor([False] * 4)),
        }
    ],
    "expand_dims": [{**ONE, "axes": (i(0), i(1))}],
    "squeeze": [{"x": (X[:1, :1], Y[:1, :1]), "axes": (i(0), i(0, 1))}],
    "concat": [
        {
            "values": ([X, Y], [Y, X]), "axis": (i(1), i(2)),
            "interleave": (flag(True), flag(False)),
        }
    ],
    "cast": [{**ONE, "dtype": ("int32", "bool")}],
    "quantize": [
        {
            "input": (X, Y), "scale": (V / 100, W / 100),
            "zero_point": (i(1, 2, 3, 4), i(4, 3, 2, 1)),
            "axis": (i(1), i(2)), "output_dtype": ("int8", "uint8"),
        }
    ],
    "dequantize": [
        {
            "input": (X, Y), "scale": (V, W), "zero_point": (i(1, 2, 3, 4), i(4, 3, 2, 1)),
            "axis": (i(1), i(2)),
        }
    ],
    "reduce_l2_norm": [REDUCE],
    "reduce_sum": [REDUCE],
    "reduce_mean": [REDUCE],
    **{name: [PAIR] for name in ("add", "sub", "mul", "real_div", "maximum", "minimum")},
    "clip": [{**ONE, "alpha": (t(-0.5), t(-0.2)), "beta": (t(0.5), t(0.2))}],
    **{name: [ONE] for name in ("tanh", "sigmoid", "relu", "identity")},
    "leaky_relu": [{**ONE, "alpha": (t(0.1), t(0.2))}],
    "prelu": [{**ONE, "alpha": (V, W)}],
    "reshape": [{**ONE, "shape": (i(0, -1, 6), i(0, -1, 3))}],
    "transpose": [{**ONE, "perm": (i(0, 2, 3, 1), i(0, 1, 3, 2))}],
    "tile": [{**ONE, "reps": (i(1, 2, 1, 1), i(1, 1, 2, 1))}],
    "constexpr_affine_dequantize": [
        {
            "quantized_data": (A, B), "zero_point": (A[:, 0], B[:, 0]), "scale": (S, T),
            "axis": (np.int32(0), np.int32(1)),
        }
    ],
    "constexpr_blockwise_shift_scale": [
        {"data": (A, B), "scale": (S[:, None], T[:, None]), "offset": (A[:, :1], B[:, :1])}
    ],
    "constexpr_lut_to_dense": [
        {
            "indices": (np.array([0b11100100], np.uint8), np.array([0b00011011], np.uint8)),
            "lut": (np.arange(4.0), np.arange(4.0) + 1),
            "shape": (np.array([2, 2], np.uint32), np.array([4, 1], np.uint32)),
        },
        {
            "indices": (np.array([[0, 3]], np.uint8), np.array([[1, 2]], np.uint8)),
            "lut": (LUT, LUT + 1), "vector_axis": (np.int32(0), np.int32(1)),
        },
    ],
    "constexpr_sparse_to_dense": [
        {
            "nonzero_data": (S, T), "mask": (np.array([0b1001], np.uint8), np.array([6], np.uint8)),
            "shape": (np.array([2, 2], np.uint32), np.array([4, 1], np.uint32)),
        },
        {"nonzero_data": (S, T), "mask": (MASK, OTHER)},
    ],
    "constexpr_lut_to_sparse": [
        {
            "indices_mask": (MASK, OTHER),
            "indices_nonzero_data": (np.array([3, 1], np.uint8), np.array([1, 2], np.uint8)),
            "lut": (LUT, LUT + 1), "vector_axis": (np.int32(0), np.int32(1)),
        }
    ],
    "constexpr_sparse_blockwise_shift_scale": [
        {
            "data_mask": (MASK, OTHER), "nonzero_data": (A[0, 1:3], B[0, 1:3]),
            "scale": (S[None, :1], T[None, :1]), "offset": (A[:1, 2:3], B[:1, 2:3]),
        }
    ],
    "constexpr_cast": [{"source_val": (S, T), "output_dtype": ("fp16", "fp32")}],
}  # fmt: skip


def outcome(name: str, operands: dict[str, Any]) -> object:
    """Types, shapes and numbers of the result, or the kind of the refusal."""
    given = Operands(operands)
    try:
        results = (OPS | CONSTEXPR)[name](given)  # type: ignore[operator]
    except Exception as error:  # any kind: the interpreter makes one refusal of all
        return type(error)
    assert not given.unread()
    several = results if isinstance(results, tuple) else (results,)
    return [(str(r.dtype), tuple(r.shape), np.asarray(r).tolist()) for r in several]


def test_the_cases_are_the_whole_table() -> None:
    assert CASES.keys() == OPS.keys() | CONSTEXPR.keys()


@pytest.mark.parametrize("name", CASES)
def test_the_cases_have_every_operand_that_coremltools_knows(name: str) -> None:
    versions = SSAOpRegistry.core_ops[name].values()
    known = {operand for version in versions for operand in version.input_spec.input_types}
    assert {operand for case in CASES[name] for operand in case} == known


@pytest.mark.parametrize("name", CASES)
def test_every_operand_changes_the_result_or_is_refused(name: str) -> None:
    for case in CASES[name]:
        usual = {operand: value for operand, (value, _) in case.items()}
        wanted = outcome(name, usual)
        assert isinstance(wanted, list), f"{name} refuses its own case: {wanted}"
        for operand, (_, other) in case.items():
            assert outcome(name, {**usual, operand: other}) != wanted, operand


def test_interleaved_slices_alternate() -> None:
    first, second = torch.arange(6.0).reshape(3, 2), 10 + torch.arange(6.0).reshape(3, 2)
    for axis in (0, -2):
        given = {"values": [first, second], "axis": i(axis)[0], "interleave": flag(True)}
        found = OPS["concat"](Operands(given))
        assert found.tolist() == [[0, 1], [10, 11], [2, 3], [12, 13], [4, 5], [14, 15]]


@pytest.mark.parametrize(
    ("before", "shape", "after"),
    [
        ((2, 50), (1, 0, -1, 0), (1, 1, 2, 50)),  # coremltools' own example
        ((2, 3, 4), (0, 0, 0), (2, 3, 4)),
        ((2, 3, 4), (0, -1), (3, 8)),
        ((2, 3, 4), (-1, 0, 2, 2), (3, 2, 2, 2)),
        ((2, 3), (3, 2), (3, 2)),
    ],
)
def test_a_zero_in_a_shape_keeps_the_axis_as_far_from_the_end(
    before: tuple[int, ...], shape: tuple[int, ...], after: tuple[int, ...]
) -> None:
    x = torch.rand(before)
    found = OPS["reshape"](Operands({"x": x, "shape": i(*shape)}))
    assert torch.equal(found, x.reshape(after))
