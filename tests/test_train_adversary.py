"""The discriminators tell a generator what they have learned, and no more."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F

from training.generator.adversary import Adversary
from training.generator.config import Config, Weights
from training.running.ranks import Compute, Ranks

pytestmark = pytest.mark.usefixtures("one_thread")

HERE = Ranks(0, 1, Compute(torch.device("cpu"), bf16=False))


def photos(random: torch.Generator) -> torch.Tensor:
    """Smooth pictures, (4, 3, 64, 64)."""
    coarse = torch.rand(4, 3, 8, 8, generator=random) * 2 - 1
    return F.interpolate(coarse, 64, mode="bilinear")


@pytest.fixture(scope="module")
def taught() -> Adversary:
    """Has learned that photos are smooth and pictures are not."""
    torch.manual_seed(0)
    adversary = Adversary(Config(lr_discriminator=1e-3, weights=Weights((1.0, 0.0, 0.0))), HERE)
    random = torch.Generator().manual_seed(1)
    for _ in range(40):
        noise = torch.randn(4, 3, 64, 64, generator=random)
        told = adversary.learn(photos(random), [photos(random) + 0.3 * noise])
    assert told < 1.0  # of 2 where it knows nothing
    return adversary


@pytest.mark.slow
def test_a_generator_that_is_told_from_photos_hears_so(taught: Adversary) -> None:
    random = torch.Generator().manual_seed(2)
    rough = photos(random) + 0.3 * torch.randn(4, 3, 64, 64, generator=random)
    assert taught.deceived(photos(random), [rough]) > 0.5  # 1 for a picture well told


def test_a_generator_hears_the_judge_that_learns(taught: Adversary) -> None:
    # In a batch of its own another norm applies: a generator once won by noise at its edges.
    random = torch.Generator().manual_seed(2)
    real, fake = photos(random), photos(random)
    beside = copy.deepcopy(taught.discriminators)([torch.cat((fake, real))])[0]
    alone = copy.deepcopy(taught.discriminators)([fake])[0]
    heard = taught.deceived(real, [fake])
    torch.testing.assert_close(heard, -beside[:4].mean())
    assert (heard + alone.mean()).abs() > 1e-3


def test_without_batch_norm_a_verdict_is_the_same_beside_photos() -> None:
    torch.manual_seed(0)
    adversary = Adversary(
        Config(discriminator_norm="instance", weights=Weights((1.0, 0.0, 0.0))), HERE
    )
    random = torch.Generator().manual_seed(1)
    real, fake = photos(random), photos(random)
    beside = copy.deepcopy(adversary.discriminators)([torch.cat((fake, real))])[0]
    torch.testing.assert_close(adversary.deceived(real, [fake]), -beside[:4].mean())


def test_its_gradient_reaches_pictures_and_no_discriminator(taught: Adversary) -> None:
    random = torch.Generator().manual_seed(3)
    rough = (photos(random) + 0.3 * torch.randn(4, 3, 64, 64, generator=random)).requires_grad_()
    for weight in taught.discriminators.parameters():
        weight.grad = None
    taught.deceived(photos(random), [rough]).backward()
    assert rough.grad is not None
    assert rough.grad.abs().max() > 0
    assert all(weight.grad is None for weight in taught.discriminators.parameters())


def test_a_loss_that_is_no_number_is_returned_and_not_learned_from(taught: Adversary) -> None:
    before = [weight.clone() for weight in taught.discriminators.parameters()]
    broken = torch.full((4, 3, 64, 64), float("nan"))
    assert not torch.isfinite(taught.learn(photos(torch.Generator()), [broken]))
    after = taught.discriminators.parameters()
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
