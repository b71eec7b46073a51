"""The saved state of a run, from which it resumes after a kill at any point."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from model.checkpoint_file import read_checkpoint
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
def saved(path: Path, purpose: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What `save` wrote, on the CPU.

    Errors of loading it into networks within the context are refused too.

    Raises:
        CheckpointError: the file is missing or damaged, is of a run with another purpose, or does
            not fit the networks.
    """
    state = _read(path)
    try:
        differ = [name for name in purpose if state["purpose"].get(name) != purpose[name]]
        if differ:
            raise CheckpointError(
                f"{path} is of a run with another {', '.join(differ)}; resume it with the same "
                "flags and data, or start anew elsewhere"
            )
        yield state
    except (RuntimeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _no_run(path, str(error).partition("\n")[0]) from None


def _read(path: Path) -> Any:
    try:
        # A copy, because optimizers keep the tensors that they are given, and those share memory
        # with the file.
        return copy.deepcopy(read_checkpoint(path))
    except CheckpointError as error:
        raise _no_run(path, str(error)) from None


def _no_run(path: Path, why: str) -> CheckpointError:
    return CheckpointError(f"{path} holds no run to resume ({why}). Start anew without --resume")
