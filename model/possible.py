"""Refuse manifests whose tensors no model can have, before anything is computed with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.errors import ContractError

if TYPE_CHECKING:
    from model.contract import ModelSpec, TensorSpec

_LONGEST_AXIS = 1 << 13


def check_sides(spec: ModelSpec) -> None:
    """Refuse inputs and outputs that no model of a bundle can have.

    Raises:
        ContractError: there are too few or too many of them, of the wrong kind, or with axes or
            ranges that cannot be.
    """
    sides = (*spec.inputs, *spec.outputs)
    pictures = [bool(tensor.color) for tensor in sides]
    if not (any(pictures[: len(spec.inputs)]) and len(spec.outputs) == 1):
        raise ContractError(
            f"the manifest gives {spec.file} {len(spec.inputs)} inputs and {len(spec.outputs)} "
            "outputs; expected a picture among the inputs, and one output. Export again"
        )
    if pictures[-1] != (spec.model == "generator"):
        raise ContractError(
            f"the manifest gives {spec.file}, a {spec.model}, an output of another kind; expected "
            "a picture of a generator, and a vector of an identity encoder. Export again"
        )
    for tensor in sides:
        if not _is_possible(tensor):
            raise ContractError(
                f"the manifest gives '{tensor.name}' of {spec.file} the shape {tensor.shape} "
                f"{tensor.layout} and the range {tensor.range}, which no tensor of a bundle has. "
                "Export again"
            )


def _is_possible(tensor: TensorSpec) -> bool:
    """Whether a shape is a batch of one, with the axes of its layout, and small enough to hold."""
    fits = len(tensor.shape) == len(tensor.layout) and tensor.shape[0] == 1
    if not fits or not all(1 <= length <= _LONGEST_AXIS for length in tensor.shape):
        return False
    if not tensor.color:
        return True
    channels = tensor.shape[tensor.layout.index("C")]
    return len(tensor.layout) == 4 and channels == 3 and tensor.range[0] < tensor.range[1]
