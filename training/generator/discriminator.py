"""PatchGANs that judge a picture at its size, half and quarter (arXiv:2204.08339, Sec. 3).

Not in the paper: discriminators of the eyes and of the mouth. Aligned faces have them at fixed
places, so fixed crops will do (facial component loss; GFPGAN, arXiv:2101.04061, Sec. 3.4).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

BASE_CHANNELS = 16
STRIDES = (2, 2, 2, 1)  # of the hidden layers; the last of these and the verdict keep the size
SLOPE = 0.2

Norm = Literal["batch", "instance", "none"]
_NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "instance": partial(nn.InstanceNorm2d, affine=True),
}

# Rows and columns of the crops in a 256 px face, whose eyes are at (96, 120) and (160, 120) and
# whose corners of the mouth are at (102, 194) and (155, 194): see model.aligned_face.face_template.
# Both eyes are one crop: of two that are put side by side, a generator paints the seam.
_EYES = (88, 152), (64, 192)
_MOUTH = (164, 228), (80, 176)
_FACE = 256


class PatchDiscriminator(nn.Module):
    """Says of each patch whether it looks like a photo: 4x4 convolutions under spectral norm.

    Behind each hidden convolution is a norm: over the batch, as in the paper; over each picture
    (`instance`), so that a verdict does not depend on what else is in the batch; or none.
    """

    def __init__(self, base: int = BASE_CHANNELS, *, norm: Norm = "batch") -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs, outputs = 3, base
        for stride in STRIDES:
            # Pad 2: with 1, a 16 px picture would be gone before the last layer.
            normed = norm != "none" and bool(layers)
            conv = nn.Conv2d(inputs, outputs, 4, stride, padding=2, bias=not normed)
            layers += [spectral_norm(conv)]
            if normed:
                layers += [_NORMS[norm](outputs)]
            layers += [nn.LeakyReLU(SLOPE)]
            inputs, outputs = outputs, 2 * outputs
        self.layers = nn.Sequential(*layers, spectral_norm(nn.Conv2d(inputs, 1, 4, padding=2)))

    def forward(self, picture: Tensor) -> Tensor:
        """Judge patches.

        Args:
            picture: (N, 3, H, W) NCHW float32 RGB in [-1, 1], sides from 16 on.

        Returns:
            Verdicts, (N, 1, ~H/8, ~W/8); hinge: above 1 for photos, below -1 for results.
        """
        return self.layers(picture)


class Discriminators(nn.Module):
    """One `PatchDiscriminator` per scale, from fine to coarse, and one per part of the face.

    Fewer pictures are the coarser ones: what a growing network paints first is judged by the same
    discriminator to the end, which goes on from what it knows of faces of that size.

    Args:
        parts_of: the picture whose parts are judged, 0 for the finest; None where no parts are.
    """

    def __init__(
        self, scales: int = 3, base: int = BASE_CHANNELS, *, norm: Norm = "batch",
        parts_of: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()

        def judges(count: int) -> nn.ModuleList:
            return nn.ModuleList(PatchDiscriminator(base, norm=norm) for _ in range(count))

        self.scales = judges(scales)
        self.parts_of = parts_of
        self.parts = judges(0 if parts_of is None else 2)

    def forward(self, pictures: Sequence[Tensor | None]) -> list[Tensor | None]:
        """Verdicts on each scale's pictures, finest first, then on the eyes and on the mouth.

        Args:
            pictures: of which there may be fewer than scales; None for one that is not judged.
        """
        judges = list(self.scales)[-len(pictures) :]
        verdicts = [
            None if picture is None else judge(picture)
            for judge, picture in zip(judges, pictures, strict=True)
        ]
        if self.parts_of is not None:
            faces = pictures[self.parts_of]
            assert faces is not None
            parts = (eyes(faces), mouth(faces))
            verdicts += [judge(part) for judge, part in zip(self.parts, parts, strict=True)]
        return verdicts


def eyes(faces: Tensor) -> Tensor:
    """Both eyes of aligned faces, (N, 3, S/4, S/2)."""
    return _crop(faces, *_EYES)


def mouth(faces: Tensor) -> Tensor:
    """The mouth of aligned faces, (N, 3, S/4, 3 S/8)."""
    return _crop(faces, *_MOUTH)


def _crop(faces: Tensor, rows: tuple[int, int], columns: tuple[int, int]) -> Tensor:
    size = faces.shape[-1]
    top, bottom, left, right = (at * size // _FACE for at in (*rows, *columns))
    return faces[:, :, top:bottom, left:right]
