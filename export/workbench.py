"""Where one export works: the growing bundle, a folder for other files, the log, the stages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from export.stages import Stages


@dataclass(frozen=True, slots=True)
class Workbench:
    """What every step of an export needs to know about its surroundings.

    Attributes:
        bundle: model files for the user are written here.
        work: intermediate files are written here; the folder is deleted at the end.
        log: output of the converters.
        stages: reports progress to the user.
    """

    bundle: Path
    work: Path
    log: Path
    stages: Stages
