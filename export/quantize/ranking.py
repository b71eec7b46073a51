"""Rank the layers of a network by the quality that rounding each one alone costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from export.quantize.weights import rounded_per_channel, rounded_to_palette
from export.stages import Stages
from model.contract import Format, Precision
from pipeline.progress import counted

if TYPE_CHECKING:
    from torch import Tensor, nn

    from export.subject import Subject

_NAMED = 3  # layers in a message


class Layer(NamedTuple):
    """One layer, and the quality that is left when only this layer is rounded.

    Attributes:
        name: in the network.
        psnr_db: of the worst pair: of pictures in [0, 1] with peak 1; of embeddings, 10 log10 of
            their squared length over the squared error.
    """

    name: str
    psnr_db: float


class Rounding(NamedTuple):
    """How a compressed format rounds a layer.

    Attributes:
        weights: rounds the weights of a layer, (O, ...) float32.
        maps_above: the layer's result is rounded as well where it is a map of more pixels a side;
            None where results are never rounded.
    """

    weights: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    maps_above: int | None


@dataclass
class Rankings:
    """The rankings of one network, each made once.

    Attributes:
        subject: the network.
        faces: targets to rank on, (N, H, W, 3) uint8 RGB.
        embeddings: their identities, (N, E) float32, unit L2 norm.
        stages: reports progress to the user.
    """

    subject: Subject
    faces: NDArray[np.uint8]
    embeddings: NDArray[np.float32]
    stages: Stages
    _made: dict[Rounding, list[Layer]] = field(default_factory=dict)

    def of(self, format: Format, precision: Precision) -> list[Layer]:
        """The layers for a compressed format, the one whose rounding costs most first."""
        rounds = rounding(format, precision, self.subject.coarse)
        if rounds not in self._made:
            with self.stages.stage(f"{self.subject.model}: layers ranked"):
                self._made[rounds] = self._rank(rounds)
        return self._made[rounds]

    def _rank(self, rounds: Rounding) -> list[Layer]:
        inputs = network_inputs(self.faces, self.embeddings)
        if self.subject.model == "generator":
            given: tuple[Tensor, ...] = inputs[:1] if self.subject.baked else inputs
            return rank(self.subject.network, given, rounds)
        # The wrapper cuts the crop that the encoder takes.
        ranked = rank(self.subject.wrapped(), ((inputs[0] + 1) / 2,), rounds)
        return [Layer(layer.name.removeprefix("network."), layer.psnr_db) for layer in ranked]


def rounding(format: Format, precision: Precision, coarse: int = 0) -> Rounding:
    """What the files of a format and precision round.

    Args:
        format: of the file.
        precision: one of the compressed ones.
        coarse: longest side in pixels of the maps that stay in float.
    """
    if precision == "pal6":
        return Rounding(rounded_to_palette, None)
    if precision == "dynamic" or (format == "mlpackage" and precision == "int8"):
        return Rounding(rounded_per_channel, None)
    return Rounding(rounded_per_channel, coarse)


def rank(
    network: nn.Module, inputs: tuple[Tensor, ...], rounds: Rounding, *, bar: bool = False
) -> list[Layer]:
    """The layers of `network`, the one whose rounding costs most quality first.

    Args:
        network: a `DeployedGenerator`, a `BakedGenerator`, or a wrapped identity encoder.
        inputs: its inputs for N pairs.
        rounds: how a layer is rounded.
        bar: show the progress on stderr.
    """
    import torch

    layers = dict(weighted_layers(network))
    names = list(layers)
    with torch.inference_mode():
        wanted = network(*inputs)
        # Half the size of [-1, 1] makes pictures; embeddings have length one.
        scale = 4.0 * wanted[0].numel() if wanted.dim() == 4 else 1.0
        ranked = []
        for i in counted(len(names), "layers ranked", shown=bar, unit="layer"):
            got = _with_one_rounded(network, layers[names[i]], inputs, rounds)
            error = (got - wanted).flatten(1).square().sum(dim=1).max() / scale
            ranked.append(Layer(names[i], float(-10 * error.clamp_min(1e-20).log10())))
    return sorted(ranked, key=lambda layer: layer.psnr_db)


def network_inputs(
    faces: NDArray[np.uint8], embeddings: NDArray[np.float32]
) -> tuple[Tensor, Tensor]:
    """The inputs of a deployed generator.

    Args:
        faces: targets, (N, H, W, 3) uint8 RGB.
        embeddings: (N, E) float32, unit L2 norm.

    Returns:
        (N, 3, H, W) float32 in [-1, 1], and (N, E) float32.
    """
    import torch

    targets = torch.tensor(faces).permute(0, 3, 1, 2).float() / 127.5 - 1
    return targets, torch.tensor(embeddings)


def named(ranked: Sequence[Layer]) -> str:
    """The three layers that cost most, as a sentence."""
    words = ", ".join(f"{layer.name} (alone {layer.psnr_db:.1f} dB)" for layer in ranked[:_NAMED])
    return f"the layers that 8 bits cost most are {words}"


def weighted_layers(network: nn.Module) -> Iterator[tuple[str, Any]]:
    """The layers whose weights compression rounds, by name: convolutions and linear layers."""
    import torch

    for name, module in network.named_modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            yield name, module


def _with_one_rounded(
    network: nn.Module, layer: Any, inputs: tuple[Tensor, ...], rounds: Rounding
) -> Tensor:
    """The output of the network with one layer rounded."""
    import torch

    def round_result(_module: nn.Module, _inputs: Any, out: Tensor) -> Tensor | None:
        side = max(out.shape[2:]) if out.dim() == 4 else 1
        if rounds.maps_above is None or side <= rounds.maps_above:
            return None
        return _round(out)

    weight = layer.weight.data
    hook = layer.register_forward_hook(round_result)
    layer.weight.data = torch.from_numpy(rounds.weights(weight.numpy()).astype(np.float32))
    try:
        answer: Tensor = network(*inputs)
    finally:
        layer.weight.data = weight
        hook.remove()
    return answer


def _round(values: Tensor) -> Tensor:
    """Round `values` to 256 levels from their smallest to their largest; zero is a level."""
    low, high = values.amin().clamp_max(0), values.amax().clamp_min(0)
    step = ((high - low) / 255).clamp_min(1e-12)
    return ((values / step).round() * step).clamp(low, high)
