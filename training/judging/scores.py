"""The usual measures of a face swapper, for the swaps of one model file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.faces.facemesh import Points
from pipeline.faces.pyramid import Image8
from pipeline.metrics import psnr_db, ssim
from training.data.faces import Faces
from training.data.landmarks import Landmarks
from training.judging.detail import detail
from training.judging.distances import frechet, retrieval_top1
from training.judging.eyelids import blink_error
from training.judging.gaze import gaze_error
from training.judging.pose import expression_error, pose_error_deg
from training.judging.swaps import Painted, SwapPairs
from training.judging.teacher import Embeddings, Teacher


@dataclass(frozen=True, slots=True)
class Scores:
    """One row of the evaluation. None where nothing could be measured.

    Attributes:
        pairs: swaps of two people.
        identity_source: mean cosine of swapped and source by the teacher; more is better.
        identity_target: of swapped and target; less is better.
        identity_gain: the difference of the two.
        closer_to_source: share of swaps that the teacher finds nearer to the source.
        retrieval_top1: share of swaps whose nearest among all sources shows the right person.
        pose_deg: mean angle between the heads of swapped and target.
        expression: mean distance of lips, lids and brows, percent of the eye distance.
        blink: mean difference of the eyes' openness to the target's, percent of the eye's width.
        gaze: mean distance of the iris from its place in the target, percent of the eye's width.
        detail_eyes: mean detail at the eyes, 1 as in photos; see `training.judging.detail`.
        detail_mouth: likewise at the mouth.
        detail_cheeks: likewise at the cheeks.
        chroma: mean colour noise, 1 as in photos.
        flicker: mean change of a swap whose target moves by less than a pixel, in levels; see
            `training.judging.flicker`.
        faceless: swaps in which the mesh sees no face; pose, expression, blink and gaze leave
            them out.
        frechet: Fréchet distance of the teacher's embeddings of swapped and target faces. Not FID.
        not_finite: pictures with NaN or infinity in them.
        reconstructions: faces swapped with their own identity.
        psnr_db: of those to the face itself, mean; peak 1.
        psnr_worst_db: the least of them.
        ssim: of those, mean.
        ssim_worst: the least of them.
    """

    pairs: int
    identity_source: float
    identity_target: float
    identity_gain: float
    closer_to_source: float
    retrieval_top1: float
    pose_deg: float | None
    expression: float | None
    blink: float | None
    gaze: float | None
    detail_eyes: float | None
    detail_mouth: float | None
    detail_cheeks: float | None
    chroma: float | None
    flicker: float | None
    faceless: int
    frechet: float
    not_finite: int
    reconstructions: int
    psnr_db: float | None
    psnr_worst_db: float | None
    ssim: float | None
    ssim_worst: float | None


class Yardsticks(NamedTuple):
    """The same measures on real photos, for comparison.

    Attributes:
        same_person: mean cosine of sources and other photos of them, an upper bound for swaps.
        other_person: mean cosine of sources and targets, which a swap without effect has.
        frechet: between the sources' and the targets' faces, all real.
    """

    same_person: float | None
    other_person: float
    frechet: float


@dataclass(frozen=True, slots=True)
class Truth:
    """What does not depend on the generator and is measured once, per row of the faces."""

    faces: Faces
    embeddings: Embeddings  # (N, D)
    meshes: list[Points | None]  # only those of targets are looked for


def look_at(faces: Faces, pairs: SwapPairs, teacher: Teacher, landmarks: Landmarks) -> Truth:
    """Embed all faces by the teacher, and find the landmarks of the targets."""
    targets = set(pairs.target.tolist())
    return Truth(
        faces,
        teacher.embed_all(list(faces.pixels)),
        [landmarks.find(face) if i in targets else None for i, face in enumerate(faces.pixels)],
    )


def yardsticks(truth: Truth, pairs: SwapPairs) -> Yardsticks:
    """See `Yardsticks`."""
    people, vectors = truth.faces.people, truth.embeddings
    same = [
        float(vectors[row] @ vectors[other])
        for row in pairs.source
        for other in np.flatnonzero(people == people[row])
        if other != row
    ]
    source, target = vectors[pairs.source], vectors[pairs.target]
    return Yardsticks(
        float(np.mean(same)) if same else None,
        float((source * target).sum(axis=1).mean()),
        frechet(source, target),
    )


def score(
    truth: Truth,
    pairs: SwapPairs,
    swapped: list[Painted],
    restored: list[tuple[int, Painted]],
    flickers: Sequence[float],
    teacher: Teacher,
    landmarks: Landmarks,
    step: Callable[[], None],
) -> Scores:
    """Measure the swaps of one generator.

    Args:
        truth: embeddings and landmarks of the real faces.
        pairs: which faces were swapped.
        swapped: the results, in that order.
        restored: rows of faces, and the results of swapping them with their own identity.
        flickers: how much some of the swaps flicker, in levels.
        teacher: judges identity.
        landmarks: judge pose and expression.
        step: called after each swap.
    """
    vectors, poses, expressions, blinks, gazes, details = [], [], [], [], [], []
    for painted, source_row, row in zip(swapped, pairs.source, pairs.target, strict=True):
        vectors.append(teacher.embed(painted.image))
        mesh, wanted = landmarks.find(painted.image), truth.meshes[row]
        if mesh is not None and wanted is not None:
            poses.append(pose_error_deg(mesh, wanted))
            expressions.append(expression_error(mesh, wanted))
            blinks.append(blink_error(mesh, wanted))
            gazes.append(gaze_error(painted.image, mesh, truth.faces.pixels[row], wanted))
        faces = (painted.image, truth.faces.pixels[source_row], truth.faces.pixels[row])
        details.append(detail(*faces))
        step()
    found = np.stack(vectors)
    source, target = truth.embeddings[pairs.source], truth.embeddings[pairs.target]
    to_source, to_target = (found * source).sum(axis=1), (found * target).sum(axis=1)
    who = truth.faces.people[pairs.source]
    kept = [_restoration(truth.faces.pixels[row], painted.unit) for row, painted in restored]
    psnrs, ssims = [psnr for psnr, _ in kept], [similarity for _, similarity in kept]
    return Scores(
        pairs=len(swapped),
        identity_source=float(to_source.mean()),
        identity_target=float(to_target.mean()),
        identity_gain=float((to_source - to_target).mean()),
        closer_to_source=float((to_source > to_target).mean()),
        retrieval_top1=retrieval_top1(found, source, who, who),
        pose_deg=_mean(poses),
        expression=_mean(expressions),
        blink=_mean(blinks),
        gaze=_mean(gazes),
        detail_eyes=_mean([d.eyes for d in details]),
        detail_mouth=_mean([d.mouth for d in details]),
        detail_cheeks=_mean([d.cheeks for d in details]),
        chroma=_mean([d.chroma for d in details]),
        flicker=_mean(flickers),
        faceless=len(swapped) - len(poses),
        frechet=frechet(found, target),
        not_finite=sum(not p.finite for p in [*swapped, *(p for _, p in restored)]),
        reconstructions=len(restored),
        psnr_db=_mean(psnrs),
        psnr_worst_db=min(psnrs, default=None),
        ssim=_mean(ssims),
        ssim_worst=min(ssims, default=None),
    )


def _restoration(face: Image8, painted: NDArray[np.float32]) -> tuple[float, float]:
    unit = face.astype(np.float32) / 255
    return psnr_db(painted, unit, 1.0), ssim(painted, unit)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
