"""Make a generator respond only to the directions that real embeddings span."""

from __future__ import annotations

import torch
from torch import Tensor

from model.lite import SwapNetwork

_ENERGY = 0.9995  # of the embeddings' squares that the directions kept hold


@torch.no_grad()
def heed_span(network: SwapNetwork, embeddings: Tensor) -> int:
    """Take from the weights on the embedding what no embedding can reach, in place.

    A recogniser may use few of its dimensions: one taught by a teacher of 128 leaves three quarters
    of its 512 almost empty. The weights on those are as random as they were at first; pictures of
    people do not show it, but vectors outside of the span come out as noise. Not in the paper.

    Args:
        network: its layers that take the embedding are changed.
        embeddings: of many people, (N, D) float32; several times D, or the span is taken too small.

    Returns:
        How many directions were kept.
    """
    samples = embeddings.double()
    values, directions = torch.linalg.eigh(samples.T @ samples)
    held = values.flip(0).cumsum(0) / values.sum()
    count = int((held < _ENERGY).sum()) + 1
    kept = directions[:, -count:]
    projection = (kept @ kept.T).float()
    for layer in network.embedding_layers():
        layer.weight.copy_(layer.weight @ projection)
    return count
