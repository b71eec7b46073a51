"""Run an ONNX network layer by layer in PyTorch, where ONNX Runtime has no GPU to run it on.

Only what face recognisers are made of: a few kinds of layers, each of which has its own function in
PyTorch. Constants keep the file's names in `constants`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from model.errors import BadInput

Attributes = dict[str, Any]


class OnnxLayers:
    """A network that is called with its first input and gives the tensors asked for."""

    def __init__(self, model: Any, device: torch.device, dtype: torch.dtype) -> None:
        """Take over its constants.

        Args:
            model: onnx.ModelProto.
            device: to run on.
            dtype: to compute in; float16 is a GPU's fastest.

        Raises:
            BadInput: a layer of another kind than `_LAYERS` has.
        """
        from onnx import helper, numpy_helper

        other = {node.op_type for node in model.graph.node} - _LAYERS.keys()
        if other:
            raise BadInput(
                f"the teacher has layers that do not run on a GPU here, {', '.join(sorted(other))}"
                f"; expected {', '.join(_LAYERS)}. Use --device cpu"
            )
        self.constants = {
            tensor.name: torch.from_numpy(np.array(numpy_helper.to_array(tensor))).to(device, dtype)
            for tensor in model.graph.initializer
        }
        self._input = model.graph.input[0].name
        self._nodes = [
            (
                _LAYERS[node.op_type], list(node.input), node.output[0],
                {a.name: helper.get_attribute_value(a) for a in node.attribute},
            )
            for node in model.graph.node
        ]  # fmt: skip

    def __call__(self, x: Tensor, wanted: list[str]) -> list[Tensor]:
        """The tensors of those names.

        Args:
            x: the first input, of the network's device and dtype.
            wanted: names of outputs of nodes.
        """
        known = {**self.constants, self._input: x}
        for layer, inputs, output, attributes in self._nodes:
            known[output] = layer(attributes, *(known[name] for name in inputs))
        return [known[name] for name in wanted]


def _conv(a: Attributes, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    top, left, bottom, right = a.get("pads", [0, 0, 0, 0])
    if (top, left) != (bottom, right):
        x, top, left = F.pad(x, (left, right, top, bottom)), 0, 0
    return F.conv2d(
        x, weight, bias, a.get("strides", 1), (top, left), a.get("dilations", 1), a.get("group", 1)
    )


def _gemm(a: Attributes, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    product = x @ (weight.T if a.get("transB") else weight)
    return a.get("alpha", 1.0) * product + a.get("beta", 1.0) * bias


def _norm(a: Attributes, x: Tensor, *constants: Tensor) -> Tensor:
    weight, bias, mean, variance = constants
    return F.batch_norm(x, mean, variance, weight, bias, eps=a.get("epsilon", 1e-5))


_LAYERS: dict[str, Callable[..., Tensor]] = {
    "Conv": _conv,
    "BatchNormalization": _norm,
    "PRelu": lambda _a, x, slope: F.prelu(x, slope.flatten()),
    "Relu": lambda _a, x: F.relu(x),
    "Add": lambda _a, x, y: x + y,
    "Sub": lambda _a, x, y: x - y,
    "Mul": lambda _a, x, y: x * y,
    "Dropout": lambda _a, x: x,
    "Flatten": lambda _a, x: x.flatten(1),
    "Gemm": _gemm,
}
