"""Exponential moving average of weights, and batch norm statistics computed for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, *, age: int, most: float) -> None:
    """Update an exponential moving average of weights by one step.

    The decay starts at 0.1 and rises with `age`, so that the random initial weights are forgotten
    quickly.

    Args:
        average: the averaged network; it is changed in place.
        network: the network in training, of the same architecture.
        age: steps since the network's training began.
        most: the highest decay, in [0, 1).
    """
    keep = min(most, (1 + age) / (10 + age))
    pairs = list(zip(average.state_dict().values(), network.state_dict().values(), strict=True))
    # One call for all tensors: on a GPU a call costs more than its work on a small tensor.
    moving = [pair for pair in pairs if pair[0].is_floating_point()]
    counting = [pair for pair in pairs if not pair[0].is_floating_point()]
    torch._foreach_lerp_([mean for mean, _ in moving], [now for _, now in moving], 1 - keep)
    if counting:
        torch._foreach_copy_([mean for mean, _ in counting], [now for _, now in counting])


@contextmanager
def retaking_statistics(network: nn.Module) -> Iterator[None]:
    """Recompute batch norm statistics: within the context they are means over all its batches.

    The running statistics of a training run belong to earlier weights and picture sizes.
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
