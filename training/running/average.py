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
    pairs = list(zip(average.state_dict().values(), network.state_dict().values(), strict=True))
    # All at once: on a GPU a call costs more than what it does to a small tensor.
    moving = [pair for pair in pairs if pair[0].is_floating_point()]
    counting = [pair for pair in pairs if not pair[0].is_floating_point()]
    torch._foreach_lerp_([mean for mean, _ in moving], [now for _, now in moving], 1 - keep)
    torch._foreach_copy_([mean for mean, _ in counting], [now for _, now in counting])


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
