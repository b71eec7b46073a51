"""Which layers cost quality in 8 bits: `python -m export.sensitivity CKPT --format tflite`.

One layer at a time is rounded inside the PyTorch network as the format would (weights per channel;
for TFLite its output too), and the pictures are compared with those of the untouched network. The
recipe names the worst layers; exporting with --recipe keeps them in higher precision from the
start. Without one, an export finds the layers to keep where a gate is missed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from model import arguments
from model.errors import guard

if TYPE_CHECKING:
    from export.quantize.ranking import Layer
    from model.contract import Format


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Rank the layers; write the table, a plot and a recipe."""
    parser = arguments.Parser(prog="python -m export.sensitivity", description=__doc__)
    parser.add_argument(
        "checkpoint", type=arguments.checkpoint, help=".pt, .pth or .safetensors of a generator"
    )
    parser.add_argument(
        "--format", choices=("tflite", "coreml"), default="tflite", help="default: tflite"
    )
    parser.add_argument(
        "-o", "--output-dir", type=Path, default=Path("dist"),
        help="where recipe and plot go (default: dist)",
    )  # fmt: skip
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
    from export.quantize.ranking import network_inputs, rank, rounding
    from export.quantize.recipe import recipe_text
    from export.subject import Subject
    from model.aligned_face import FACE_SIZE
    from model.checkpoint import load_generator
    from model.deploy import DeployedGenerator
    from model.files import check_place, fitting, write_atomically

    trained = load_generator(args.checkpoint)
    path, plot = (
        args.output_dir / fitting(args.checkpoint.stem, f"-sensitivity-{args.format}{ending}")
        for ending in (".json", ".png")
    )
    check_place(path)
    check_place(plot)
    network = DeployedGenerator(trained).requires_grad_(False).eval()
    pairs = built_in(FACE_SIZE, trained.config.embedding_size, None, max(1, args.pairs))
    inputs = network_inputs(pairs.faces, pairs.embeddings)
    coarse = Subject("generator", network, FACE_SIZE, trained.config.embedding_size).coarse
    format: Format = "mlpackage" if args.format == "coreml" else "tflite"
    layers = rank(network, inputs, rounding(format, "int8", coarse), bar=not args.quiet)
    text = recipe_text(args.format, [layer.name for layer in layers[: max(0, args.worst)]])
    if args.json:
        print(json.dumps([layer._asdict() for layer in layers], indent=2))
    else:
        print("\n".join(f"{layer.psnr_db:7.2f} dB  {layer.name}" for layer in layers))
    write_atomically(path, lambda beside: beside.write_text(text, encoding="utf-8"))
    write_atomically(plot, lambda beside: _plot(layers, beside))
    print(f"recipe: {path}\nuse it: --recipe {path}", file=sys.stderr)
    return 0


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
