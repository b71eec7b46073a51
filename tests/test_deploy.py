from pathlib import Path

import numpy as np
import pytest
import torch

from model.checkpoint import load_generator
from model.deploy import BakedGenerator, DeployedGenerator
from model.errors import CheckpointError
from model.generator import Generator, GeneratorConfig

MAX_ABS = 2e-5  # of pictures in [-1, 1]


def lively(channels: int = 8, embedding_size: int = 16) -> Generator:
    """A small generator whose BN layers are nowhere near the identity, so folding has to work."""
    torch.manual_seed(1)
    network = Generator(GeneratorConfig(channels, embedding_size))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2)
            if module.affine:
                torch.nn.init.uniform_(module.weight, 0.5, 1.5)
                torch.nn.init.uniform_(module.bias, -0.5, 0.5)
    return network.requires_grad_(False).eval()


def sample(size: int = 64, embedding_size: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(2)
    return (
        torch.rand(2, 3, size, size) * 2 - 1,
        torch.nn.functional.normalize(torch.randn(2, embedding_size)),
    )


@pytest.mark.slow
def test_the_reference_checkpoint_is_rewritten_exactly(reference: Path) -> None:
    answers = np.load(reference / "reference_io.npz")
    trained = load_generator(reference / "reference_generator_ddp.pth")
    inputs = [torch.from_numpy(answers[name]).float() for name in ("target", "embedding")]
    with torch.inference_mode():
        difference = DeployedGenerator(trained)(*inputs) - trained(*inputs).image256
    assert difference.abs().max() <= MAX_ABS


def test_statistics_far_from_the_identity_are_folded_exactly() -> None:
    trained = lively()
    with torch.inference_mode():
        wanted = trained(*sample()).image256
        difference = DeployedGenerator(trained)(*sample()) - wanted
    assert wanted.std() > 0.05, "a dull picture would prove nothing"
    assert difference.abs().max() <= MAX_ABS


def test_blocks_that_training_left_at_zero_are_gone_and_nothing_changes() -> None:
    trained = lively(channels=8)
    silent = [
        trained.attribute_encoder.stages()[0][0],
        trained.identity_encoder.modulated_blocks()[3],
        trained.decoder.stages()[1][2].basic_block,
    ]
    for block in silent:
        block.conv3x3.weight.zero_()

    def layers(network: DeployedGenerator) -> int:
        return len([m for m in network.modules() if isinstance(m, torch.nn.Conv2d)])

    deployed = DeployedGenerator(trained)
    with torch.inference_mode():
        difference = deployed(*sample()) - trained(*sample()).image256
    assert difference.abs().max() <= MAX_ABS
    # Two layers a block, and the attention of the decoder's.
    assert layers(deployed) == layers(DeployedGenerator(lively(channels=8))) - 7
    assert deployed.modulation.out_channels == 8 * 2 * 8


def test_a_network_that_heeds_no_embedding_is_refused() -> None:
    trained = lively()
    for block in trained.identity_encoder.modulated_blocks():
        block.conv3x3.weight.zero_()
    with pytest.raises(CheckpointError, match="no embedding would change"):
        DeployedGenerator(trained)


def test_a_baked_generator_is_the_deployed_one_at_that_identity() -> None:
    deployed = DeployedGenerator(lively())
    target, embedding = sample()
    with torch.inference_mode():
        baked = BakedGenerator(deployed, embedding[:1])(target[:1])
        torch.testing.assert_close(baked, deployed(target[:1], embedding[:1]))


def test_all_identities_go_through_one_pointwise_layer() -> None:
    deployed = DeployedGenerator(lively(channels=8, embedding_size=16))
    assert not [m for m in deployed.modules() if isinstance(m, torch.nn.Linear)]
    assert deployed.modulation.weight.shape == (9 * 2 * 8, 16, 1, 1)


def test_no_batch_norm_is_left() -> None:
    deployed = DeployedGenerator(lively())
    assert not [m for m in deployed.modules() if isinstance(m, torch.nn.BatchNorm2d)]


def test_a_network_in_training_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="eval"):
        DeployedGenerator(lively().train())
