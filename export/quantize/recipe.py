"""Recipes of mixed precision: which layers of a network are kept in higher precision."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from export.quantize.ranking import Layer, weighted_layers
from model.contract import Format, Precision, Recipe
from model.errors import BadInput, ContractError
from model.typed_json import load_json
from model.untrusted import read_named

if TYPE_CHECKING:
    from torch import nn

RECIPE_SCHEMA = 1
MOST_LOST = 0.5  # of what compression saves against an fp16 file
_HALF_BYTES = 2.0


def read_recipe(path: Path, network: nn.Module) -> list[str]:
    """The layers of `network` that a recipe keeps.

    Raises:
        BadInput: the file is no recipe, or names layers that this network does not have.
    """
    try:
        recipe = load_json(read_named(path), str(path))
        keep = recipe["keep"]
        if recipe["schema"] != RECIPE_SCHEMA or not all(isinstance(name, str) for name in keep):
            raise ValueError("another schema")
    except (OSError, ContractError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"{path} is no recipe ({error}). Make one with python -m export.sensitivity CKPT"
        ) from None
    unknown = set(keep) - {name for name, _ in weighted_layers(network)}
    if unknown:
        raise BadInput(
            f"{path} names layers that this network does not have: {', '.join(sorted(unknown))}. "
            "Make a recipe for it with python -m export.sensitivity CKPT"
        )
    return list(keep)


def recipe_text(format: str, keep: Sequence[str]) -> str:
    """The content of a recipe file, for `read_recipe`."""
    recipe = {"schema": RECIPE_SCHEMA, "format": format, "keep": list(keep)}
    return json.dumps(recipe, indent=2) + "\n"


def weights_of(network: nn.Module, keep: Sequence[str]) -> tuple[NDArray[np.float32], ...]:
    """The weights of layers by name, as `EightBit.keep` wants them."""
    return tuple(network.get_parameter(f"{name}.weight").detach().numpy() for name in keep)


def recipe(
    network: nn.Module, keep: Sequence[str], format: Format, precision: Precision
) -> Recipe | None:
    """What the manifest says of layers that are kept; None where none is."""
    if not keep:
        return None
    return Recipe(tuple(keep), round(_lost_share(network, keep, format, precision), 4))


def candidates(
    network: nn.Module,
    ranked: Sequence[Layer],
    given: Sequence[str],
    format: Format,
    precision: Precision,
) -> Iterator[list[str]]:
    """Sets of layers to keep, each twice as large as the one before, the worst layers first.

    A layer that would cost more than `MOST_LOST` of the gain in size is passed over.

    Args:
        network: the layers are its own.
        ranked: its layers, the one that costs most quality first.
        given: layers that are kept in any case.
        format: of the file.
        precision: of the file.
    """
    keep, wanted = list(given), 1
    for layer in ranked:
        if layer.name in keep:
            continue
        if _lost_share(network, [*keep, layer.name], format, precision) > MOST_LOST:
            continue
        keep.append(layer.name)
        if len(keep) - len(given) == wanted:
            yield list(keep)
            wanted *= 2
    if len(keep) - len(given) not in (0, wanted // 2):
        yield keep


def _lost_share(
    network: nn.Module, keep: Sequence[str], format: Format, precision: Precision
) -> float:
    """The part of what compression saves against fp16 that layers in higher precision cost."""
    sizes = {name: layer.weight.numel() for name, layer in weighted_layers(network)}
    compressed = 0.75 if precision == "pal6" else 1.0  # bytes per weight
    kept = _HALF_BYTES if format == "mlpackage" else 4.0
    lost = (kept - compressed) * sum(sizes[name] for name in keep)
    return float(lost / ((_HALF_BYTES - compressed) * sum(sizes.values())))
