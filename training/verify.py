"""python -m training.verify: does an identity encoder tell apart people it never saw?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from model import arguments
from model.errors import guard


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Print how a weights file and its teacher verify the held-out people."""
    args = _parser().parse_args(argv)
    from model.checkpoint import load_identity_encoder
    from training.data.faces import read_embeddings, read_faces, split_people
    from training.recogniser.verification import embed_faces, make_pairs, report, verify

    network = load_identity_encoder(args.weights)
    _, held_out = split_people(read_faces(args.data), args.seed)
    teacher = read_embeddings(args.embeddings, held_out.names)
    pairs = make_pairs(held_out.people, args.seed)
    results = {
        "student": verify(embed_faces(network, held_out), pairs),
        "teacher": verify(teacher, pairs),
    }
    report(results, as_json=args.json)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = arguments.Parser(prog="python -m training.verify", description=__doc__)
    parser.add_argument("weights", type=Path, help="identity encoder, .pt")
    parser.add_argument("--data", type=Path, required=True, help="tar of aligned faces")
    parser.add_argument("--embeddings", type=Path, required=True, help="the teacher's, .npz")
    parser.add_argument("--seed", type=arguments.seed, default=0, help="of the split and the pairs")
    parser.add_argument("--json", action="store_true", help="results as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
