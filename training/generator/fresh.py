"""Initial generators for training, with small weights where the published one would overflow."""

from __future__ import annotations

import torch

from model.errors import BadInput
from model.generator import Generator, GeneratorConfig
from model.lite import LiteConfig, LiteGenerator, SwapNetwork
from model.seeded import tame, tame_lite
from training.generator.config import Config
from training.generator.grow import prepare

# Unit embeddings have entries near 0.04, so a fresh linear layer would hardly hear them; with this
# gain the modulation starts with a deviation near 0.25 and the source is seen from the first steps.
EMBEDDING_GAIN = 10.0


def starting_network(
    config: Config, embedding_size: int, init: SwapNetwork | None = None
) -> SwapNetwork:
    """The generator that a run starts from: `init` where it is given, random weights otherwise.

    Raises:
        BadInput: `init` is another network than the configuration and the encoder describe.
    """
    fresh = fresh_network(config, embedding_size)
    if init is None:
        return fresh
    if (type(init), init.config) != (type(fresh), fresh.config):
        raise BadInput(
            f"the generator to start from is a {type(init).__name__} with {init.config}; the "
            f"configuration and the encoder ask for a {type(fresh).__name__} with {fresh.config}. "
            "Give the configuration and the encoder that it was trained with"
        )
    return init


def fresh_network(config: Config, embedding_size: int) -> SwapNetwork:
    """A generator of random weights, by a run's configuration."""
    if config.network == "lite":
        return _fresh_lite(config.channels, embedding_size)
    fresh = prepared_generator if config.grow else fresh_generator
    return fresh(GeneratorConfig(config.channels, embedding_size))


def fresh_generator(config: GeneratorConfig) -> Generator:
    """Random weights with quiet residual branches, attention near 1/2 and an audible embedding."""
    network = Generator(config)
    with torch.no_grad():
        tame(network)
        for block in network.identity_encoder.modulated_blocks():
            block.fc_mean.weight.mul_(EMBEDDING_GAIN)
            block.fc_var.weight.mul_(EMBEDDING_GAIN)
    return network


def prepared_generator(config: GeneratorConfig) -> Generator:
    """As `training.generator.grow` wants it."""
    network = Generator(config)
    prepare(network)
    return network


def _fresh_lite(channels: int, embedding_size: int) -> LiteGenerator:
    """With the widths of `LiteConfig` in proportion to that at 64 px."""
    usual = LiteConfig()

    def scaled(width: int) -> int:
        return max(1, width * channels // usual.width64)

    network = LiteGenerator(
        LiteConfig(
            embedding_size, scaled(usual.style), scaled(usual.width128), channels,
            scaled(usual.width32), scaled(usual.width16),
        )
    )  # fmt: skip
    with torch.no_grad():
        tame_lite(network)
    return network
