"""What passes through a generator in training: attention, residual features and masks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from model.lite import SwapNetwork


class Watch:
    """What passed through a generator in one forward pass.

    Attributes:
        attentions: of all blocks that have one, (N, 1, H, W) each, in the order of the pass.
        features: the residual streams, (N, C, H, W), each at its end: it sums up what the blocks
            before have added, so the others need not be kept.
        masks: where the target is painted over, (N, 1, S, S) each in [0, 1].
    """

    def __init__(self) -> None:
        self.attentions: list[Tensor] = []
        self.features: list[Tensor] = []
        self.masks: list[Tensor] = []


@contextmanager
def watching(network: SwapNetwork) -> Iterator[Watch]:
    """Record attention and features while the block runs; the network says where they are."""
    watch = Watch()

    def keep_in(kept: list[Tensor]) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        return lambda _layer, _inputs, output: kept.append(output)

    def keep_feature(position: int) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        return lambda _layer, inputs: watch.features.append(inputs[position])

    handles = [
        *(
            layer.register_forward_hook(keep_in(watch.attentions))
            for layer in network.attention_layers()
        ),
        *(layer.register_forward_hook(keep_in(watch.masks)) for layer in network.mask_layers()),
        *(
            layer.register_forward_pre_hook(keep_feature(position))
            for layer, position in network.stream_ends()
        ),
    ]
    try:
        yield watch
    finally:
        for handle in handles:
            handle.remove()
