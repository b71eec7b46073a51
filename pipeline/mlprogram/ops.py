"""What each operation computes: one function per operation, in one table.

Tensors are float32 on PyTorch, whose convolutions are fast; the semantics are those of coremltools'
MIL operations (iOS 15 to 18). To teach the interpreter a new operation, write its function here and
enter it in `OPS`. A function reads every operand of its operation: the interpreter refuses a result
for which one was left unread.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from model.errors import ContractError
from pipeline.mlprogram.operands import Operands, choose

_MOST_ELEMENTS = 1 << 28  # 1 GB of float32: no operation of a phone's network has more


def _room(shape: Sequence[int]) -> None:
    """Refuse a result that would fill the memory."""
    if math.prod(shape) > _MOST_ELEMENTS:
        raise ContractError(f"the result would have the shape {tuple(shape)}, which is too large")


def _numbers(value: Tensor) -> list[int]:
    return [int(n) for n in value.reshape(-1)]


def _flags(args: Operands, name: str, rank: int) -> list[bool]:
    return [bool(flag) for flag in args[name]] if name in args else [False] * rank


def _per_channel(vector: Tensor, rank: int) -> Tensor:
    return vector.reshape(-1, *[1] * (rank - 2))


def conv(a: Operands) -> Tensor:
    x, weight = a["x"], a["weight"]
    spatial = x.dim() - 2
    strides = _numbers(a["strides"]) if "strides" in a else [1] * spatial
    dilations = _numbers(a["dilations"]) if "dilations" in a else [1] * spatial
    kinds = {kind: kind for kind in ("valid", "custom", "same", "same_lower")}
    kind = choose(a, "pad_type", kinds, "valid")
    pads = [0] * 2 * spatial
    custom = a.get("pad")  # counts with the kind custom only
    if kind == "custom":
        pads = _numbers(a["pad"] if custom is None else custom)
    elif kind in ("same", "same_lower"):
        for i, (size, kernel) in enumerate(zip(x.shape[2:], weight.shape[2:], strict=True)):
            reach = dilations[i] * (kernel - 1) + 1
            total = max(0, (math.ceil(size / strides[i]) - 1) * strides[i] + reach - size)
            small, large = total // 2, total - total // 2
            pads[2 * i : 2 * i + 2] = (small, large) if kind == "same" else (large, small)
    x = _padded(x, _last_axis_first(pads))
    run = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[spatial]
    groups = int(a["groups"]) if "groups" in a else 1
    return run(x, weight, a.get("bias"), strides, 0, dilations, groups)


def _last_axis_first(pads: list[int]) -> list[int]:
    """Core ML lists (before, after) from the first axis on, PyTorch from the last."""
    return [n for i in range(len(pads) - 2, -1, -2) for n in pads[i : i + 2]]


def _padded(x: Tensor, pads: list[int], mode: str = "constant", value: float = 0.0) -> Tensor:
    added = [sum(pads[i : i + 2]) for i in range(0, len(pads), 2)][::-1]
    kept = [0] * (x.dim() - len(added))
    _room([size + more for size, more in zip(x.shape, kept + added, strict=True)])
    return F.pad(x, pads, mode, value if mode == "constant" else None)


def pad(a: Operands) -> Tensor:
    x, pads = a["x"], _last_axis_first(_numbers(a["pad"]))
    modes = {mode: mode for mode in ("constant", "reflect", "replicate")}
    mode = choose(a, "mode", modes, "constant")
    value = float(a.get("constant_val", 0.0))  # counts with the mode constant only
    if mode != "constant":
        while len(pads) > 4 and not any(pads[-2:]):  # PyTorch reflects the last two axes of four
            pads = pads[:-2]
    return _padded(x, pads, mode, value)


def linear(a: Operands) -> Tensor:
    return F.linear(a["x"], a["weight"], a.get("bias"))


def matmul(a: Operands) -> Tensor:
    x, y = a["x"], a["y"]
    x = x.transpose(-1, -2) if a.get("transpose_x", False) else x
    y = y.transpose(-1, -2) if a.get("transpose_y", False) else y
    return x @ y


def batch_norm(a: Operands) -> Tensor:
    epsilon = float(a.get("epsilon", 1e-5))
    return F.batch_norm(
        a["x"], a["mean"], a["variance"], a.get("gamma"), a.get("beta"), eps=epsilon
    )


def upsample_bilinear(a: Operands) -> Tensor:
    x, corners = a["x"], bool(a.get("align_corners", True))
    if bool(a.get("half_pixel_centers", not corners)) == corners:
        both = "true" if corners else "false"
        raise ContractError(f"align_corners and half_pixel_centers are both {both}: not known here")
    # The factors are float32: 112 / 204 must not come out as 111.
    size = [
        math.floor(edge * float(a.get(f"scale_factor_{name}", 1)) + 1e-4)
        for edge, name in zip(x.shape[-2:], ("height", "width"), strict=True)
    ]
    _room([*x.shape[:-2], *size])
    return F.interpolate(x, size, mode="bilinear", align_corners=corners)


def slice_by_index(a: Operands) -> Tensor:
    x = a["x"]
    rank = x.dim()
    begin, end = _numbers(a["begin"]), _numbers(a["end"])
    stride = _numbers(a["stride"]) if "stride" in a else [1] * rank
    masks = [_flags(a, name, rank) for name in ("begin_mask", "end_mask", "squeeze_mask")]
    for axis in range(rank):
        size = x.shape[axis]
        if masks[2][axis]:
            x = x.narrow(axis, begin[axis] % size, 1)
            continue
        first = None if masks[0][axis] else begin[axis]
        last = None if masks[1][axis] else end[axis]
        indices = torch.arange(size)[slice(first, last, stride[axis])] if stride[axis] > 0 else None
        if indices is None:
            indices = torch.tensor(range(size)[slice(first, last, stride[axis])], dtype=torch.int64)
        x = x.index_select(axis, indices)
    return x.squeeze([axis for axis in range(rank) if masks[2][axis]])


def expand_dims(a: Operands) -> Tensor:
    x = a["x"]
    axes = _numbers(a["axes"])
    for axis in sorted(axis % (x.dim() + len(axes)) for axis in axes):
        x = x.unsqueeze(axis)
    return x


def squeeze(a: Operands) -> Tensor:
    return a["x"].squeeze(_numbers(a["axes"])) if "axes" in a else a["x"].squeeze()


def concat(a: Operands) -> Tensor:
    values, axis = a["values"], int(a["axis"])
    if not a.get("interleave", False):
        return torch.cat(values, axis)
    # The first slice of each, then the second of each.
    axis %= values[0].dim()
    return torch.stack(values, axis + 1).flatten(axis, axis + 1)


def reshape(a: Operands) -> Tensor:
    x, shape = a["x"], _numbers(a["shape"])
    # A 0 keeps the size of the axis that is as far from the end, and is 1 where there is none.
    kept = [1] * (len(shape) - x.dim()) + list(x.shape)[max(0, x.dim() - len(shape)) :]
    return x.reshape([size or keep for size, keep in zip(shape, kept, strict=True)])


def tile(a: Operands) -> Tensor:
    x, reps = a["x"], _numbers(a["reps"])
    if len(reps) != x.dim():
        raise ContractError(f"reps has {len(reps)} numbers; expected {x.dim()}")
    _room([size * times for size, times in zip(x.shape, reps, strict=True)])
    return x.tile(reps)


def reduce(function: Callable[..., Tensor]) -> Callable[[Operands], Tensor]:
    def run(a: Operands) -> Tensor:
        axes = _numbers(a["axes"]) if "axes" in a else list(range(a["x"].dim()))
        return function(a["x"], dim=axes, keepdim=bool(a.get("keep_dims", False)))

    return run


def cast(a: Operands) -> Tensor:
    kinds = {
        "fp32": torch.float32, "fp16": torch.float32, "bool": torch.bool,
        "int32": torch.int32, "int16": torch.int16, "int8": torch.int8, "uint8": torch.uint8,
    }  # fmt: skip
    # Rounding to fp16 belongs to the stored mode.
    kind = choose(a, "dtype", kinds, "")
    return a["x"] != 0 if kind == torch.bool else a["x"].to(kind)


def _scales(a: Operands) -> tuple[Tensor, Tensor | int]:
    """Scale and zero point, shaped to meet `input` along its axis."""
    scale, zero, axis = a["scale"], a.get("zero_point", 0), a.get("axis")
    if scale.dim() == 0:  # one scale for all: no axis counts
        return scale, zero
    shape = [1] * a["input"].dim()
    shape[int(a["axis"] if axis is None else axis)] = -1
    return scale.reshape(shape), zero.reshape(shape) if isinstance(zero, Tensor) else zero


def quantize(a: Operands) -> Tensor:
    scale, zero = _scales(a)
    low, high = choose(a, "output_dtype", {"int8": (-128, 127), "uint8": (0, 255)}, "")
    # As integers in float32, which holds them exactly. In place, because fresh maps cost more time
    # than the arithmetic.
    return (a["input"] / scale).round_().add_(zero).clamp_(low, high)


def dequantize(a: Operands) -> Tensor:
    scale, zero = _scales(a)
    return (a["input"].float() - zero).mul_(scale)


OPS: dict[str, Callable[[Operands], Tensor]] = {
    "conv": conv,
    "pad": pad,
    "linear": linear,
    "matmul": matmul,
    "batch_norm": batch_norm,
    "upsample_bilinear": upsample_bilinear,
    "slice_by_index": slice_by_index,
    "expand_dims": expand_dims,
    "squeeze": squeeze,
    "concat": concat,
    "cast": cast,
    "quantize": quantize,
    "dequantize": dequantize,
    "reduce_l2_norm": reduce(torch.linalg.vector_norm),
    "reduce_sum": reduce(torch.sum),
    "reduce_mean": reduce(torch.mean),
    "add": lambda a: a["x"] + a["y"],
    "sub": lambda a: a["x"] - a["y"],
    "mul": lambda a: a["x"] * a["y"],
    "real_div": lambda a: a["x"] / a["y"],
    "maximum": lambda a: torch.maximum(a["x"], a["y"]),
    "minimum": lambda a: torch.minimum(a["x"], a["y"]),
    "clip": lambda a: a["x"].clamp(float(a["alpha"]), float(a["beta"])),
    "tanh": lambda a: torch.tanh(a["x"]),
    "sigmoid": lambda a: torch.sigmoid(a["x"]),
    "relu": lambda a: torch.relu(a["x"]),
    "leaky_relu": lambda a: F.leaky_relu(a["x"], float(a.get("alpha", 0.01))),
    "prelu": lambda a: torch.where(
        a["x"] >= 0, a["x"], a["x"] * _per_channel(a["alpha"], a["x"].dim())
    ),
    "reshape": reshape,
    "transpose": lambda a: a["x"].permute(_numbers(a["perm"])),
    "tile": tile,
    "identity": lambda a: a["x"],
}
