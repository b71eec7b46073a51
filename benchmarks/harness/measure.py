"""Time contenders, and make result rows of the measurements."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.harness import environment
from benchmarks.harness.contenders import Contender
from benchmarks.harness.interleave import Measurement, interleave
from benchmarks.harness.rows import Check, Ran, Row, Runs, Stage


def measure(
    contenders: Sequence[Contender],
    *,
    runs: int,
    rounds: int,
    warmup: int,
    threads: int,
    against: str | None,
    tell: Callable[[str], None],
) -> tuple[list[Row], bool]:
    """Time all contenders that can run, in turns; a row for each, in their order.

    Args:
        contenders: what to time.
        runs: timed frames of each.
        rounds: how many turns each gets.
        warmup: frames before the first turn.
        threads: as the runtimes were told, for the rows.
        against: the row that ratios refer to; None leaves them out.
        tell: hears about the progress.

    Returns:
        The rows, and whether Ctrl-C cut the measuring short.
    """
    able = [c for c in contenders if c.task]
    measurements, interrupted = interleave([c.task for c in able if c.task], runs, rounds, tell)
    by_contender = dict(zip(map(id, able), measurements, strict=True))
    rows = [row_of(c, by_contender.get(id(c), Measurement()), warmup, threads) for c in contenders]
    return with_ratios(rows, against), interrupted


def with_ratios(rows: Sequence[Row], against: str | None) -> list[Row]:
    """Add to each row its speed relative to the row called `against`.

    Paired round by round, so that a slow minute cancels out.
    """
    base = next((row for row in rows if row.name == against and row.rounds_ms), None)
    if base is None:
        return list(rows)
    compared = []
    for row in rows:
        pairs = list(zip(base.rounds_ms, row.rounds_ms, strict=False))
        ratio = float(np.median([theirs / ours for theirs, ours in pairs])) if pairs else None
        compared.append(dataclasses.replace(row, ratio=ratio, against=against if pairs else None))
    return compared


def row_of(contender: Contender, measured: Measurement, warmup: int, threads: int) -> Row:
    """The result row of a contender measured on this machine."""
    loaded = measured.loaded
    stages = {}
    if measured.rounds:
        stages = {
            "generate": Stage.of(measured.invoke_ms),
            "total": Stage.of(measured.total_ms),
        }
    timed = bool(contender.task and contender.task.frames)
    return Row(
        model=contender.model,
        backend=Ran(
            contender.requested, contender.used, threads,
            loaded.partitions if loaded else None, loaded.ops if loaded else {},
        ),
        runs=Runs(warmup if timed else 0, len(measured.total_ms)),
        how=contender.how,
        load_ms=loaded.load_ms if loaded else None,
        first_ms=loaded.first_ms if loaded and timed else None,
        peak_rss_mb=measured.peak_rss_mb,
        stages=stages,
        check=Check(loaded.psnr_db, loaded.max_abs, contender.identity_cosine) if loaded else None,
        reason=contender.reason or measured.reason,
        rounds_ms=measured.rounds_ms,
        source="desktop",
        device=environment.device(),
        app=environment.app(),
        taken=environment.now(),
        tools=environment.tools(),
    )  # fmt: skip
