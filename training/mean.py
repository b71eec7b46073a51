"""python -m training.mean: a weighted mean of checkpoints, as one checkpoint.

The mean of a run and of its continuation is often better than either (model soups,
arXiv:2203.05482). The mean of runs that started from different weights is useless.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from model import arguments
from model.errors import BadInput, UsageError, guard

if TYPE_CHECKING:
    from torch import nn

    from model.lite import SwapNetwork


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Write the mean, and print where."""
    args = _parse(argv)
    shares = [_share(share) for _, share in args.of]
    if abs(sum(shares) - 1) > 1e-6:
        raise UsageError(f"the shares sum up to {sum(shares):g}; expected 1")
    from model.checkpoint import save

    networks = [_load(Path(path), args.identity) for path, _ in args.of]
    for (path, _), network in zip(args.of[1:], networks[1:], strict=True):
        if network.config != networks[0].config:
            raise BadInput(
                f"{path} is a network of {network.config}, {args.of[0][0]} one of "
                f"{networks[0].config}; a mean needs networks of one kind"
            )
    result = mean(networks, shares)
    if args.embedding_gain != 1:
        emphasize(cast("SwapNetwork", result), args.embedding_gain)
    save(result, args.output)
    print(args.output)
    return 0


def mean(networks: Sequence[nn.Module], shares: Sequence[float]) -> nn.Module:
    """The first network, changed into the weighted mean of all, BN statistics too.

    Args:
        networks: of one kind, float32.
        shares: one for each, with sum 1.
    """
    states = [network.state_dict() for network in networks]
    for name, value in states[0].items():
        if value.is_floating_point():
            total = sum(
                share * state[name].double() for share, state in zip(shares, states, strict=True)
            )
            value.copy_(total)
    return networks[0]


def emphasize(network: SwapNetwork, gain: float) -> None:
    """Multiply the weights of the layers that take the source embedding.

    Above 1 a swap comes nearer to its source and gets sharper, and own faces come back less well.

    Args:
        network: a generator.
        gain: the factor.
    """
    import torch

    with torch.no_grad():
        for layer in network.embedding_layers():
            layer.weight.mul_(gain)


def _load(path: Path, identity: bool) -> nn.Module:
    from model.checkpoint import load_generator, load_identity_encoder

    return load_identity_encoder(path) if identity else load_generator(path)


def _share(text: str) -> float:
    try:
        return arguments.share(text)
    except argparse.ArgumentTypeError as error:
        raise UsageError(f"--of takes a checkpoint and its share, not {error}") from None


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = arguments.Parser(
        prog="python -m training.mean",
        usage="%(prog)s [--identity] [--embedding-gain FACTOR] --of CKPT SHARE ... -o OUTPUT",
        description=__doc__,
    )
    add = parser.add_argument
    add("bare", nargs="*", help=argparse.SUPPRESS)  # taken, so that the refusal below is told
    add("--of", nargs=2, action="append", metavar=("CKPT", "SHARE"),
        help="a checkpoint and its share, as in --of a.pt 0.3 --of b.pt 0.7")  # fmt: skip
    add("-o", "--output", type=Path, help="where the mean goes")
    add("--identity", action="store_true", help="they are identity encoders, not generators")
    add("--embedding-gain", type=arguments.gain, default=1.0, metavar="FACTOR",
        help="multiplies what a generator takes of the source (default: 1)")  # fmt: skip
    args = parser.parse_args(argv)
    if args.identity and args.embedding_gain != 1:
        parser.error("identity encoders take no embedding; leave out --embedding-gain")
    if args.bare or not args.of or args.output is None:
        wrong = f"no share for {' '.join(args.bare)}" if args.bare else "--of or -o is missing"
        parser.error(
            f"{wrong}; expected --of CKPT SHARE for each checkpoint and -o OUTPUT, as in "
            "--of a.pt 0.3 --of b.pt 0.7 -o mean.pt"
        )
    return args


if __name__ == "__main__":
    sys.exit(main())
