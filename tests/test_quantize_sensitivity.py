"""Which layers 8 bits hurt, and the recipe that spares them."""

import json
from pathlib import Path

import pytest
import torch

from export.quantize.ranking import Rounding, rank
from export.quantize.recipe import read_recipe
from export.quantize.weights import rounded_per_channel
from model.deploy import DeployedGenerator
from model.errors import BadInput
from model.generator import GeneratorConfig
from model.seeded import seeded_generator

WEIGHTS, ACTIVATIONS = (Rounding(rounded_per_channel, side) for side in (None, 0))


@pytest.fixture(scope="module")
def network() -> DeployedGenerator:
    return DeployedGenerator(seeded_generator(GeneratorConfig(4, 8))).requires_grad_(False).eval()


@pytest.fixture(scope="module")
def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.rand(1, 3, 64, 64) * 2 - 1, torch.nn.functional.normalize(torch.randn(1, 8))


@pytest.mark.slow
def test_every_convolution_is_ranked_once_worst_first(
    network: DeployedGenerator, inputs: tuple[torch.Tensor, torch.Tensor]
) -> None:
    layers = rank(network, inputs, ACTIVATIONS)
    count = sum(isinstance(m, torch.nn.Conv2d) for m in network.modules())
    assert len({layer.name for layer in layers}) == count
    assert layers == sorted(layers, key=lambda layer: layer.psnr_db)


@pytest.mark.slow
def test_ranking_leaves_the_network_as_it_was(
    network: DeployedGenerator, inputs: tuple[torch.Tensor, torch.Tensor]
) -> None:
    before = network(*inputs)
    rank(network, inputs, ACTIVATIONS)
    assert torch.equal(network(*inputs), before)


@pytest.mark.slow
def test_a_layer_whose_weights_are_on_the_grid_already_costs_nothing(
    inputs: tuple[torch.Tensor, torch.Tensor],
) -> None:
    network = DeployedGenerator(seeded_generator(GeneratorConfig(4, 8))).requires_grad_(False)
    network.painter.image_output.conv.weight.fill_(0.5)
    ranked = rank(network.eval(), inputs, WEIGHTS)
    assert ranked[-1].name == "painter.image_output.conv"


def test_a_recipe_is_read_back(tmp_path: Path, network: DeployedGenerator) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({"schema": 1, "keep": ["painter.head.conv_image"]}))
    assert read_recipe(path, network) == ["painter.head.conv_image"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is no recipe"),
        ('{"schema": 2, "keep": []}', "is no recipe"),
        ('{"schema": 1, "keep": ["conv9"]}', "does not have: conv9"),
    ],
)
def test_what_is_no_recipe_is_refused(
    tmp_path: Path, network: DeployedGenerator, content: str, words: str
) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(content)
    with pytest.raises(BadInput, match=words):
        read_recipe(path, network)
