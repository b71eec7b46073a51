"""Run one runtime for minutes, and find when the machine throttles."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.harness.contenders import Contender
from benchmarks.harness.interleave import Measurement, Worker, WorkerFailed
from benchmarks.harness.measure import row_of
from benchmarks.harness.rows import Row

SLOWER = 1.1  # a minute counts as throttled from a tenth above the best minute on
_CHUNK = 5


@dataclass(frozen=True, slots=True)
class Throttling:
    """How a sustained run went.

    Attributes:
        minutes_ms: median latency of each minute.
        begins: the first minute, from 1, after which none is fast again; None where there is none.
    """

    minutes_ms: tuple[float, ...]
    begins: int | None


def throttling(minutes_ms: Sequence[float]) -> Throttling:
    """Find the minute from which the medians stay more than a tenth above the best."""
    limit = SLOWER * min(minutes_ms)
    fast = [minute for minute, ms in enumerate(minutes_ms, 1) if ms <= limit]
    last_fast = fast[-1]
    begins = last_fast + 1 if last_fast < len(minutes_ms) else None
    return Throttling(tuple(minutes_ms), begins)


def sustain(
    contenders: Sequence[Contender],
    minutes: float,
    *,
    warmup: int,
    threads: int,
    tell: Callable[[str], None],
) -> tuple[list[Row], bool]:
    """Run each contender alone for `minutes`; the medians of its minutes become its rounds.

    Returns:
        A row each, and whether Ctrl-C cut it short; minutes measured until then stay.
    """
    rows, interrupted = [], False
    for contender in contenders:
        measured = Measurement()
        if contender.task and not interrupted:
            try:
                _run(contender, measured, minutes, tell)
            except WorkerFailed as error:
                measured.reason = str(error)
            except KeyboardInterrupt:
                interrupted = True
        if interrupted and not measured.rounds:
            measured.reason = "interrupted before its first minute"
        rows.append(row_of(contender, measured, warmup, threads))
    return rows, interrupted


def words(row: Row) -> str:
    """The result of a sustained run, in one line."""
    if not row.rounds_ms:
        return f"{row.name}: {row.reason}"
    found = throttling(row.rounds_ms)
    listed = " ".join(f"{ms:.0f}" for ms in found.minutes_ms)
    verdict = (
        f"slower from minute {found.begins} on" if found.begins else "no throttling in this time"
    )
    return f"{row.name}: ms by minute {listed}; {verdict}"


def _run(
    contender: Contender, measured: Measurement, minutes: float, tell: Callable[[str], None]
) -> None:
    assert contender.task is not None
    with Worker(contender.task) as worker:
        measured.loaded = worker.loaded()
        if not contender.task.frames:
            return
        started = time.monotonic()
        while (elapsed := (time.monotonic() - started) / 60) < minutes:
            frames = worker.frames(_CHUNK)
            if int(elapsed) == len(measured.rounds):
                measured.rounds.append(frames)
            else:
                measured.rounds[-1].total_ms.extend(frames.total_ms)
                measured.rounds[-1].invoke_ms.extend(frames.invoke_ms)
            median = np.median(measured.rounds[-1].total_ms)
            tell(f"{contender.requested} minute {len(measured.rounds)}: {median:.0f} ms")
        measured.peak_rss_mb = worker.end().peak_rss_mb
