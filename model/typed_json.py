"""JSON to dataclasses, with every value checked against its annotation."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from typing import Any, Literal, TypeVar

from model.errors import ContractError

T = TypeVar("T")


def parse(kind: type[T], data: Any, where: str) -> T:
    """Build a dataclass from JSON data, by its annotations; unknown keys are ignored, as apps do.

    Args:
        kind: a dataclass of numbers, booleans, strings, literals, tuples, string-keyed dicts and
            dataclasses.
        data: what `json.loads` gave.
        where: what the data is called in an error.

    Raises:
        ContractError: a key is missing or a value has the wrong type; the message names it.
    """
    if not isinstance(data, dict):
        raise ContractError(f"{where} is {type(data).__name__}; expected an object")
    hints = typing.get_type_hints(kind)
    values = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        if field.name in data:
            value = data[field.name]
            values[field.name] = _value(hints[field.name], value, f"{where}.{field.name}")
        elif field.default is field.default_factory is dataclasses.MISSING:
            raise ContractError(f"{where} lacks '{field.name}'. Make the file again")
    return kind(**values)


def _value(hint: Any, value: Any, where: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        if value is None and type(None) in args:
            return None
        (hint,) = (a for a in args if a is not type(None))
        return _value(hint, value, where)
    if dataclasses.is_dataclass(hint):
        return parse(hint, value, where)  # type: ignore[arg-type]
    if origin is tuple and isinstance(value, list):
        if args[-1] is not Ellipsis and len(value) != len(args):
            raise ContractError(f"{where} has {len(value)} values; expected {len(args)}")
        return tuple(_value(args[0], v, f"{where}[{i}]") for i, v in enumerate(value))
    if origin is dict and isinstance(value, dict):
        return {str(k): _value(args[1], v, f"{where}.{k}") for k, v in value.items()}
    if origin is Literal and value in args:
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if hint is float and number and math.isfinite(value):  # JSON of others may hold NaN
        return float(value)
    if hint in (bool, int, str) and type(value) is hint:
        return value
    raise ContractError(f"{where} is {value!r}, which the contract does not allow here")
