"""What each operation computes: one function per operation, in one table.

Tensors are float32 on PyTorch, which is the fastest thing at hand for convolutions; the semantics
are those of coremltools' MIL operations (iOS 15 to 18). To teach the interpreter a new operation,
write its function here and enter it in `OPS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

Args = dict[str, Any]  # tensors, words, and lists of tensors where an operation takes several


def _numbers(value: Tensor) -> list[int]:
    return [int(n) for n in value.reshape(-1)]


def _flags(args: Args, name: str, rank: int) -> list[bool]:
    return [bool(flag) for flag in args[name]] if name in args else [False] * rank


def _per_channel(vector: Tensor, rank: int) -> Tensor:
    return vector.reshape(-1, *[1] * (rank - 2))


def conv(a: Args) -> Tensor:
    x, weight = a["x"], a["weight"]
    spatial = x.dim() - 2
    strides = _numbers(a["strides"]) if "strides" in a else [1] * spatial
    dilations = _numbers(a["dilations"]) if "dilations" in a else [1] * spatial
    kind = a.get("pad_type", "valid")
    pads = [0] * 2 * spatial
    if kind == "custom":
        pads = _numbers(a["pad"])
    elif kind in ("same", "same_lower"):
        for i, (size, kernel) in enumerate(zip(x.shape[2:], weight.shape[2:], strict=True)):
            reach = dilations[i] * (kernel - 1) + 1
            total = max(0, (math.ceil(size / strides[i]) - 1) * strides[i] + reach - size)
            small, large = total // 2, total - total // 2
            pads[2 * i : 2 * i + 2] = (small, large) if kind == "same" else (large, small)
    x = F.pad(x, _last_axis_first(pads))
    run = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[spatial]
    groups = int(a["groups"]) if "groups" in a else 1
    return run(x, weight, a.get("bias"), strides, 0, dilations, groups)


def _last_axis_first(pads: list[int]) -> list[int]:
    """Core ML lists (before, after) from the first axis on, PyTorch from the last."""
    return [n for i in range(len(pads) - 2, -1, -2) for n in pads[i : i + 2]]


def pad(a: Args) -> Tensor:
    x, mode, pads = a["x"], a.get("mode", "constant"), _last_axis_first(_numbers(a["pad"]))
    if mode == "constant":
        return F.pad(x, pads, value=float(a.get("constant_val", 0.0)))
    while len(pads) > 4 and not any(pads[-2:]):  # PyTorch reflects the last two axes of four
        pads = pads[:-2]
    return F.pad(x, pads, mode={"reflect": "reflect", "replicate": "replicate"}[mode])


def linear(a: Args) -> Tensor:
    return F.linear(a["x"], a["weight"], a.get("bias"))


def matmul(a: Args) -> Tensor:
    x, y = a["x"], a["y"]
    x = x.transpose(-1, -2) if a.get("transpose_x", False) else x
    y = y.transpose(-1, -2) if a.get("transpose_y", False) else y
    return x @ y


def batch_norm(a: Args) -> Tensor:
    epsilon = float(a.get("epsilon", 1e-5))
    return F.batch_norm(
        a["x"], a["mean"], a["variance"], a.get("gamma"), a.get("beta"), eps=epsilon
    )


def upsample_bilinear(a: Args) -> Tensor:
    x, corners = a["x"], bool(a.get("align_corners", True))
    # The factors are float32: 112 / 204 must not come out as 111.
    size = [
        math.floor(edge * float(a.get(f"scale_factor_{name}", 1)) + 1e-4)
        for edge, name in zip(x.shape[-2:], ("height", "width"), strict=True)
    ]
    return F.interpolate(x, size, mode="bilinear", align_corners=corners)


def slice_by_index(a: Args) -> Tensor:
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


def expand_dims(a: Args) -> Tensor:
    x = a["x"]
    axes = _numbers(a["axes"])
    for axis in sorted(axis % (x.dim() + len(axes)) for axis in axes):
        x = x.unsqueeze(axis)
    return x


def squeeze(a: Args) -> Tensor:
    return a["x"].squeeze(_numbers(a["axes"])) if "axes" in a else a["x"].squeeze()


def concat(a: Args) -> Tensor:
    return torch.cat(a["values"], int(a["axis"]))


def reduce(function: Callable[..., Tensor]) -> Callable[[Args], Tensor]:
    def run(a: Args) -> Tensor:
        axes = _numbers(a["axes"]) if "axes" in a else list(range(a["x"].dim()))
        return function(a["x"], dim=axes, keepdim=bool(a.get("keep_dims", False)))

    return run


def cast(a: Args) -> Tensor:
    wanted = a["dtype"]
    if wanted in ("fp16", "fp32"):  # rounding to fp16 belongs to the stored mode
        return a["x"].float()
    if wanted == "bool":
        return a["x"] != 0
    return a["x"].to({"int32": torch.int32, "int8": torch.int8, "uint8": torch.uint8}[wanted])


def _scales(a: Args) -> tuple[Tensor, Tensor | int]:
    """Scale and zero point, shaped to meet `input` along its axis."""
    scale, zero = a["scale"], a.get("zero_point", 0)
    if scale.dim() == 0:
        return scale, zero
    shape = [1] * a["input"].dim()
    shape[int(a["axis"])] = -1
    return scale.reshape(shape), zero.reshape(shape) if isinstance(zero, Tensor) else zero


def quantize(a: Args) -> Tensor:
    scale, zero = _scales(a)
    low, high = {"int8": (-128, 127), "uint8": (0, 255)}[a["output_dtype"]]
    # As integers in float32, which holds them exactly.
    return (torch.round(a["input"] / scale) + zero).clamp(low, high)


def dequantize(a: Args) -> Tensor:
    scale, zero = _scales(a)
    return scale * (a["input"].float() - zero)


OPS: dict[str, Callable[[Args], Tensor]] = {
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
    "reshape": lambda a: a["x"].reshape(_numbers(a["shape"])),
    "transpose": lambda a: a["x"].permute(_numbers(a["perm"])),
    "tile": lambda a: a["x"].tile(_numbers(a["reps"])),
    "identity": lambda a: a["x"],
}
