"""A Core ML package, opened and run without Core ML."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.errors import ContractError
from model.untrusted import check_model_kind, read_regular
from pipeline.mlprogram.constexpr import CONSTEXPR
from pipeline.mlprogram.ops import OPS, Args
from pipeline.mlprogram.values import Constant, Constants, tensor_kind
from pipeline.quiet import quiet

Mode = Literal["fp32", "stored"]


class Intermediate(NamedTuple):
    """A value on the way: its name, what computed it, its declared element type, and itself."""

    name: str
    operation: str
    kind: str
    value: Tensor


Hook = Callable[[Intermediate], None]

_RGB, _BGR, _GRAY = 20, 30, 10  # ImageFeatureType.ColorSpace
_MODEL_FILE = "Data/com.apple.CoreML/model.mlmodel"


@dataclass(frozen=True, slots=True)
class Feature:
    """An input or output as the app sees it.

    Attributes:
        name: in the model's description.
        color: RGB, BGR or GRAY for 8-bit images, None for arrays.
        shape: (1, height, width, channels) for images; of the array otherwise.
    """

    name: str
    color: Literal["RGB", "BGR", "GRAY"] | None
    shape: tuple[int, ...]


class Package:
    """An `.mlpackage` on disk, parsed but not yet computed."""

    def __init__(self, path: Path) -> None:
        """Parse `path`.

        Raises:
            ContractError: it is no package with an ML Program.
        """
        self.path = path
        self.model = _parse(path)
        self._constants = Constants((path / _MODEL_FILE).parent)

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
            ContractError: there is no such function, an operation is not known, or weights are
                damaged.
        """
        wanted = name or self.default_function
        if wanted not in self.model.mlProgram.functions:
            raise ContractError(
                f"{self.path} has no function '{wanted}'; it has {', '.join(self.functions)}"
            )
        return Function(self, wanted, self._constants)

    def features(self, function: str) -> tuple[list[Feature], list[Feature]]:
        """Inputs and outputs of a function."""
        described = {f.name: f for f in self.model.description.functions}
        source = described.get(function, self.model.description)
        return [_feature(f) for f in source.input], [_feature(f) for f in source.output]


class Function:
    """One function of a package."""

    def __init__(self, package: Package, name: str, constants: Constants) -> None:
        """Use `Package.function`."""
        spec = package.model.mlProgram.functions[name]
        self.block = spec.block_specializations[spec.opset]
        self.inputs, self.outputs = package.features(name)
        self.opset: str = spec.opset
        self._constants = constants
        self._fixed: dict[str, Any] = {}
        self.decoded: dict[str, Constant] = {}
        for op in self.block.operations:
            if op.type == "const":
                self._keep(op.outputs[0].name, constants.read(op.attributes["val"]))
            elif op.type in CONSTEXPR:
                self._decode(op)
            elif op.type not in OPS:
                raise ContractError(
                    f"{package.path}: the operation '{op.type}' is not known to the interpreter. "
                    "Add a function for it to OPS in pipeline/mlprogram/ops.py"
                )

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
            ContractError: an input is missing, unknown, or of another shape.
        """
        values = {**self._fixed, **self._feed(inputs)}
        with torch.inference_mode():
            for op in self.block.operations:
                if op.type == "const" or op.type in CONSTEXPR:
                    continue
                (output,) = op.outputs
                value = OPS[op.type](_arguments(op, values, self._constants))
                kind = tensor_kind(output.type).kind
                if mode == "stored" and kind == "FLOAT16":
                    value = value.half().float()
                values[output.name] = value
                if hook is not None:
                    hook(Intermediate(output.name, op.type, kind, value))
        return {
            feature.name: _to_app(values[name], feature)
            for feature, name in zip(self.outputs, self.block.outputs, strict=True)
        }

    def _feed(self, inputs: dict[str, NDArray[Any]]) -> dict[str, Tensor]:
        if set(inputs) != {feature.name for feature in self.inputs}:
            raise ContractError(
                f"got inputs {sorted(inputs)}; the package takes {[f.name for f in self.inputs]}"
            )
        for feature in self.inputs:
            given = inputs[feature.name]
            if given.shape != feature.shape or bool(feature.color) != (given.dtype == np.uint8):
                kind = "uint8 image" if feature.color else "float32 array"
                raise ContractError(
                    f"input '{feature.name}' is {given.shape} {given.dtype}; the package takes a "
                    f"{kind} of {feature.shape}"
                )
        return {f.name: _from_app(inputs[f.name], f) for f in self.inputs}

    def _decode(self, op: Any) -> None:
        operands: dict[str, Any] = {k: self._constants.read(v) for k, v in op.attributes.items()}
        for key, argument in op.inputs.items():
            (binding,) = argument.arguments
            operands[key] = (
                self._constants.read(binding.value)
                if binding.WhichOneof("binding") == "value"
                else self.decoded[binding.name]
            )
        results = CONSTEXPR[op.type](operands)
        for output, array in zip(
            op.outputs, results if isinstance(results, tuple) else (results,), strict=True
        ):
            self._keep(output.name, array)

    def _keep(self, name: str, constant: Constant) -> None:
        self.decoded[name] = constant
        self._fixed[name] = constant if isinstance(constant, str) else _tensor(constant)


def _tensor(array: NDArray[Any]) -> Tensor:
    if array.dtype.kind == "f":
        array = array.astype(np.float32)
    elif array.dtype.kind in "iu":
        array = array.astype(np.int32)
    return torch.from_numpy(np.array(array))


def _arguments(op: Any, values: dict[str, Any], constants: Constants) -> Args:
    def bound(binding: Any) -> Any:
        if binding.WhichOneof("binding") == "name":
            return values[binding.name]
        constant = constants.read(binding.value)
        return constant if isinstance(constant, str) else _tensor(constant)

    arguments: Args = {}
    for key, argument in op.inputs.items():
        found = [bound(binding) for binding in argument.arguments]
        arguments[key] = found if key == "values" else found[0]
    return arguments


def _parse(path: Path) -> Any:
    with quiet():  # importing coremltools announces every missing Apple library
        from coremltools.proto import Model_pb2
        from google.protobuf.message import DecodeError

    file = path / _MODEL_FILE
    if path.is_file():
        raise ContractError(
            f"{path} is a file; expected an .mlpackage folder with an ML Program. A neural-network "
            ".mlmodel has another format: convert it again with convert_to='mlprogram'"
        )
    check_model_kind(path)
    if not file.is_file():
        raise ContractError(
            f"{path} has no {PurePosixPath(_MODEL_FILE).name}; expected an .mlpackage"
        )
    model = Model_pb2.Model()
    try:
        model.ParseFromString(read_regular(file))
    except DecodeError:
        raise ContractError(f"{file} is damaged or cut short. Copy the package again") from None
    if model.WhichOneof("Type") != "mlProgram":
        raise ContractError(
            f"{path} holds a {model.WhichOneof('Type') or 'nothing'}; expected an mlProgram. "
            "Convert it again with convert_to='mlprogram'"
        )
    return model


def _feature(described: Any) -> Feature:
    kind = described.type
    if kind.WhichOneof("Type") == "imageType":
        image = kind.imageType
        color: Any = {_RGB: "RGB", _BGR: "BGR", _GRAY: "GRAY"}.get(image.colorSpace)
        channels = 1 if color == "GRAY" else 3
        if color is None:
            raise ContractError(f"image '{described.name}' has a colour space not known here")
        return Feature(described.name, color, (1, image.height, image.width, channels))
    return Feature(described.name, None, tuple(kind.multiArrayType.shape))


def _from_app(given: NDArray[Any], feature: Feature) -> Tensor:
    if feature.color is None:
        return torch.from_numpy(given.astype(np.float32))
    pixels = given[..., ::-1] if feature.color == "BGR" else given
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2), np.float32))


def _to_app(value: Tensor, feature: Feature) -> NDArray[Any]:
    array: NDArray[Any] = value.numpy()
    if feature.color is None:
        return array
    pixels = np.rint(array).clip(0, 255).astype(np.uint8).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(pixels[..., ::-1] if feature.color == "BGR" else pixels)
