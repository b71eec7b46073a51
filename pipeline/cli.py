"""Swap faces in photos and video with a bundle: `python -m pipeline SOURCE TARGET -o OUT`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.errors import EXIT_INTERRUPTED, FaceSwapError, guard
from model.streams import one_line
from pipeline.command_line import check, parser

if TYPE_CHECKING:
    from pipeline.media.credentials import Credentials
    from pipeline.request import Outcome, Request
    from pipeline.swap import FaceSwapper


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Swap, and say where the results are."""
    args = parser().parse_intermixed_args(argv)  # TARGET may come after flags
    check(args)

    from pipeline.bundles import newest_bundle
    from pipeline.files import check_given, check_output, spare
    from pipeline.people import person, photos_of, save_identity
    from pipeline.swap import FaceSwapper

    sources = [args.source, *args.more_sources]
    given = [path for source in sources for path in photos_of(source)]
    if args.target:
        given.append(args.target)
        check_output(args.target, args.output, given)
    if args.save_identity:
        spare(args.save_identity, given)
    check_given(given)
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
    from pipeline.request import Request

    return Request(
        people,
        args.faces if args.faces != "largest" or len(people) == 1 else len(people),
        args.map,
        Blend(
            opacity=args.opacity,
            keep_mouth=args.keep_mouth,
            keep_occlusions=args.keep_occlusions,
            detail=args.detail,
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
            print(one_line(line), file=sys.stderr)
