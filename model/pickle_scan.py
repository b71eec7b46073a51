"""Look through a checkpoint's pickle before PyTorch loads it; nothing in it is executed.

`torch.load(weights_only=True)` does not run foreign code, but it builds whatever a pickle asks for:
a few kilobytes can ask for many gigabytes. The scan counts operations and looks at every name.
"""

from __future__ import annotations

import io
import pickletools
from pathlib import Path

import torch

from model.errors import CheckpointError

# A checkpoint of the generator has a pickle of 60 kB with 10,000 operations; one of a whole run of
# training, optimizers included, less than ten times that.
LARGEST_PICKLE_BYTES = 4 << 20
_MOST_OPERATIONS = 500_000
_LEGACY_PICKLES = 5  # magic number, version, machine, content, names of the storages
# Allowed by torch, but it fills memory of any size.
_GREEDY = frozenset({"builtins.bytearray", "__builtin__.bytearray"})


def check_legacy_pickles(head: bytes, path: Path) -> None:
    """Check the five pickles at the start of a file that PyTorch before 1.6 saved.

    Args:
        head: the first `LARGEST_PICKLE_BYTES` of the file, or all of it.
        path: what the file is called in an error.

    Raises:
        CheckpointError: as `check_pickle`, or `torch.save` did not write the file.
    """
    file = io.BytesIO(head)
    for number in range(_LEGACY_PICKLES):
        first = check_pickle(file, path)
        if number == 0 and first != torch.serialization.MAGIC_NUMBER:
            raise more_than_tensors(path, "torch.save did not write it")


def check_pickle(file: io.BytesIO, path: Path) -> object:
    """Check one pickle, up to its end, and return its first constant.

    Raises:
        CheckpointError: it uses a name that PyTorch does not allow, or is too large.
        ValueError: it is damaged or cut short.
    """
    first: object = None
    words = ["", ""]
    try:
        for count, (operation, argument, _) in enumerate(pickletools.genops(file)):
            if count > _MOST_OPERATIONS:
                raise too_large(path)
            if isinstance(argument, str):
                words = [words[-1], argument]
            if operation.name in ("GLOBAL", "INST"):
                _check_name(str(argument).replace(" ", "."), path)
            elif operation.name == "STACK_GLOBAL":  # PyTorch's safe reader takes protocol 2 only
                _check_name(".".join(words), path)
                raise CheckpointError(
                    f"{path} was saved with another pickle_protocol than PyTorch's own, which "
                    "only its unsafe reader takes. Save it again without pickle_protocol"
                )
            elif first is None and operation.name != "PROTO":
                first = argument
    except (EOFError, OverflowError, MemoryError) as error:
        raise ValueError(str(error)) from None
    except ValueError:
        if file.tell() >= LARGEST_PICKLE_BYTES:
            raise too_large(path) from None
        raise
    return first


def _check_name(name: str, path: Path) -> None:
    if name.endswith("._rebuild_qtensor"):
        raise CheckpointError(
            f"{path} holds quantised tensors; expected floating-point weights. Give the "
            "checkpoint from before the quantisation: the exports here quantise by themselves"
        )
    if name not in torch._weights_only_unpickler._get_allowed_globals() or name in _GREEDY:
        raise more_than_tensors(path, name)


def more_than_tensors(path: Path, why: str) -> CheckpointError:
    """The refusal of a pickle that only Python's own, unsafe reader could load."""
    return CheckpointError(
        f"{path} is a Python pickle that holds more than tensors ({one_line(why)}); loading it "
        "could run code, so it was not loaded. Save it again with "
        "torch.save(network.state_dict(), file)"
    )


def too_large(path: Path) -> CheckpointError:
    """The refusal of a file that describes more objects than a checkpoint has."""
    return CheckpointError(
        f"{path} describes more than a checkpoint holds (over {LARGEST_PICKLE_BYTES >> 20} MB or "
        f"{_MOST_OPERATIONS:,} operations of description). Save network.state_dict() alone"
    )


def one_line(text: str) -> str:
    """The first line of a foreign message or name, shortened, without control characters."""
    line = (text.splitlines() or [""])[0][:120]
    return "".join(char if char.isprintable() else "?" for char in line)
