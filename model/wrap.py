"""The networks as apps see them: picture ranges and the identity crop are inside the graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from model.aligned_face import FACE_SIZE, identity_crop
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


def embed(encoder: MobileFaceNet, face: NDArray[Any]) -> NDArray[np.float32]:
    """The embedding of one aligned face, by PyTorch.

    Args:
        encoder: in eval mode.
        face: (H, H, 3) RGB, uint8 in 0..255 or float32 in [0, 1].

    Returns:
        (1, E) float32, unit L2 norm.
    """
    peak = 255.0 if face.dtype == np.uint8 else 1.0
    picture = np.ascontiguousarray(face.transpose(2, 0, 1)[None], np.float32)
    with torch.inference_mode():
        wrapped = PictureIdentityEncoder(encoder, peak, face.shape[0])
        embedding: NDArray[np.float32] = wrapped(torch.from_numpy(picture)).numpy()
    return embedding
