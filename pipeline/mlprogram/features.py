"""Inputs, outputs and states of a package, as an app sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.errors import ContractError

Color = Literal["RGB", "BGR", "GRAY"]

_RGB, _BGR, _GRAY, _GRAY_HALF = 20, 30, 10, 40  # ImageFeatureType.ColorSpace
_COLORS: dict[int, Color] = {_RGB: "RGB", _BGR: "BGR", _GRAY: "GRAY"}
# ArrayFeatureType.ArrayDataType, without the usual FLOAT32.
_ELEMENTS = {65600: "float64", 65552: "float16", 131104: "int32", 131080: "int8"}


@dataclass(frozen=True, slots=True)
class Feature:
    """An input or output that the interpreter can feed or read.

    Attributes:
        name: in the model's description.
        color: RGB, BGR or GRAY for 8-bit images, None for arrays.
        shape: (1, height, width, channels) for images; of the array otherwise. Where a package
            allows several, the one it names first.
    """

    name: str
    color: Color | None
    shape: tuple[int, ...]


def feature(described: Any) -> Feature:
    """The feature of a `FeatureDescription`.

    Raises:
        ContractError: it is neither an array nor an image of 8 bits.
    """
    kind = described.type.WhichOneof("Type")
    if kind == "imageType":
        image = described.type.imageType
        color = _COLORS.get(image.colorSpace)
        if color is not None:
            channels = 1 if color == "GRAY" else 3
            return Feature(described.name, color, (1, image.height, image.width, channels))
    if kind == "multiArrayType":
        return Feature(described.name, None, tuple(described.type.multiArrayType.shape))
    raise ContractError(
        f"{described.name!r} is: {feature_text(described)}; the interpreter takes arrays and "
        "images of 8 bits"
    )


def feature_text(described: Any) -> str:
    """What a `FeatureDescription` takes or gives, in words; for every type of the format."""
    value, kind = described.type, described.type.WhichOneof("Type")
    if kind == "stateType":
        value, kind = value.stateType, value.stateType.WhichOneof("Type") or ""
        return f"state, {_array_text(value.arrayType)}"
    words = {
        "int64Type": lambda: "integer",
        "doubleType": lambda: "number",
        "stringType": lambda: "string",
        "imageType": lambda: _image_text(value.imageType),
        "multiArrayType": lambda: _array_text(value.multiArrayType),
        "dictionaryType": lambda: _dictionary_text(value.dictionaryType),
        "sequenceType": lambda: _sequence_text(value.sequenceType),
    }
    text = words[kind]() if kind in words else "unknown type"
    return f"{text}, optional" if value.isOptional else text


def _image_text(image: Any) -> str:
    color = {**_COLORS, _GRAY_HALF: "GRAY"}.get(image.colorSpace, "unknown color")
    bits = 16 if image.colorSpace == _GRAY_HALF else 8
    sizes = f"{image.width}x{image.height}"
    flexible = image.WhichOneof("SizeFlexibility")
    if flexible == "enumeratedSizes":
        allowed = [f"{size.width}x{size.height}" for size in image.enumeratedSizes.sizes]
        sizes = " or ".join(allowed) or sizes
    elif flexible == "imageSizeRange":
        bounds = image.imageSizeRange
        sizes += f" (width {_range(bounds.widthRange)}, height {_range(bounds.heightRange)})"
    return f"{color} image, {sizes}, {bits} bits"


def _array_text(array: Any) -> str:
    shapes = str(tuple(array.shape))
    flexible = array.WhichOneof("ShapeFlexibility")
    if flexible == "enumeratedShapes":
        allowed = [str(tuple(shape.shape)) for shape in array.enumeratedShapes.shapes]
        shapes = " or ".join(allowed) or shapes
    elif flexible == "shapeRange":
        shapes += f" ({', '.join(_range(size) for size in array.shapeRange.sizeRanges)})"
    element = _ELEMENTS.get(array.dataType, "")
    return f"array {shapes}" + (f" {element}" if element else "")


def _dictionary_text(dictionary: Any) -> str:
    key = {"int64KeyType": "integer", "stringKeyType": "string"}
    return f"dictionary of {key.get(dictionary.WhichOneof('KeyType') or '', '?')} to number"


def _sequence_text(sequence: Any) -> str:
    kind = {"int64Type": "integers", "stringType": "strings"}
    counted = _range(sequence.sizeRange) if sequence.HasField("sizeRange") else ""
    return f"sequence of {kind.get(sequence.WhichOneof('Type') or '', '?')}" + (
        f", {counted} long" if counted else ""
    )


def _range(bounds: Any) -> str:
    low, high = bounds.lowerBound, bounds.upperBound
    if high == low:
        return str(low)
    return f"{low} and more" if high < 0 else f"{low} to {high}"  # -1: without a bound


def from_app(given: NDArray[Any], wanted: Feature) -> Tensor:
    """An input as operations take it: NCHW float32 for images, float32 for arrays.

    Raises:
        ContractError: it has another shape than `wanted`, or is no image where one is wanted.
    """
    if given.shape != wanted.shape or bool(wanted.color) != (given.dtype == np.uint8):
        kind = "uint8 image" if wanted.color else "float32 array"
        raise ContractError(
            f"input {wanted.name!r} is {given.shape} {given.dtype}; the package takes a "
            f"{kind} of {wanted.shape}"
        )
    if wanted.color is None:
        return torch.from_numpy(given.astype(np.float32))
    pixels = given[..., ::-1] if wanted.color == "BGR" else given
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2), np.float32))


def to_app(value: Any, wanted: Feature) -> NDArray[Any]:
    """A result as apps get it: arrays as they are, images rounded and clipped to 0..255, NHWC.

    Raises:
        ContractError: the program gives no tensor, or one that does not fit an image.
    """
    if not isinstance(value, Tensor):
        raise ContractError(f"the program gives {wanted.name!r} no tensor. Export it again")
    array: NDArray[Any] = value.numpy()
    if wanted.color is None:
        return array
    _, height, width, channels = wanted.shape
    if array.shape != (1, channels, height, width):
        raise ContractError(
            f"the program gives {wanted.name!r} the shape {array.shape}; the image needs "
            f"{(1, channels, height, width)}. Export it again"
        )
    pixels = np.rint(array).clip(0, 255).astype(np.uint8).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(pixels[..., ::-1] if wanted.color == "BGR" else pixels)
