"""The noise that stands for 8 bits while a network learns."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from training.running.rounding import RoundingNoise, noised

pytestmark = pytest.mark.usefixtures("one_thread")


def a_map() -> torch.Tensor:
    return torch.randn(4, 8, 16, 16, generator=torch.Generator().manual_seed(0))


def test_noise_is_as_wide_as_a_step_of_256_levels() -> None:
    x = a_map()
    step = (x.max() - x.min()) / 255
    moved = (noised(x) - x) / step
    assert moved.abs().max() <= 0.501
    assert moved.std().item() == pytest.approx(12**-0.5, rel=0.05)


def test_extremes_have_a_gradient_of_their_own() -> None:
    x = a_map().requires_grad_()
    torch.manual_seed(0)
    noise = ((noised(x) - x) / ((x.max() - x.min()) / 255)).detach()
    torch.manual_seed(0)
    (noised(x) * noise).sum().backward()  # grows where the range does
    pull = x.grad - noise
    largest = pull.flatten()[x.flatten().argmax()]
    assert largest.item() == pytest.approx((noise**2).sum().item() / 255, rel=1e-3)
    assert (pull.abs() > 1e-4).sum() == 2  # the largest and the smallest value


def layers() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)).train()


@pytest.mark.parametrize(
    ("on", "learning", "changed"), [(True, True, True), (False, True, False), (True, False, False)]
)
def test_only_layers_that_learn_are_noised_and_only_when_asked(
    on: bool, learning: bool, changed: bool
) -> None:
    network, x = layers().train(learning), torch.rand(1, 3, 8, 8)
    clean = network(x)
    RoundingNoise(network, (nn.Conv2d,)).on = on
    assert torch.equal(network(x), clean) is not changed


def test_what_is_painted_without_learning_is_not_noised() -> None:
    network, x = layers(), torch.rand(1, 3, 8, 8)
    clean = network(x)
    RoundingNoise(network, (nn.Conv2d,)).on = True
    with torch.no_grad():
        assert torch.equal(network(x), clean)
