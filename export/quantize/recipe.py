"""Mixed precision: which layers of a network cost quality in 8 bits, and which are kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from export.quantize.weights import rounded_per_channel, rounded_to_palette
from export.stages import Stages
from model.contract import Format, Precision, Recipe
from model.errors import BadInput, ContractError
from model.typed_json import load_json
from model.untrusted import read_named
from pipeline.progress import counted

if TYPE_CHECKING:
    from torch import Tensor, nn

    from export.subject import Subject

RECIPE_SCHEMA = 1
MOST_LOST = 0.5  # of what compression saves against an fp16 file
_NAMED = 3  # layers in a message
_HALF_BYTES = 2.0


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
    """What a compressed format rounds.

    Attributes:
        weights: rounds the weights of a layer, (O, ...).
        maps_above: results are rounded too if they are maps of more pixels a side; None for never.
    """

    weights: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    maps_above: int | None


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
    """The layers of `network`, those that rounding hurts most first.

    Args:
        network: a `DeployedGenerator`, one with its identity baked in, or an identity encoder
            between pictures.
        inputs: its inputs for N pairs.
        rounds: how a layer is rounded.
        bar: show the progress on stderr.
    """
    import torch

    layers = dict(_layers(network))
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


def read_recipe(path: Path, network: nn.Module) -> list[str]:
    """The layers of `network` that a recipe keeps.

    Raises:
        BadInput: the file is no recipe, or names layers that this network does not have.
    """
    try:
        recipe = load_json(read_named(path), str(path))
        keep = recipe["keep"]
        if recipe["schema"] != RECIPE_SCHEMA or not all(isinstance(name, str) for name in keep):
            raise ValueError("another schema")
    except (OSError, ContractError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"{path} is no recipe ({error}). Make one with python -m export.sensitivity CKPT"
        ) from None
    unknown = set(keep) - {name for name, _ in _layers(network)}
    if unknown:
        raise BadInput(
            f"{path} names layers that this network does not have: {', '.join(sorted(unknown))}. "
            "Make a recipe for it with python -m export.sensitivity CKPT"
        )
    return list(keep)


def recipe_text(format: str, keep: Sequence[str]) -> str:
    """The content of a recipe file, for `read_recipe`."""
    recipe = {"schema": RECIPE_SCHEMA, "format": format, "keep": list(keep)}
    return json.dumps(recipe, indent=2) + "\n"


def weights_of(network: nn.Module, keep: Sequence[str]) -> tuple[NDArray[np.float32], ...]:
    """The weights of layers by name, as `EightBit.keep` wants them."""
    return tuple(network.get_parameter(f"{name}.weight").detach().numpy() for name in keep)


def recipe(
    network: nn.Module, keep: Sequence[str], format: Format, precision: Precision
) -> Recipe | None:
    """What the manifest says of layers that are kept; None where none is."""
    if not keep:
        return None
    return Recipe(tuple(keep), round(_lost_share(network, keep, format, precision), 4))


def candidates(
    network: nn.Module,
    ranked: Sequence[Layer],
    given: Sequence[str],
    format: Format,
    precision: Precision,
) -> Iterator[list[str]]:
    """Sets of layers to keep, each twice as large as the one before, the worst layers first.

    A layer that would cost more than `MOST_LOST` of the gain in size is passed over.

    Args:
        network: the layers are its own.
        ranked: its layers, the one that costs most quality first.
        given: layers that are kept in any case.
        format: of the file.
        precision: of the file.
    """
    keep, wanted = list(given), 1
    for layer in ranked:
        if layer.name in keep:
            continue
        if _lost_share(network, [*keep, layer.name], format, precision) > MOST_LOST:
            continue
        keep.append(layer.name)
        if len(keep) - len(given) == wanted:
            yield list(keep)
            wanted *= 2
    if len(keep) - len(given) not in (0, wanted // 2):
        yield keep


def named(ranked: Sequence[Layer]) -> str:
    """The layers that cost most, as the end of a sentence."""
    words = ", ".join(f"{layer.name} (alone {layer.psnr_db:.1f} dB)" for layer in ranked[:_NAMED])
    return f"the layers that 8 bits cost most are {words}"


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
        """The layers by what a compressed format costs them."""
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
        # The encoder takes a crop of the face, which the wrapper cuts.
        ranked = rank(self.subject.wrapped(), ((inputs[0] + 1) / 2,), rounds)
        return [Layer(layer.name.removeprefix("network."), layer.psnr_db) for layer in ranked]


def _lost_share(
    network: nn.Module, keep: Sequence[str], format: Format, precision: Precision
) -> float:
    """The part of what compression saves against fp16 that layers in higher precision cost."""
    sizes = {name: layer.weight.numel() for name, layer in _layers(network)}
    compressed = 0.75 if precision == "pal6" else 1.0  # bytes per weight
    kept = _HALF_BYTES if format == "mlpackage" else 4.0
    lost = (kept - compressed) * sum(sizes[name] for name in keep)
    return float(lost / ((_HALF_BYTES - compressed) * sum(sizes.values())))


def _layers(network: nn.Module) -> Iterator[tuple[str, Any]]:
    """The layers with weights that compression rounds: convolutions and linear layers."""
    import torch

    for name, module in network.named_modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            yield name, module


def _with_one_rounded(
    network: nn.Module, layer: Any, inputs: tuple[Tensor, ...], rounds: Rounding
) -> Tensor:
    """The output of the network when one layer works in 8 bits."""
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
    """`values` on 256 levels between their extremes, zero among them."""
    low, high = values.amin().clamp_max(0), values.amax().clamp_min(0)
    step = ((high - low) / 255).clamp_min(1e-12)
    return ((values / step).round() * step).clamp(low, high)
