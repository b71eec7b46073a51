"""python -m training.evaluate: judge a generator on held-out people.

Swaps pairs of people and reports identity (by a recogniser that was not used in training), pose,
expression, detail, and the reconstruction of faces swapped with their own identity. All files of a
bundle swap the same pairs, which shows the cost of int8.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model import arguments
from model.aligned_face import FACE_SIZE
from model.errors import BackendUnavailable, UsageError, guard
from pipeline.backends import BACKENDS
from pipeline.progress import say

if TYPE_CHECKING:
    from pipeline.backends.base import Backend
    from training.data.faces import Faces
    from training.data.landmarks import Landmarks
    from training.judging.scores import Scores, Truth
    from training.judging.swaps import JudgedModel, Painted, SwapPairs
    from training.judging.teacher import Teacher

    Loaded = tuple[Backend, Backend]  # generator and identity encoder


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Evaluate, and print a Markdown table."""
    args = _parser().parse_args(argv)
    _check(args)
    from training.judging.swaps import candidates

    # A missing or foreign file is said before the minutes that the faces take.
    models = candidates(args.model, args.identity, args.backend, args.precision, args.threads)
    if args.bounded:
        return _bounded(args)
    if args.portraits:
        from training.judging.swap_grid import draw_portraits

        draw_portraits(args.grid, _open(models))
        print(args.grid)
        return 0
    return _evaluate(args, models)


def _evaluate(args: argparse.Namespace, models: list[JudgedModel]) -> int:
    from training.data.landmarks import Landmarks
    from training.judging.scores import look_at, yardsticks
    from training.judging.swap_grid import write_swaps
    from training.judging.swaps import draw_pairs
    from training.judging.tables import print_rows, print_table
    from training.judging.teacher import Teacher

    teacher, landmarks = Teacher(args.teacher, args.threads), Landmarks(args.threads)
    opened = _open(models)
    faces = _held_out(args)
    pairs = draw_pairs(faces.people, args.pairs, args.seed)
    truth = look_at(faces, pairs, teacher, landmarks)
    rows: list[dict[str, Any]] = []
    painted: dict[str, list[Painted]] = {}
    for model, loaded in opened:
        name = f"{model.backend} {model.precision}"
        scores, painted[name] = _score(name, loaded, truth, pairs, args, (teacher, landmarks))
        rows.append({
            "model": str(args.model), "backend": model.backend, "precision": model.precision,
            "teacher": args.teacher.name, "people": len(set(faces.people.tolist())),
            "seed": args.seed, **asdict(scores),
        })  # fmt: skip
    for row in rows:
        row["identity_cost"] = rows[0]["identity_gain"] - row["identity_gain"]
    if args.grid:
        write_swaps(args.grid, faces, pairs, painted)
    (print_rows if args.json else print_table)(rows, yardsticks(truth, pairs))
    return 0


def _open(models: list[JudgedModel]) -> list[tuple[JudgedModel, Loaded]]:
    """Load all that can run here; what cannot is said, and left out unless it is all there is."""
    opened: list[tuple[JudgedModel, Loaded]] = []
    refused: BackendUnavailable | None = None
    for model in models:
        try:
            opened.append((model, model.open()))
        except BackendUnavailable as error:
            refused = error
            say(f"without {model.backend} {model.precision}: {error}")
    if refused and not opened:
        raise refused
    return opened


def _score(
    name: str,
    loaded: Loaded,
    truth: Truth,
    pairs: SwapPairs,
    args: argparse.Namespace,
    judges: tuple[Teacher, Landmarks],
) -> tuple[Scores, list[Painted]]:
    import numpy as np

    from pipeline.progress import Progress
    from training.judging.flicker import flicker
    from training.judging.scores import score
    from training.judging.swap_grid import GRID_ROWS
    from training.judging.swaps import SwapPairs, paint

    own = np.unique(pairs.target)[: args.reconstructions]
    moved = min(args.reconstructions, args.pairs)
    shown = Progress(2 * args.pairs + len(own) + moved, name, unit="step")
    swapped, restored, flickers = [], [], []
    for picture in paint(*loaded, truth.faces.pixels, pairs):
        swapped.append(picture)
        shown.step()
    same = paint(*loaded, truth.faces.pixels, SwapPairs(own, own))
    for row, picture in zip(own, same, strict=True):
        restored.append((int(row), picture))
        shown.step()
    for apart in flicker(*loaded, truth.faces.pixels, pairs, swapped[:moved], args.seed):
        flickers.append(apart)
        shown.step()
    scores = score(truth, pairs, swapped, restored, flickers, *judges, shown.step)
    shown.close()
    return scores, swapped[:GRID_ROWS]


def _held_out(args: argparse.Namespace) -> Faces:
    from pipeline.progress import Progress
    from training.data.photos import held_out_faces

    shown = Progress(None, str(args.data), unit="photo")
    faces = held_out_faces(args.data, FACE_SIZE, step=shown.step)
    shown.close()
    people = len(set(faces.people.tolist()))
    say(f"{len(faces)} faces of {people} held-out people, {faces.skipped} broken")
    return faces


def _bounded(args: argparse.Namespace) -> int:
    """Push many pairs through the network as trained; 1 when an activation is out of bounds."""
    import numpy as np

    from model.checkpoint import load_generator
    from pipeline.progress import Progress
    from training.judging.bounded import measure
    from training.judging.swaps import encode, open_checkpoint
    from training.judging.tables import print_bounds
    from training.running.ranks import open_device

    device = open_device(args.device)
    _, encoder = open_checkpoint(args.model, args.identity, args.threads)
    pixels = _held_out(args).pixels if args.data else np.stack(_varied())
    identities = encode(encoder, pixels)
    network = load_generator(args.model).to(device)
    shown = Progress(args.bounded, "bounded", unit="pair")
    bounds = measure(
        network, pixels, identities, args.bounded,
        seed=args.seed, batch=args.batch, step=shown.step,
    )  # fmt: skip
    shown.close()
    print_bounds(bounds, as_json=args.json)
    return 0 if bounds.held else 1


def _varied() -> list[Any]:
    from pipeline.faces.portraits import varied

    return varied(24, seed=0)


def _check(args: argparse.Namespace) -> None:
    from pipeline.media.sheet import check_kind

    if args.grid:
        check_kind(args.grid)
    if args.bounded and args.model.is_dir():
        raise UsageError(
            f"{args.model} is a folder; --bounded looks into the network as trained. Give the "
            "checkpoint that the bundle was made from"
        )
    if args.portraits and not args.grid:
        raise UsageError("--portraits draws a picture; say with --grid where it goes")
    if not (args.bounded or args.portraits):
        missing = [f"--{flag}" for flag in ("data", "teacher") if getattr(args, flag) is None]
        if missing:
            raise UsageError(f"{' and '.join(missing)} missing; see --help for what they are")


def _parser() -> argparse.ArgumentParser:
    parser = arguments.Parser(prog="python -m training.evaluate", description=__doc__)
    add = parser.add_argument
    add("model", type=Path, metavar="CKPT_OR_BUNDLE", help="checkpoint, or folder of an export")
    add("--data", type=Path, help="aligned faces, tar or folder of Person/N.jpg; only its held-out "
        "people are used")  # fmt: skip
    add("--teacher", type=Path, help="face recogniser as ONNX: OpenCV Zoo's SFace")
    add("--identity", type=Path,
        help="identity encoder of a checkpoint; default: the shipped one")  # fmt: skip
    add("--pairs", type=arguments.WholeNumber(2), default=200,
        help="swaps of two people; default: 200")  # fmt: skip
    add("--reconstructions", type=arguments.count, default=50,
        help="faces to swap with their own identity; default: 50")  # fmt: skip
    add("--backend", nargs="+", default=[], choices=list(BACKENDS), metavar="B",
        help="of a bundle: pytorch, onnx, tflite, coreml; default: onnx and tflite")  # fmt: skip
    add("--precision", nargs="+", default=[], choices=arguments.PRECISIONS,
        help="of a bundle; default: all that there are")  # fmt: skip
    add("--grid", type=Path, metavar="FILE", help="write a picture of the first pairs; shows "
        "people, so mind where it goes")  # fmt: skip
    add("--portraits", action="store_true",
        help="only the grid, of the two public-domain portraits")  # fmt: skip
    add("--bounded", type=arguments.count, metavar="N",
        help="only this: N pairs through the network as trained, peak activations; exit 1 when one "
        "is out of bounds")  # fmt: skip
    add(
        "--batch",
        type=arguments.count,
        default=1,
        help="pairs at a time with --bounded; default: 1",
    )
    add("--device", default="cpu", choices=("cpu", "cuda"), help="for --bounded; default: cpu")
    add(
        "--seed",
        type=arguments.seed,
        default=0,
        help="draws the pairs; the split of people is always 0's",
    )
    add("--threads", type=arguments.threads, default=2, help="default: 2")
    add("--json", action="store_true", help="one JSON row per file on stdout")
    return parser


if __name__ == "__main__":
    sys.exit(main())
