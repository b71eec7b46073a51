"""A growing generator: what it computes early is what the whole network computes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from train_data import TINY, plain_tar, records

from model.checkpoint import load_generator
from model.errors import UsageError
from model.generator import Generator, GeneratorConfig
from model.lite import LiteConfig
from model.seeded import seeded_lite
from training import train
from training.data.mix import MixPlan, draw
from training.generator.discriminator import Discriminators
from training.generator.grow import Growing, prepare, spare_constant_channels
from training.generator.losses import agreement_loss

NARROWEST = GeneratorConfig(channels=48, embedding_size=16)


pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]


@pytest.fixture(scope="module")
def network() -> Generator:
    torch.manual_seed(0)
    network = Generator(NARROWEST)
    prepare(network)
    return network.eval()


def sample(size: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(1)
    coarse = torch.rand(2, 3, 8, 8, generator=random) * 1.6 - 0.8
    return F.interpolate(coarse, size, mode="bilinear"), F.normalize(torch.randn(2, 16))


@torch.no_grad()
def test_a_growing_generator_paints_what_the_whole_one_paints(network: Generator) -> None:
    target, embedding = sample()
    whole = network(target, embedding)
    for level, count in ((64, 1), (128, 2), (256, 3)):
        grown = Growing(network)(target, embedding, level)
        wanted = (whole.image256, whole.image128, whole.image64)[3 - count :]
        assert len(grown) == count
        for mine, theirs in zip(grown, wanted, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-5)


@torch.no_grad()
def test_the_first_coarse_picture_is_nearly_the_target(network: Generator) -> None:
    growing = Growing(network)
    growing.freeze_all_but(64, coarser=False)  # with the statistics of the batch, as it will learn
    target, embedding = sample(128)
    (coarse,) = growing(target, embedding, 64)
    network.eval()
    both = torch.stack((coarse.flatten(), F.avg_pool2d(target, 4).flatten()))
    assert torch.corrcoef(both)[0, 1] > 0.85


@torch.no_grad()
def test_channels_that_never_vary_get_no_gain_and_paint_the_same() -> None:
    torch.manual_seed(0)
    network = Generator(NARROWEST)
    prepare(network)
    constant = network.identity_encoder.b64_down.normalize
    constant.running_var[-3:] = 0  # type: ignore[index]
    constant.running_mean[-3:] = 0  # type: ignore[index]
    network.eval()
    x = torch.ones(1, 48, 4, 4)
    x[:, -3:] = 0
    before = constant(x)
    spare_constant_channels(network)
    assert (constant.running_var >= 0.01).all()  # type: ignore[operator]
    torch.testing.assert_close(constant(x), before)


def test_only_the_part_that_paints_a_level_learns(network: Generator) -> None:
    growing = Growing(network)
    growing.freeze_all_but(128, coarser=False)
    learning = {name.split(".")[1] for name, p in network.named_parameters() if p.requires_grad}
    assert learning == {"up128", "b128_3", "b128_2", "b128_1", "b128_0", "image128_output"}
    assert not network.attribute_encoder.downsample128.normalize.training


def test_a_network_too_narrow_for_the_way_down_is_refused() -> None:
    with pytest.raises(UsageError, match="48 channels"):
        prepare(Generator(GeneratorConfig(channels=32)))


def test_a_network_of_another_kind_does_not_grow() -> None:
    with pytest.raises(UsageError, match="LiteGenerator; expected a published"):
        Growing(seeded_lite(LiteConfig(embedding_size=16)))


def test_agreement_is_half_the_squared_difference_of_the_means() -> None:
    fine = torch.tensor([[1.0, 0.0], [0.0, 0.0]]).expand(1, 3, 2, 2)
    coarse = torch.full((1, 3, 1, 1), 0.75, requires_grad=True)
    loss = agreement_loss([fine, coarse])
    assert loss.item() == pytest.approx(0.5 * 0.5**2)
    assert not loss.requires_grad  # the coarse picture does not move
    mutual = agreement_loss([fine, coarse], mutual=True)
    mutual.backward()
    assert mutual.item() == loss.item()
    assert (coarse.grad > 0).all()  # and here it comes down to the fine one


def test_a_stage_of_the_whole_lets_coarser_pictures_learn_too(network: Generator) -> None:
    growing = Growing(network)
    growing.freeze_all_but(128, coarser=True)
    learning = {name.split(".")[1] for name, p in network.named_parameters() if p.requires_grad}
    assert {"b128_0", "b64_0", "image64_output", "up64"} <= learning
    assert not {name for name in learning if "256" in name}


def test_what_judges_the_coarse_picture_first_judges_it_to_the_end() -> None:
    judges = Discriminators().eval()
    pictures = [torch.rand(2, 3, size, size) for size in (256, 128, 64)]
    with torch.no_grad():
        alone, together = judges(pictures[2:]), judges(pictures)
    torch.testing.assert_close(alone[0], together[2])


def test_sources_come_from_the_known_people_only() -> None:
    import numpy as np

    plan = MixPlan({"different": 1.0}, 0.0, 1, 0)
    people = records(0, 10, ())
    drawn = draw(people, list(range(20)) * 5, plan, np.random.default_rng(0), 0.3)
    sources = {people[t.source[0]].person for t in drawn}
    assert sources == {"P0", "P1", "P2"}


def test_a_run_grows_level_by_level_and_writes_a_whole_generator(
    tmp_path: Path, tiny_checkpoints: tuple[Path, Path]
) -> None:
    stages = "".join(
        f"[[stages]]\nsize = {size}\nbatch = 2\nuntil = {until}\n"
        for size, until in ((64, 0.3), (128, 0.5), (256, 0.7), (256, 1.0))
    )
    head = TINY.split("[[stages]]")[0].replace("channels = 4", "channels = 48")
    config = tmp_path / "grow.toml"
    weights = "[weights]\nagree = 10.0\ntone = 10.0\n"
    config.write_text(f"grow = true\npeople_from = 0.5\n{head}{stages}whole = true\n{weights}")
    data = plain_tar(tmp_path / "faces.tar", people=8)
    flags = ["--data", str(data), "--config", str(config), "--encoder", str(tiny_checkpoints[1])]
    flags += ["--device", "cpu", "--arithmetic", "fp32"]
    assert train.main([*flags, "-o", str(tmp_path / "run"), "--steps", "6"]) == 0
    grown = load_generator(tmp_path / "run/generator.pt").eval()
    target, embedding = sample(64)
    embedding = F.normalize(torch.randn(2, grown.config.embedding_size))
    with torch.no_grad():
        assert torch.isfinite(grown(target, embedding).image256).all()
