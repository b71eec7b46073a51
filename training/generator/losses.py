"""Losses of the generator and the discriminators (arXiv:2204.08339, Sec. 3)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from model.aligned_face import identity_crop
from pipeline.metrics import LUMA
from training.generator.regions import face_oval, inside, outskirts

PUBLISHED_MARGIN = 0.02
PERCEPTUAL_WEIGHTS = (0.0, 0.6, 0.8, 1.0, 1.2)
BLACK = -1.0
MASK_OPEN = 0.9
TONE_CELLS = 64  # a side; at 256 px a cell is a third of an iris wide


def generator_hinge(verdict: Tensor) -> Tensor:
    """Adversarial loss of the generator: results should be judged real (above 0)."""
    return -verdict.float().mean()


def discriminator_hinge(real: Tensor, fake: Tensor) -> Tensor:
    """Adversarial loss of a discriminator: photos above 1, results below -1."""
    return F.relu(1 - real.float()).mean() + F.relu(1 + fake.float()).mean()


def identity_loss(
    result: Tensor, source: Tensor, wanted: Tensor, margin: float = PUBLISHED_MARGIN
) -> Tensor:
    """max(0, 1 - cos - margin), averaged over the samples where it is positive.

    Args:
        result: embeddings of the swapped faces, (N, D) float32 unit norm.
        source: embeddings asked for, likewise.
        wanted: (N,) bool, the samples that count.
        margin: what may be missing from a cosine of 1.
    """
    lack = F.relu(1 - (result * source).sum(1) - margin) * wanted
    return lack.sum() / (lack > 0).sum().clamp(min=1)


def departure_loss(result: Tensor, source: Tensor, target: Tensor, wanted: Tensor) -> Tensor:
    """How much nearer a swapped face is to its target's person than the source is, at most 2.

    Not in the paper, which asks for the source only; a face can come near the source and still be
    the target's. Nothing is asked once it resembles the target as little as the source does.

    Args:
        result: embeddings of the swapped faces, (N, D) float32 unit norm.
        source: embeddings asked for, likewise.
        target: embeddings of the target faces, likewise.
        wanted: (N,) bool, the samples that count: those of two people.
    """
    excess = F.relu((result * target).sum(1) - (source * target).sum(1))
    return _mean_over(excess, wanted)


def pixel_loss(result: Tensor, truth: Tensor, has_truth: Tensor) -> Tensor:
    """0.5 MSE where there is a ground truth, without its exactly black pixels.

    Those are the corners a rotated photo leaves empty; nothing is known of them.

    Args:
        result: (N, 3, S, S) NCHW float32 RGB in [-1, 1].
        truth: likewise.
        has_truth: (N,) bool, the samples that count.
    """
    known = (truth > BLACK).any(1, keepdim=True) & has_truth[:, None, None, None]
    return _half_mse(result, truth, known)


def frame_loss(result: Tensor, target: Tensor, has_truth: Tensor) -> Tensor:
    """0.5 MSE to the target outside the identity crop, where there is no ground truth.

    Not in the paper: it stands in for the perceptual loss where that sees the identity crop only.
    Arguments as of `pixel_loss`.
    """
    size = result.shape[-1]
    crop = identity_crop(size)
    outside = torch.ones((1, 1, size, size), dtype=torch.bool, device=result.device)
    outside[:, :, crop.start : crop.stop, crop.start : crop.stop] = False
    return _half_mse(result, target, outside & ~has_truth[:, None, None, None])


def surround_loss(result: Tensor, target: Tensor, has_truth: Tensor) -> Tensor:
    """Mean absolute difference to the target around the face, where there is no ground truth.

    Not in the paper: hair and background are the target's. Counts fully beside an oval from brows
    to chin, not at all in its middle, and less and less in between. Arguments as of `pixel_loss`.
    """
    size = result.shape[-1]
    outside = 1 - inside(size, result.device)
    difference = (result.float() - target).abs().mean(1) * outside
    return _mean_over(difference.mean((1, 2)), ~has_truth)


def contour_loss(result: Tensor, target: Tensor, has_truth: Tensor) -> Tensor:
    """0.5 MSE to the target's contours around the features, where there is no ground truth.

    Not in the paper. A thin line along temples and jaw pleases a recogniser, and costs nothing
    elsewhere. Contours are the picture at half its size without what is coarser than 5 px. They are
    squared, because a dark line is worse than a little more of the skin's own texture everywhere.
    Arguments as of `pixel_loss`.
    """

    def contours(picture: Tensor) -> Tensor:
        half = F.avg_pool2d(picture.float(), 2).contiguous()
        # One direction after the other, and not channels last: half the time on a CPU.
        blurred = F.avg_pool2d(half, (5, 1), 1, (2, 0), count_include_pad=False)
        return half - F.avg_pool2d(blurred, (1, 5), 1, (0, 2), count_include_pad=False)

    mine, theirs = contours(result), contours(target)
    around = outskirts(mine.shape[-1], result.device)
    squares = (mine - theirs).square().mean(1) * around
    return 0.5 * _mean_over(squares.mean((1, 2)), ~has_truth)


def tone_loss(result: Tensor, target: Tensor, has_truth: Tensor) -> Tensor:
    """0.5 MSE to the target's colours where there is no ground truth, blurred and without light.

    Not in the paper. Skin keeps the target's hue in a swap, and a recogniser hardly looks at hue:
    left to it, cheeks and foreheads get patches of red and violet. Shapes are brightness mostly,
    which is free. Arguments as of `pixel_loss`.
    """

    def tone(picture: Tensor) -> Tensor:
        blurred = F.avg_pool2d(picture.float(), picture.shape[-1] // TONE_CELLS)
        return blurred - blurred.mean(1, keepdim=True)

    mine, theirs = tone(result), tone(target)
    counts = (~has_truth)[:, None, None, None].expand_as(mine[:, :1])
    return _half_mse(mine, theirs, counts)


def guide_loss(result: Tensor, shown: Tensor) -> Tensor:
    """Mean absolute difference of luma to a guide's picture, weighted towards the face's middle.

    Not in the paper; see `training.generator.guide`. The picture is averaged down to the guide's.
    Its colours do not count, and around the face nothing does: see `tone_loss`, `surround_loss`.

    Args:
        result: (N, 3, S, S) NCHW float32 RGB in [-1, 1].
        shown: what the guide paints, (N, 3, S / k, S / k), likewise.
    """
    size = shown.shape[-1]
    luma = torch.tensor(LUMA, device=result.device).view(1, 3, 1, 1)
    mine = F.avg_pool2d(result.float(), result.shape[-1] // size)
    face = inside(size, result.device)
    difference = ((mine - shown) * luma).sum(1).abs()
    return (difference * face).mean() / face.mean()


def keypoint_loss(result: Tensor, target: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared distance of the swapped face's keypoints to the target's.

    Not in the paper. A source's embedding tells something of the pose in its photo, and a generator
    that is asked for the embedding turns the face that way. Shapes of noses count too: the weight
    is a compromise.

    Args:
        result: (N, K, 2) float32, in halves of the view; see `training.keypoints.network`.
        target: likewise.
        wanted: (N,) bool, the samples that count.
    """
    apart = (result - target).pow(2).sum(2).mean(1)
    return _mean_over(apart, wanted)


def face_only(result: Tensor, target: Tensor) -> Tensor:
    """The result in the middle of the face, the target around it, without an edge; (N, 3, S, S).

    Both (N, 3, S, S) NCHW float32 RGB in [-1, 1].
    """
    return target + inside(result.shape[-1], result.device) * (result - target)


def open_mask_loss(masks: Iterable[Tensor]) -> Tensor:
    """How far masks are closed over the face: mean square of what they lack to 0.9 in an oval.

    Not in the paper. The easiest way to give own faces back is to let the target shine through
    everywhere, and a mask that is closed hardly has a gradient. Over 0.9 and beside the oval a mask
    may be as it likes.

    Args:
        masks: (N, 1, S, S) each, in [0, 1].
    """
    terms = []
    for mask in masks:
        oval = face_oval(mask.shape[-1], mask.device)
        lack = F.relu(MASK_OPEN - mask.float()) ** 2 * oval
        terms.append(lack.sum() / (oval.sum() * len(mask)))
    return torch.stack(terms).mean() if terms else torch.zeros(())


def agreement_loss(pictures: Sequence[Tensor], *, mutual: bool = False) -> Tensor:
    """0.5 MSE of each picture, averaged down, to the next coarser one.

    Not in the paper: it hands what a coarse picture has learned of identities on to a finer one.

    Args:
        pictures: (N, 3, S, S), (N, 3, S/2, S/2), ... float32 RGB in [-1, 1], at least two.
        mutual: the coarser one comes to meet it; it does not move otherwise.
    """
    terms = [
        0.5 * F.mse_loss(F.avg_pool2d(fine, 2), coarse if mutual else coarse.detach())
        for fine, coarse in itertools.pairwise(pictures)
    ]
    return torch.stack(terms).sum()


def perceptual_loss(
    result: Sequence[Tensor],
    target: Sequence[Tensor],
    weights: Sequence[float] = PERCEPTUAL_WEIGHTS,
) -> Tensor:
    """Weighted mean absolute difference of features, from fine to coarse.

    Args:
        result: feature maps of the swapped faces, one (N, C, H, W) per level.
        target: of the targets, likewise.
        weights: one per level.
    """
    terms = [
        weight * F.l1_loss(mine.float(), theirs.float())
        for weight, mine, theirs in zip(weights, result, target, strict=True)
        if weight
    ]
    return torch.stack(terms).sum()


def _mean_over(losses: Tensor, wanted: Tensor) -> Tensor:
    """Mean of the samples' losses, (N,), over the wanted ones, (N,) bool; 0 where there is none."""
    return (losses * wanted).sum() / wanted.sum().clamp(min=1)


def _half_mse(result: Tensor, wanted: Tensor, where: Tensor) -> Tensor:
    """Half the mean squared difference over the pixels `where` says, 0 if it says none."""
    squares = (result.float() - wanted) ** 2 * where
    return 0.5 * squares.sum() / (where.sum() * result.shape[1]).clamp(min=1)
