"""The options of a swap of files, and its outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from model.errors import UsageError
from pipeline.faces.paste import Blend
from pipeline.media.credentials import Credentials
from pipeline.swap import Identity, Which


@dataclass(frozen=True, slots=True)
class Request:
    """One for all files of a run.

    Attributes:
        people: identities, in the order of the sources.
        faces: which faces of the target, where `pairs` is None.
        pairs: face to person.
        blend: how faces are put back.
        label: say in the file that it is synthetic.
        badge: say so on the picture.
        credentials: what signs a C2PA manifest.
        keep_metadata: keep where and with which device a photo or film was taken.
    """

    people: tuple[Identity, ...]
    faces: Which = "largest"
    pairs: dict[int, int] | None = None
    blend: Blend = field(default_factory=Blend)
    label: bool = True
    badge: bool = False
    credentials: Credentials | None = None
    keep_metadata: bool = False

    def __post_init__(self) -> None:
        """Refuse pairs with people that are not there."""
        for person in (self.pairs or {}).values():
            if person >= len(self.people):
                raise UsageError(
                    f"--map names source {person}; there are {len(self.people)}, counted from 0. "
                    "Give more with --source"
                )

    @property
    def thorough(self) -> bool:
        """Whether every face is wanted, small and turned ones too."""
        return self.pairs is not None or self.faces != "largest"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A file that was written.

    Attributes:
        file: where.
        report: what is in it: for a photo the faces found and swapped, for a video the frames.
        notes: what the user should know, in words.
    """

    file: Path
    report: dict[str, Any]
    notes: tuple[str, ...] = ()
