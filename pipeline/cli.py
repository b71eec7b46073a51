"""Swap faces in photos and video with a bundle: `python -m pipeline SOURCE TARGET -o OUT`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model import arguments
from model.errors import EXIT_INTERRUPTED, FaceSwapError, UsageError, guard
from pipeline.backends import BACKENDS

if TYPE_CHECKING:
    from pipeline.media.credentials import Credentials
    from pipeline.request import Outcome, Request
    from pipeline.swap import FaceSwapper

_EXAMPLES = """examples:
  python -m pipeline me.jpg party.jpg -o out.jpg --backend tflite --precision int8
  python -m pipeline me1.jpg,me2.jpg clip.mp4 -o out.mp4    # identity averaged over two photos
  python -m pipeline me.jpg --save-identity me.npy          # then me.npy does as SOURCE
  python -m pipeline me.jpg two.jpg --source you.jpg --map 0:1,1:0 -o out.png
  python -m pipeline me.npy photos/ -o swapped/

Swap only faces of people who agreed to it. Results are labelled as synthetic in their metadata.
"""


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Swap, and say where the results are."""
    args = _parser().parse_args(argv)
    _check(args)

    from pipeline.bundles import newest_bundle
    from pipeline.files import check_output, spare
    from pipeline.people import person, photos_of, save_identity
    from pipeline.swap import FaceSwapper

    sources = [args.source, *args.more_sources]
    given = [path for source in sources for path in photos_of(source)]
    if args.target:
        given.append(args.target)
        check_output(args.target, args.output, given)
    if args.save_identity:
        spare(args.save_identity, given)
    signer = _signer(args)
    bundle = args.bundle or newest_bundle()
    swapper = FaceSwapper.load(
        bundle, backend=args.backend, precision=args.precision, threads=args.threads,
        boost=args.boost == 512,
    )  # fmt: skip
    people = tuple(person(swapper, source, lambda note: _talk(args, note)) for source in sources)
    if args.save_identity:
        save_identity(args.save_identity, people[0])
        _talk(args, f"identity saved as {args.save_identity}")
    request = _request(args, people, signer)
    swapper.watch.stages.clear()
    if args.camera is not None:
        from pipeline.camera import show

        show(swapper, args.camera, request)
    skipped: dict[Path, str] = {}
    outcomes = _swap(args, swapper, request, given, skipped) if args.target else []
    _report(args, outcomes, skipped, swapper, bundle)
    return EXIT_INTERRUPTED if any(o.report.get("interrupted") for o in outcomes) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "source", metavar="SOURCE", help="photo, photos with commas between, or .npy of a person"
    )
    parser.add_argument(
        "target", metavar="TARGET", type=_path, nargs="?", help="photo, video, or a folder of them"
    )
    parser.add_argument("-o", "--output", type=_path, metavar="OUT", help="file, or folder")
    models = parser.add_argument_group("models")
    models.add_argument("--bundle", type=_path, metavar="DIR", help="default: newest below dist/")
    models.add_argument(
        "--backend", choices=list(BACKENDS), default="tflite", help="default: tflite"
    )
    models.add_argument(
        "--precision", choices=arguments.PRECISIONS, default="fp32", help="of the generator"
    )
    models.add_argument("--threads", type=arguments.threads, default=2, help="default: 2")
    who = parser.add_argument_group("who")
    who.add_argument(
        "--faces", type=_which, default="largest", help="all, largest (default), or the N largest"
    )
    who.add_argument(
        "--source", dest="more_sources", action="append", default=[], metavar="SOURCE",
        help="a further person; may be given again",
    )  # fmt: skip
    who.add_argument(
        "--map", metavar="I:J,...", help="source I on face J; faces count from 0, largest first"
    )
    who.add_argument("--save-identity", type=_path, metavar="NPY", help="keep the first source's")
    look = parser.add_argument_group("look")
    look.add_argument("--opacity", type=arguments.share, default=1.0, help="0 to 1 (default)")
    look.add_argument("--keep-mouth", action="store_true", help="leave the target's open mouth")
    look.add_argument(
        "--keep-occlusions", action="store_true",
        help="leave what lies before the face, as far as its colour is not the skin's",
    )  # fmt: skip
    look.add_argument(
        "--boost", type=int, choices=[512],
        help="swap faces that are larger than the generator's 256 px at 512 px, as four "
        "interleaved pictures; takes four times the generator's time",
    )  # fmt: skip
    label = parser.add_argument_group("label and metadata")
    label.add_argument("--badge", action="store_true", help="draw a visible mark")
    label.add_argument(
        "--no-label", action="store_true",
        help="write no digital source type; you then have to say elsewhere that it is synthetic",
    )  # fmt: skip
    label.add_argument(
        "--keep-metadata", action="store_true",
        help="keep a photo's position, serial numbers and maker notes",
    )  # fmt: skip
    label.add_argument("--c2pa-cert", type=_path, metavar="PEM", help="sign a C2PA manifest")
    label.add_argument("--c2pa-key", type=_path, metavar="PEM", help="its private key")
    label.add_argument("--c2pa-algorithm", default="ES256", help="default: ES256")
    other = parser.add_argument_group("other")
    other.add_argument(
        "--camera", type=arguments.from_zero, metavar="N", help="live, instead of TARGET"
    )
    other.add_argument("--stages", action="store_true", help="print the time of each stage")
    other.add_argument("--json", action="store_true", help="machine-readable result on stdout")
    other.add_argument("--quiet", action="store_true", help="no talk and no progress on stderr")
    return parser


def _check(args: argparse.Namespace) -> None:
    """Refuse flags that do not go together, before anything is loaded."""
    if args.target and args.camera is not None:
        raise UsageError("--camera takes the place of TARGET; give one of them")
    if args.target and not args.output:
        raise UsageError("-o is missing: where shall the result go?")
    if args.output and not args.target:
        raise UsageError(f"-o {args.output} has no TARGET; give the photo or video to swap in")
    if not args.target and args.camera is None and not args.save_identity:
        raise UsageError("nothing to do: give a TARGET with -o, --camera, or --save-identity")
    if bool(args.c2pa_cert) != bool(args.c2pa_key):
        raise UsageError("--c2pa-cert and --c2pa-key go together")
    if args.no_label and args.c2pa_cert:
        raise UsageError("--no-label and --c2pa-cert contradict each other")
    if args.target and not args.target.exists():
        raise UsageError(f"there is no {args.target}")
    if args.save_identity and args.save_identity.suffix.lower() != ".npy":
        raise UsageError(
            f"--save-identity {args.save_identity} must end in .npy, by which a SOURCE is known"
        )


def _signer(args: argparse.Namespace) -> Credentials | None:
    if not args.c2pa_cert:
        return None
    from pipeline.media import credentials

    signer = credentials.Credentials(args.c2pa_cert, args.c2pa_key, args.c2pa_algorithm)
    single = args.output if args.target and args.target.is_file() else None
    credentials.check(signer, single if single and not single.is_dir() else None)
    return signer


def _request(
    args: argparse.Namespace, people: tuple[Any, ...], signer: Credentials | None
) -> Request:
    from pipeline.faces.paste import Blend
    from pipeline.people import parse_pairs
    from pipeline.request import Request

    return Request(
        people,
        args.faces if args.faces != "largest" or len(people) == 1 else len(people),
        parse_pairs(args.map) if args.map else None,
        Blend(
            opacity=args.opacity,
            keep_mouth=args.keep_mouth,
            keep_occlusions=args.keep_occlusions,
        ),
        label=not args.no_label,
        badge=args.badge,
        credentials=signer,
        keep_metadata=args.keep_metadata,
    )


def _swap(
    args: argparse.Namespace,
    swapper: FaceSwapper,
    request: Request,
    given: Sequence[Path],
    skipped: dict[Path, str],
) -> list[Outcome]:
    from pipeline.files import is_video, output_of, spare, swap_folder, swap_photo

    def one(target: Path, output: Path) -> Outcome:
        spare(output, given)
        if not is_video(target):
            return swap_photo(swapper, target, output, request, progress=not args.quiet)
        from pipeline.video import swap_video

        return swap_video(swapper, target, output, request, progress=not args.quiet)

    def refused(file: Path, error: FaceSwapError) -> None:
        skipped[file] = str(error)
        _talk(args, f"skipped: {error}")

    if args.target.is_dir():
        return swap_folder(args.target, args.output, one, refused)
    return [one(args.target, output_of(args.target, args.output))]


def _report(
    args: argparse.Namespace,
    outcomes: list[Outcome],
    skipped: dict[Path, str],
    swapper: FaceSwapper,
    bundle: Path,
) -> None:
    stages = swapper.watch.summary()
    if args.json:
        files = [{"file": str(o.file), **o.report, "notes": o.notes} for o in outcomes]
        print(
            json.dumps(
                {
                    "bundle": str(bundle),
                    "backend": args.backend,
                    "precision": args.precision,
                    "label": not args.no_label,
                    "files": files,
                    "skipped": [{"file": str(f), "why": why} for f, why in skipped.items()],
                    "stages_ms": stages,
                },
                indent=2,
            )
        )
        return
    for outcome in outcomes:
        _talk(args, *(f"{outcome.file.name}: {note}" for note in outcome.notes))
        print(outcome.file)
    if args.no_label and outcomes:
        _talk(args, "not labelled: say wherever you show it that it is synthetic")
    if args.stages and stages:
        from pipeline.table import plain

        lines = [("stage", "n", "median ms", "p90 ms", "sum ms")]
        for stage, of in stages.items():
            numbers = f"{of['n']}", f"{of['p50']:.1f}", f"{of['p90']:.1f}", f"{of['sum']:.0f}"
            lines.append((stage, *numbers))
        print(plain(lines, {"stage"}))


def _talk(args: argparse.Namespace, *lines: str) -> None:
    if not args.quiet:
        for line in lines:
            print(line, file=sys.stderr)


def _path(text: str) -> Path:
    """A path; `~` is expanded here, too, because shells leave it alone after `=`."""
    return Path(text if os.path.exists(text) else os.path.expanduser(text))


def _which(text: str) -> str | int:
    if text in ("all", "largest"):
        return text
    return arguments.count(text)
