"""Where a new bundle is made: beside its place, which it takes when it is complete."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from model import place as places
from model.errors import BadInput

_MOUNTS = Path("/proc/self/mountinfo")


@dataclass(frozen=True, slots=True)
class Staging:
    """A new bundle and what is needed to make it.

    Attributes:
        place: where the bundle goes.
        root: a private folder on the same file system, so that a rename suffices.
    """

    place: Path
    root: Path

    @property
    def bundle(self) -> Path:
        """The new bundle."""
        return self.root / "new"

    @property
    def work(self) -> Path:
        """Intermediate files; removed at the end."""
        return self.root / "work"

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """No other export reads or changes the place inside.

        Raises:
            BadInput: the place cannot be written, or became something else meanwhile.
        """
        with _refusing(self.place), places.locked(self.place):
            _check(self.place)
            yield

    def publish(self) -> None:
        """Put the new bundle in its place; to be called inside `alone`."""
        places.publish(self.root, self.place)


@contextlib.contextmanager
def staging(place: Path) -> Iterator[Staging]:
    """A place to make a bundle that leaves nothing behind, whatever happens.

    Args:
        place: the bundle's folder, `dist/<name>`.

    Raises:
        BadInput: `place` or a folder above it cannot be written, or is something else.
    """
    with contextlib.ExitStack() as stack:
        with _refusing(place):
            _check(place)
            root = stack.enter_context(places.staging_root(place))
            (root / "work").mkdir()
        yield Staging(place, root)


def _check(place: Path) -> None:
    """Refuse a place that no bundle can take."""
    if place.parent.exists() and not place.parent.is_dir():
        raise BadInput(
            f"{place.parent} is a file; expected a folder for the bundle as --output-dir"
        )
    if place.is_symlink():
        raise BadInput(
            f"{place} is a link; expected a folder. Give the folder that it points to, or choose "
            "another --output-dir"
        )
    if not place.exists():
        return
    if not (place.is_dir() and _is_bundle_or_empty(place)):
        raise BadInput(f"{place} exists and is no bundle; choose another --output-dir")
    if _is_mount(place):
        raise BadInput(
            f"{place} is a mount point, which no new bundle can replace as a whole. Mount the "
            "folder above it, or choose another --output-dir"
        )


def _is_bundle_or_empty(place: Path) -> bool:
    return (place / places.MANIFEST_NAME).is_file() or not any(place.iterdir())


def _is_mount(place: Path) -> bool:
    """Also bind mounts of the same file system, which only the table of mounts shows."""
    if os.path.ismount(place):
        return True
    try:
        table = _MOUNTS.read_text(errors="surrogateescape").splitlines()
    except OSError:  # no Linux
        return False
    escaped = str(place.resolve()).replace("\\", "\\134").replace(" ", "\\040")
    return any(line.split(" ")[4] == escaped for line in table)


@contextlib.contextmanager
def _refusing(place: Path) -> Iterator[None]:
    """Turn what the system refuses into the user's error."""
    try:
        yield
    except OSError as error:
        raise BadInput(
            f"cannot write to {place.parent} ({error.strerror or error}); "
            "choose another --output-dir"
        ) from None
