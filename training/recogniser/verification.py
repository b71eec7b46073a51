"""Score an identity encoder on pairs of faces: does it tell apart people whom it never saw?"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from model.errors import BadInput
from training.data.faces import Faces

if TYPE_CHECKING:
    from model.mobilefacenet import MobileFaceNet

MAX_PAIRS = 3000  # of each kind
FOLDS = 10


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of faces to compare: half of them show one person, half two people.

    Attributes:
        left: (N,) rows of a set of faces.
        right: (N,) likewise.
        same: (N,) bool, whether both show one person.
    """

    left: np.ndarray[Any, Any]
    right: np.ndarray[Any, Any]
    same: np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Verification:
    """How well embeddings tell people apart, and the mean and standard deviation of the cosines.

    Attributes:
        accuracy: share of pairs judged right. There are ten folds, each judged with the threshold
            that is best on the other nine: the protocol of Labeled Faces in the Wild.
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
    """Draw pairs of one person, at most `limit`, and as many of two people, in random order.

    Args:
        people: (N,) the person of each face.
        seed: of the draw.
        limit: of the pairs of each kind.

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
    """Embeddings of all faces, (N, 512) float32 with unit L2 norm.

    Args:
        network: in eval mode.
        faces: the set.
        size: edge of the network's input in pixels.
    """
    import torch

    from training.recogniser.student import embed
    from training.recogniser.views import identity_view

    device = next(network.parameters()).device
    with torch.inference_mode():
        parts = (torch.from_numpy(faces.pixels[i : i + 32]) for i in range(0, len(faces), 32))
        rows = [embed(network, identity_view(part.to(device), size)) for part in parts]
    return torch.cat(rows).cpu().numpy()


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
    """The threshold with the fewest errors, halfway between the cosines on either side of it."""
    order = np.argsort(-cosine, kind="stable")
    ordered = np.concatenate(([1.0], cosine[order], [-1.0]))
    # With the k most similar pairs taken for one person, the score is right ones minus wrong ones.
    right = np.concatenate(([0], np.cumsum(np.where(same[order], 1, -1))))
    k = int(right.argmax())
    return float((ordered[k] + ordered[k + 1]) / 2)
