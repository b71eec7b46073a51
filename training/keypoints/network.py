"""The network: six keypoints of an aligned face, differentiable."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from model.checkpoint import fill, read_state_dict
from training.recogniser.views import recogniser_view

COUNT = 6  # eyes, left as seen in the picture first; nose, mouth; ears, left first
VIEW_SIZE = 64
_WIDTHS = (16, 32, 64, 96)
_CELLS = VIEW_SIZE >> len(_WIDTHS)  # a side, after the last level


class KeypointNet(nn.Module):
    """Eight 3x3 convolutions, every second one of stride 2, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for width in _WIDTHS:
            layers += [*_convolution(inputs, width, 2), *_convolution(width, width, 1)]
            inputs = width
        self.features = nn.Sequential(*layers)
        self.points = nn.Linear(inputs * _CELLS**2, 2 * COUNT)

    def forward(self, view: Tensor) -> Tensor:
        """The keypoints.

        Args:
            view: (N, 3, 64, 64) NCHW float32 RGB in [-1, 1], see `keypoint_view`.

        Returns:
            (N, 6, 2) float32 x and y; -1 and 1 are the view's first and last pixel.
        """
        return self.points(self.features(view).flatten(1)).view(-1, COUNT, 2)


def keypoint_view(pictures: Tensor, moves: Tensor | None = None) -> Tensor:
    """The network's input, cut out of aligned faces; arguments of `views.recogniser_view`."""
    return recogniser_view(pictures, VIEW_SIZE, moves)


def load_keypoint_net(path: Path) -> KeypointNet:
    """A network that `python -m training.keypoints` wrote, frozen, float32.

    Raises:
        CheckpointError: the file is missing, unreadable or of another network.
    """
    with torch.device("meta"):
        network = KeypointNet()
    return fill(network, read_state_dict(path), path, "a keypoint network")


def _convolution(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]
