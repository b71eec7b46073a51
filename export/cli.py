"""The flags and the closing words that all export commands share."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from model import arguments
from model.contract import Format
from model.place import GOLDEN, GOLDEN_BAKED

if TYPE_CHECKING:
    from model.contract import Manifest, ModelSpec

_COMMANDS: dict[Format | None, tuple[str, str]] = {
    None: ("export", "Export a checkpoint to ONNX, TFLite and Core ML, and prove every file."),
    "onnx": ("export.onnx", "Export a checkpoint to ONNX, and prove every file."),
    "tflite": ("export.tflite", "Export a checkpoint to TFLite, and prove every file."),
    "mlpackage": ("export.coreml", "Export a checkpoint to Core ML, and prove every file."),
}
_ALL_FORMATS: tuple[Format, ...] = ("onnx", "tflite", "mlpackage")
_OPSET = arguments.WholeNumber(13, 20)  # what the tracing exporter writes
_SAMPLES = arguments.WholeNumber(1, 12)


def export_command(format: Format | None, argv: Sequence[str] | None) -> int:
    """Parse, export, and print the table; `format` None means all of them."""
    args = _parse(format, argv)

    from export.doctor import require_converters
    from export.job import DEFAULT_PRECISIONS, GatesMissed, Job, run
    from export.stages import Stages

    formats = _ALL_FORMATS if format is None else (format,)
    require_converters(formats)
    stages = Stages(quiet=args.quiet)
    job = Job(
        checkpoint=args.checkpoint,
        identity=args.identity,
        output_dir=args.output_dir,
        formats=formats,
        precisions=tuple(args.precision) if args.precision else DEFAULT_PRECISIONS,
        opset=args.opset,
        bake=args.bake_identity,
        parity=args.parity,
        samples=args.samples,
        threads=args.threads,
        seed=args.seed,
        calibration=args.calibration,
        recipe=args.recipe,
        overwrite=args.overwrite,
        mixed=args.mixed,
    )
    try:
        manifest = run(job, stages)
    except GatesMissed as missed:
        _show(args, job.place, missed.manifest)
        raise
    _show(args, job.place, manifest)
    if not args.json:
        print(_next_commands(job.place, manifest, args), file=sys.stderr)
    return 0


def _show(args: argparse.Namespace, place: Path, manifest: Manifest) -> None:
    """Print what is in the bundle."""
    if args.json:
        from export.publishing import as_json

        print(as_json(manifest))
    else:
        print(table(manifest.models))
        print(f"\nbundle: {place}")


def table(models: Sequence[ModelSpec]) -> str:
    """One line per model file: size, distance from PyTorch and how that was found."""
    from pipeline.table import plain

    rows = [("file", "MB", "PSNR dB", "max abs", "SSIM", "id cosine", "measured")]
    for spec in models:
        parity = spec.parity
        rows.append(
            (
                spec.file,
                f"{spec.size_mb:.2f}",
                _number(parity.psnr_db, ".1f"),
                _number(parity.max_abs, ".1e"),
                _number(parity.ssim, ".5f"),
                _number(parity.identity_cosine, ".6f"),
                parity.measured,
            )
        )
    samples = max((spec.parity.samples for spec in models), default=0)
    note = f"worst of {samples} (face, identity) pairs against the network as trained; PSNR peak 1"
    return "\n".join([plain(rows, {"file", "measured"}), *([note] if samples else [])])


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _parse(format: Format | None, argv: Sequence[str] | None) -> argparse.Namespace:
    module, description = _COMMANDS[format]
    parser = arguments.Parser(prog=f"python -m {module}", description=description)
    parser.add_argument(
        "checkpoint", type=arguments.checkpoint, help=".pt, .pth or .safetensors of a generator"
    )
    parser.add_argument(
        "-o", "--output-dir", type=Path, default=Path("dist"),
        help="the bundle becomes OUTPUT_DIR/<checkpoint name> (default: dist)",
    )  # fmt: skip
    parser.add_argument(
        "--precision", nargs="+", choices=arguments.PRECISIONS,
        help="default: fp32 fp16; TFLite also has dynamic and int8, ONNX int8, Core ML int8 and "
        "pal6 (weights) and w8a8",
    )  # fmt: skip
    parser.add_argument(
        "--calibration", type=Path, metavar="FOLDER",
        help="photos, or aligned faces (256x256 px), that int8 ranges are measured on; default: a "
        "small built-in set",
    )  # fmt: skip
    parser.add_argument(
        "--recipe", type=Path, metavar="FILE",
        help="layers of the generator that compressed files keep in higher precision, from "
        "export.sensitivity",
    )  # fmt: skip
    parser.add_argument(
        "--no-recipe", dest="mixed", action="store_false",
        help="do not look for more such layers where a compressed file misses its gate",
    )  # fmt: skip
    parser.add_argument(
        "--identity", type=Path, metavar="CKPT",
        help="MobileFaceNet that the generator was trained with (default: the shipped one)",
    )  # fmt: skip
    parser.add_argument(
        "--bake-identity", type=Path, metavar="PHOTO_OR_EMBEDDING",
        help="make a generator for this one source (photo, or .npy embedding): it takes the "
        "target alone",
    )  # fmt: skip
    parser.add_argument("--opset", type=_OPSET, default=17, help="ONNX operator set (default: 17)")
    parser.add_argument(
        "--no-parity", dest="parity", action="store_false",
        help="skip the proof; the manifest records it",
    )  # fmt: skip
    parser.add_argument(
        "--samples", type=_SAMPLES, default=8, help="pairs in the proof (default: 8)"
    )
    parser.add_argument("--threads", type=arguments.threads, default=2, help="default: 2")
    parser.add_argument("--seed", type=arguments.seed, default=0, help="for the random identities")
    parser.add_argument(
        "--overwrite", action="store_true",
        help="replace a bundle of other weights that has the same name",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="machine-readable result on stdout")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")
    return parser.parse_args(argv)


def _next_commands(place: Path, manifest: Manifest, args: argparse.Namespace) -> str:
    """Commands that can be typed next as they stand: every file that they name is there."""
    from pipeline.faces.portraits import PORTRAITS, portrait_path

    lines: list[tuple[tuple[object, ...], str]] = []
    if any((place / samples).is_dir() for samples in (GOLDEN, GOLDEN_BAKED)):
        lines.append((("export.verify", place), "replay the golden samples, here or on a Mac"))
    if manifest.identity_checkpoint and not args.bake_identity:
        given = ("--identity", args.identity) if args.identity else ()
        bake = ("export", args.checkpoint, *given, "-o", args.output_dir)
        lines.append(
            ((*bake, "--bake-identity", portrait_path(PORTRAITS[1])), "one source, target alone")
        )
    lines.append((("export.doctor",), "what this machine can convert and execute"))
    shown = [f"  python -m {shlex.join(map(_word, words))}    # {what}" for words, what in lines]
    return "\n".join(["next:", *shown])


def _word(word: object) -> str:
    """A flag, or a path that is not taken for one."""
    named = isinstance(word, Path) and str(word).startswith("-")
    return f"./{word}" if named else str(word)
