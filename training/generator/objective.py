"""The weighted losses of a generator's pictures, without the adversarial one."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from model.mobilefacenet import MobileFaceNet
from training.generator import losses
from training.generator.config import Config
from training.generator.excess import attention_excess, feature_excess
from training.generator.features import Vgg19
from training.generator.guide import Guide
from training.generator.samples import TrainingSample
from training.generator.watch import Watch
from training.keypoints.network import VIEW_SIZE, KeypointNet
from training.recogniser.student import early_features, finish
from training.recogniser.views import recogniser_view, relit


class Judges(NamedTuple):
    """The frozen networks that results are compared by."""

    encoder: MobileFaceNet
    vgg: Vgg19 | None = None
    guide: Guide | None = None
    keypoints: KeypointNet | None = None


class Objective:
    """The losses, by the frozen networks that results are compared by."""

    def __init__(self, config: Config, judges: Judges) -> None:
        self._config, self._encoder, self._vgg = config, judges.encoder, judges.vgg
        self._guide, self._keypoints = judges.guide, judges.keypoints

    def terms(
        self, pictures: list[Tensor], sample: TrainingSample, watch: Watch, *, whole: bool
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Weighted losses but the adversarial one, and each result's cosine to its source.

        Args:
            pictures: finest first.
            sample: with pictures as large as the finest.
            watch: what passed through the generator.
            whole: whether the coarser pictures learn too.
        """
        w = self._config.weights
        # Of the smaller pictures only those that count are shown to the recogniser.
        seen = [(p, weight) for p, weight in zip(pictures, w.identity, strict=False)]
        seen = [seen[0], *(pair for pair in seen[1:] if pair[1])]
        views = [self._shown(self._heard(picture, sample), sample) for picture, _ in seen]
        maps = early_features(self._encoder, torch.cat(views))
        embeddings = finish(self._encoder, maps[-1]).chunk(len(seen))
        terms = {
            "identity": torch.stack([
                weight * losses.identity_loss(
                    mine, sample.embedding, ~sample.random, self._config.identity_margin
                )
                for mine, (_, weight) in zip(embeddings, seen, strict=True)
            ]).sum(),
            "bounded": w.bounded * (
                attention_excess(watch.attentions)
                + feature_excess(watch.features, self._config.feature_limit)
            ),
        }  # fmt: skip
        if w.open_mask:
            terms["open_mask"] = w.open_mask * losses.open_mask_loss(watch.masks)
        if w.agree and len(pictures) > 1:
            terms["agree"] = w.agree * losses.agreement_loss(pictures, mutual=whole)
        if w.pixel:
            terms["pixel"] = w.pixel * losses.pixel_loss(
                pictures[0], sample.truth, sample.has_truth
            )
        if w.frame:
            terms["frame"] = w.frame * losses.frame_loss(
                pictures[0], sample.target, sample.has_truth
            )
        if w.surround:
            terms["surround"] = w.surround * losses.surround_loss(
                pictures[0], sample.target, sample.has_truth
            )
        if w.contour:
            terms["contour"] = w.contour * losses.contour_loss(
                pictures[0], sample.target, sample.has_truth
            )
        if w.tone:
            terms["tone"] = w.tone * losses.tone_loss(pictures[0], sample.target, sample.has_truth)
        if self._guide is not None:
            terms["guide"] = w.guide * self._guided(self._guide, pictures[0], sample)
        if self._keypoints is not None:
            terms["keypoints"] = w.keypoints * self._displaced(self._keypoints, pictures[0], sample)
        theirs = self._target_maps(sample)
        if w.departure:
            with torch.no_grad():
                target = finish(self._encoder, theirs[-1])
            terms["departure"] = w.departure * losses.departure_loss(
                embeddings[0], sample.embedding, target, ~(sample.has_truth | sample.random)
            )
        if w.perceptual:
            mine = [level[: len(sample.target)] for level in maps]
            terms["perceptual"] = w.perceptual * self._perceptual(pictures[0], mine, theirs, sample)
        return terms, (embeddings[0] * sample.embedding).sum(1).detach()

    def _heard(self, picture: Tensor, sample: TrainingSample) -> Tensor:
        """What of a picture the recogniser may be pleased by."""
        if not self._config.face_only:
            return picture
        return losses.face_only(picture, sample.shrunk(picture.shape[-1]).target)

    def _shown(self, pictures: Tensor, sample: TrainingSample, size: int | None = None) -> Tensor:
        """What a frozen network sees of pictures: of a result and its target alike.

        Views are of `size`, the recogniser's where None.
        """
        size = size or self._config.identity_size
        view = recogniser_view(pictures, size, sample.moves, smooth=self._config.relight)
        return view if sample.looks is None else relit(view, sample.looks)

    def _guided(self, guide: Guide, picture: Tensor, sample: TrainingSample) -> Tensor:
        """The difference to what the guide makes of the samples of two people."""
        two = ~(sample.has_truth | sample.random)
        if not two.any():
            return torch.zeros((), device=picture.device)
        shown = guide.show(sample.target[two], sample.embedding[two])
        return losses.guide_loss(picture[two], shown)

    def _displaced(self, net: KeypointNet, picture: Tensor, sample: TrainingSample) -> Tensor:
        """How far keypoints are from the target's, both moved and relit as for the recogniser."""
        with torch.no_grad():
            target = net(self._shown(sample.target, sample, VIEW_SIZE)).float()
        result = net(self._shown(picture, sample, VIEW_SIZE)).float()
        return losses.keypoint_loss(result, target, ~(sample.has_truth | sample.random))

    def _target_maps(self, sample: TrainingSample) -> list[Tensor]:
        """The recogniser's early features of the targets, where some loss compares to them."""
        w = self._config.weights
        if not (w.departure or (w.perceptual and self._vgg is None)):
            return []
        with torch.no_grad():
            return early_features(self._encoder, self._shown(sample.target, sample))

    def _perceptual(
        self, picture: Tensor, mine: list[Tensor], theirs: list[Tensor], sample: TrainingSample
    ) -> Tensor:
        """By VGG-19 where its weights are given, by the recogniser's early layers otherwise.

        The latter's features have no customary size, so they are measured in the target's.
        """
        if self._vgg is not None:
            with torch.no_grad():
                wanted = self._vgg(sample.target)
            return losses.perceptual_loss(self._vgg(picture), wanted)
        units = [level.abs().mean() for level in theirs]
        return losses.perceptual_loss(
            [level / unit for level, unit in zip(mine, units, strict=True)],
            [level / unit for level, unit in zip(theirs, units, strict=True)],
        )
