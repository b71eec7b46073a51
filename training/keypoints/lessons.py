"""Teach the keypoint network: moved, mirrored, relit and noised views of labelled faces."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from model.aligned_face import FACE_SIZE
from training.keypoints.network import VIEW_SIZE, KeypointNet, keypoint_view
from training.recogniser.views import augmented_view, random_moves, straight_moves

_BATCH = 64
_LR = 3e-3
_WARM_UP = 0.05
_DECAY = 1e-2
_NEAR = 0.03  # of the view's half, 1 px; farther off the error counts by its size, not its square
_MIRRORED = (1, 0, 2, 3, 5, 4)  # which keypoint each one is in a mirrored face


def moved(points: Tensor, moves: Tensor, size: int) -> Tensor:
    """Where keypoints of faces are in moved views of them.

    Args:
        points: (N, 6, 2) float32 in pixels of the faces, pixel centres at the integers.
        moves: (N, 2, 3), see `views.random_moves`.
        size: side of the faces in pixels.

    Returns:
        (N, 6, 2) float32; -1 and 1 are the view's first and last pixel.
    """
    at = (points + 0.5) * 2 / size - 1 - moves[:, None, :, 2]
    linear = moves[:, :, :2]
    seen = torch.linalg.solve(linear, at.transpose(1, 2)).transpose(1, 2)
    mirrored = (torch.linalg.det(linear) < 0)[:, None, None]
    return torch.where(mirrored, seen[:, _MIRRORED], seen)


def learn(
    faces: Tensor, points: Tensor, steps: int, seed: int, told: Callable[[int, float], None]
) -> KeypointNet:
    """Learn from labelled faces.

    Args:
        faces: (N, S, S, 3) NHWC uint8 RGB.
        points: (N, 6, 2) float32 in pixels of the faces.
        steps: of 64 faces each.
        seed: of weights and views.
        told: called after each step with its number and its loss.
    """
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    network = KeypointNet().train()
    optimizer = torch.optim.AdamW(network.parameters(), _LR, weight_decay=_DECAY)
    pace = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, _LR, total_steps=steps, pct_start=_WARM_UP
    )
    for step in range(1, steps + 1):
        rows = torch.randint(len(faces), (_BATCH,), generator=random)
        moves = random_moves(_BATCH, random)
        view = augmented_view(faces[rows], VIEW_SIZE, random, moves)
        wanted = moved(points[rows], moves, faces.shape[1])
        loss = F.smooth_l1_loss(network(view), wanted, beta=_NEAR)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        pace.step()
        told(step, loss.item())
    return network.requires_grad_(False).eval()


def errors_px(network: KeypointNet, faces: Tensor, points: Tensor) -> Tensor:
    """Root mean square distance to each keypoint's label, (6,), in pixels of a 256 px face."""
    straight = straight_moves(len(faces), faces.device)
    pictures = faces.permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.no_grad():
        found = network(keypoint_view(pictures))
    apart = found - moved(points, straight, faces.shape[1])
    pixels = apart * float(straight[0, 0, 0]) * FACE_SIZE / 2
    return pixels.pow(2).sum(2).mean(0).sqrt()
