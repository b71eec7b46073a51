"""A small network learns keypoints, and keeps a swapped face's where the target's are."""

from __future__ import annotations

import dataclasses
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from train_data import add, plain_tar

from model.aligned_face import face_template
from model.checkpoint import load_identity_encoder
from model.errors import CheckpointError
from model.shipped import SHIPPED_KEYPOINT_NET
from pipeline.faces.portraits import faces
from training.generator.config import Config, Weights
from training.generator.losses import keypoint_loss
from training.generator.objective import Judges, Objective
from training.generator.samples import TrainingSample
from training.generator.watch import Watch
from training.keypoints import lessons
from training.keypoints.__main__ import main
from training.keypoints.labels import KeypointLabels
from training.keypoints.lessons import errors_px, learn, moved
from training.keypoints.network import VIEW_SIZE, keypoint_view, load_keypoint_net
from training.recogniser.views import random_moves

pytestmark = pytest.mark.usefixtures("one_thread")
SIZE = 128


def dots(points: torch.Tensor) -> torch.Tensor:
    """Black pictures with a soft white dot at each (N, 2) point, (N, 3, S, S) in [-1, 1]."""
    at = torch.arange(SIZE)
    squares = (at - points[:, :1]) ** 2, (at - points[:, 1:]) ** 2
    dot = torch.exp(-(squares[1][:, :, None] + squares[0][:, None]) / 18)
    return (2 * dot - 1)[:, None].expand(-1, 3, -1, -1)


def brightest(view: torch.Tensor) -> torch.Tensor:
    """Centroid of a view's light, (N, 2) with -1 and 1 at the first and last pixel."""
    light = view.mean(1) + 1
    at = torch.linspace(-1, 1, view.shape[-1])
    total = light.sum((1, 2))
    return torch.stack(((light.sum(1) * at).sum(1), (light.sum(2) * at).sum(1)), 1) / total[:, None]


def test_a_label_moves_with_the_view_and_changes_sides_in_a_mirror() -> None:
    moves = random_moves(16, torch.Generator().manual_seed(0))
    mirrored = torch.det(moves[:, :, :2]) < 0
    assert 0 < mirrored.sum() < 16
    eyes = torch.tensor([[45.0, 50.0], [80.0, 56.0]])
    points = torch.zeros(16, 6, 2)
    points[:, :2] = eyes
    seen_first = torch.where(mirrored[:, None], eyes[1], eyes[0])
    found = brightest(keypoint_view(dots(seen_first), moves))
    torch.testing.assert_close(found, moved(points, moves, SIZE)[:, 0], rtol=0, atol=1 / VIEW_SIZE)


def test_a_label_is_where_the_template_has_the_eyes() -> None:
    labels = KeypointLabels()
    for face in faces(2):
        found = labels.find(face, np.random.default_rng(0))
        assert found is not None
        # In so close a crop the detector puts eyes up to 7 px lower than the face mesh does.
        np.testing.assert_allclose(found[:2], face_template(256)[:2], atol=10)


def test_a_picture_without_a_face_has_no_label() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    assert KeypointLabels().find(noise, np.random.default_rng(0)) is None


def test_a_network_learns_where_a_dot_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons, "_BATCH", 16)
    points = torch.rand(64, 1, 2, generator=torch.Generator().manual_seed(1)) * 60 + 34
    pictures = ((dots(points[:, 0]) + 1) * 127.5).byte().permute(0, 2, 3, 1)
    labels = points.expand(-1, 6, -1)
    losses: list[float] = []
    network = learn(pictures, labels, 80, 0, lambda _, loss: losses.append(loss))
    assert np.mean(losses[-5:]) < 0.3 * np.mean(losses[:5])
    spread = (points - points.mean(0)).pow(2).sum(2).mean().sqrt() * 256 / SIZE
    assert errors_px(network, pictures, labels).max() < 0.7 * spread


def test_the_shipped_network_sees_the_portraits_as_the_detector_does() -> None:
    labels, random = KeypointLabels(), np.random.default_rng(0)
    shown = faces(8)
    points = np.stack([labels.find(face, random) for face in shown])
    network = load_keypoint_net(SHIPPED_KEYPOINT_NET)
    errors = errors_px(network, torch.from_numpy(np.stack(shown)), torch.from_numpy(points).float())
    assert errors.max() < 12  # the samples are turned and zoomed more than what it learned from


def test_another_network_is_refused(tiny_checkpoints: tuple[Path, Path]) -> None:
    with pytest.raises(CheckpointError, match="is not a keypoint network"):
        load_keypoint_net(tiny_checkpoints[1])


def test_only_faces_of_two_people_are_asked_for_the_targets_keypoints() -> None:
    target = torch.zeros(2, 6, 2)
    result = torch.tensor([0.1, 0.3]).view(2, 1, 1).expand(2, 6, 2).clone().requires_grad_()
    loss = keypoint_loss(result, target, torch.tensor([True, False]))
    assert loss.item() == pytest.approx(0.02)
    loss.backward()
    assert result.grad is not None
    assert result.grad[0].min() > 0
    assert not result.grad[1].any()
    assert keypoint_loss(target, target, torch.tensor([True, True])) == 0


def test_the_generator_hears_of_a_displaced_face(tiny_checkpoints: tuple[Path, Path]) -> None:
    encoder = load_identity_encoder(tiny_checkpoints[1])
    face = torch.tensor(faces(1, 128)[0]).permute(2, 0, 1)[None].float() / 127.5 - 1
    sample = TrainingSample(
        target=face, truth=face, real=face,
        embedding=F.normalize(torch.randn(1, encoder.config.embedding_size)),
        has_truth=torch.tensor([False]), random=torch.tensor([False]), moves=None, looks=None,
    )  # fmt: skip
    config = dataclasses.replace(Config(), weights=Weights(keypoints=10.0, perceptual=0))
    objective = Objective(
        config, Judges(encoder, keypoints=load_keypoint_net(SHIPPED_KEYPOINT_NET))
    )

    def displaced(picture: torch.Tensor) -> torch.Tensor:
        return objective.terms([picture], sample, Watch(), whole=True)[0]["keypoints"]

    assert displaced(face) == 0
    shifted = face.roll(6, 3).requires_grad_()
    displaced(shifted).backward()
    assert displaced(shifted) > 10 * displaced(face.roll(1, 3))
    assert shifted.grad is not None
    assert shifted.grad.isfinite().all()
    assert shifted.grad.any()


def test_the_command_writes_a_network_and_prints_its_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tarfile.open(tmp_path / "faces.tar", "w") as tar:
        for person, face in enumerate(faces(8, 96)):
            for photo in range(2):
                data = io.BytesIO()
                Image.fromarray(face).save(data, "PNG")
                add(tar, f"P{person}/{photo}.png", data.getvalue())
    out = tmp_path / "keypoints.pt"
    flags = ["--data", str(tmp_path / "faces.tar"), "-o", str(out), "--steps", "2", "--json"]
    assert main(flags) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["held_out_faces"] == 4
    assert set(found["error_px"]) == {
        "right eye", "left eye", "nose", "mouth", "right ear", "left ear"
    }  # fmt: skip
    load_keypoint_net(out)


def test_a_set_with_nobody_to_hold_out_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = plain_tar(tmp_path / "faces.tar", people=2)
    assert main(["--data", str(data), "-o", str(tmp_path / "keypoints.pt")]) == 4
    assert "nobody to hold out" in capsys.readouterr().err
    assert not (tmp_path / "keypoints.pt").exists()
