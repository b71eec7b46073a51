"""python -m training.verify: does an identity encoder tell apart people it never saw?"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model import arguments
from model.errors import BadInput, guard
from training.data.faces import Faces, read_embeddings, read_faces, split_people

if TYPE_CHECKING:
    from model.mobilefacenet import MobileFaceNet

MAX_PAIRS = 3000  # of each kind
FOLDS = 10


@dataclass(frozen=True, slots=True)
class Pairs:
    """Which two faces to compare, as rows of a set; as many of one person as of two."""

    left: np.ndarray[Any, Any]
    right: np.ndarray[Any, Any]
    same: np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Verification:
    """How well embeddings tell same from different; cosines as mean and standard deviation.

    Attributes:
        accuracy: share of pairs judged right in ten folds, each with the threshold that is best on
            the other nine, as Labeled Faces in the Wild is scored.
        auc: area under the ROC curve.
        threshold: the cosine from which on two faces count as one person, mean over the folds.
    """

    accuracy: float
    auc: float
    threshold: float
    same_mean: float
    same_std: float
    different_mean: float
    different_std: float
    pairs: int


def make_pairs(people: np.ndarray[Any, Any], seed: int = 0, limit: int = MAX_PAIRS) -> Pairs:
    """All pairs of one person, at most `limit`, and equally many of two people, in random order.

    Raises:
        BadInput: nobody has two photos, or there is one person only.
    """
    random = np.random.default_rng(seed)
    left, right = np.triu_indices(len(people), k=1)
    equal = people[left] == people[right]
    same, different = np.flatnonzero(equal), np.flatnonzero(~equal)
    count = min(limit, len(same), len(different))
    if count < FOLDS:
        raise BadInput(
            f"the held-out people give {count} pairs to verify on; expected at least {FOLDS}. "
            "Use a set with more people who have 2 to 10 photos"
        )
    chosen = np.concatenate((
        random.choice(same, count, replace=False),
        random.choice(different, count, replace=False),
    ))  # fmt: skip
    chosen = random.permutation(chosen)
    return Pairs(left[chosen], right[chosen], equal[chosen])


def verify(embeddings: np.ndarray[Any, Any], pairs: Pairs) -> Verification:
    """Score embeddings, (N, D) float32 with unit L2 norm, on pairs of their rows."""
    from sklearn.metrics import roc_auc_score

    cosine = (embeddings[pairs.left] * embeddings[pairs.right]).sum(1)
    folds = np.arange(len(cosine)) % FOLDS
    right, thresholds = 0, []
    for fold in range(FOLDS):
        test = folds == fold
        threshold = _best_threshold(cosine[~test], pairs.same[~test])
        right += int(((cosine[test] >= threshold) == pairs.same[test]).sum())
        thresholds.append(threshold)
    same, different = cosine[pairs.same], cosine[~pairs.same]
    return Verification(
        accuracy=right / len(cosine),
        auc=float(roc_auc_score(pairs.same, cosine)),
        threshold=float(np.mean(thresholds)),
        same_mean=float(same.mean()),
        same_std=float(same.std()),
        different_mean=float(different.mean()),
        different_std=float(different.std()),
        pairs=len(cosine),
    )


def embed_faces(network: MobileFaceNet, faces: Faces, size: int = 112) -> np.ndarray[Any, Any]:
    """Embeddings of all faces by a network in eval mode, (N, 512) float32 with unit L2 norm."""
    import torch

    from training.recogniser.student import embed
    from training.recogniser.views import identity_view

    device = next(network.parameters()).device
    with torch.inference_mode():
        parts = (torch.from_numpy(faces.pixels[i : i + 32]) for i in range(0, len(faces), 32))
        rows = [embed(network, identity_view(part.to(device), size)) for part in parts]
    return torch.cat(rows).cpu().numpy()


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Print how a weights file and its teacher verify the held-out people."""
    args = _parser().parse_args(argv)
    from model.checkpoint import load_identity_encoder

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


def report(results: dict[str, Verification], *, as_json: bool) -> None:
    """Write verification results to stdout."""
    if as_json:
        print(json.dumps({name: asdict(result) for name, result in results.items()}))
        return
    for name, r in results.items():
        print(
            f"{name}: {100 * r.accuracy:.2f} % of {r.pairs} pairs, AUC {r.auc:.4f}, same person "
            f"{r.same_mean:.2f} ± {r.same_std:.2f}, different {r.different_mean:.2f} ± "
            f"{r.different_std:.2f}"
        )


def _best_threshold(cosine: np.ndarray[Any, Any], same: np.ndarray[Any, Any]) -> float:
    """The threshold with the fewest errors, halfway between the two cosines that it parts."""
    order = np.argsort(-cosine, kind="stable")
    ordered = np.concatenate(([1.0], cosine[order], [-1.0]))
    # Accepting the k most similar pairs gets right the same among them, and the different after.
    right = np.concatenate(([0], np.cumsum(np.where(same[order], 1, -1))))
    k = int(right.argmax())
    return float((ordered[k] + ordered[k + 1]) / 2)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.verify", description=__doc__)
    parser.add_argument("weights", type=Path, help="identity encoder, .pt")
    parser.add_argument("--data", type=Path, required=True, help="tar of aligned faces")
    parser.add_argument("--embeddings", type=Path, required=True, help="the teacher's, .npz")
    parser.add_argument("--seed", type=arguments.seed, default=0, help="of the split and the pairs")
    parser.add_argument("--json", action="store_true", help="results as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
