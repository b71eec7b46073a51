"""Read a run's configuration from a TOML file, and refuse what cannot work."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

from model.errors import BadInput, ContractError
from model.typed_json import parse
from model.untrusted import read_named
from training.data.records import EDITS
from training.generator.config import SMALLEST, Config, TrainingStage, Weights

DRAWN = ("different", "same", "pair", *EDITS)
MULTIPLE = 32  # of which picture sides are, five halvings of the identity branch


def read_config(path: Path | None) -> Config:
    """The run a TOML file describes; what it does not name keeps its published value.

    Raises:
        BadInput: unreadable, an unknown name, or a value that cannot work.
    """
    if path is None:
        return Config()
    try:
        data = tomllib.loads(read_named(path).decode("utf-8-sig"))
        _refuse_unknown(Config, data, str(path))
        config = parse(Config, data, str(path))
    except (OSError, ValueError, RecursionError) as error:  # ValueError: also too long a number
        raise BadInput(f"{path} cannot be read as TOML ({error}). See training/configs/") from None
    except ContractError as error:
        raise BadInput(f"{error}. See training/configs/ for what a run is described by") from None
    _check(config, path)
    return config


def _refuse_unknown(kind: type, data: dict[str, Any], where: str) -> None:
    parts = [(kind, data, where)]
    for name, inner in (("weights", Weights), ("stages", TrainingStage)):
        found = data.get(name, [])
        rows = found if isinstance(found, list) else [found]
        parts += [(inner, row, f"{where}: {name}") for row in rows if isinstance(row, dict)]
    for expected, values, place in parts:
        names = {f.name for f in dataclasses.fields(expected)}
        for name in values:
            if name not in names:
                raise ContractError(
                    f"{place} has '{name}'; expected some of {', '.join(sorted(names))}"
                )


def _check(config: Config, path: Path) -> None:
    ends = [stage.until for stage in config.stages]
    wrong = [s.size for s in config.stages if s.size < SMALLEST or s.size % MULTIPLE]
    if not ends or ends != sorted(ends) or ends[-1] != 1.0:
        raise BadInput(f"{path}: stages end at {ends}; expected rising shares, the last one 1")
    if wrong:
        raise BadInput(f"{path}: stages of {wrong} px; expected multiples of 32 from 64 on")
    if config.grow and [s for s in config.stages if s.size not in (64, 128, 256)]:
        raise BadInput(f"{path}: a growing network has stages of 64, 128 and 256 px only")
    if config.grow and config.network != "published":
        raise BadInput(f"{path}: a {config.network} network does not grow; leave out grow = true")
    if not 0 <= config.decay_from < 1:
        raise BadInput(f"{path}: decay_from {config.decay_from}; expected a share of the run")
    if not 0 < config.people_from <= 1:
        raise BadInput(f"{path}: people_from {config.people_from}; expected a share of the people")
    if any(stage.batch < 2 for stage in config.stages):
        raise BadInput(f"{path}: a batch of one has no BN statistics; expected at least 2")
    unknown = [kind for kind in config.mix if kind not in DRAWN]
    if unknown or sum(config.mix.values()) <= 0 or min(config.mix.values()) < 0:
        raise BadInput(
            f"{path}: mix {config.mix}; expected shares from 0 on, some above it, of "
            f"{', '.join(DRAWN)}"
        )
    if len(config.weights.adversarial) != 3 or len(config.weights.identity) != 3:
        raise BadInput(f"{path}: expected three adversarial and three identity weights")
    if config.lr <= 0 or config.clip <= 0 or not 0 <= config.random_share <= 0.5:
        raise BadInput(f"{path}: expected lr and clip above 0, random_share from 0 to a half")
    if not 0 <= config.identity_margin < 1:
        raise BadInput(
            f"{path}: identity_margin {config.identity_margin}; expected 0 or more, below 1"
        )
    if not 0 <= config.rounding <= 1:
        raise BadInput(f"{path}: rounding {config.rounding}; expected a share of the run")
    if not 0 <= config.parts_of <= 2:
        raise BadInput(f"{path}: parts_of {config.parts_of}; expected 0, 1 or 2 halvings")
    if config.grow and config.parts_of:
        raise BadInput(
            f"{path}: eyes and mouth of a growing network are judged in its finest picture; leave "
            "out parts_of"
        )
    if config.statistics_samples < 1 or config.span_samples < 0:
        raise BadInput(f"{path}: expected statistics_samples from 1, span_samples from 0 on")
