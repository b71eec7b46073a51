"""Features for the perceptual loss where a file of VGG-19 is given."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from model.checkpoint import read_state_dict
from model.errors import CheckpointError

# VGG-19's 3x3 convolutions up to relu5_1 (arXiv:1409.1556), M is max pooling; the deeper layers
# and the classifier are not needed.
_VGG19 = (64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M", 512)
_LEVELS = (1, 6, 11, 20, 29)  # relu1_1, relu2_1, relu3_1, relu4_1, relu5_1
_BEYOND = 30  # torchvision's files go on after relu5_1, up to features.34 and the classifier
# What ImageNet networks are trained on: RGB in [0, 1] less the mean, by the deviation.
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Vgg19(nn.Module):
    """The first sixteen layers of VGG-19 with torchvision's key names, frozen."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for width in _VGG19:
            if isinstance(width, str):
                layers.append(nn.MaxPool2d(2, 2))
            else:
                layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU()]
                inputs = width
        self.features = nn.Sequential(*layers)
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer(
            "deviation", torch.tensor(_DEVIATION).view(1, 3, 1, 1), persistent=False
        )

    def forward(self, picture: Tensor) -> list[Tensor]:
        """Features after relu1_1 to relu5_1.

        Args:
            picture: (N, 3, S, S) NCHW float32 RGB in [-1, 1], S from 16 on.
        """
        x = ((picture + 1) / 2 - self.mean) / self.deviation
        maps = []
        for i, layer in enumerate(self.features):
            x = layer(x)
            if i in _LEVELS:
                maps.append(x)
        return maps


def load_vgg19(path: Path) -> Vgg19:
    """VGG-19 with the weights of a torchvision file (`vgg19-dcbb9e9d.pth`), which is not shipped.

    Raises:
        CheckpointError: the file is missing, unreadable or of another network.
    """
    state = read_state_dict(path)
    network = Vgg19()
    wanted = network.state_dict()
    wrong = [
        key for key in wanted if key not in state or state[key].shape != wanted[key].shape
    ] or [key for key in state if key not in wanted and not _is_beyond(key)]
    if wrong:
        raise CheckpointError(
            f"{path} is not torchvision's VGG-19; {wrong[0]} is missing, unknown or of another "
            "shape. Give vgg19-dcbb9e9d.pth, or leave --vgg out"
        )
    network.load_state_dict({key: state[key].float() for key in wanted})
    return network.requires_grad_(False).eval()


def _is_beyond(key: str) -> bool:
    """Whether a key of torchvision's file belongs to a layer after relu5_1."""
    part, _, rest = key.partition(".")
    return part == "classifier" or (
        part == "features" and rest.split(".")[0].isdigit() and int(rest.split(".")[0]) >= _BEYOND
    )
