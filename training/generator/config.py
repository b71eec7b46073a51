"""Everything a training run depends on besides its data; the defaults are the published values."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

SMALLEST = 64  # side of a picture in pixels

# FSTriplets' shares (MobileFSGAN, arXiv:2204.08339, Sec. 3); `older` is only drawn within `pair`.
PUBLISHED_MIX = {
    "different": 0.60, "same": 0.112, "pair": 0.06, "beard": 0.024, "fat": 0.054, "older": 0.0,
    "bald": 0.012, "grin": 0.012, "fringe": 0.06, "glasses": 0.042, "sunglasses": 0.024,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TrainingStage:
    """A part of the run with one picture size.

    Attributes:
        size: side of the pictures in pixels; in a growing network that of the finest one painted.
        batch: triplets per step and process.
        until: share of the run at which the stage ends; 1 for the last.
        whole: of a growing network: what paints the coarser pictures goes on learning too, instead
            of staying as the stage before left it.
    """

    size: int
    batch: int
    until: float
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each loss counts, for the picture, its half and its quarter where there are three.

    Attributes:
        adversarial: hinge loss; the discriminators' losses are weighted alike.
        identity: distance to the source's embedding.
        departure: nearness to the target's embedding where it is another person's; not in the
            paper.
        pixel: difference to the ground truth.
        perceptual: difference to the target's features.
        frame: difference to the target outside the identity crop where there is no ground truth;
            not in the paper.
        surround: difference to the target around the face where there is no ground truth; a softer
            `frame`, which leaves the identity crop's edge visible; not in the paper.
        contour: difference to the target's contours around the features where there is no ground
            truth; not in the paper.
        tone: difference to the target's colours, blurred and without their brightness, where there
            is no ground truth; not in the paper.
        guide: difference to a trained generator's coarse picture where there is no ground truth;
            not in the paper. See `training.generator.guide`.
        keypoints: distance of eyes, nose, mouth and ears to the target's where there is no ground
            truth; not in the paper. See `training.keypoints`.
        agree: difference of each picture, downsampled, to the next coarser picture; not in the
            paper, for growing networks. Only in `whole` stages the coarser picture gets a gradient.
        parts: hinge loss on the eyes and on the mouth, by discriminators of their own; not in the
            paper.
        open_mask: masks closed over the face, for networks that have one; not in the paper.
        bounded: attention outside 0..1 and features beyond a limit; not in the paper.
    """

    adversarial: tuple[float, ...] = (1.0, 0.02, 0.02)
    identity: tuple[float, ...] = (20.0, 20.0, 20.0)
    departure: float = 0.0
    pixel: float = 10.0
    perceptual: float = 4.0
    frame: float = 0.0
    surround: float = 0.0
    contour: float = 0.0
    tone: float = 0.0
    guide: float = 0.0
    keypoints: float = 0.0
    agree: float = 0.0
    parts: float = 0.0
    open_mask: float = 0.0
    bounded: float = 1.0


@dataclass(frozen=True, slots=True)
class Config:
    """One run.

    Attributes:
        network: `published`, or `lite` for `model.lite.LiteGenerator`.
        stages: picture sizes in order.
        weights: of the losses.
        mix: share of each kind of triplet; shares are relative.
        random_share: share of every batch with random embeddings, to keep the network bounded.
        lr: Adam's rate for the generator.
        lr_discriminator: Adam's rate for the discriminators.
        lr_end: final share of the rates, reached by cosine decay; in a growing network at the end
            of every stage.
        decay_from: share of the run, or of the stage in a growing network, after which the rates
            fall.
        warm_up: steps in which the rates rise, at the start and after `--from-packed`.
        beta1: Adam's decay of the mean gradient.
        beta2: Adam's decay of the mean squared gradient.
        clip: largest norm of the generator's gradient.
        ema: decay of the averaged weights in each step.
        adversarial_from: share of the run after which the adversarial loss is used.
        jitter: 1 moves and mirrors the recogniser's view of a result at random, so that it is
            harder to fool; 0 does not.
        relight: change brightness, contrast, tint and sharpness of the recogniser's view at random,
            and downsample it with averaging, so that fine patterns cannot fool it.
        face_only: show the recogniser the target around the face, so that hairlines painted on
            foreheads do not please it.
        identity_size: side of the recogniser's view of a result, in pixels.
        identity_margin: what the loss `identity` lets a cosine lack to 1; two photos of one person
            lack 0.3 to 0.4, and a swap that is asked for more is a caricature.
        shard_batches: batches drawn from a shard before the next one is read.
        statistics_samples: triplets for the final batch norm statistics.
        span_samples: sources whose embeddings span the directions that the finished generator
            responds to; 0 keeps all directions. See `training.generator.span`.
        feature_limit: absolute value above which the loss `bounded` penalises features of the
            decoder and the attributes. Twelve blocks multiply them, so values above a few tens can
            overflow fp16; a small range also makes 8-bit files more exact.
        rounding: share of the run after which block inputs get 8-bit rounding noise, 1 for never;
            see `training.running.rounding`.
        channels: the generator's width; that of a lite one at 64 px, with the other widths in
            proportion.
        discriminator_norm: `batch` as in the paper, `instance`, or `none`; only with the first a
            verdict depends on what else is in the batch.
        parts_of: of which picture the eyes and the mouth are judged: 0 the finest, 1 its half, the
            finest that a lite network paints.
        grow: learn the coarse picture first, on full-size pictures; see `training.generator.grow`.
        people_from: share of the people who are sources of `different` at the start; more are
            added once the swaps are recognised as their sources.
        people_join: mean cosine of swap and source at which more people are added.
    """

    network: Literal["published", "lite"] = "published"
    stages: tuple[TrainingStage, ...] = (TrainingStage(256, 16, 1.0),)
    weights: Weights = field(default_factory=Weights)
    mix: dict[str, float] = field(default_factory=lambda: dict(PUBLISHED_MIX))
    random_share: float = 0.0625
    lr: float = 1e-4
    lr_discriminator: float = 1e-4
    lr_end: float = 1.0
    decay_from: float = 0.0
    warm_up: int = 0
    beta1: float = 0.0
    beta2: float = 0.999
    clip: float = 10.0
    ema: float = 0.999
    adversarial_from: float = 0.0
    jitter: int = 0
    relight: bool = False
    face_only: bool = False
    identity_size: int = 112
    identity_margin: float = 0.02
    shard_batches: int = 32
    statistics_samples: int = 1024
    span_samples: int = 0
    feature_limit: float = 32.0
    rounding: float = 1.0
    channels: int = 64
    discriminator_norm: Literal["batch", "instance", "none"] = "batch"
    parts_of: int = 0
    grow: bool = False
    people_from: float = 1.0
    people_join: float = 0.4

    def stage(self, progress: float) -> TrainingStage:
        """The stage in which a run is, of which `progress` (0 to 1) is done."""
        return next((s for s in self.stages if progress < s.until), self.stages[-1])

    def within_stage(self, progress: float) -> float:
        """Share of the present stage that is done; what a growing network adds starts anew."""
        stage = self.stage(progress)
        begin = max((s.until for s in self.stages if s.until < stage.until), default=0.0)
        return (progress - begin) / (stage.until - begin)


def as_json(config: Config) -> dict[str, Any]:
    """The configuration as plain lists, numbers and dicts, to be saved and compared."""
    plain = dataclasses.asdict(config)
    plain["stages"] = [dict(stage) for stage in plain["stages"]]
    plain["weights"] = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in plain["weights"].items()
    }
    return plain
