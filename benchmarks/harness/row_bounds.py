"""Refuse result rows whose numbers no measurement gives. Rows may come from any device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.errors import ContractError

if TYPE_CHECKING:
    from benchmarks.harness.rows import Row

_SHORTEST_MS, _LONGEST_MS = 1e-6, 1e9  # a nanosecond, eleven days
_MOST = 1e15  # counts and sizes
_MOST_DB = 1000  # float32 pictures that differ in one bit reach 170


def check_numbers(row: Row, where: str) -> None:
    """Refuse numbers that no measurement gives; tables and plots divide by some of them.

    Args:
        row: any row.
        where: the file and the line, for the message.

    Raises:
        ContractError: a number is out of its bounds; the message names it.
    """

    def within(name: str, value: float | None, low: float, high: float) -> None:
        if value is not None and not low <= value <= high:
            raise ContractError(
                f"{where}.{name} is {value:g}; expected {low:g} to {high:g}. Measure again"
            )

    total = row.total
    counts = {
        "device.cores": row.device.cores,
        "runs.warmup": row.runs.warmup,
        "runs.n": row.runs.n,
        "backend.threads": row.backend.threads,
        "backend.partitions": row.backend.partitions,
    }
    counts |= {f"backend.ops.{device}": count for device, count in row.backend.ops.items()}
    for name, count in counts.items():
        within(name, count, 0, _MOST)
    if total:
        for field in ("mean_ms", "p50_ms", "p90_ms", "p99_ms"):
            within(f"stages.total.{field}", getattr(total, field), _SHORTEST_MS, _LONGEST_MS)
    for stage, times in row.stages.items():
        within(f"stages.{stage}.n", times.n, 1, _MOST)
        for field in ("mean_ms", "p50_ms", "p90_ms", "p99_ms", "min_ms", "max_ms"):
            within(f"stages.{stage}.{field}", getattr(times, field), 0, _LONGEST_MS)
    for ms in row.rounds_ms:
        within("rounds_ms", ms, _SHORTEST_MS, _LONGEST_MS)
    within("load_ms", row.load_ms, 0, _LONGEST_MS)
    within("first_ms", row.first_ms, 0, _LONGEST_MS)
    within("peak_rss_mb", row.peak_rss_mb, 0, _MOST)
    within("ratio", row.ratio, 0, _MOST)
    within("model.bytes", row.model.bytes, 0, _MOST)
    if check := row.check:
        within("check.psnr_db", check.psnr_db, -_MOST_DB, _MOST_DB)
        within("check.mean_psnr_db", check.mean_psnr_db, -_MOST_DB, _MOST_DB)
        within("check.max_abs", check.max_abs, 0, _MOST)
        within("check.identity_cosine", check.identity_cosine, -1.001, 1.001)  # rounding
