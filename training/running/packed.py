"""A run in a few megabytes, to be gone on with elsewhere: weights in half precision, and counts.

The optimizers' memory is left out; it is two thirds of a state, and comes back within some hundred
steps. The averaged generator stands for both, the one that learns and the average.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from model.checkpoint_file import read_checkpoint
from model.errors import CheckpointError
from model.files import write_atomically

COUNTS = ("steps", "samples", "seconds", "known", "recognised")
_PARTS = ("generator", "discriminators")


def pack(state: Path, packed: Path) -> None:
    """Write the small file of a run's state.

    Args:
        state: `run.state` of a run.
        packed: where to; `model.checkpoint.load_generator` reads it too.

    Raises:
        CheckpointError: `state` is no state of a run.
    """
    found = _read(state, ("average", "discriminators", *COUNTS))
    content: dict[str, Any] = {
        "generator": _halved(found["average"]),
        "discriminators": _halved(found["discriminators"]),
        **{name: found[name] for name in COUNTS},
        "kinds": dict(found["kinds"]),
        "purpose": found["purpose"],
    }
    write_atomically(packed, lambda beside: torch.save(content, beside))


def unpack(packed: Path) -> dict[str, Any]:
    """What `pack` wrote, weights in float32.

    Raises:
        CheckpointError: `packed` was not written by `pack`.
    """
    found = _read(packed, (*_PARTS, *COUNTS))
    for part in _PARTS:
        found[part] = {
            name: tensor.float() if tensor.is_floating_point() else tensor
            for name, tensor in found[part].items()
        }
    return dict(found)


def _halved(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Matrices in float16; vectors as they are: statistics may be too small or too large for it."""
    return {
        name: tensor.half() if tensor.is_floating_point() and tensor.dim() > 1 else tensor
        for name, tensor in weights.items()
    }


def _read(path: Path, names: tuple[str, ...]) -> dict[str, Any]:
    found: Any = read_checkpoint(path)
    missing = [name for name in names if not isinstance(found, dict) or name not in found]
    if missing:
        raise CheckpointError(
            f"{path} lacks {', '.join(missing)}; expected the state of a run, or a packed one. "
            "Give run.state of a run's folder"
        )
    return dict(found)
