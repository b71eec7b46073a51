"""The saved state of a run, from which it resumes after a kill at any point."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from model.errors import CheckpointError, FaceSwapError
from model.files import write_atomically


class Diverged(FaceSwapError):
    """A loss or a gradient of a run is not finite."""

    exit_code = 1


def save(path: Path, purpose: dict[str, Any], state: dict[str, Any]) -> None:
    """Write the state of a run; a kill leaves the old file or the new one.

    Args:
        path: the file.
        purpose: values that must be the same when the run is resumed, such as its configuration.
        state: tensors and plain values.
    """
    whole = {"purpose": purpose, **state}
    write_atomically(path, lambda beside: torch.save(whole, beside))


@contextmanager
def saved(
    path: Path, purpose: dict[str, Any], device: torch.device | str = "cpu"
) -> Iterator[dict[str, Any]]:
    """What `save` wrote; errors of loading it into networks within the context are refused too.

    Raises:
        CheckpointError: the file is missing or damaged, is of a run with another purpose, or does
            not fit the networks.
    """
    try:
        state = torch.load(path, map_location=device, weights_only=True)
        differ = [name for name in purpose if state["purpose"].get(name) != purpose[name]]
        if differ:
            raise CheckpointError(
                f"{path} is of a run with another {', '.join(differ)}; resume it with the same "
                "flags and data, or start anew elsewhere"
            )
        yield state
    except (OSError, RuntimeError, pickle.UnpicklingError, KeyError, TypeError, EOFError,
            ValueError, AttributeError) as error:  # fmt: skip
        raise CheckpointError(
            f"{path} holds no run to resume ({str(error).splitlines()[0]}). "
            "Start anew without --resume"
        ) from None
