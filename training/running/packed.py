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
from model.errors import CheckpointError, UsageError
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
        UsageError: both are one file.
    """
    found = _read(state, ("average", "discriminators"), "Give run.state of a run's folder")
    if packed.exists() and packed.samefile(state):
        raise UsageError(f"{packed} is the run's state itself; give another file with -o")
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
    found = _read(packed, _PARTS, "Give a file that python -m training.pack wrote")
    if "average" in found:
        raise CheckpointError(
            f"{packed} is the state of a run; expected a packed one. Pack it with "
            "python -m training.pack, or go on in its folder with --resume"
        )
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


def _read(path: Path, parts: tuple[str, ...], remedy: str) -> dict[str, Any]:
    """What the file holds, as a dict with weights in these parts."""
    found: Any = read_checkpoint(path)
    found = found if isinstance(found, dict) else {}
    missing = [name for name in (*parts, *COUNTS, "kinds", "purpose") if name not in found]
    missing += [part for part in parts if part in found and not _are_weights(found[part])]
    if missing:
        raise CheckpointError(f"{path} lacks {', '.join(missing)} of a run. {remedy}")
    return dict(found)


def _are_weights(part: Any) -> bool:
    return isinstance(part, dict) and all(isinstance(value, Tensor) for value in part.values())
