"""Plots of result rows: latency by runtime, and quality against size."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness.rows import Row
from benchmarks.harness.table import FRAME_RATES
from model.errors import BackendUnavailable, BadInput, install
from model.files import check_place, write_atomically

_COLORS = {"fp32": "#4c78a8", "fp16": "#72b7b2", "dynamic": "#eeca3b", "int8": "#f58518",
           "pal6": "#e45756", "w8a8": "#b279a2"}  # fmt: skip
_OTHER = "#9d9da1"
_MOST_SHOWN = 60  # bars or labels; more cannot be read, and 3,000 took half a minute to lay out
_LONGEST_LABEL = 40


def check_kind(path: Path) -> None:
    """Refuse a file that a plot cannot be written to, before any work is done.

    Raises:
        BadInput: its ending is of no kind of plot, or the place cannot be written to.
    """
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise BadInput(f"{path} is no place for a plot; expected a .png, .svg or .pdf")
    check_place(path)


def latency(rows: Sequence[Row], path: Path) -> None:
    """Draw the median of each row as a bar, its 90th percentile as a whisker; 60 rows at most.

    Raises:
        BadInput: no row has a latency, or the place cannot be written to.
        BackendUnavailable: matplotlib is not installed.
    """
    timed = [(row, row.total) for row in rows if row.total]
    if not timed:
        raise BadInput(f"{path} not drawn: no row has a latency")
    shown = timed
    if len(timed) > _MOST_SHOWN:
        shown = sorted(timed, key=lambda pair: pair[1].p50_ms)[:_MOST_SHOWN]
    several = len({row.device for row in rows}) > 1

    def draw(axes: Any) -> None:
        for place, (row, total) in enumerate(shown):
            axes.barh(
                place, total.p50_ms, xerr=[[0], [max(0.0, total.p90_ms - total.p50_ms)]],
                color=_COLORS.get(row.model.precision, _OTHER), capsize=3,
            )  # fmt: skip
            axes.annotate(
                f" {total.p50_ms:.0f}", (max(total.p90_ms, total.p50_ms), place), va="center"
            )
        for rate in FRAME_RATES:
            axes.axvline(1000 / rate, color="grey", linestyle=":", linewidth=1)
            axes.annotate(
                f"{rate} fps", (1000 / rate, -0.75), rotation=90, fontsize=7, ha="right",
                va="top", color="grey",
            )  # fmt: skip
        axes.set_yticks(range(len(shown)), [_label(row, several) for row, _ in shown])
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.set_xlabel("ms a frame: median, whisker to the 90th percentile")
        if len(shown) < len(timed):
            axes.set_title(f"the {len(shown)} fastest of {len(timed)} rows", fontsize=9)

    _save(path, draw, height=1.2 + 0.42 * len(shown))


def quality(rows: Sequence[Row], path: Path) -> None:
    """Draw the PSNR of each file to PyTorch against its size.

    Raises:
        BadInput: no row was checked, or the place cannot be written to.
        BackendUnavailable: matplotlib is not installed.
    """
    shown = [row for row in rows if judged(row)]
    if not shown:
        raise BadInput(f"{path} not drawn: no row was checked against golden samples")

    def draw(axes: Any) -> None:
        sizes = [row.model.size_mb for row in shown]
        psnrs = [row.check.psnr_db for row in shown if row.check]
        colors = [_COLORS.get(row.model.precision, _OTHER) for row in shown]
        axes.scatter(sizes, psnrs, color=colors, s=40)
        if len(shown) <= _MOST_SHOWN:
            for row, place in zip(shown, zip(sizes, psnrs, strict=True), strict=True):
                axes.annotate(f" {_text(row.name)}", place, fontsize=8, va="center")
        axes.margins(0.15)
        axes.set_xlabel("MB")
        axes.set_ylabel("PSNR to PyTorch, dB (worst golden sample)")
        axes.grid(alpha=0.3)

    _save(path, draw, height=4.2)


def judged(row: Row) -> bool:
    """Whether a row has a PSNR and a file size."""
    return bool(row.check and row.check.psnr_db is not None and row.model.bytes)


def _label(row: Row, several_devices: bool) -> str:
    name = _text(row.name)
    return f"{name}\n{_text(row.device.model)}" if several_devices else name


def _text(words: str) -> str:
    """Words from a file as a short label; between dollars matplotlib would read a formula."""
    clean = "".join(c if c.isprintable() else " " for c in words)
    cut = clean if len(clean) <= _LONGEST_LABEL else clean[: _LONGEST_LABEL - 1] + "…"
    return cut.replace("$", "\\$")


def _save(path: Path, draw: Callable[[Any], None], height: float) -> None:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise BackendUnavailable(
            f"plots need matplotlib, which is not installed. {install('faces')}"
        ) from None
    figure = Figure(figsize=(8, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    draw(axes)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # a box in place of a letter is enough
        write_atomically(path, lambda beside: figure.savefig(beside, dpi=120))
