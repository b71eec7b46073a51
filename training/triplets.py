"""python -m training.triplets: make training shards of plain photos.

Each photo is aligned and edited eight times: fatter, older, bearded, with glasses, with sunglasses,
with a fringe, bald, grinning. FSTriplets are drawn from photos and edits. The people that are held
out for evaluation are left out. An interrupted run continues where it stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model import arguments
from model.aligned_face import FACE_SIZE
from model.errors import BadInput, UsageError, guard
from pipeline.progress import say

if TYPE_CHECKING:
    from training.data.photos import Photo
    from training.data.records import Record
    from training.edits.recording import ShardSettings
    from training.edits.shards import ShardPlan

_PER_SHARD = 256  # a step of training holds one shard in memory: some 25 MB
_PREVIEW_ROWS = 8


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Plan, make what is missing, and print what there is."""
    args = _parser().parse_args(argv)
    _check(args)
    from pipeline.progress import Progress
    from training.data.photos import list_photos
    from training.edits.recording import ShardSettings
    from training.edits.shards import claim, is_made, make_shards

    settings = ShardSettings(args.size, args.seed, args.limit, args.per_shard)
    plan = _plan(list_photos(args.photos), settings, args.workers)
    claim(args.output, plan, settings)
    photos = sum(len(shard) for shard in plan.shards)
    done = [i for i in range(len(plan.shards)) if is_made(args.output, i)]
    say(
        f"{photos} photos into {len(plan.shards)} shards, {len(done)} of them there already; "
        f"{len(plan.held_out)} people held out, {plan.broken} pictures broken"
    )
    left = photos - sum(len(plan.shards[i]) for i in done)
    shown = Progress(left, "editing", unit="photo")
    counts = make_shards(
        args.output, plan, settings, args.workers, shown.step,
        lambda number, records: _preview(args.previews, number, records),
    )  # fmt: skip
    shown.close()
    _report(args, plan, counts)
    if not counts["records"]:
        raise BadInput(
            f"no face was found in any of the {photos} photos; the shards are empty. Give photos "
            "of faces of some 20 pixels or more, and remove the folder"
        )
    return 0


def _plan(photos: list[Photo], settings: ShardSettings, workers: int) -> ShardPlan:
    from pipeline.progress import Progress
    from training.edits.shards import make_plan, readable, workforce

    shown = Progress(len(photos), "reading", unit="photo")
    with workforce(workers, _nothing) as each:
        fine = []
        for answer in each(readable, photos):
            fine.append(answer)
            shown.step()
    shown.close()
    return make_plan(photos, fine, settings)


def _nothing() -> None:
    """Reading needs no models."""


def _preview(folder: Path | None, number: int, records: list[Record]) -> None:
    """A sheet of some photos of a shard, from all over it, each with its edits."""
    if folder is None or not records:
        return
    from pipeline.media.sheet import Tile, write_grid
    from training.data.records import EDITS, decode

    edge = 160
    rows = [
        [Tile(decode(record.photo, edge), "photo")]
        + [
            Tile(decode(record.edits[edit], edge) if edit in record.edits else None, edit)
            for edit in EDITS
        ]
        for record in records[:: max(1, len(records) // _PREVIEW_ROWS)][:_PREVIEW_ROWS]
    ]
    write_grid(folder / f"shard-{number:05}.webp", rows, edge)


def _report(args: argparse.Namespace, plan: ShardPlan, counts: Counter[str]) -> None:
    from training.data.records import EDITS

    made: dict[str, Any] = {
        "shards": len(plan.shards),
        "records": counts["records"],
        "people": len({photo.person for shard in plan.shards for photo in shard}),
        "held_out_people": len(plan.held_out),
        "broken": plan.broken + counts["broken"],
        "faceless": counts["faceless"],
        "edits": {edit: counts[f"made {edit}"] for edit in EDITS},
        "failed": {edit: counts[f"failed {edit}"] for edit in EDITS},
    }
    if args.json:
        print(json.dumps(made | {"folder": str(args.output)}))
        return
    print(
        f"{args.output}: {made['records']} records of {made['people']} people in "
        f"{made['shards']} shards; {made['broken']} pictures broken, {made['faceless']} without "
        f"a face; {made['held_out_people']} people held out"
    )
    for edit in EDITS:
        print(f"  {edit:10} {made['edits'][edit]:6} made, {made['failed'][edit]:5} not taken")


def _check(args: argparse.Namespace) -> None:
    if not args.photos.exists():
        raise BadInput(f"{args.photos} does not exist; expected a folder or a tar of Person/N.jpg")
    if args.size % 32:
        raise UsageError(f"--size {args.size}; expected a multiple of 32")


def _parser() -> argparse.ArgumentParser:
    parser = arguments.Parser(prog="python -m training.triplets", description=__doc__)
    add = parser.add_argument
    add("photos", type=Path, metavar="PHOTOS", help="folder or plain tar of Person/N.jpg")
    add("-o", "--output", type=Path, required=True, metavar="DIR", help="where the shards go")
    add(
        "--size",
        type=arguments.WholeNumber(64, 4096),
        default=FACE_SIZE,
        help=f"edge of a face; default: {FACE_SIZE}",
    )
    add(
        "--workers",
        type=arguments.threads,
        default=os.cpu_count() or 1,
        help="processes; default: one per core",
    )
    add("--previews", type=Path, metavar="DIR", help="a sheet of some photos of every new "
        "shard; shows people, so mind where it goes")  # fmt: skip
    add("--limit", type=arguments.count, metavar="N", help="make no more than N records")
    add("--per-shard", type=arguments.count, default=_PER_SHARD,
        help=f"photos, at most, if nobody has more; default: {_PER_SHARD}")  # fmt: skip
    add("--seed", type=arguments.seed, default=0,
        help="draws the order and the edits; the split of people is always 0's")  # fmt: skip
    add("--json", action="store_true", help="machine-readable result on stdout")
    return parser


if __name__ == "__main__":
    sys.exit(main())
