"""Read a run's configuration from a TOML file, and refuse what cannot work."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from model.errors import BadInput, ContractError
from model.typed_json import parse
from model.untrusted import read_named
from training.data.records import EDITS
from training.generator.config import SMALLEST, Config, TrainingStage, Weights

DRAWN = ("different", "same", "pair", *EDITS)
MULTIPLE = 32  # of which picture sides are, five halvings of the identity branch
SMALLEST_VIEW = 16  # px that the recogniser halves four times


class _Range(NamedTuple):
    """Values that can work.

    Attributes:
        holds: whether a value is one of them.
        words: what they are, for an error.
    """

    holds: Callable[[float], bool]
    words: str


_ABOVE_0 = _Range(lambda v: v > 0, "a number above 0")
_FROM_0 = _Range(lambda v: v >= 0, "0 or more")
_FROM_1 = _Range(lambda v: v >= 1, "1 or more")
_BELOW_1 = _Range(lambda v: 0 <= v < 1, "0 or more, below 1")
_SHARE = _Range(lambda v: 0 <= v <= 1, "a share, 0 to 1")
_NUMBERS = {
    **dict.fromkeys(("lr", "lr_discriminator", "clip", "feature_limit"), _ABOVE_0),
    **dict.fromkeys(("warm_up", "span_samples"), _FROM_0),
    **dict.fromkeys(("shard_batches", "statistics_samples", "channels"), _FROM_1),
    **dict.fromkeys(("beta1", "beta2", "ema", "decay_from", "identity_margin"), _BELOW_1),
    **dict.fromkeys(("lr_end", "adversarial_from", "rounding"), _SHARE),
    "people_from": _Range(lambda v: 0 < v <= 1, "a share above 0, at most 1"),
    "random_share": _Range(lambda v: 0 <= v <= 0.5, "a share from 0 to a half"),
    "jitter": _Range(lambda v: v in (0, 1), "0 or 1"),
    "identity_size": _Range(lambda v: v >= SMALLEST_VIEW, f"{SMALLEST_VIEW} or more"),
    "parts_of": _Range(lambda v: 0 <= v <= 2, "0, 1 or 2 halvings"),
}


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
    _check_numbers(config, path)
    _check_stages(config, path)
    _check_together(config, path)
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


def _check_numbers(config: Config, path: Path) -> None:
    for name, allowed in _NUMBERS.items():
        if not allowed.holds(getattr(config, name)):
            raise BadInput(f"{path}: {name} {getattr(config, name)}; expected {allowed.words}")
    for field in dataclasses.fields(Weights):
        weight = getattr(config.weights, field.name)
        each = weight if isinstance(weight, tuple) else (weight,)
        if min(each, default=0) < 0:
            raise BadInput(f"{path}: the weight {field.name} is {weight}; expected 0 or more")
    if len(config.weights.adversarial) != 3 or len(config.weights.identity) != 3:
        raise BadInput(f"{path}: expected three adversarial and three identity weights")
    unknown = [kind for kind in config.mix if kind not in DRAWN]
    if unknown or sum(config.mix.values()) <= 0 or min(config.mix.values()) < 0:
        raise BadInput(
            f"{path}: mix {config.mix}; expected shares from 0 on, some above it, of "
            f"{', '.join(DRAWN)}"
        )


def _check_stages(config: Config, path: Path) -> None:
    ends = [stage.until for stage in config.stages]
    wrong = [s.size for s in config.stages if s.size < SMALLEST or s.size % MULTIPLE]
    if not ends or ends != sorted(ends) or ends[-1] != 1.0:
        raise BadInput(f"{path}: stages end at {ends}; expected rising shares, the last one 1")
    if wrong:
        raise BadInput(f"{path}: stages of {wrong} px; expected multiples of 32 from 64 on")
    if config.grow and [s for s in config.stages if s.size not in (64, 128, 256)]:
        raise BadInput(f"{path}: a growing network has stages of 64, 128 and 256 px only")
    if any(stage.batch < 2 for stage in config.stages):
        raise BadInput(f"{path}: a batch of one has no BN statistics; expected at least 2")


def _check_together(config: Config, path: Path) -> None:
    """Options that exclude each other."""
    if config.grow and config.network != "published":
        raise BadInput(f"{path}: a {config.network} network does not grow; leave out grow = true")
    if config.grow and config.parts_of:
        raise BadInput(
            f"{path}: eyes and mouth of a growing network are judged in its finest picture; leave "
            "out parts_of"
        )
    if config.weights.open_mask and config.network == "published":
        raise BadInput(f"{path}: the published network has no mask; leave out open_mask")
