"""A Core ML package, opened and run without Core ML."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.errors import ContractError
from pipeline.mlprogram.evaluate import as_tensor, check_known, compute, decode, is_constant
from pipeline.mlprogram.features import Feature, feature, from_app, to_app
from pipeline.mlprogram.package_file import parse
from pipeline.mlprogram.values import Constant, Constants, tensor_kind

Mode = Literal["fp32", "stored"]


class Intermediate(NamedTuple):
    """A value on the way: its name, what computed it, its declared element type, and itself."""

    name: str
    operation: str
    kind: str
    value: Tensor


Hook = Callable[[Intermediate], None]


class Package:
    """An `.mlpackage` on disk, parsed but not yet computed."""

    def __init__(self, path: Path) -> None:
        """Parse `path`.

        Raises:
            ContractError: it is no package with an ML Program.
        """
        self.path = path
        self.model, folder = parse(path)
        self._constants = Constants(folder)

    @property
    def functions(self) -> list[str]:
        """Names of the functions; a package may hold several that share weights."""
        return list(self.model.mlProgram.functions)

    @property
    def default_function(self) -> str:
        """The one that Core ML runs when none is named."""
        return self.model.description.defaultFunctionName or "main"

    def function(self, name: str | None = None) -> Function:
        """A function, ready to run; its weights are decoded now.

        Raises:
            ContractError: there is no such function, an operation is not known, or the program or
                its weights are damaged.
        """
        wanted = name or self.default_function
        block = self.block(wanted)
        description = self.description(wanted)
        return Function(
            self.path, block, list(description.input), list(description.output), self._constants
        )

    def block(self, function: str) -> Any:
        """The operations of a function, a `MILSpec.Block`.

        Raises:
            ContractError: there is no such function, or it has no operations.
        """
        if function not in self.model.mlProgram.functions:
            have = ", ".join(map(ascii, self.functions))
            raise ContractError(f"{self.path} has no function {function!r}; it has {have}")
        spec = self.model.mlProgram.functions[function]
        if spec.opset not in spec.block_specializations:
            raise ContractError(
                f"{self.path}: the function {function!r} has no operations for {spec.opset!r}. "
                "The package is damaged: copy or export it again"
            )
        return spec.block_specializations[spec.opset]

    def description(self, function: str) -> Any:
        """What describes a function's `input`, `output` and `state`."""
        described = {f.name: f for f in self.model.description.functions}
        return described.get(function, self.model.description)


class Function:
    """One function of a package.

    Attributes:
        block: its operations.
        inputs: what it takes, in order.
        outputs: what it gives, in order.
        decoded: its constants by name, compressed weights included.
    """

    def __init__(
        self, path: Path, block: Any, inputs: list[Any], outputs: list[Any], constants: Constants
    ) -> None:
        """Use `Package.function`."""
        self.block = block
        self.inputs = [feature(described) for described in inputs]
        self.outputs = [feature(described) for described in outputs]
        self.decoded: dict[str, Constant] = {}
        self._where = str(path)
        self._constants = constants
        if len(self.outputs) != len(block.outputs):
            raise ContractError(
                f"{path} describes {len(self.outputs)} outputs and computes {len(block.outputs)}. "
                "The package is damaged: copy or export it again"
            )
        for op in block.operations:
            check_known(op, self._where)
            if is_constant(op):
                decode(op, self.decoded, constants, self._where)
        self._fixed = {
            name: as_tensor(value) if isinstance(value, np.ndarray) else value
            for name, value in self.decoded.items()
        }

    def run(
        self, inputs: dict[str, NDArray[Any]], mode: Mode = "stored", hook: Hook | None = None
    ) -> dict[str, NDArray[Any]]:
        """Compute the function.

        Args:
            inputs: by name; images (1, H, W, 3) uint8, arrays float32 of the declared shape.
            mode: `fp32` rounds nothing; `stored` rounds every result to the type that the program
                declares for it, which models fp16 storage, though not Apple's kernels.
            hook: shown every intermediate value, in the order of the program.

        Returns:
            Outputs by name; images as the inputs, rounded and clipped to 0..255.

        Raises:
            ContractError: an input is missing, unknown, or of another shape, or an operation
                cannot be computed.
        """
        values = {**self._fixed, **self._feed(inputs)}
        with torch.inference_mode():
            for op in self.block.operations:
                if is_constant(op):
                    continue
                value = compute(op, values, self._constants, self._where)
                (output,) = op.outputs
                kind = tensor_kind(output.type).kind
                if mode == "stored" and kind == "FLOAT16":
                    value = value.half().float()
                values[output.name] = value
                if hook is not None:
                    hook(Intermediate(output.name, op.type, kind, value))
        return {
            wanted.name: to_app(values.get(name), wanted)
            for wanted, name in zip(self.outputs, self.block.outputs, strict=True)
        }

    def _feed(self, inputs: dict[str, NDArray[Any]]) -> dict[str, Tensor]:
        if set(inputs) != {wanted.name for wanted in self.inputs}:
            raise ContractError(
                f"got inputs {sorted(inputs)}; the package takes {[f.name for f in self.inputs]}"
            )
        return {wanted.name: from_app(inputs[wanted.name], wanted) for wanted in self.inputs}


__all__ = ["Feature", "Function", "Hook", "Intermediate", "Mode", "Package"]
