"""python -m training.train: train the face-swap generator, on one device or many (torchrun)."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model import arguments
from model.errors import EXIT_INTERRUPTED, UsageError, guard
from model.files import append_to
from pipeline.progress import say

if TYPE_CHECKING:
    from training.generator.trainer import Step, Trainer
    from training.running.ranks import Ranks

REPORT_SECONDS = 20
SAVE_SECONDS = 120
GRID_ROWS = 6


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Train, and write the averaged generator in the authors' format."""
    args = _parser().parse_args(argv)
    state_file = args.output_dir / "run.state"
    if args.init and args.from_packed:
        raise UsageError("--init and --from-packed both say what to start from; give one of them")
    if state_file.exists() and not args.resume:
        raise UsageError(
            f"{state_file} holds an unfinished run; a new one would overwrite it. "
            "Go on with --resume, or take another folder with -o"
        )
    # Threads that wait for each other by spinning are five times slower beside a busy neighbour.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    from training.running.ranks import close_ranks, open_ranks

    if args.threads:
        import torch

        torch.set_num_threads(args.threads)
    ranks = open_ranks(args.device, args.arithmetic)
    try:
        return _run(args, ranks, state_file)
    finally:
        close_ranks()


def _run(args: argparse.Namespace, ranks: Ranks, state_file: Path) -> int:
    trainer = _open(args, ranks)
    if args.resume:
        trainer.load(state_file)
    elif args.from_packed:
        trainer.unpack(args.from_packed)
        if share_done(trainer, args) >= 1:
            raise UsageError(
                f"the run in {args.from_packed} has {trainer.steps} steps and "
                f"{trainer.seconds / 60:.0f} minutes already; give more in all with --steps or "
                "--max-minutes"
            )
    if ranks.first:  # a folder that cannot be written to shows before the hours of work
        trainer.save(state_file)
    try:
        finished = Loop(trainer, args, state_file).run()
        if not finished:
            return EXIT_INTERRUPTED
        if ranks.first:
            _write(trainer, args.output_dir / "generator.pt")
            state_file.unlink(missing_ok=True)
    finally:
        trainer.mixer.close()
    return 0


def _open(args: argparse.Namespace, ranks: Ranks) -> Trainer:
    from model.checkpoint import load_generator, load_identity_encoder
    from model.shipped import PUBLISHED_GENERATOR, SHIPPED_IDENTITY_ENCODER, SHIPPED_KEYPOINT_NET
    from training.data.batches import Mixer
    from training.data.mix import MixPlan
    from training.data.sources import open_data
    from training.generator.config_file import read_config
    from training.generator.features import load_vgg19
    from training.generator.frozen import frozen
    from training.generator.guide import Guide
    from training.generator.objective import Judges
    from training.generator.trainer import Purpose, Trainer
    from training.keypoints.network import load_keypoint_net

    config = read_config(args.config)
    encoder = frozen(load_identity_encoder(args.encoder or SHIPPED_IDENTITY_ENCODER))
    guide = load_generator(args.guide or PUBLISHED_GENERATOR) if config.weights.guide > 0 else None
    judges = Judges(
        encoder,
        load_vgg19(args.vgg) if args.vgg else None,
        Guide(guide, ranks.compute.layout) if guide else None,
        load_keypoint_net(SHIPPED_KEYPOINT_NET) if config.weights.keypoints > 0 else None,
    )
    init = load_generator(args.init) if args.init else None
    data = open_data(args.data)
    if ranks.first:
        say(f"data: {data.told}")
        say(f"{ranks.world} x {ranks.compute}, perceptual loss by "
             f"{'VGG-19' if args.vgg else 'the recogniser (no --vgg)'}")  # fmt: skip
    plan = MixPlan(config.mix, config.random_share, config.shard_batches, args.seed)
    mixer = Mixer(data.shards, plan, rank=ranks.rank, world=ranks.world)
    purpose = Purpose(config, args.seed, data.told)
    return Trainer(purpose, mixer, judges, ranks, init)


def _write(trainer: Trainer, path: Path) -> None:
    """The averaged generator, read back as every other tool will read it."""
    from model.checkpoint import load_generator, save

    say("taking BN statistics anew")
    save(trainer.finished(), path)
    load_generator(path)
    kinds = ", ".join(f"{kind} {count}" for kind, count in trainer.kinds.most_common())
    say(f"{trainer.samples} samples in {trainer.steps} steps and {trainer.seconds / 60:.1f} "
         f"minutes; drawn: {kinds}")  # fmt: skip
    print(path)


def share_done(trainer: Trainer, args: argparse.Namespace) -> float:
    """Share of the run that is done; only time in steps counts, so that resuming is fair."""
    if args.steps:
        return min(1.0, trainer.steps / args.steps)
    return min(1.0, trainer.seconds / (60 * args.max_minutes))


class Loop:
    """Steps until the run is done or interrupted; reports, pictures and states on the way."""

    def __init__(self, trainer: Trainer, args: argparse.Namespace, state_file: Path) -> None:
        self.trainer, self.args, self.state_file = trainer, args, state_file
        self.interrupted = False
        self.steps: list[Step] = []
        self.reported = self.saved = self.drawn = trainer.seconds
        self.board = _tensorboard(args) if trainer.ranks.first and args.tensorboard else None

    def run(self) -> bool:
        """Whether the run came to its end; its state is saved either way.

        Raises:
            Diverged: a loss is not finite; the state saved last is kept.
        """
        from training.running.ranks import agree

        trainer = self.trainer
        with self._interruptible():
            while True:
                done = share_done(trainer, self.args)
                progress, stop = agree(trainer.ranks, [done, float(self.interrupted)])
                if stop or progress >= 1:
                    break
                begin = time.monotonic()
                self.steps.append(trainer.step(progress))
                trainer.seconds += time.monotonic() - begin
                if trainer.ranks.first:
                    self._look_after(progress)
        if trainer.ranks.first:
            if self.steps:
                self._report(progress)
            trainer.save(self.state_file)
            if stop:
                say(f"interrupted after step {trainer.steps}: {self.state_file} is saved; go on "
                     "with --resume")  # fmt: skip
        return not stop

    def _look_after(self, progress: float) -> None:
        seconds = self.trainer.seconds
        if seconds - self.reported > REPORT_SECONDS:
            self._report(progress)
        if seconds - self.saved > SAVE_SECONDS:
            self.trainer.save(self.state_file)
            self.saved = seconds
        if seconds - self.drawn > 60 * self.args.picture_minutes:
            self._draw()
            self.drawn = seconds

    def _report(self, progress: float) -> None:
        from training.generator.report import averages

        row = averages(self.steps, self.trainer.seconds - self.reported)
        row = {"step": self.trainer.steps, "progress": round(progress, 5), **row}
        named = ", ".join(f"{k} {v:.3f}" for k, v in row["losses"].items())
        say(f"step {row['step']} ({100 * progress:.1f} %, {row['size']} px): {named}; "
             f"cosine {row['cosine']:.3f}, {row['samples_per_second']:.1f} samples/s")  # fmt: skip
        with append_to(self.args.output_dir / "log.jsonl") as file:
            file.write(json.dumps(row).encode() + b"\n")
        if self.board:
            for name, value in row["losses"].items():
                self.board.add_scalar(f"loss/{name}", value, self.trainer.steps)
            self.board.add_scalar("cosine", row["cosine"], self.trainer.steps)
        self.reported, self.steps = self.trainer.seconds, []

    def _draw(self) -> None:
        from training.generator.pictures import write_grid

        batch = self.trainer.example(2 * GRID_ROWS)
        swapped = self.trainer.swap(batch)
        rows = [i for i, kind in enumerate(batch.kinds) if kind == "different"][:GRID_ROWS]
        rows = rows or list(range(GRID_ROWS))
        path = self.args.output_dir / "pictures" / f"step-{self.trainer.steps:07}.png"
        targets = batch.pictures[batch.target[rows]]
        write_grid(path, batch.source[rows], targets, swapped[rows])

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM end the run after the step in hand; a second one ends it at once."""

        def interrupt(number: int, _frame: object) -> None:
            if self.interrupted:
                raise KeyboardInterrupt
            self.interrupted = True

        before = {s: signal.signal(s, interrupt) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _tensorboard(args: argparse.Namespace) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise UsageError(
            "--tensorboard needs the package tensorboard, which is not installed. Install it, or "
            "read log.jsonl in the run's folder"
        ) from None
    return SummaryWriter(str(args.output_dir))


def _parser() -> argparse.ArgumentParser:
    parser = arguments.Parser(prog="python -m training.train", description=__doc__)
    parser.add_argument("--data", type=Path, nargs="+", required=True,
                        help="shards of triplets, or tars or folders of Person/N.webp")  # fmt: skip
    parser.add_argument("-o", "--output-dir", type=Path, required=True, help="the run's folder")
    parser.add_argument("--config", type=Path, help="TOML; without it, the published values")
    parser.add_argument("--encoder", type=Path, help="face recogniser; default: the shipped one")
    parser.add_argument("--vgg", type=Path, help="torchvision's VGG-19, for the perceptual loss")
    parser.add_argument("--guide", type=Path,
                        help="generator to learn from where the configuration has a weight of "
                        "guide; default: the published one")  # fmt: skip
    parser.add_argument("--init", type=Path, help="generator to start from, in the authors' format")
    parser.add_argument("--from-packed", type=Path,
                        help="go on with a run that training.pack wrote")  # fmt: skip
    parser.add_argument("--max-minutes", type=arguments.minutes, default=60.0,
                        help="time for training; default: %(default)g")  # fmt: skip
    parser.add_argument(
        "--steps", type=arguments.count, help="steps for training, instead of a time"
    )
    parser.add_argument("--seed", type=arguments.seed, default=0, help="default: %(default)s")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto",
                        help="default: auto, which is cuda where there is one")  # fmt: skip
    parser.add_argument("--arithmetic", choices=("auto", "fp32", "bf16"), default="auto",
                        help="of convolutions; default: auto, bf16 where it is faster")  # fmt: skip
    parser.add_argument("--threads", type=arguments.threads, help="CPU threads of each process")
    parser.add_argument("--picture-minutes", type=arguments.interval_minutes, default=4.0,
                        help="time between pictures; default: %(default)g")  # fmt: skip
    parser.add_argument("--tensorboard", action="store_true", help="write its log too")
    parser.add_argument("--resume", action="store_true", help="go on from the folder's run.state")
    return parser


if __name__ == "__main__":
    sys.exit(main())
