"""Averaged weights, which swap better than the last ones, and BN statistics that fit them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, *, age: int, most: float) -> None:
    """Draw the average after the network; faster at first, for what is new is random.

    Args:
        average: is changed.
        network: of the same kind.
        age: steps since the network began.
        most: share of the average that a step keeps in the long run.
    """
    keep = min(most, (1 + age) / (10 + age))
    pairs = zip(average.state_dict().values(), network.state_dict().values(), strict=True)
    for mean, now in pairs:
        if mean.is_floating_point():
            mean.lerp_(now, 1 - keep)
        else:
            mean.copy_(now)


@contextmanager
def retaking_statistics(network: nn.Module) -> Iterator[None]:
    """BN layers in training mode take the plain mean over all that passes meanwhile.

    Statistics averaged over a run are those of weights and sizes long gone.
    """
    layers = [
        layer
        for layer in network.modules()
        if isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.training
    ]
    usual = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None
    yield
    for layer, momentum in zip(layers, usual, strict=True):
        layer.momentum = momentum
