"""python -m training.keypoints: teach a small network where eyes, nose, mouth and ears are."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from model import arguments
from model.errors import BadInput, guard
from pipeline.progress import Progress, say

if TYPE_CHECKING:
    from torch import Tensor

    from training.data.faces import Faces

NAMES = ("right eye", "left eye", "nose", "mouth", "right ear", "left ear")
REPORT_STEPS = 500


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Label faces by BlazeFace, learn, save, and print the errors on held-out people."""
    args = _parser().parse_args(argv)
    import torch

    from model.checkpoint import save
    from model.files import check_place
    from training.data.faces import read_faces, split_people
    from training.keypoints.lessons import errors_px, learn
    from training.keypoints.network import load_keypoint_net

    check_place(args.output)
    if args.threads:
        torch.set_num_threads(args.threads)
    everyone = read_faces(args.data)
    learned, held_out = split_people(everyone, args.seed)
    if not len(held_out):
        raise BadInput(
            f"{args.data} gives nobody to hold out; expected at least 4 people with 2 to 10 photos "
            "each. Use a larger set"
        )
    faces, points = _labelled(learned, args.seed)
    losses: list[float] = []

    def told(step: int, loss: float) -> None:
        losses.append(loss)
        if step % REPORT_STEPS == 0 or step == args.steps:
            say(f"step {step} of {args.steps}: loss {sum(losses) / len(losses):.5f}")
            losses.clear()

    network = learn(faces, points, args.steps, args.seed, told)
    save(network.half(), args.output)
    errors = errors_px(load_keypoint_net(args.output), *_labelled(held_out, args.seed)).tolist()
    named = dict(zip(NAMES, errors, strict=True))
    if args.json:
        print(json.dumps({"held_out_faces": len(held_out), "error_px": named}))
    else:
        print(*(f"{name}: {error:.2f} px" for name, error in named.items()), sep="\n")
    return 0


def _labelled(faces: Faces, seed: int) -> tuple[Tensor, Tensor]:
    """The faces that the detector finds, and their keypoints in pixels of them."""
    import numpy as np
    import torch

    from training.keypoints.labels import KeypointLabels

    labels, random = KeypointLabels(), np.random.default_rng(seed)
    progress = Progress(len(faces), "keypoints", unit="face")
    rows, points = [], []
    for row, face in enumerate(faces.pixels):
        found = labels.find(face, random)
        if found is not None:
            rows.append(row)
            points.append(found)
        progress.step()
    progress.close()
    if not rows:
        raise BadInput(
            f"the detector finds no face in {len(faces)} pictures; expected aligned faces. Align "
            "them first, with pipeline.faces.detect.aligned_faces"
        )
    say(f"{len(rows)} of {len(faces)} faces have keypoints")
    return torch.from_numpy(faces.pixels[rows]), torch.from_numpy(np.stack(points)).float()


def _parser() -> argparse.ArgumentParser:
    parser = arguments.Parser(prog="python -m training.keypoints", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="tar of aligned faces")
    parser.add_argument("-o", "--output", type=Path, required=True, help="weights to write, .pt")
    parser.add_argument(
        "--steps", type=arguments.count, default=2600, help="of 64 faces each; default: 2600"
    )
    parser.add_argument("--seed", type=arguments.seed, default=0, help="of split, crops and views")
    parser.add_argument("--threads", type=arguments.threads, help="CPU threads")
    parser.add_argument("--json", action="store_true", help="results as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
