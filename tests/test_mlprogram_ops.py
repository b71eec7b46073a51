"""Each operation against PyTorch, on shapes and settings where a wrong axis, scale or pad shows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mlprogram_packages import mb, op_package, run_op

from model.errors import ContractError

torch.manual_seed(0)
X = torch.randn(2, 6, 9, 7)
SLOPES = torch.rand(6)
STATISTICS = [torch.rand(6) + 0.5 for _ in range(4)]

CASES: dict[str, tuple[Callable[[Any], Any], Callable[[torch.Tensor], torch.Tensor]]] = {
    "leaky_relu": (lambda x: mb.leaky_relu(x=x, alpha=0.03), lambda x: F.leaky_relu(x, 0.03)),
    "relu": (lambda x: mb.relu(x=x), F.relu),
    "prelu": (lambda x: mb.prelu(x=x, alpha=SLOPES.numpy()), lambda x: F.prelu(x, SLOPES)),
    "tanh": (lambda x: mb.tanh(x=x), torch.tanh),
    "sigmoid": (lambda x: mb.sigmoid(x=x), torch.sigmoid),
    "clip": (lambda x: mb.clip(x=x, alpha=-0.3, beta=0.7), lambda x: x.clamp(-0.3, 0.7)),
    "add": (lambda x: mb.add(x=x, y=np.float32(0.3)), lambda x: x + 0.3),
    "sub": (lambda x: mb.sub(x=np.float32(0.3), y=x), lambda x: 0.3 - x),
    "mul": (
        lambda x: mb.mul(x=x, y=SLOPES.numpy()[:, None, None]),
        lambda x: x * SLOPES[:, None, None],
    ),
    "real_div": (lambda x: mb.real_div(x=np.float32(2), y=x), lambda x: 2 / x),
    "maximum": (lambda x: mb.maximum(x=x, y=np.float32(0.1)), lambda x: x.clamp(min=0.1)),
    "minimum": (lambda x: mb.minimum(x=x, y=np.float32(0.1)), lambda x: x.clamp(max=0.1)),
    "reshape": (lambda x: mb.reshape(x=x, shape=[2, -1, 7]), lambda x: x.reshape(2, -1, 7)),
    "transpose": (
        lambda x: mb.transpose(x=x, perm=[0, 2, 3, 1]),
        lambda x: x.permute(0, 2, 3, 1),
    ),
    "tile": (lambda x: mb.tile(x=x, reps=[1, 2, 1, 3]), lambda x: x.tile(1, 2, 1, 3)),
    "expand_dims": (lambda x: mb.expand_dims(x=x, axes=[-2]), lambda x: x[..., None, :]),
    "squeeze": (
        lambda x: mb.squeeze(x=mb.expand_dims(x=x, axes=[2]), axes=[2]),
        lambda x: x,
    ),
    "concat": (lambda x: mb.concat(values=[x, x], axis=2), lambda x: torch.cat([x, x], 2)),
    "concat with slices in turn": (
        lambda x: mb.concat(values=[x, mb.mul(x=x, y=np.float32(2))], axis=1, interleave=True),
        lambda x: torch.stack([x, 2 * x], 2).flatten(1, 2),
    ),
    "reshape that keeps axes": (
        lambda x: mb.reshape(x=x, shape=[0, -1, 0]),
        lambda x: x.reshape(6, -1, 7),
    ),
    "matmul": (
        lambda x: mb.matmul(x=x, y=X.numpy(), transpose_y=True),
        lambda x: x @ X.transpose(-1, -2),
    ),
    "batch_norm": (
        lambda x: mb.batch_norm(
            x=x,
            **dict(
                zip(["mean", "variance", "gamma", "beta"], map(np.asarray, STATISTICS), strict=True)
            ),
            epsilon=1e-2,
        ),
        lambda x: F.batch_norm(x, *STATISTICS[:2], *STATISTICS[2:], eps=1e-2),
    ),
    "reduce_l2_norm": (
        lambda x: mb.reduce_l2_norm(x=x, axes=[1, 3], keep_dims=True),
        lambda x: torch.linalg.vector_norm(x, dim=(1, 3), keepdim=True),
    ),
    "reduce_sum": (lambda x: mb.reduce_sum(x=x, axes=[-1]), lambda x: x.sum(-1)),
    "reduce_mean": (lambda x: mb.reduce_mean(x=x, axes=[0, 2]), lambda x: x.mean((0, 2))),
    "slice_by_index": (
        lambda x: mb.slice_by_index(
            x=x,
            begin=[1, 1, 2, 0],
            end=[2, -1, 8, 0],
            stride=[1, 2, 3, 1],
            end_mask=[False, False, False, True],
            squeeze_mask=[True, False, False, False],
        ),
        lambda x: x[1, 1:-1:2, 2:8:3],
    ),
    "upsample_bilinear with corners": (
        lambda x: mb.upsample_bilinear(
            x=x, scale_factor_height=2.0, scale_factor_width=3.0, align_corners=True
        ),
        lambda x: F.interpolate(x, (18, 21), mode="bilinear", align_corners=True),
    ),
    "upsample_bilinear without corners": (
        lambda x: mb.upsample_bilinear(
            x=x, scale_factor_height=2.0, scale_factor_width=3.0, align_corners=False
        ),
        lambda x: F.interpolate(x, (18, 21), mode="bilinear", align_corners=False),
    ),
    "upsample_bilinear down to an exact size": (
        lambda x: mb.upsample_bilinear(
            x=x,
            scale_factor_height=np.float32(5 / 9),
            scale_factor_width=np.float32(3 / 7),
            align_corners=True,
        ),
        lambda x: F.interpolate(x, (5, 3), mode="bilinear", align_corners=True),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_operation_computes_what_pytorch_computes(name: str, tmp_path: Path) -> None:
    build, wanted = CASES[name]
    np.testing.assert_allclose(run_op(build, X, tmp_path), wanted(X).numpy(), atol=2e-6, rtol=1e-5)


def test_a_way_to_resize_that_is_not_known_is_refused(tmp_path: Path) -> None:
    def build(x: Any) -> Any:
        return mb.upsample_bilinear(x=x, align_corners=False, half_pixel_centers=False)

    with pytest.raises(ContractError, match="align_corners and half_pixel_centers are both false"):
        run_op(build, X, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize("stride", [(1, 1), (2, 1)])
@pytest.mark.parametrize("pads", [(0, 0, 0, 0), (1, 2, 0, 3)])
def test_convolution(
    groups: int, stride: tuple[int, int], pads: tuple[int, ...], tmp_path: Path
) -> None:
    weight, bias = torch.randn(12, 6 // groups, 3, 2), torch.randn(12)

    def build(x: Any) -> Any:
        return mb.conv(
            x=x, weight=weight.numpy(), bias=bias.numpy(), groups=groups, strides=stride,
            pad_type="custom", pad=pads, dilations=(2, 1),
        )  # fmt: skip

    top, bottom, left, right = pads
    padded = F.pad(X, (left, right, top, bottom))
    wanted = F.conv2d(padded, weight, bias, stride, 0, (2, 1), groups)
    np.testing.assert_allclose(run_op(build, X, tmp_path), wanted.numpy(), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["same", "same_lower", "valid"])
def test_convolution_with_named_padding_has_the_declared_shape(kind: str, tmp_path: Path) -> None:
    weight = np.random.default_rng(0).standard_normal((4, 6, 4, 3)).astype(np.float32)

    def build(x: Any) -> Any:
        return mb.conv(x=x, weight=weight, pad_type=kind, strides=(2, 2))

    before = {"same": 1, "same_lower": 2, "valid": 0}[kind]
    total = 0 if kind == "valid" else 3
    padded = F.pad(X, (min(total, 1), min(total, 1), before, total - before))
    wanted = F.conv2d(padded, torch.from_numpy(weight), stride=2)
    np.testing.assert_allclose(run_op(build, X, tmp_path), wanted.numpy(), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate"])
def test_padding_modes_and_sides(mode: str, tmp_path: Path) -> None:
    def build(x: Any) -> Any:
        extra = {"constant_val": 0.5} if mode == "constant" else {}
        return mb.pad(x=x, pad=[0, 0, 0, 0, 1, 2, 3, 0], mode=mode, **extra)

    extra = {"value": 0.5} if mode == "constant" else {}
    wanted = F.pad(X, (3, 0, 1, 2), mode=mode, **extra)
    np.testing.assert_array_equal(run_op(build, X, tmp_path), wanted.numpy())


def test_linear(tmp_path: Path) -> None:
    x, weight, bias = torch.randn(3, 5), torch.randn(4, 5), torch.randn(4)
    found = run_op(lambda x: mb.linear(x=x, weight=weight.numpy(), bias=bias.numpy()), x, tmp_path)
    np.testing.assert_allclose(found, F.linear(x, weight, bias).numpy(), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["int8", "uint8"])
def test_quantize_rounds_shifts_and_saturates_per_channel(kind: str, tmp_path: Path) -> None:
    scale = np.linspace(0.01, 0.06, 6, dtype=np.float32)
    zero = np.arange(6).astype(kind)

    def build(x: Any) -> Any:
        codes = mb.quantize(input=x, scale=scale, zero_point=zero, axis=1, output_dtype=kind)
        return mb.dequantize(input=codes, scale=scale, zero_point=zero, axis=1)

    limits = np.iinfo(kind)
    s, z = scale[:, None, None], zero.astype(np.float32)[:, None, None]
    codes = (np.rint(X.numpy() / s) + z).clip(limits.min, limits.max)
    np.testing.assert_allclose(run_op(build, X, tmp_path), (codes - z) * s, atol=1e-6)


def test_stored_mode_rounds_every_result_to_half_and_fp32_mode_none(tmp_path: Path) -> None:
    package = op_package(lambda x: mb.mul(x=x, y=np.float32(3)), tuple(X.shape), tmp_path, "fp16")
    stored = package.function().run({"x": X.numpy()}, mode="stored")
    exact = package.function().run({"x": X.numpy()}, mode="fp32")
    np.testing.assert_array_equal(next(iter(exact.values())), (X * 3).numpy())
    np.testing.assert_array_equal(
        next(iter(stored.values())), (X.half().float() * 3).half().float().numpy()
    )
