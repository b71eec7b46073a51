"""JSON from files that nobody vouches for: text to data, and data to dataclasses."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import reprlib
import types
import typing
from typing import Any, Literal, TypeVar

from model.errors import ContractError

T = TypeVar("T")

_DEEPEST = 64  # levels of nesting; no file of the project has more than ten
_LARGEST = 2**63  # what apps in Kotlin and Swift hold in an integer


def load_json(text: str | bytes, where: str) -> Any:
    """The data of a JSON text.

    The result can be walked by a recursive function, printed and written again: nesting is
    bounded, integers fit in 64 bits, floats are finite and strings can be encoded.

    Args:
        text: the text, or its UTF-8 bytes.
        where: what the text is called in an error, such as a path or a path and a line.

    Raises:
        ContractError: the text is not JSON, or is beyond those bounds.
    """
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
        _check_bounds(data)
    except RecursionError:
        raise ContractError(
            f"{where} is nested more than {_DEEPEST} levels deep. Make it again"
        ) from None
    except (ValueError, OverflowError) as error:  # UnicodeError is a ValueError
        raise ContractError(f"{where} is not JSON ({error}). Make it again") from None
    return data


def _refuse_constant(word: str) -> float:
    raise ValueError(f"it holds {word}, which JSON does not have")


def _check_bounds(data: Any) -> None:
    """Raise RecursionError or ValueError where `load_json` promises that there is no such value."""
    level, depth = [data], 0
    while level:
        if depth > _DEEPEST:
            raise RecursionError
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below += value.keys()
                below += value.values()
            elif isinstance(value, list):
                below += value
            elif isinstance(value, str):
                value.encode()  # half of a surrogate pair cannot be printed or saved
            elif isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
                raise ValueError("an integer needs more than 64 bits")
            elif isinstance(value, float) and not math.isfinite(value):
                raise ValueError("a number is too large for a float")
        level, depth = below, depth + 1


def parse(kind: type[T], data: Any, where: str) -> T:
    """Build a dataclass from JSON data, by its annotations; unknown keys are ignored, as apps do.

    Args:
        kind: a dataclass of numbers, booleans, strings, literals, tuples, string-keyed dicts and
            dataclasses.
        data: what `load_json` gave.
        where: what the data is called in an error.

    Raises:
        ContractError: a key is missing or a value has the wrong type; the message names it.
    """
    if not isinstance(data, dict):
        raise ContractError(f"{where} is {type(data).__name__}; expected an object")
    hints = _hints(kind)  # type: ignore[arg-type]
    values = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        if field.name in data:
            value = data[field.name]
            values[field.name] = _value(hints[field.name], value, f"{where}.{field.name}")
        elif field.default is field.default_factory is dataclasses.MISSING:
            raise ContractError(f"{where} lacks '{field.name}'. Make the file again")
    return kind(**values)


@functools.cache  # evaluating the annotations takes most of the time
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


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
        return {k: _value(args[1], v, f"{where}[{reprlib.repr(k)}]") for k, v in value.items()}
    if origin is Literal and value in args:
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if hint is float and number and _fits_float(value):
        return float(value)
    if hint in (bool, int, str) and type(value) is hint:
        return value
    shown = reprlib.repr(value)  # a long or deep value is abbreviated
    raise ContractError(f"{where} is {shown}; expected {_named(hint)}")


def _fits_float(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number above 1.8e308
        return False


def _named(hint: Any) -> str:
    """What values a type has, in words."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return f"one of {', '.join(map(repr, args))}"
    if origin is tuple:
        return "a list"
    if origin is dict:
        return "an object"
    return {bool: "true or false", int: "a whole number", float: "a number"}.get(hint, "a string")
