"""The networks as apps see them: picture ranges and the identity crop are inside the graph."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from model.contract import FACE_SIZE, identity_crop
from model.mobilefacenet import MobileFaceNet


class PictureGenerator(nn.Module):
    """A deployed or baked generator between pictures in [0, peak] instead of [-1, 1]."""

    def __init__(self, network: nn.Module, peak: float = 1.0) -> None:
        super().__init__()
        self.network = network
        self.peak = peak

    def forward(self, target: Tensor, *embedding: Tensor) -> Tensor:
        """Paint an identity onto `target`.

        Args:
            target: aligned face, (N, 3, 256, 256) NCHW float32 RGB in [0, peak].
            embedding: source identity, (N, 512) float32, unit L2 norm; absent when baked in.

        Returns:
            Swapped face; shape, layout, dtype and range as `target`.
        """
        image = self.network(target * (2 / self.peak) - 1, *embedding)
        return (image + 1) * (self.peak / 2)


class PictureIdentityEncoder(nn.Module):
    """MobileFaceNet for a whole aligned face in [0, peak]: it crops, resizes and scales itself."""

    def __init__(
        self, network: MobileFaceNet, peak: float = 1.0, face_size: int = FACE_SIZE
    ) -> None:
        super().__init__()
        self.network = network
        self.peak = peak
        self.crop = identity_crop(face_size)

    def forward(self, face: Tensor) -> Tensor:
        """Tell who is in the picture.

        Args:
            face: aligned face, (N, 3, 256, 256) NCHW float32 RGB in [0, peak].

        Returns:
            Embedding, (N, 512) float32, unit L2 norm.
        """
        inner = slice(self.crop.start, self.crop.stop)
        size = (self.crop.size, self.crop.size)
        # The authors resize with aligned corners; the recogniser is trained on such crops.
        face = F.interpolate(face[:, :, inner, inner], size, mode="bilinear", align_corners=True)
        return self.network(face * (2 / self.peak) - 1)
