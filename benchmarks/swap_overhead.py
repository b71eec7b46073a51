"""What a swap costs beside the generator: `python benchmarks/swap_overhead.py [BUNDLE ...]`.

Three ways, each with one face of a public-domain portrait: a photo of 1024x1024 pixels in memory, a
720p video from file to file, and a camera's 720p frames, from memory to the picture that is shown.
Generators of several bundles are timed in turns, and each in turns with the rest of its work, so
that a slow minute hits all.
"""

from __future__ import annotations

import functools
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if not __package__:
    import harness.run_as_file  # noqa: F401

from benchmarks.harness.commands import add_bundles
from model import arguments
from model.errors import guard

if TYPE_CHECKING:
    from pipeline.faces.pyramid import Image8
    from pipeline.swap import FaceSwapper, Identity

PHOTO_BAR, VIDEO_BAR = 0.15, 0.70  # of a photo's time, at most; of the generator's rate, at least
REAL_TIME_FPS = 24
MOST_REPEATS = 4096  # times that a stopwatch keeps of a stage
_PHOTO, _WIDTH, _HEIGHT, _RATE = 1024, 1280, 720, 25
_FRAMES, _ALONE = 100, 20  # of video and camera a round, and the generator's around it
_STAGES = ("decode", "detect", "align", "generate", "blend", "encode")


@dataclass(slots=True)
class _Contender:
    """A bundle's swapper and what was measured of it.

    Attributes:
        bundle: its folder.
        swapper: loaded from it.
        me: the identity that it puts on faces.
        totals_s: of each photo, or of a frame in each round.
        generator_s: of the generator in each photo, or alone around each round.
    """

    bundle: Path
    swapper: FaceSwapper
    me: Identity
    totals_s: list[float] = field(default_factory=list)
    generator_s: list[float] = field(default_factory=list)

    def begin(self) -> None:
        """Forget what was measured of the last way."""
        self.totals_s, self.generator_s = [], []
        self.swapper.watch.stages.clear()

    def stages_ms(self) -> dict[str, float]:
        """The median time of each stage."""
        return {name: stage["p50"] for name, stage in self.swapper.watch.summary().items()}


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Measure photo, video and camera, and print whether the limits are kept."""
    parser = arguments.Parser(prog="python benchmarks/swap_overhead.py", description=__doc__)
    add_bundles(parser, precision="int8")
    parser.add_argument(
        "--repeats", type=arguments.WholeNumber(1, MOST_REPEATS), default=30,
        help="photos (default: 30)",
    )  # fmt: skip
    parser.add_argument(
        "--rounds", type=arguments.count, default=3, help="of video and camera (default: 3)"
    )
    args = parser.parse_args(argv)

    import cv2

    from benchmarks.harness import environment
    from pipeline.bundles import newest_bundle
    from pipeline.faces.portraits import PORTRAITS, open_portrait
    from pipeline.swap import FaceSwapper

    source, portrait = (open_portrait(of) for of in PORTRAITS)
    contenders = []
    for bundle in args.bundles or [newest_bundle()]:
        swapper = FaceSwapper.load(bundle, precision=args.precision, threads=args.threads)
        contenders.append(_Contender(bundle, swapper, swapper.identity(source)))
    picture: Any = cv2.resize(portrait, (_PHOTO, _PHOTO), interpolation=cv2.INTER_CUBIC)
    ways = {
        "photo": _photo(contenders, picture, args.repeats),
        "video": _video(contenders, picture, args.rounds),
        "live": _live(contenders, picture, args.rounds),
    }
    result = {
        "precision": args.precision, "threads": args.threads,
        "device": asdict(environment.device()),
        "bundles": [
            {"bundle": str(c.bundle), **{way: of[i] for way, of in ways.items()}}
            for i, c in enumerate(contenders)
        ],
    }  # fmt: skip
    print(json.dumps(result) if args.json else _words(result))
    return 0


def _photo(contenders: Sequence[_Contender], picture: Image8, repeats: int) -> list[dict[str, Any]]:
    """How much of a swap from pixels to pixels is not the generator's; the median of `repeats`."""

    def swap(of: _Contender) -> float:
        return _seconds(lambda: of.swapper.swap(picture, of.me))

    for contender in contenders:
        swap(contender)  # to warm up
        contender.begin()
    for _ in range(repeats):
        for contender in contenders:
            contender.totals_s.append(swap(contender))
    results = []
    for contender in contenders:
        generator_ms = contender.swapper.watch.stages["generate"].latest_ms
        share = median(
            1 - own / (1e3 * total)
            for own, total in zip(generator_ms, contender.totals_s, strict=True)
        )
        results.append({
            "share": share, "bar": PHOTO_BAR, "held": share <= PHOTO_BAR,
            "total_ms": 1e3 * median(contender.totals_s), "stages_ms": contender.stages_ms(),
        })  # fmt: skip
    return results


def _video(contenders: Sequence[_Contender], picture: Image8, rounds: int) -> list[dict[str, Any]]:
    """A video's frame rate from file to file, as a part of the generator's own around it."""
    from pipeline.request import Request
    from pipeline.video import swap_video

    with tempfile.TemporaryDirectory() as folder:
        clip, output = Path(folder) / "clip.mp4", Path(folder) / "swapped.mp4"
        _film(clip, picture)

        def swap(of: _Contender) -> None:
            swap_video(of.swapper, clip, output, Request((of.me,)), progress=False)

        rates = _in_turns(contenders, picture, rounds, swap)
    return [{**rate, "bar": VIDEO_BAR, "held": rate["share"] >= VIDEO_BAR} for rate in rates]


def _live(contenders: Sequence[_Contender], picture: Image8, rounds: int) -> list[dict[str, Any]]:
    """The frame rate from a camera's frame in memory to the picture that is shown."""
    import numpy as np

    from pipeline.camera import Live
    from pipeline.request import Request

    # A camera gives BGR.
    frames = [np.ascontiguousarray(shot[..., ::-1]) for shot in _shots(picture)]

    def swap(of: _Contender) -> None:
        live = Live(of.swapper, Request((of.me,)))
        for index, frame in enumerate(frames):
            live.swapped(frame, index / _RATE)

    return _in_turns(contenders, picture, rounds, swap)


def _in_turns(
    contenders: Sequence[_Contender],
    picture: Image8,
    rounds: int,
    swap: Callable[[_Contender], None],
) -> list[dict[str, Any]]:
    """The frame rate of `swap`, which takes `_FRAMES`, beside the generator's own around it."""
    face = picture[100:356, 320:576].copy()  # the generator's time is the same for any picture

    def alone(of: _Contender) -> float:
        return _seconds(lambda: [of.swapper.generate(face, of.me) for _ in range(_ALONE)]) / _ALONE

    for contender in contenders:
        contender.begin()
    for _ in range(rounds):
        for of in contenders:
            before = alone(of)
            of.totals_s.append(_seconds(functools.partial(swap, of)) / _FRAMES)
            of.generator_s.append((before + alone(of)) / 2)
    results = []
    for of in contenders:
        pairs = zip(of.generator_s, of.totals_s, strict=True)
        fps = 1 / median(of.totals_s)
        results.append({
            "share": median(own / whole for own, whole in pairs), "fps": fps,
            "real_time": fps >= REAL_TIME_FPS, "generator_fps": 1 / median(of.generator_s),
            "stages_ms": of.stages_ms(),
        })  # fmt: skip
    return results


def _shots(picture: Image8) -> Iterator[Image8]:
    """`_FRAMES` of 720p, (720, 1280, 3) uint8 RGB: the portrait, swaying."""
    import numpy as np

    for index in range(_FRAMES):
        shot = np.full((_HEIGHT, _WIDTH, 3), (70, 90, 110), np.uint8)
        left = 128 + round(60 * np.sin(index / 9))
        shot[:, left : left + _PHOTO] = picture[:_HEIGHT]
        yield shot


def _film(path: Path, picture: Image8) -> None:
    """The portrait, swaying in a 720p picture, in H.264 without sound."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=_RATE)
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        for shot in _shots(picture):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shot, format="rgb24")))
        container.mux(stream.encode(None))


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _words(result: dict[str, Any]) -> str:
    from pipeline.table import plain

    rows: list[tuple[str, ...]] = [
        ("bundle", "way", "ms", "a second", "beside the generator", "bar", *_STAGES, "rest")
    ]
    for of in result["bundles"]:
        for way in ("photo", "video", "live"):
            rows.append((Path(of["bundle"]).name, *_row(way, of[way])))
    head = f"TFLite {result['precision']}, {result['threads']} threads, {result['device']['soc']}"
    return f"{head}; stages in ms\n{plain(rows, {'bundle', 'way'})}"


def _row(way: str, measured: dict[str, Any]) -> tuple[str, ...]:
    """The cells of one way; what is left of its time is told where stages follow each other."""
    ms = measured["total_ms"] if way == "photo" else 1e3 / measured["fps"]
    beside, bar = measured["share"], measured.get("bar")
    if way != "photo":
        beside, bar = 1 - beside, None if bar is None else 1 - bar
    stages = measured["stages_ms"]
    held = "" if bar is None else f"{bar:.0%} {'held' if measured['held'] else 'MISSED'}"
    return (
        way, f"{ms:.1f}", f"{1e3 / ms:.1f}", f"{beside:.1%}", held,
        *(f"{stages[stage]:.1f}" if stage in stages else "" for stage in _STAGES),
        "" if way == "video" else f"{ms - sum(stages.values()):.1f}",
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
