"""The evaluation in words: a Markdown table for people, JSON rows for machines."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipeline.table import markdown

if TYPE_CHECKING:
    from training.judging.bounded import Bounds
    from training.judging.scores import Yardsticks

Row = dict[str, Any]

# Title, field of `Scores`, format, what the shown number is multiplied by.
_COLUMNS = (
    ("id source ↑", "identity_source", ".3f", 1),
    ("id target ↓", "identity_target", ".3f", 1),
    ("gain ↑", "identity_gain", "+.3f", 1),
    ("closer to source % ↑", "closer_to_source", ".1f", 100),
    ("top-1 % ↑", "retrieval_top1", ".1f", 100),
    ("pose ° ↓", "pose_deg", ".2f", 1),
    ("expression % ↓", "expression", ".2f", 1),
    ("blink % ↓", "blink", ".2f", 1),
    ("gaze % ↓", "gaze", ".2f", 1),
    ("eyes →1", "detail_eyes", ".2f", 1),
    ("mouth →1", "detail_mouth", ".2f", 1),
    ("cheeks →1", "detail_cheeks", ".2f", 1),
    ("chroma →1", "chroma", ".2f", 1),
    ("flicker ↓", "flicker", ".2f", 1),
    ("Fréchet ↓", "frechet", ".3f", 1),
    ("PSNR dB ↑", "psnr_db", ".1f", 1),
    ("worst", "psnr_worst_db", ".1f", 1),
    ("SSIM ↑", "ssim", ".3f", 1),
    ("worst", "ssim_worst", ".3f", 1),
)


def print_rows(rows: list[Row], real: Yardsticks) -> None:
    """One JSON object per row on stdout, each with what real photos give."""
    for row in rows:
        print(json.dumps({**row, "real": real._asdict()}))


def print_table(rows: list[Row], real: Yardsticks) -> None:
    """The rows as a Markdown table on stdout, and under it what they were measured on."""
    titles = ["file", *(title for title, *_ in _COLUMNS), "id cost"]
    lines = [titles]
    for row in rows:
        cells = [_cell(row[field], form, times) for _, field, form, times in _COLUMNS]
        cost = _cell(row["identity_cost"], "+.3f", 1)
        lines.append([f"{row['backend']} {row['precision']}", *cells, cost])
    print(markdown(lines, {"file"}))
    best = "not known" if real.same_person is None else f"{real.same_person:.3f}"
    first = rows[0]
    print(
        f"\n{first['pairs']} pairs of {first['people']} held-out people, seed {first['seed']}; "
        f"{first['reconstructions']} reconstructions. Identity by {first['teacher']}. Real "
        f"photos: one person {best}, two people {real.other_person:.3f}, Fréchet "
        f"{real.frechet:.3f}. Fréchet is over the recogniser's embeddings: it is not FID. id cost: "
        f"gain lost to {first['backend']} {first['precision']}."
    )
    for row in rows:
        if row["faceless"] or row["not_finite"]:
            print(
                f"{row['backend']} {row['precision']}: no face seen in {row['faceless']} swaps "
                "(left out of pose, expression, blink and gaze), "
                f"{row['not_finite']} pictures not finite"
            )


def print_bounds(bounds: Bounds, *, as_json: bool) -> None:
    """What `training.judging.bounded` measured, on stdout."""
    from training.judging.bounded import BAR

    if as_json:
        print(json.dumps({**asdict(bounds), "bar": BAR, "held": bounds.held}))
        return
    print(f"{bounds.pairs} pairs, {len(bounds.peaks)} modules, what each takes and gives")
    where = f", first {bounds.not_finite_in}" if bounds.not_finite else ""
    print(f"not finite: {bounds.not_finite} values{where}")
    print(f"peak: {bounds.peak:,.1f} {bounds.peak_in}; bar {BAR:,.0f}, a tenth of fp16's range")
    highest = sorted(bounds.peaks.items(), key=lambda item: -item[1])[:5]
    print("highest: " + ", ".join(f"{name} {peak:,.1f}" for name, peak in highest))
    print("bounded" if bounds.held else "NOT bounded: train on, or squash the decoder's attention")


def _cell(value: float | None, form: str, times: float) -> str:
    return "-" if value is None else format(value * times, form)
