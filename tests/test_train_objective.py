"""What of a generator's picture the recogniser's losses can ask to change."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from model.checkpoint import load_identity_encoder
from training.generator.config import Config, Weights
from training.generator.objective import Judges, Objective
from training.generator.samples import TrainingSample
from training.generator.watch import Watch


@pytest.mark.parametrize("face_only", [False, True])
def test_face_only_leaves_the_corners_to_the_other_losses(
    tiny_checkpoints: tuple[Path, Path], *, face_only: bool
) -> None:
    encoder = load_identity_encoder(tiny_checkpoints[1]).eval().requires_grad_(False)
    torch.manual_seed(0)
    target, picture = torch.rand(2, 1, 3, 128, 128) * 2 - 1
    sample = TrainingSample(
        target=target, truth=target, real=target,
        embedding=F.normalize(torch.randn(1, encoder.config.embedding_size)),
        has_truth=torch.tensor([False]), random=torch.tensor([False]), moves=None, looks=None,
    )  # fmt: skip
    weights = Weights(pixel=0, perceptual=0, identity=(1.0, 0.0, 0.0), departure=1.0)
    config = dataclasses.replace(Config(weights=weights), face_only=face_only)
    picture.requires_grad_(True)
    terms, _ = Objective(config, Judges(encoder)).terms([picture], sample, Watch(), whole=True)
    (terms["identity"] + terms["departure"]).backward()
    assert picture.grad is not None
    strength = picture.grad.abs().sum((0, 1))
    assert strength[70:80, 60:68].max() > 0  # between nose and mouth
    hair = strength[:20, 40:88]
    assert (hair.max() < 1e-3 * strength.max()) == face_only
