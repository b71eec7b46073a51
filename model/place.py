"""Replace a bundle's folder in one step: staging folders, locks, the exchange, and recovery.

A new bundle for `dist/name` grows in `dist/.name.partial-<random>/new`. The process that makes it
holds a lock on a file there for as long as it lives, so that others know whether it still runs.
Whoever publishes or cleans up holds the lock `dist/.name.lock`. Both are `flock` locks: the system
releases them when a process ends, and they work across containers that share a volume.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from model.errors import ContractError
from model.files import fitting, numbered
from model.typed_json import load_json
from model.untrusted import LARGEST_TEXT_BYTES, read_regular

MANIFEST_NAME = "manifest.json"
GOLDEN = "golden"
GOLDEN_BAKED = "golden-baked"  # a baked generator knows one identity only
DETECTORS = "detectors"  # in an app only

_NEW, _OLD, _LOCK = "new", "old", "lock"
_RANDOM = 8  # characters that tempfile adds
_GOLDEN_FILE = re.compile(r"index\.json|\d+-(target|embedding|image|target_embedding)\.bin")
_DETECTOR_FILE = re.compile(r"index\.json|NOTICE\.txt|face_\w+\.tflite")
_OUR_FILES = {GOLDEN: _GOLDEN_FILE, GOLDEN_BAKED: _GOLDEN_FILE, DETECTORS: _DETECTOR_FILE}
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)
_NO_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP)


@contextlib.contextmanager
def staging_root(place: Path) -> Iterator[Path]:
    """A private folder beside `place` with an empty folder `new`; it is removed at the end.

    What earlier, killed processes left of the same place is cleaned up first.

    Raises:
        OSError: the folder above `place` cannot be written to.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with locked(place):
        _recover_locked(place)
        # Absolute, because converters run in child processes with working folders of their own.
        root = Path(tempfile.mkdtemp(prefix=_prefix(place), dir=place.parent.resolve()))
        (root / _NEW).mkdir()
        alive = _try_lock(root / _LOCK)
    try:
        yield root
    finally:
        with contextlib.suppress(OSError):
            _discard(root, place)
        if alive is not None:
            os.close(alive)


@contextlib.contextmanager
def locked(place: Path) -> Iterator[None]:
    """Hold the right to change `place`; waits for whoever has it.

    Raises:
        OSError: the lock file cannot be made, or something else has its name.
    """
    path = place.parent / fitting(f".{place.name}", ".lock")
    descriptor = _open_lock(path)
    try:
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()  # before the lock is released; who waits for it looks again
        os.close(descriptor)


def publish(root: Path, place: Path) -> None:
    """Put `root / "new"` in the place of `place`, which may be missing; needs `locked(place)`.

    Readers meet the old folder or the new one. Files of the old folder that its manifest does not
    name belong to the user: they are moved into the new one, under a numbered name where their own
    is taken.

    Raises:
        OSError: the folder cannot be exchanged; the old one is in its place.
    """
    new, old = root / _NEW, root / _OLD
    with _signals_held():
        if not os.path.lexists(place):
            new.rename(place)
            return
        if place.is_symlink() or not place.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(place))
        _keep_modes(place, new)
        if _exchange(new, place):
            new.rename(old)
        else:
            place.rename(old)
            try:
                new.rename(place)
            except OSError:
                old.rename(place)
                raise
        _keep_what_is_not_ours(old, place)


def is_golden_file(name: str) -> bool:
    """Whether a file in a folder of golden samples is one that an export writes."""
    return bool(_GOLDEN_FILE.fullmatch(name))


def recover(place: Path) -> None:
    """Put a bundle back whose exchange was interrupted; for readers that find nothing at `place`.

    Does nothing where there is nothing to put back, or where this may not be written.
    """
    with contextlib.suppress(OSError, ValueError):
        if not os.path.lexists(place) and any((r / _OLD).is_dir() for r in _roots(place)):
            with locked(place):
                _recover_locked(place)


def _recover_locked(place: Path) -> None:
    """Clean up after processes that were killed."""
    for root in _roots(place):
        if (root / _OLD).is_dir() and not os.path.lexists(place):
            (root / _OLD).rename(place)  # killed between two renames
        lock = _try_lock(root / _LOCK)
        if lock is None:
            continue  # its process runs
        with contextlib.suppress(OSError):
            _discard(root, place)
        os.close(lock)


def _discard(root: Path, place: Path) -> None:
    """Remove a staging folder, but nothing of the user's that an exchange left in it.

    Raises:
        OSError: the user's files cannot be moved; the folder stays.
    """
    for folder in (root / _OLD, root / _NEW):
        if (folder / MANIFEST_NAME).is_file() and place.is_dir():
            _keep_what_is_not_ours(folder, place)
    shutil.rmtree(root, ignore_errors=True)


def _roots(place: Path) -> list[Path]:
    prefix = _prefix(place)
    return [
        Path(entry.path)
        for entry in os.scandir(place.parent)
        if entry.name.startswith(prefix) and entry.is_dir(follow_symlinks=False)
    ]


def _prefix(place: Path) -> str:
    return fitting(f".{place.name}", ".partial-" + "x" * _RANDOM)[:-_RANDOM]


def _keep_what_is_not_ours(old: Path, place: Path) -> None:
    """Move what the manifest of `old` does not name into `place`."""
    ours = {MANIFEST_NAME, *_models(old)}
    for entry in sorted(old.iterdir()):
        if entry.name in _OUR_FILES and entry.is_dir() and not entry.is_symlink():
            for file in sorted(entry.iterdir()):
                if not _OUR_FILES[entry.name].fullmatch(file.name):
                    (place / entry.name).mkdir(exist_ok=True)
                    _move(file, place / entry.name)
        elif entry.name not in ours:
            _move(entry, place)


def _move(path: Path, folder: Path) -> None:
    path.rename(next(p for p in numbered(folder / path.name) if not os.path.lexists(p)))


def _models(bundle: Path) -> list[str]:
    """The model files that a manifest names, also one that is otherwise of no use."""
    try:
        data = load_json(read_regular(bundle / MANIFEST_NAME, LARGEST_TEXT_BYTES), MANIFEST_NAME)
        return [str(model["file"]) for model in data["models"]]
    except (ContractError, KeyError, TypeError):
        return []


def _keep_modes(old: Path, new: Path) -> None:
    """Give the new folder, and each file that replaces one, the permissions of the old."""
    for path in (new, *new.rglob("*")):
        earlier = old / path.relative_to(new)
        if earlier.exists() and not earlier.is_symlink() and earlier.is_dir() == path.is_dir():
            shutil.copymode(earlier, path)


def _open_lock(path: Path) -> int:
    """Open and lock `path`, and make sure that it is still the file of that name."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        try:
            _flock(descriptor, fcntl.LOCK_EX)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), path.lstat()):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _try_lock(path: Path) -> int | None:
    """The descriptor of `path`, locked; None where another process holds the lock."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError:
        return None  # not ours to clean up
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held, or a file system without locks: nobody can know whether it is
        os.close(descriptor)
        return None
    return descriptor


def _flock(descriptor: int, how: int) -> None:
    try:
        fcntl.flock(descriptor, how)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise


def _exchange(a: Path, b: Path) -> bool:
    """Exchange two names in one step; False where the system or the file system cannot.

    Linux has renameat2 with RENAME_EXCHANGE (renameat2(2)), macOS renamex_np with RENAME_SWAP.
    """
    names = os.fsencode(a), os.fsencode(b.absolute())
    library = ctypes.CDLL(None, use_errno=True)
    try:
        if sys.platform == "darwin":
            done = library.renamex_np(*names, 2)
        else:
            here = -100  # AT_FDCWD; the names are absolute
            done = library.renameat2(here, names[0], here, names[1], 2)
    except AttributeError:
        return False
    if done == 0:
        return True
    code = ctypes.get_errno()
    if code in _NO_EXCHANGE:
        return False
    raise OSError(code, os.strerror(code), str(b))


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait until the exchange is done."""
    blocked = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
