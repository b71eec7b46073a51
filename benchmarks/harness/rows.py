"""A result row: one backend at one precision on one device, from the desktop or from an app.

One JSON object a line. The desktop harness and the three demo apps write the same row, so
that `benchmarks/report.py` can put a phone, a browser and a laptop into one table.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from benchmarks.harness.row_bounds import check_numbers
from model.errors import ContractError
from model.files import write_atomically
from model.typed_json import load_json, parse
from model.untrusted import read_named

SCHEMA = 1
How = Literal["measured", "interpreted", "estimated"]
Source = Literal["desktop", "android", "ios", "web"]
_LARGEST_FILE_BYTES = 256 << 20
STAGES = ("detect", "align", "generate", "blend", "total")


@dataclass(frozen=True, slots=True)
class Stage:
    """Milliseconds of one stage over `n` frames; quantiles by linear interpolation."""

    n: int
    mean_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    min_ms: float
    max_ms: float

    @classmethod
    def of(cls, latencies_ms: Sequence[float]) -> Stage:
        """Sum up at least one latency."""
        p50, p90, p99 = (float(q) for q in np.percentile(latencies_ms, (50, 90, 99)))
        low, high = min(latencies_ms), max(latencies_ms)
        return cls(len(latencies_ms), float(np.mean(latencies_ms)), p50, p90, p99, low, high)


@dataclass(frozen=True, slots=True)
class Device:
    """Where a row was measured."""

    model: str
    os: str
    soc: str
    cores: int


@dataclass(frozen=True, slots=True)
class App:
    """What measured it."""

    version: str
    commit: str


@dataclass(frozen=True, slots=True)
class MeasuredModel:
    """The file that was measured."""

    name: str
    file: str
    sha256: str
    format: str
    precision: str
    bytes: int

    @property
    def size_mb(self) -> float:
        """Megabytes of 10^6 bytes."""
        return self.bytes / 1e6


@dataclass(frozen=True, slots=True)
class Ran:
    """The backend that was asked for, and the one that ran.

    `partitions` counts the pieces that a delegate computes; `ops` counts operators by the device
    that runs them, where the runtime tells.
    """

    requested: str
    used: str
    threads: int
    partitions: int | None = None
    ops: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Runs:
    """Number of warm-up frames and of timed frames."""

    warmup: int
    n: int


@dataclass(frozen=True, slots=True)
class Thermal:
    """Thermal state before and after, as the device names it."""

    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """Parity of this file on this runtime with PyTorch, over the golden samples.

    `identity_cosine` is the exporter's figure, from the manifest; None for a file without proof.
    `psnr_db` is the worst sample's, and `mean_psnr_db` known where many were judged.
    """

    psnr_db: float | None = None
    max_abs: float | None = None
    identity_cosine: float | None = None
    mean_psnr_db: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One result.

    Attributes:
        stages: from `STAGES`; latency benchmarks fill generate (the runtime's own call) and total
            (with the copies around it). Empty for a row that failed.
        reason: why there is no latency.
        rounds_ms: the median of each interleaved round: their spread is the noise.
        ratio: how many times as fast as the row called `against`, paired round by round.
        taken: date and time, ISO 8601.
        tools: versions.
    """

    source: Source
    device: Device
    app: App
    model: MeasuredModel
    backend: Ran
    runs: Runs
    how: How
    load_ms: float | None = None
    first_ms: float | None = None
    peak_rss_mb: float | None = None
    stages: dict[str, Stage] = field(default_factory=dict)
    thermal: Thermal | None = None
    check: Check | None = None
    reason: str | None = None
    rounds_ms: tuple[float, ...] = ()
    ratio: float | None = None
    against: str | None = None
    taken: str | None = None
    tools: dict[str, str] = field(default_factory=dict)
    schema: int = SCHEMA

    @property
    def name(self) -> str:
        """What tables and plots call it, and what `--against` takes: 'tflite-int8'."""
        return f"{self.backend.requested}-{self.model.precision}"

    @property
    def total(self) -> Stage | None:
        """A whole frame; None for a row that failed."""
        return self.stages.get("total")

    @property
    def spread_percent(self) -> float | None:
        """Half the distance from 10th to 90th percentile of the rounds, in % of their median."""
        if len(self.rounds_ms) < 2:
            return None
        low, middle, high = np.percentile(self.rounds_ms, (10, 50, 90))
        return float(50 * (high - low) / middle)

    @property
    def overhead_percent(self) -> float | None:
        """Share of a frame that is spent outside the runtime's own call, in %."""
        total, own = self.total, self.stages.get("generate")
        if total is None or own is None:
            return None
        return 100 * (total.mean_ms - own.mean_ms) / total.mean_ms


def dumps(rows: Iterable[Row]) -> str:
    """JSON lines."""
    return "".join(json.dumps(asdict(row), allow_nan=False) + "\n" for row in rows)


def write(path: Path, rows: Sequence[Row]) -> None:
    """Write `rows` as JSON lines; an earlier file stays until the new one is whole.

    Raises:
        BadInput: the place cannot be written to.
    """
    write_atomically(path, lambda beside: beside.write_text(dumps(rows), encoding="utf-8"))


def read(path: Path, *, ends: bool = False) -> list[Row]:
    """The rows of a file, every one checked against the schema.

    Args:
        path: JSON lines.
        ends: the last line says that the app is done, and is no row.

    Raises:
        ContractError: the file cannot be read, or a line is no such row; the message names it.
    """
    try:
        # Not splitlines(), which also splits at U+2028 and U+0085 within a string.
        lines = read_named(path, _LARGEST_FILE_BYTES).decode("utf-8-sig").split("\n")
    except (ContractError, UnicodeDecodeError) as error:
        raise ContractError(
            f"{path} cannot be read as result rows ({error}). Give a file that "
            "benchmarks/latency.py --json or a demo app wrote"
        ) from None
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    kept = numbered[:-1] if ends else numbered
    return [loads(line, f"{path}:{number}") for number, line in kept]


def loads(line: str, where: str) -> Row:
    """One row from its line.

    Raises:
        ContractError: it is not JSON, has another schema, or lacks what a row needs.
    """
    data = load_json(line, where)
    schema = data.get("schema") if isinstance(data, dict) else None
    if schema != SCHEMA:
        raise ContractError(
            f"{where} has schema {schema!r}; this version reads schema {SCHEMA}. "
            "Measure again with an app and tools of one version"
        )
    row = parse(Row, data, where)
    unknown = sorted(set(row.stages) - set(STAGES))
    if unknown:
        raise ContractError(f"{where} has stages {unknown}; there are {', '.join(STAGES)}")
    if row.total is None and not row.reason:
        raise ContractError(f"{where} has neither a total latency nor a reason why there is none")
    check_numbers(row, where)
    return row
