"""A guide shows how a face should change, and a generator in training follows it."""

from __future__ import annotations

import json

import pytest
import torch
import torch.nn.functional as F
from train_data import TINY, plain_tar

from model.checkpoint import save
from model.errors import UsageError
from model.generator import Generator, GeneratorConfig
from model.lite import LiteConfig
from model.seeded import seeded_lite
from training import train
from training.generator.grow import prepare
from training.generator.guide import Guide
from training.generator.losses import guide_loss
from training.running.ranks import Compute

pytestmark = pytest.mark.usefixtures("one_thread")


def grown(embedding_size: int) -> Generator:
    torch.manual_seed(0)
    network = Generator(GeneratorConfig(channels=48, embedding_size=embedding_size))
    prepare(network)
    return network.eval()


def test_a_guide_shows_the_coarse_picture_of_the_whole_network() -> None:
    network = grown(16)
    target = F.interpolate(torch.rand(2, 3, 8, 8) * 2 - 1, 128, mode="bilinear")
    embedding = F.normalize(torch.randn(2, 16))
    with torch.no_grad():
        whole = network(target, embedding).image64
    shown = Guide(network).show(target, embedding)
    assert shown.shape == (2, 3, 32, 32)
    torch.testing.assert_close(shown, whole, rtol=0, atol=1e-5)


def test_a_generator_with_a_way_down_of_its_own_is_no_guide() -> None:
    network = grown(16)
    with torch.no_grad():
        network.attribute_encoder.downsamples()[0].conv.weight.mul_(2)
    with pytest.raises(UsageError, match="way down to 64 px is its own"):
        Guide(network)


@pytest.mark.parametrize("bf16", [False, True])
def test_a_guide_computes_in_the_layout_of_the_run(bf16: bool) -> None:
    layout = Compute(torch.device("cpu"), bf16).layout
    network = grown(16)
    Guide(network, layout)
    maps = [weights for weights in network.parameters() if weights.dim() == 4]
    assert all(weights.is_contiguous(memory_format=layout) for weights in maps)


def test_a_lite_generator_is_no_guide() -> None:
    narrow = LiteConfig(16, 8, 4, 4, 4, 4, 1, 1, 1)
    with pytest.raises(UsageError, match="LiteGenerator"):
        Guide(seeded_lite(narrow))


def test_guide_loss_sees_light_in_the_face_and_no_colour() -> None:
    shown = torch.zeros(1, 3, 64, 64)
    brighter = torch.full((1, 3, 256, 256), 0.3)
    assert guide_loss(brighter, shown).item() == pytest.approx(0.3)
    redder = torch.zeros(1, 3, 256, 256)
    redder[:, 0], redder[:, 1] = 0.587, -0.299  # of the same luma
    assert guide_loss(redder, shown).item() == pytest.approx(0, abs=1e-6)
    beside = torch.zeros(1, 3, 256, 256)
    beside[:, :, :24], beside[:, :, :, :24] = 0.3, 0.3
    assert guide_loss(beside, shown).item() < 1e-4


@pytest.mark.slow
def test_a_run_comes_nearer_to_its_guide(tmp_path, tiny_checkpoints, monkeypatch) -> None:
    monkeypatch.setattr(train, "REPORT_SECONDS", 0)
    guide = grown(16)
    with torch.no_grad():  # one that paints something else than the target
        guide.decoder.image64_output.conv.bias.add_(0.5)
    save(guide, tmp_path / "guide.pt")
    (tmp_path / "guided.toml").write_text(f"{TINY}[weights]\nguide = 20.0\n")
    data = plain_tar(tmp_path / "faces.tar", people=8)
    asked = ["--data", str(data), "--config", str(tmp_path / "guided.toml"), "--device", "cpu",
             "--encoder", str(tiny_checkpoints[1]), "--arithmetic", "fp32", "--steps", "30",
             "--guide", str(tmp_path / "guide.pt"), "-o", str(tmp_path / "run")]  # fmt: skip
    assert train.main(asked) == 0
    lines = (tmp_path / "run/log.jsonl").read_text().splitlines()
    missed = [json.loads(line)["losses"]["guide"] for line in lines]
    assert sum(missed[-5:]) < 0.7 * sum(missed[:5])
