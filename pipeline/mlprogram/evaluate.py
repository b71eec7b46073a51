"""Compute one operation of a program: look up its operands, apply its function, check the result.

A program may be damaged, or newer than this interpreter. Whatever goes wrong inside an operation
ends in one ContractError that names the operation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.errors import ContractError
from pipeline.mlprogram.constexpr import CONSTEXPR
from pipeline.mlprogram.operands import Operands
from pipeline.mlprogram.ops import OPS
from pipeline.mlprogram.values import Constant, Constants, tensor_kind

_LISTS = ("values",)  # operands that are several tensors; all others are one
_NAME = "name"  # the attribute that every operation has and that changes nothing


def check_known(op: Any, where: str) -> None:
    """Refuse an operation that is not in the tables.

    Raises:
        ContractError: as said.
    """
    if op.type != "const" and op.type not in CONSTEXPR and op.type not in OPS:
        raise ContractError(
            f"{where}: the operation {op.type!r} is not known to the interpreter. "
            "Add a function for it to OPS in pipeline/mlprogram/ops.py"
        )


def is_constant(op: Any) -> bool:
    """Whether an operation's result is known before any input is."""
    return op.type == "const" or op.type in CONSTEXPR


def decode(op: Any, decoded: Mapping[str, Constant], constants: Constants, where: str) -> None:
    """Add the results of a constant operation to `decoded`, by name.

    Args:
        op: an operation that `is_constant`.
        decoded: the results of those before it.
        constants: reads values and weight files.
        where: the package, for errors.

    Raises:
        ContractError: the operation cannot be computed.
    """
    with _border(op, where):
        if op.type == "const":
            results: tuple[Constant, ...] = (constants.read(op.attributes["val"]),)
        else:
            # iOS 16 and 17 keep the operands in the attributes, iOS 18 in the inputs.
            given: dict[str, Any] = {
                key: constants.read(value) for key, value in op.attributes.items() if key != _NAME
            }
            given |= {
                key: _bound(_one(key, argument), decoded, constants)
                for key, argument in op.inputs.items()
            }
            result = _apply(CONSTEXPR[op.type], given)
            results = result if isinstance(result, tuple) else (result,)
        if len(results) != len(op.outputs):
            raise ContractError(f"it has {len(op.outputs)} outputs; expected {len(results)}")
        for output, array in zip(op.outputs, results, strict=True):
            if not isinstance(array, str):
                _check_shape(output, array.shape)
            decoded[output.name] = array  # type: ignore[index]


def compute(op: Any, values: Mapping[str, Any], constants: Constants, where: str) -> Tensor:
    """The result of an operation of `OPS`, a tensor of the declared shape.

    Arguments and errors as of `decode`; `values` holds tensors, and words as they are.
    """
    with _border(op, where):
        if len(op.outputs) != 1:
            raise ContractError(f"it has {len(op.outputs)} outputs; expected one")
        foreign = sorted(set(op.attributes) - {_NAME})
        if foreign or op.blocks:
            raise ContractError(
                f"it has {', '.join(map(ascii, foreign)) or 'blocks'}, which is not known here"
            )

        def read(binding: Any) -> Any:
            constant = _bound(binding, values, constants)
            return as_tensor(constant) if isinstance(constant, np.ndarray) else constant

        given = {
            key: [read(binding) for binding in argument.arguments]
            if key in _LISTS
            else read(_one(key, argument))
            for key, argument in op.inputs.items()
        }
        result = _apply(OPS[op.type], given)
        _check_shape(op.outputs[0], tuple(result.shape))
        if tensor_kind(op.outputs[0].type).kind == "INT32" and result.is_floating_point():
            result = result.to(torch.int32)  # a quotient of integers
        return result


def as_tensor(array: NDArray[Any]) -> Tensor:
    """A constant as operations take it: float32, int32 or bool.

    Raises:
        ContractError: an integer does not fit in 32 bits.
    """
    if array.dtype.kind == "f":
        array = array.astype(np.float32)
    elif array.dtype.kind in "iu":
        whole = array.astype(np.int32)
        if not np.array_equal(whole, array):
            raise ContractError("a constant has integers beyond 32 bits, which are not known here")
        array = whole
    return torch.from_numpy(np.array(array))


def _apply(function: Callable[[Operands], Any], given: Mapping[str, Any]) -> Any:
    operands = Operands(given)
    result = function(operands)
    unread = operands.unread()
    if unread:
        raise ContractError(
            f"it has the operand {', '.join(map(ascii, unread))}, which is not known here"
        )
    return result


def _one(key: str, argument: Any) -> Any:
    if len(argument.arguments) != 1:
        raise ContractError(f"{key!a} is {len(argument.arguments)} values; expected one")
    return argument.arguments[0]


def _bound(binding: Any, values: Mapping[str, Any], constants: Constants) -> Any:
    if binding.WhichOneof("binding") != "name":
        return constants.read(binding.value)
    if binding.name not in values:
        raise ContractError(f"it uses {binding.name!r}, which nothing before it gives")
    return values[binding.name]


def _check_shape(output: Any, found: tuple[int, ...]) -> None:
    declared = tensor_kind(output.type).shape
    if len(declared) != len(found) or any(
        want not in (-1, have) for want, have in zip(declared, found, strict=True)
    ):
        raise ContractError(f"it gives the shape {found}; the program declares {declared}")


@contextmanager
def _border(op: Any, where: str) -> Iterator[None]:
    name = op.outputs[0].name if op.outputs else "nothing"
    what = f"{where}: the operation {op.type!r} that gives {name!r}"
    try:
        yield
    except ContractError as error:
        raise ContractError(f"{what}: {error}") from None
    except KeyError as error:
        raise ContractError(
            f"{what} lacks {error}. The package is damaged: copy or export it again"
        ) from None
    except Exception as error:  # numpy and torch raise many kinds on operands that do not fit
        reason = ascii(str(error))[1:-1][:200]
        raise ContractError(
            f"{what} cannot be computed ({type(error).__name__}: {reason}). "
            "The package is damaged: copy or export it again"
        ) from None
