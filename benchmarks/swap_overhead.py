"""Measure what a swap costs besides the generator: `python benchmarks/swap_overhead.py [BUNDLE]`.

A photo of 1024x1024 pixels and a video of 720p are made of a public-domain portrait. The generator
is timed in turns with the rest, so that a slow minute hits both.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from model import arguments
from model.errors import guard

if TYPE_CHECKING:
    from pipeline.faces.pyramid import Image8
    from pipeline.swap import FaceSwapper, Identity

PHOTO_BAR, VIDEO_BAR = 0.15, 0.70  # of a photo's time, at most; of the generator's rate, at least
_PHOTO, _WIDTH, _HEIGHT, _RATE = 1024, 1280, 720, 25
_ROUNDS, _FRAMES, _ALONE = 3, 100, 20  # of the video, and the generator's between its rounds


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Measure photo and video, and print whether both limits are kept."""
    parser = argparse.ArgumentParser(prog="python benchmarks/swap_overhead.py", description=__doc__)
    parser.add_argument("bundle", nargs="?", type=Path, help="default: the newest below dist/")
    parser.add_argument(
        "--precision", choices=arguments.PRECISIONS, default="int8", help="default: int8"
    )
    parser.add_argument("--threads", type=arguments.threads, default=2, help="default: 2")
    parser.add_argument("--repeats", type=arguments.count, default=30, help="photos (default: 30)")
    parser.add_argument("--json", action="store_true", help="machine-readable result on stdout")
    args = parser.parse_args(argv)

    import cv2

    from benchmarks.harness import environment
    from pipeline.bundles import newest_bundle
    from pipeline.faces.portraits import PORTRAITS, open_portrait
    from pipeline.swap import FaceSwapper

    bundle = args.bundle or newest_bundle()
    swapper = FaceSwapper.load(bundle, precision=args.precision, threads=args.threads)
    source, portrait = (open_portrait(of) for of in PORTRAITS)
    picture: Any = cv2.resize(portrait, (_PHOTO, _PHOTO), interpolation=cv2.INTER_CUBIC)
    identity = swapper.identity(source)
    result = {
        "bundle": str(bundle), "precision": args.precision, "threads": args.threads,
        "device": asdict(environment.device()),
        "photo": _photo(swapper, picture, identity, args.repeats),
        "video": _video(swapper, picture, identity),
    }  # fmt: skip
    print(json.dumps(result) if args.json else _words(result))
    return 0


def _photo(swapper: FaceSwapper, picture: Image8, me: Identity, repeats: int) -> dict[str, Any]:
    """How much of a swap from pixels to pixels is not the generator's; the median of `repeats`."""

    def swap() -> float:
        return 1e3 * _seconds(lambda: swapper.swap(picture, me))

    swap()  # to warm up
    swapper.watch.stages.clear()
    totals_ms = [swap() for _ in range(repeats)]
    generator_ms = list(swapper.watch.stages["generate"].latest_ms)
    share = median(1 - own / total for own, total in zip(generator_ms, totals_ms, strict=True))
    return {
        "share": share, "bar": PHOTO_BAR, "held": share <= PHOTO_BAR,
        "total_ms": median(totals_ms), "stages_ms": _stages_ms(swapper),
    }  # fmt: skip


def _video(swapper: FaceSwapper, picture: Image8, me: Identity) -> dict[str, Any]:
    """A video's frame rate from file to file, as a part of the generator's own around it."""
    from pipeline.request import Request
    from pipeline.video import swap_video

    face = picture[100:356, 320:576].copy()  # its time is the same for any picture

    def alone() -> float:
        return _seconds(lambda: [swapper.generate(face, me) for _ in range(_ALONE)]) / _ALONE

    with tempfile.TemporaryDirectory() as folder:
        clip, output = Path(folder) / "clip.mp4", Path(folder) / "swapped.mp4"
        _film(clip, picture)
        swapper.watch.stages.clear()
        generator_s, whole_s, request = [alone()], [], Request((me,))
        for _ in range(_ROUNDS):
            took = _seconds(lambda: swap_video(swapper, clip, output, request, progress=False))
            whole_s.append(took / _FRAMES)
            generator_s.append(alone())
    around_s = [(before + after) / 2 for before, after in itertools.pairwise(generator_s)]
    share = median(own / whole for own, whole in zip(around_s, whole_s, strict=True))
    return {
        "share": share, "bar": VIDEO_BAR, "held": share >= VIDEO_BAR, "fps": 1 / median(whole_s),
        "generator_fps": 1 / median(around_s), "stages_ms": _stages_ms(swapper),
    }  # fmt: skip


def _film(path: Path, picture: Image8) -> None:
    """The portrait, swaying in a 720p picture, in H.264 without sound."""
    import av
    import numpy as np

    shot = np.full((_HEIGHT, _WIDTH, 3), (70, 90, 110), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=_RATE)
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        for index in range(_FRAMES):
            left = 128 + round(60 * np.sin(index / 9))
            shot[:, left : left + _PHOTO] = picture[:_HEIGHT]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shot, format="rgb24")))
        container.mux(stream.encode(None))


def _stages_ms(swapper: FaceSwapper) -> dict[str, float]:
    return {name: stage["p50"] for name, stage in swapper.watch.summary().items()}


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _words(result: dict[str, Any]) -> str:
    photo, video = result["photo"], result["video"]
    lines = [
        f"TFLite {result['precision']}, {result['threads']} threads, {result['device']['soc']}",
        f"photo: {photo['share']:.1%} of {photo['total_ms']:.1f} ms is not the generator's",
        f"video: {video['fps']:.2f} frames a second, {video['share']:.1%} of the generator's own",
    ]
    for line, of in ((1, photo), (2, video)):
        stages = ", ".join(f"{stage} {ms:.1f}" for stage, ms in of["stages_ms"].items())
        lines[line] += f"; bar {of['bar']:.0%}, {'held' if of['held'] else 'MISSED'}; ms: {stages}"
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
