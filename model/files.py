"""Write files: never half, never through a link, never over what is not a file.

Every file that a command leaves for its user is written by `write_atomically`, or with the steps it
is made of. Logs that grow are opened by `append_to`.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from model.errors import BadInput, ContractError
from model.untrusted import open_regular

LONGEST_NAME_BYTES = 255  # of one name, on all common file systems
_LONGEST_ENDING_BYTES = 32  # a longer "ending" is a name with a dot in it
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PRIVATE_MODE = 0o600
_PERMISSIONS = 0o777
_LOG_HEAD = b"# Log of a MobileFSGAN export; the next export of this name replaces it.\n"


def write_atomically(path: Path, write: Callable[[Path], object], *, private: bool = False) -> None:
    """Let `write` fill a new file beside `path`, and rename it to `path` when it is whole.

    A reader sees the earlier file or the new one. On failure the earlier file stays. An earlier
    file's permissions are kept. A link at `path` is replaced; what it points to stays as it is.

    Args:
        path: where the file goes; its folder is made.
        write: called with the path to write to, which has the ending of `path`.
        private: only the owner may read the file (mode 0600), whatever the earlier file's mode.

    Raises:
        BadInput: the place cannot be written to.
    """
    with _refusing(path):
        beside = new_beside(path, private=private)
        try:
            write(beside)
            put_in_place(beside, path, private=private)
        finally:
            beside.unlink(missing_ok=True)


def check_place(path: Path) -> None:
    """Refuse a place that `write_atomically` cannot write to, before the work for it begins.

    Nothing is left behind: a missing folder is not made, the lowest one that is there is tried.

    Raises:
        BadInput: the place cannot be written to.
    """
    with _refusing(path):
        _mode_to_keep(path, private=False)
        folder = next(folder for folder in path.absolute().parents if folder.exists())
        new_beside(folder / path.name).unlink()


def new_beside(path: Path, *, private: bool = False) -> Path:
    """Create an empty file of a random name in the folder of `path`, with the ending of `path`.

    Nobody can guess the name, so nobody can lay a link there. The caller fills the file, then calls
    `put_in_place`, and removes it on failure.

    Raises:
        OSError: the folder cannot be written to, or `path` cannot become a file.
    """
    mode = _mode_to_keep(path, private)
    ending = path.suffix if len(os.fsencode(path.suffix)) <= _LONGEST_ENDING_BYTES else ""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.parent / f".{secrets.token_hex(8)}.tmp{ending}"
    os.close(os.open(beside, _NEW, 0o666 if mode is None else _PRIVATE_MODE))
    return beside


def put_in_place(beside: Path, path: Path, *, private: bool = False) -> None:
    """Rename `beside`, which is complete, to `path`, with the permissions of an earlier file.

    Raises:
        OSError: it cannot be renamed, or the disk is full.
    """
    mode = _mode_to_keep(path, private)
    if mode is not None:
        beside.chmod(mode)
    flush_to_disk(beside)
    os.replace(beside, path)


def flush_to_disk(path: Path) -> None:
    """Wait until the content of a file is stored: after a power cut a name may outlive it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def append_to(path: Path) -> BinaryIO:
    """Open a log to append to, unbuffered; it is created if it is missing, and no link is followed.

    Raises:
        OSError: it cannot be opened, or is no regular file.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    file: BinaryIO = os.fdopen(descriptor, "ab", buffering=0)
    return file


def new_log(path: Path) -> Path:
    """Begin a log at `path`, or at the first of its numbered names that is free.

    The log of an earlier export is replaced. Anything else that has the name stays: a link, a
    folder, a file that is no log of an export.

    Raises:
        OSError: the folder cannot be written to.
    """
    for place in numbered(path):
        if _is_log(place):
            place.unlink()
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(place, _NEW, 0o666)
            with os.fdopen(descriptor, "wb") as file:
                file.write(_LOG_HEAD)
            return place
    raise AssertionError("numbers do not end")


def numbered(path: Path) -> Iterator[Path]:
    """`path`, then `<stem>-2<suffix>`, `<stem>-3<suffix>` and so on."""
    yield path
    for number in itertools.count(2):
        yield path.with_name(fitting(path.stem, f"-{number}{path.suffix}"))


def fitting(stem: str, ending: str) -> str:
    """`stem + ending`, where that is too long for a file name with a shortened stem and its hash.

    Args:
        stem: of any length.
        ending: stays whole.
    """
    if len(os.fsencode(stem + ending)) <= LONGEST_NAME_BYTES:
        return stem + ending
    ending = f"~{hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]}{ending}"
    room = LONGEST_NAME_BYTES - len(os.fsencode(ending))
    return os.fsencode(stem)[:room].decode(errors="ignore") + ending


@contextlib.contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Say in one line that `path` cannot be written, and why."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # torch turns some OS errors into RuntimeError
        why = getattr(error, "strerror", None) or error
        raise BadInput(f"cannot write {path} ({why}). Choose a writable place") from None


def _mode_to_keep(path: Path, private: bool) -> int | None:
    """The permissions that the new file has to get; None leaves them to the umask."""
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "the name holds a NUL character", str(path))
    with contextlib.suppress(FileNotFoundError):
        # Links are looked through here only: replacing /dev/stdout would be wrong, too.
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "is a folder" if path.is_dir() else "is a device or a pipe"
            raise OSError(errno.EINVAL, f"it {kind}; expected the name of a file", str(path))
    if private:
        return _PRIVATE_MODE
    with contextlib.suppress(FileNotFoundError):
        earlier = path.lstat().st_mode
        if stat.S_ISREG(earlier):
            return earlier & _PERMISSIONS
    return None


def _is_log(path: Path) -> bool:
    """Whether a regular file begins as our logs do."""
    try:
        with open_regular(path) as file:
            return file.read(len(_LOG_HEAD)) == _LOG_HEAD
    except ContractError:
        return False
