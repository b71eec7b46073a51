"""Time the generator in other runtimes: `python benchmarks/peers.py BUNDLE`.

All are timed in one interleaved run with the bundle's own TFLite and ONNX files. A runtime that is
not installed gets a row with the reason. The extra `peers` installs most of them.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if not __package__:
    import harness.run_as_file  # noqa: F401

from benchmarks.harness.commands import add_timing, check_outputs, show, teller
from benchmarks.rivals.recipes import Asked, Recipe, recipes
from model import arguments
from model.errors import EXIT_INTERRUPTED, BadInput, guard

if TYPE_CHECKING:
    from benchmarks.harness.contenders import Contender

_CACHE = Path("build/peers")
_BASELINE = "naive-onnx2tf-fp32"


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Convert what is not converted yet, time everything in turns, print the table."""
    args = _parse(argv)
    check_outputs(args.json, args.plot)

    from benchmarks.harness import plot, table
    from benchmarks.harness.measure import measure

    ours, asked = _ours(args)
    theirs = [_contender(recipe, asked) for recipe in recipes() if recipe.name in args.peers]
    rows, interrupted = measure(
        [*theirs, *ours], runs=args.runs, rounds=min(args.rounds, args.runs), warmup=args.warmup,
        threads=args.threads, against=_BASELINE, tell=teller(args.quiet),
    )  # fmt: skip
    show(rows, table.text(rows), args.json)
    if args.plot:
        plot.latency(rows, args.plot)
    return EXIT_INTERRUPTED if interrupted else 0


def _ours(args: argparse.Namespace) -> tuple[list[Contender], Asked]:
    """Contenders for the bundle's own files, and the inputs of the other conversions."""
    from benchmarks.harness.contenders import Wanted, checkpoint_of, contenders
    from model.manifest import load_bundle

    manifest = load_bundle(args.bundle)
    spec = manifest.find("generator", "onnx", "fp32")
    record = manifest.checkpoint
    checkpoint = checkpoint_of(record, args.checkpoint)
    if checkpoint is None:
        raise BadInput(
            f"{record.file}, which the bundle was made from, is not at hand; the naive exports are "
            "made from it. Give it with --checkpoint CKPT"
        )
    wanted = Wanted(
        args.bundle, manifest, "generator", ("tflite", "onnx"), ("fp32", "dynamic", "int8"),
        args.threads, args.warmup, checkpoint,
    )  # fmt: skip
    embedding_size = next(t for t in spec.inputs if not t.color).shape[1]
    asked = Asked(
        args.bundle, args.bundle / spec.file, checkpoint, args.threads, args.warmup, embedding_size
    )
    return contenders(wanted), asked


def _contender(recipe: Recipe, asked: Asked) -> Contender:
    """Convert the generator once per checkpoint, and describe what to run."""
    from benchmarks.harness.contenders import Contender
    from benchmarks.harness.interleave import scratch_log
    from benchmarks.harness.rows import MeasuredModel
    from benchmarks.harness.worker import Task
    from model.digest import digest

    def model(sha256: str = "", size: int = 0) -> MeasuredModel:
        format = Path(recipe.file).suffix.removeprefix(".")
        return MeasuredModel("generator", recipe.file, sha256, format, recipe.precision, size)

    def without(reason: str) -> Contender:
        return Contender(recipe.name, recipe.name, model(), reason=reason)

    if importlib.util.find_spec(recipe.package) is None:
        return without(f"{recipe.package} is not installed; {recipe.remedy}")
    if not recipe.opener:
        return without(f"{recipe.package} is installed, but no way to run it is written yet")
    key = digest(asked.checkpoint)[0][:12]
    path = _CACHE / key / recipe.file
    log = scratch_log()
    weights = path.with_suffix(".bin") if recipe.file.endswith(".xml") else path
    weights = path.with_name(path.name + ".bin") if recipe.name == "ncnn" else weights
    if not weights.exists():
        print(f"converting for {recipe.name} {recipe.precision}", file=sys.stderr, flush=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            recipe.build(asked, path, log)
        except Exception as error:  # converters may raise anything; the row gets the reason
            return without(f"the conversion failed: {' '.join(str(error).split())[:200]}")
    arguments: dict[str, Any] = {
        "path": str(path), "threads": asked.threads, "embedding_size": asked.embedding_size,
        **dict(recipe.options),
    }  # fmt: skip
    golden = asked.bundle / "golden"
    return Contender(
        recipe.name, recipe.name, model(*digest(weights)),
        task=Task(
            f"benchmarks.rivals.peer_runtimes:{recipe.opener}", arguments, ("numpy",),
            str(golden) if golden.is_dir() else None, asked.warmup, str(log),
        ),
    )  # fmt: skip


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    names = sorted({recipe.name for recipe in recipes()})
    parser = arguments.Parser(prog="python benchmarks/peers.py", description=__doc__)
    parser.add_argument("bundle", type=Path, help="with an fp32 ONNX file of the generator")
    parser.add_argument("--peers", nargs="+", choices=names, default=names, help="default: all")
    parser.add_argument("--checkpoint", type=Path, help="default: looked for")
    add_timing(parser, runs=60, rounds=30, warmup=3)
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the rows; - for stdout")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw latencies as PNG or SVG")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
