"""Three PatchGANs that judge a picture at its size, half and quarter (arXiv:2204.08339, Sec. 3)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

BASE_CHANNELS = 16
STRIDES = (2, 2, 2, 1)  # of the hidden layers; the last of these and the verdict keep the size
SLOPE = 0.2


class PatchDiscriminator(nn.Module):
    """Says of each patch whether it looks like a photo: 4x4 convolutions under spectral norm."""

    def __init__(self, base: int = BASE_CHANNELS) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs, outputs = 3, base
        for stride in STRIDES:
            # Pad 2: with 1, a 16 px picture would be gone before the last layer.
            conv = nn.Conv2d(inputs, outputs, 4, stride, padding=2, bias=not layers)
            layers += [spectral_norm(conv)]
            if inputs != 3:
                layers += [nn.BatchNorm2d(outputs)]
            layers += [nn.LeakyReLU(SLOPE)]
            inputs, outputs = outputs, 2 * outputs
        self.layers = nn.Sequential(*layers, spectral_norm(nn.Conv2d(inputs, 1, 4, padding=2)))

    def forward(self, picture: Tensor) -> Tensor:
        """Judge patches.

        Args:
            picture: (N, 3, S, S) NCHW float32 RGB in [-1, 1], S from 16 on.

        Returns:
            Verdicts, (N, 1, ~S/8, ~S/8); hinge: above 1 for photos, below -1 for results.
        """
        return self.layers(picture)


class Discriminators(nn.Module):
    """One `PatchDiscriminator` per scale, from fine to coarse.

    Fewer pictures are the coarser ones: what a growing network paints first is judged by the same
    discriminator to the end, which goes on from what it knows of faces of that size.
    """

    def __init__(self, scales: int = 3, base: int = BASE_CHANNELS) -> None:
        super().__init__()
        self.scales = nn.ModuleList(PatchDiscriminator(base) for _ in range(scales))

    def forward(self, pictures: Sequence[Tensor]) -> list[Tensor]:
        """Verdicts on each scale's pictures, finest first, of which there may be fewer."""
        judges = list(self.scales)[-len(pictures) :]
        return [judge(picture) for judge, picture in zip(judges, pictures, strict=True)]
