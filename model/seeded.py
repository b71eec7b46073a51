"""Seeded random checkpoints: for trying the tools before trained weights are at hand.

`python -m model.seeded -o build/` writes `seeded.pt` and `seeded-identity.pt`. They have the real
architecture, size and speed; the pictures they make are noise.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from model import arguments
from model.errors import guard

if TYPE_CHECKING:
    from model.generator import Generator, GeneratorConfig
    from model.lite import LiteConfig, LiteGenerator, SwapNetwork
    from model.mobilefacenet import MobileFaceNet, MobileFaceNetConfig

    N = TypeVar("N", Generator, LiteGenerator, MobileFaceNet)

_RESIDUAL_GAIN = 0.3  # 33 residual branches in a row would multiply rounding errors otherwise


def seeded_generator(config: GeneratorConfig | None = None, seed: int = 0) -> Generator:
    """A generator with random weights whose activations keep the size that trained ones have."""

    def build() -> Generator:
        from model.generator import Generator

        network = Generator(config)
        tame(network)
        _settle_on_faces(network)
        return network

    return _seeded(build, seed)


def seeded_lite(config: LiteConfig | None = None, seed: int = 0) -> LiteGenerator:
    """A `LiteGenerator` with random weights, as `seeded_generator`."""

    def build() -> LiteGenerator:
        from model.lite import LiteGenerator

        network = LiteGenerator(config)
        tame_lite(network)
        _settle_on_faces(network)
        return network

    return _seeded(build, seed)


def seeded_identity_encoder(
    config: MobileFaceNetConfig | None = None, seed: int = 0
) -> MobileFaceNet:
    """A MobileFaceNet with random weights; its embeddings do not depend on the person."""

    def build() -> MobileFaceNet:
        import torch

        from model.mobilefacenet import MobileFaceNet

        network = MobileFaceNet(config)
        for layer in network.modules():
            # Trained filters respond to shapes; random ones to noise, down to rounding of pixels.
            # Positive depthwise filters blur, and so leave shapes only.
            if isinstance(layer, torch.nn.Conv2d) and layer.groups > 1:
                layer.weight.abs_()
        faces = torch.nn.functional.interpolate(
            torch.rand(8, 3, 14, 14) * 2 - 1, 112, mode="bilinear"
        )
        _settle_statistics(network, faces)
        return network

    return _seeded(build, seed)


def _seeded(build: Callable[[], N], seed: int) -> N:
    """The network that `build` makes of seeded random numbers, in eval mode and without gradients.

    PyTorch's own random state stays as it was.
    """
    import torch

    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        network = build()
    return network.requires_grad_(False).eval()


def tame(network: Generator) -> None:
    """Keep activations bounded, as training does, so that parity is judged on sane numbers."""
    for block in network.identity_encoder.modulated_blocks():
        # Unit embeddings have entries near 0.04: keep the modulation near scale one.
        block.fc_var.bias.fill_(1.0)
        block.conv3x3.weight.mul_(_RESIDUAL_GAIN)
    for encode in itertools.chain(*network.attribute_encoder.stages()):
        encode.conv3x3.weight.mul_(_RESIDUAL_GAIN)
    for mix in itertools.chain(*network.decoder.stages()):
        # Attention is not squashed and twelve blocks multiply it: start it near 1/2.
        mix.conv_attention.weight.mul_(0.02)
        assert mix.conv_attention.bias is not None
        mix.conv_attention.bias.fill_(0.5)
        mix.basic_block.conv3x3.weight.mul_(_RESIDUAL_GAIN)


def tame_lite(network: LiteGenerator) -> None:
    """Start near trained weights: scales near one, an effect of the source, an open mask."""
    import torch

    # A unit embedding has entries near 0.04; with weights near one the style has entries near one.
    torch.nn.init.normal_(network.style.weight)
    torch.nn.init.zeros_(network.style.bias)
    for block in network.modulated_blocks():
        block.scale.bias.fill_(1.0)
        block.shift.bias.zero_()
        block.conv_out.weight.mul_(_RESIDUAL_GAIN)
    mask = network.mask[0]
    assert isinstance(mask, torch.nn.Conv2d)
    torch.nn.init.ones_(mask.bias)  # type: ignore[arg-type]
    mask.weight.mul_(_RESIDUAL_GAIN)  # open everywhere


def _settle_on_faces(network: SwapNetwork) -> None:
    """As `_settle_statistics`, on blurred noise and random identities."""
    import torch

    faces = torch.nn.functional.interpolate(torch.rand(4, 3, 8, 8) * 2 - 1, 64, mode="bilinear")
    embeddings = torch.nn.functional.normalize(torch.randn(4, network.config.embedding_size))
    _settle_statistics(network, faces, embeddings)


def _settle_statistics(network: SwapNetwork | MobileFaceNet, *inputs: object) -> None:
    """Set the BN statistics to what `inputs` give, layer by layer."""
    import torch

    norms = [m for m in network.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = None  # average instead of decay
    network.train()(*inputs)
    for norm in norms:
        norm.momentum = 0.1


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Write the two seeded checkpoints."""
    parser = arguments.Parser(prog="python -m model.seeded", description=__doc__)
    parser.add_argument(
        "-o", "--output-dir", type=Path, default=Path("build"), help="default: %(default)s"
    )
    parser.add_argument("--seed", type=arguments.seed, default=0)
    args = parser.parse_args(argv)

    from model.checkpoint import save

    for name, network in (
        ("seeded.pt", seeded_generator(seed=args.seed)),
        ("seeded-identity.pt", seeded_identity_encoder(seed=args.seed)),
    ):
        save(network, args.output_dir / name)
        print(args.output_dir / name)
    print("random weights: for trying the tools, the pictures are noise", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
