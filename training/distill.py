"""python -m training.distill: teach MobileFaceNet to answer as a larger face recogniser does."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from model import arguments
from model.errors import UsageError, guard
from pipeline.progress import say

if TYPE_CHECKING:
    from training.data.faces import Faces
    from training.recogniser.distillation import Run
    from training.recogniser.verification import Pairs

SAVE_SECONDS = 60
REPORT_SECONDS = 20
VERIFY_SECONDS = 480


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Train, save the weights, and print how they verify the held-out people."""
    args = _parser().parse_args(argv)
    state_file = args.output.with_suffix(".state")
    if args.hold and not args.init:
        raise UsageError("--hold keeps trained stages as they are; give the network with --init")
    if (args.mix or args.cover) and not args.teacher:
        raise UsageError(
            "--mix and --cover make pictures that only the teacher can judge; give --teacher"
        )
    if state_file.exists() and not args.resume:
        raise UsageError(
            f"{state_file} holds an unfinished run; a new one would overwrite it. "
            "Go on with --resume, or remove the file"
        )
    # Threads that wait for each other by spinning are five times slower beside a busy neighbour.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    from training.data.faces import read_embeddings, read_faces, split_people
    from training.recogniser.verification import embed_faces, make_pairs, report, verify

    everyone = read_faces(args.data)
    learned, held_out = split_people(everyone, args.seed)
    pairs = make_pairs(held_out.people, args.seed)
    teacher = read_embeddings(args.embeddings, held_out.names)
    say(
        f"{len(learned)} faces of {len(set(learned.people))} people to learn from, "
        f"{len(held_out)} of {len(set(held_out.people))} held out, {everyone.skipped} broken"
    )
    run = _open(args, learned)
    run.save(state_file)  # a folder that cannot be written to shows before the hours of work
    _train(run, state_file, held_out, pairs)

    import torch

    from model.checkpoint import save

    network = run.finished()
    network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    save(network, args.output)
    state_file.unlink(missing_ok=True)
    say(f"{run.samples} samples in {run.steps} steps and {run.seconds / 60:.1f} minutes")
    results = {
        "student": verify(embed_faces(network, held_out), pairs),
        "teacher": verify(teacher, pairs),
    }
    report(results, as_json=args.json)
    return 0


def _open(args: argparse.Namespace, learned: Faces) -> Run:
    from model.checkpoint import load_identity_encoder
    from training.data.faces import read_embeddings
    from training.recogniser.distillation import DistillSettings, Run
    from training.running.ranks import open_compute

    compute = open_compute(args.device, args.arithmetic)
    say(str(compute))
    settings = DistillSettings(
        batch=args.batch, lr=args.lr, seed=args.seed, minutes=args.max_minutes,
        steps=args.max_steps, channels=args.channels, hinted=args.teacher is not None,
        held=args.hold, looks=args.looks, mix=args.mix, cover=args.cover, rounding=args.rounding,
        compiled=args.compile,
    )  # fmt: skip
    teacher = None
    if args.teacher:
        from training.recogniser.hints import HintingTeacher

        teacher = HintingTeacher(args.teacher, device=compute.device)
        settings = replace(settings, sizes=((112, 1.0),))
    init = load_identity_encoder(args.init) if args.init else None
    targets = read_embeddings(args.embeddings, learned.names)
    run = Run(settings, learned, targets, teacher, init, compute)
    if args.resume:
        run.load(args.output.with_suffix(".state"))
    return run


def _train(run: Run, state_file: Path, held_out: Faces, pairs: Pairs) -> None:
    """Step until the run is done; only the time in steps counts, so that resuming is fair."""
    from training.recogniser.verification import embed_faces, verify

    saved = reported = verified = run.seconds
    since, losses, cosines = run.samples, [], []
    while run.progress < 1:
        begin = time.monotonic()
        value, cosine = run.step()
        run.seconds += time.monotonic() - begin
        losses.append(value)
        cosines.append(cosine)
        if run.seconds - reported > REPORT_SECONDS:
            rate = (run.samples - since) / (run.seconds - reported)
            mean_loss, mean_cosine = sum(losses) / len(losses), sum(cosines) / len(cosines)
            say(
                f"step {run.steps} ({100 * run.progress:.1f} %, {run.size} px): "
                f"loss {mean_loss:.3f}, cosine {mean_cosine:.3f}, {rate:.1f} samples/s"
            )
            reported, since, losses, cosines = run.seconds, run.samples, [], []
        if run.seconds - saved > SAVE_SECONDS:
            run.save(state_file)
            saved = run.seconds
        if run.seconds - verified > VERIFY_SECONDS:
            result = verify(embed_faces(run.average.eval(), held_out, run.size), pairs)
            say(f"held-out people: {100 * result.accuracy:.2f} %, AUC {result.auc:.4f}")
            verified = run.seconds
    run.save(state_file)


def _parser() -> argparse.ArgumentParser:
    parser = arguments.Parser(prog="python -m training.distill", description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, required=True, help="tar of aligned faces")
    add("--embeddings", type=Path, required=True, help="the teacher's, .npz")
    add("--teacher", type=Path,
        help="the teacher itself, ONNX: slower steps that teach more")  # fmt: skip
    add("--init", type=Path, help="identity encoder to go on from")
    add("-o", "--output", type=Path, required=True, help="weights to write, .pt")
    add("--max-minutes", type=arguments.minutes, default=60.0,
        help="time for training; default: %(default)g")  # fmt: skip
    add("--max-steps", type=arguments.count, help="steps for training, instead of a time")
    add("--batch", type=arguments.WholeNumber(2), default=48,
        help="faces per step; default: %(default)s")  # fmt: skip
    add("--lr", type=arguments.learning_rate, default=0.02,
        help="highest learning rate; default: %(default)s")  # fmt: skip
    add("--hold", type=arguments.WholeNumber(0, 3), default=0, metavar="0..3",
        help="first stages of --init that stay as they are")  # fmt: skip
    add("--looks", type=arguments.count, default=1,
        help="steps that learn from one view; default: %(default)s")  # fmt: skip
    add("--mix", type=arguments.share, default=0.0,
        help="share of the views that show two faces; needs --teacher")  # fmt: skip
    add("--cover", type=arguments.share, default=0.0,
        help="share with a bar over the face; needs --teacher")  # fmt: skip
    add("--rounding", type=arguments.share, default=1.0, metavar="SHARE",
        help="share of the run after which layers bear 8-bit noise")  # fmt: skip
    add("--device", choices=("auto", "cpu", "cuda"), default="auto",
        help="default: auto, which is cuda where there is one")  # fmt: skip
    add("--arithmetic", choices=("auto", "fp32", "bf16"), default="auto",
        help="of convolutions at 80 px and more; default: auto, bf16 if faster")  # fmt: skip
    add("--compile", action="store_true", help="faster steps; needs a compiler")
    add("--channels", type=arguments.WholeNumber(1, 1024), default=64,
        help="the network's width; default: %(default)s")  # fmt: skip
    add("--seed", type=arguments.seed, default=0, help="default: %(default)s")
    add("--resume", action="store_true", help="go on from the state beside -o")
    add("--json", action="store_true", help="results as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
