"""Which layers cost quality in 8 bits: `python -m export.sensitivity CKPT --format tflite`.

One layer at a time is rounded as the format would (weights per channel; for TFLite its output too)
inside the PyTorch network, and the pictures are held against those of the untouched network. The
recipe names the worst layers; exporting with --recipe keeps them in higher precision.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from model import arguments
from model.errors import BadInput, ContractError, guard
from model.typed_json import load_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

RECIPE_SCHEMA = 1


class Layer(NamedTuple):
    """One layer of the deployed generator, and what rounding it alone leaves."""

    name: str
    psnr_db: float  # worst pair


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Rank the layers; write the table, a plot and a recipe."""
    parser = argparse.ArgumentParser(prog="python -m export.sensitivity", description=__doc__)
    parser.add_argument(
        "checkpoint", type=arguments.checkpoint, help=".pt, .pth or .safetensors of a generator"
    )
    parser.add_argument("--format", choices=("tflite", "coreml"), default="tflite")
    parser.add_argument("-o", "--output-dir", type=Path, default=Path("dist"))
    parser.add_argument(
        "--worst", type=arguments.from_zero, default=3, help="layers the recipe keeps (default: 3)"
    )
    parser.add_argument(
        "--pairs", type=arguments.count, default=2, help="pairs per layer (default: 2)"
    )
    parser.add_argument("--json", action="store_true", help="machine-readable result on stdout")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")
    args = parser.parse_args(argv)

    from export.quantize.calibration import built_in
    from model.checkpoint import load_generator
    from model.contract import FACE_SIZE
    from model.deploy import DeployedGenerator
    from model.files import fitting, write_atomically

    trained = load_generator(args.checkpoint)
    network = DeployedGenerator(trained).requires_grad_(False).eval()
    pairs = built_in(FACE_SIZE, trained.config.embedding_size, None, max(1, args.pairs))
    inputs = network_inputs(pairs.faces, pairs.embeddings)
    layers = rank(network, inputs, activations=args.format == "tflite", bar=not args.quiet)
    recipe = {
        "schema": RECIPE_SCHEMA,
        "format": args.format,
        "keep": [layer.name for layer in layers[: max(0, args.worst)]],
    }
    path, plot = (
        args.output_dir / fitting(args.checkpoint.stem, f"-sensitivity-{args.format}{ending}")
        for ending in (".json", ".png")
    )
    text = json.dumps(recipe, indent=2) + "\n"
    write_atomically(path, lambda beside: beside.write_text(text, encoding="utf-8"))
    write_atomically(plot, lambda beside: _plot(layers, beside))
    if args.json:
        print(json.dumps([layer._asdict() for layer in layers], indent=2))
    else:
        print("\n".join(f"{layer.psnr_db:7.2f} dB  {layer.name}" for layer in layers))
    print(f"recipe: {path}\nuse it: --recipe {path}", file=sys.stderr)
    return 0


def rank(
    network: nn.Module, inputs: tuple[Tensor, ...], *, activations: bool, bar: bool = False
) -> list[Layer]:
    """The layers of `network`, those that rounding hurts most first.

    Args:
        network: a `DeployedGenerator`, or one with its identity baked in.
        inputs: targets (N, 3, H, W) in [-1, 1] and, unless baked, unit embeddings (N, E).
        activations: round a layer's output as well as its weights.
        bar: show the progress on stderr.
    """
    import torch

    from export.stages import progress

    layers = dict(_layers(network))
    names = list(layers)
    with torch.inference_mode():
        wanted = network(*inputs)
        ranked = []
        for i in progress(len(names), "layers", bar):
            got = _with_one_rounded(network, layers[names[i]], inputs, activations)
            error = ((got - wanted) / 2).square().mean(dim=(1, 2, 3)).max().clamp_min(1e-20)
            ranked.append(Layer(names[i], float(-10 * error.log10())))
    return sorted(ranked, key=lambda layer: layer.psnr_db)


def network_inputs(
    faces: NDArray[np.uint8], embeddings: NDArray[np.float32]
) -> tuple[Tensor, Tensor]:
    """What `rank` takes, of targets (N, H, W, 3) uint8 RGB and unit embeddings (N, E) float32."""
    import torch

    targets = torch.tensor(faces).permute(0, 3, 1, 2).float() / 127.5 - 1
    return targets, torch.tensor(embeddings)


def read_recipe(path: Path, network: nn.Module) -> list[str]:
    """The layers of `network` that a recipe keeps.

    Raises:
        BadInput: the file is no recipe, or names layers that this network does not have.
    """
    try:
        recipe = load_json(path.read_bytes(), str(path))
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


def _layers(network: nn.Module) -> Iterator[tuple[str, nn.Conv2d]]:
    import torch

    for name, module in network.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            yield name, module


def _with_one_rounded(
    network: nn.Module, layer: nn.Conv2d, inputs: tuple[Tensor, ...], activations: bool
) -> Tensor:
    """What the network answers when one layer works in 8 bits."""
    import torch

    from export.quantize.weights import per_channel

    weight = layer.weight.data
    stored, scale = per_channel(weight.numpy())
    hook = layer.register_forward_hook(lambda _m, _i, out: _round(out) if activations else None)
    layer.weight.data = torch.from_numpy(stored * scale[:, None, None, None])
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


def _plot(layers: Sequence[Layer], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 0.16 * len(layers) + 1), layout="constrained")
    axes = figure.subplots()
    axes.barh([layer.name for layer in layers], [layer.psnr_db for layer in layers])
    axes.invert_yaxis()
    axes.tick_params(axis="y", labelsize=5)
    axes.set_xlabel("PSNR with only this layer in 8 bits, dB (lower: costs more)")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    sys.exit(main())
