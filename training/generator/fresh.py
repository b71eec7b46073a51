"""Generators to start training from: not just random, but quiet where they would overflow."""

from __future__ import annotations

import torch

from model.generator import Generator, GeneratorConfig
from model.seeded import tame
from training.generator.grow import prepare

# Unit embeddings have entries near 0.04, so a fresh linear layer would hardly hear them; with this
# gain the modulation starts with a deviation near 0.25 and the source is seen from the first steps.
EMBEDDING_GAIN = 10.0


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
