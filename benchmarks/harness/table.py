"""Result rows as a table, for a terminal or for Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import pipeline.table
from benchmarks.harness.environment import DOT_PRODUCTS
from benchmarks.harness.rows import Row
from model.streams import one_line

FRAME_RATES = (30, 24)  # what counts as real time: video calls, film
NOISY_PERCENT = 5.0

_HEADER = (
    "backend", "precision", "MB", "load ms", "first ms", "median ms", "p90", "p99", "fps",
    "real time", "spread %", "peak MB", "ratio", "runs as", "PSNR dB", "id cosine", "how",
)  # fmt: skip
_LEFT = {"backend", "precision", "runs as", "how", "device"}


def text(rows: Sequence[Row]) -> str:
    """The table with aligned columns, and remarks below it."""
    return "\n".join([pipeline.table.plain(_cells(rows), _LEFT), *_remarks(rows)])


def markdown(rows: Sequence[Row]) -> str:
    """The table in Markdown, and the remarks as a list."""
    remarks = [f"- {remark}" for remark in _remarks(rows)]
    return "\n".join([pipeline.table.markdown(_cells(rows), _LEFT), "", *remarks])


def real_time(row: Row) -> str:
    """The highest of `FRAME_RATES` at which nine of ten frames are in time."""
    total = row.total
    if total is None or row.how != "measured":
        return "-"
    kept = [rate for rate in FRAME_RATES if total.p90_ms <= 1000 / rate]
    return f"{kept[0]} fps" if kept else "no"


def _cells(rows: Sequence[Row]) -> list[list[str]]:
    """Header and one line a row; with a device in front where there is more than one."""
    several = len({row.device for row in rows}) > 1
    header = (["device"] if several else []) + list(_HEADER)
    lines = [([row.device.model] if several else []) + _line(row) for row in rows]
    return [header, *lines]


def _line(row: Row) -> list[str]:
    total, check = row.total, row.check
    quantiles = (total.p50_ms, total.p90_ms, total.p99_ms) if total else (None, None, None)
    return [
        row.backend.requested,
        row.model.precision,
        f"{row.model.size_mb:.2f}",
        _number(row.load_ms, ".0f"),
        _number(row.first_ms, ".0f"),
        *(_number(quantile, ".1f") for quantile in quantiles),
        _number(1000 / total.p50_ms if total else None, ".1f"),
        real_time(row),
        _number(row.spread_percent, ".1f"),
        _number(row.peak_rss_mb, ".0f"),
        _number(row.ratio, ".2f"),
        _runs_as(row),
        _number(check.psnr_db if check else None, ".1f"),
        _number(check.identity_cosine if check else None, ".4f"),
        "failed" if row.reason and row.how == "measured" else row.how,
    ]


def _runs_as(row: Row) -> str:
    if row.backend.ops:
        return ", ".join(f"{count} {device}" for device, count in sorted(row.backend.ops.items()))
    return "-" if row.backend.partitions is None else f"{row.backend.partitions} partition"


def _remarks(rows: Sequence[Row]) -> list[str]:
    """Notes below a table: failures, what ratios refer to, and noise."""
    names: dict[str, list[str]] = {}
    for row in rows:
        if row.reason:
            names.setdefault(row.reason, []).append(row.name)
    remarks = [f"{', '.join(those)}: {reason}" for reason, those in names.items()]
    against = sorted({row.against for row in rows if row.ratio is not None and row.against})
    remarks += [f"ratio: times as fast as {name}, paired round by round" for name in against]
    outside = max((row.overhead_percent or 0.0 for row in rows), default=0.0)
    if outside:
        remarks.append(f"outside the runtimes' own calls: at most {outside:.2f} % of a frame")
    noisy = [
        f"{row.name} {row.spread_percent:.0f} %"
        for row in rows
        if (row.spread_percent or 0) > NOISY_PERCENT
    ]
    if any(_lacks_dot_products(row) for row in rows):
        remarks.append(
            "a processor without 8-bit dot products (VNNI, AMX, Arm dotprod) is in this table: "
            "int8 is much faster where there are"
        )
    if noisy:
        remarks.append(
            f"a noisy machine: the rounds of {', '.join(noisy)} spread by more than "
            f"{NOISY_PERCENT:g} % around their median; trust the ratios more than the milliseconds"
        )
    return [one_line(remark) for remark in remarks]


def _lacks_dot_products(row: Row) -> bool:
    """Whether a desktop's row is int8 on a processor that is known to be slow at it."""
    known = row.device.soc.endswith(")")
    sets = set(row.device.soc.rpartition("(")[2].rstrip(")").split())
    int8 = row.source == "desktop" and row.model.precision == "int8" and row.total is not None
    return int8 and known and not sets & DOT_PRODUCTS


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
