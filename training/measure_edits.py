"""python -m training.measure_edits: how much do edits change a face's identity?

Measured by a face recogniser that the edits do not use: identity edits should lower the cosine
between photo and edit, attribute edits should keep it higher.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from model import arguments
from model.aligned_face import FACE_SIZE
from model.errors import BadInput, guard

if TYPE_CHECKING:
    from training.data.records import Edit

Cosines = dict["Edit", list[float]]


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Print, per edit, the cosine of a photo and its edit: mean, and the tenth and ninetieth."""
    args = _parser().parse_args(argv)
    cosines = _measure(args)

    import numpy as np

    from training.data.records import EDITS, IDENTITY_EDITS

    rows = []
    for edit in EDITS:
        if cosines[edit]:
            low, high = np.quantile(cosines[edit], [0.1, 0.9])
            rows.append({
                "edit": edit, "kind": "identity" if edit in IDENTITY_EDITS else "attribute",
                "faces": len(cosines[edit]), "cosine": float(np.mean(cosines[edit])),
                "p10": float(low), "p90": float(high),
            })  # fmt: skip
    if args.json:
        for row in rows:
            print(json.dumps(row))
        return 0
    from pipeline.table import markdown

    lines = [
        [f"{value:.3f}" if isinstance(value, float) else str(value) for value in row.values()]
        for row in rows
    ]
    header = ["edit", "kind", "faces", "cosine", "p10", "p90"]
    print(markdown([header, *lines], left={"edit", "kind"}))
    return 0


def _measure(args: argparse.Namespace) -> Cosines:
    from pipeline.progress import Progress
    from training.data.archives import tars_in
    from training.data.records import EDITS, decode, read_shard
    from training.judging.teacher import Teacher

    teacher = Teacher(args.teacher, args.threads)
    shards = tars_in(args.shards) if args.shards.is_dir() else [args.shards]
    if not shards:
        raise BadInput(
            f"{args.shards} holds no shard; make some with python -m training.triplets PHOTOS -o "
            f"{args.shards}"
        )
    cosines: Cosines = {edit: [] for edit in EDITS}
    shown, left = Progress(args.limit, "measuring", unit="record"), args.limit
    for shard in shards:
        for record in read_shard(shard)[:left]:
            photo = teacher.embed(decode(record.photo, FACE_SIZE))
            for edit, data in record.edits.items():
                cosines[edit].append(float(photo @ teacher.embed(decode(data, FACE_SIZE))))
            left -= 1
            shown.step()
        if not left:
            break
    shown.close()
    return cosines


def _parser() -> argparse.ArgumentParser:
    parser = arguments.Parser(prog="python -m training.measure_edits", description=__doc__)
    parser.add_argument("shards", type=Path, help="folder of shards, or one shard")
    parser.add_argument("--teacher", type=Path, required=True, help="face recogniser as ONNX")
    parser.add_argument("--limit", type=arguments.count, default=200, help="records; default: 200")
    parser.add_argument("--threads", type=arguments.threads, default=2, help="default: 2")
    parser.add_argument("--json", action="store_true", help="one JSON row per edit on stdout")
    return parser


if __name__ == "__main__":
    sys.exit(main())
