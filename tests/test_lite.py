"""The small generator: found by its keys, rewritten exactly, within its bars, and trained."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from conftest import run
from torch import Tensor, nn
from train_data import TINY, plain_tar

from export.quantize import flatbuffer
from model.checkpoint import load_generator, save
from model.deploy import BakedGenerator, DeployedGenerator
from model.errors import CheckpointError
from model.lite import LiteConfig, LiteGenerator, compose
from model.seeded import seeded_lite
from pipeline.metrics import psnr_db
from training import pack, train
from training.generator import losses
from training.generator.excess import attention_excess
from training.generator.watch import watching
from training.running import packed

pytestmark = pytest.mark.usefixtures("one_thread")

TINY_LITE = LiteConfig(16, 8, 4, 8, 8, 8, blocks64=1, blocks32=2, blocks16=1)


def sample(count: int = 2, size: int = 64, embedding: int = 16) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(1)
    target = torch.rand(count, 3, size, size, generator=random) * 2 - 1
    return target, F.normalize(torch.randn(count, embedding, generator=random))


def lively() -> LiteGenerator:
    """Tiny, with random statistics, as far from what folds trivially as trained weights are."""
    network = seeded_lite(TINY_LITE)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.uniform_(-0.5, 0.5)
                module.running_var.uniform_(0.5, 2.0)
    return network


def test_its_keys_say_which_network_a_checkpoint_holds(tmp_path: Path) -> None:
    network = lively()
    save(network, tmp_path / "lite.pt")
    loaded = load_generator(tmp_path / "lite.pt")
    assert isinstance(loaded, LiteGenerator)
    assert loaded.config == TINY_LITE
    assert torch.equal(loaded(*sample()).image256, network(*sample()).image256)


def test_an_incomplete_one_is_refused_by_name(tmp_path: Path) -> None:
    state = lively().state_dict()
    del state["style.weight"]
    torch.save(state, tmp_path / "cut.pt")
    with pytest.raises(CheckpointError, match=r"not a LiteGenerator.*style\.weight"):
        load_generator(tmp_path / "cut.pt")


def test_deployed_and_baked_are_the_network_as_trained() -> None:
    network = lively()
    target, embedding = sample()
    with torch.no_grad():
        wanted = network(target, embedding).image256.numpy()
        deployed = DeployedGenerator(network).eval()
        baked = BakedGenerator(deployed, embedding[:1])
        assert psnr_db(deployed(target, embedding).numpy(), wanted, peak=2.0) >= 100
        assert psnr_db(baked(target[:1]).numpy(), wanted[:1], peak=2.0) >= 100


def test_one_that_hears_no_embedding_is_refused() -> None:
    network = lively()
    for block in network.modulated_blocks():
        nn.init.zeros_(block.conv_out.weight)
    with pytest.raises(CheckpointError, match="no embedding"):
        DeployedGenerator(network)


def test_the_target_shines_through_where_the_mask_is_zero() -> None:
    target = sample()[0]
    painted, mask = target.flip(0), torch.zeros(2, 1, 64, 64)
    mask[:, :, 32:] = 1.0
    image = compose(target, painted, mask)
    assert torch.equal(image[:, :, :32], target[:, :, :32])
    torch.testing.assert_close(image[:, :, 32:], painted[:, :, 32:])


def test_a_mask_closed_over_the_face_costs_and_beside_it_does_not() -> None:
    mask = torch.ones(2, 1, 64, 64)
    mask[:, :, :16] = 0.0  # the forehead and above
    assert losses.open_mask_loss([mask]) == 0
    assert losses.open_mask_loss([torch.full((2, 1, 64, 64), 0.4)]) == pytest.approx(0.5**2)


def test_the_source_is_heard_and_the_target_is_seen() -> None:
    network = seeded_lite()
    target, embedding = sample(embedding=512)
    with torch.no_grad():
        first = network(target, embedding).image256
        other_source = network(target, embedding.flip(0)).image256
        other_target = network(target.flip(0), embedding).image256
    assert (first - other_source).abs().mean() > 0.005
    assert (first - other_target).abs().mean() > 0.05


def test_the_real_size_keeps_within_its_bars() -> None:
    network = seeded_lite()
    assert sum(weight.numel() for weight in network.parameters()) <= 2_500_000
    assert 2 * multiplications(DeployedGenerator(network)) <= 6e9


def multiplications(network: nn.Module) -> int:
    """Multiply-adds of the convolutions of one 256 px frame."""
    total = 0

    def count(layer: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        total += output.numel() * layer.weight[0].numel()  # type: ignore[operator, index]

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(count)
    with torch.no_grad():
        network(*sample(1, 256, 512))
    return total


def test_it_says_what_training_can_watch() -> None:
    network = lively()
    with torch.no_grad(), watching(network) as watch:
        network(*sample())
    assert not watch.attentions
    assert attention_excess(watch.attentions) == 0
    assert sorted(f.shape[-1] for f in watch.features) == [4, 8, 8, 16, 16, 32, 32]


# Training


@pytest.fixture(scope="module")
def flags(tmp_path_factory: pytest.TempPathFactory, tiny_checkpoints: tuple[Path, Path]):
    folder = tmp_path_factory.mktemp("lite")
    extra = 'network = "lite"\nrelight = true\ndiscriminator_norm = "instance"\n'
    weights = "[weights]\nadversarial = [1.0, 0.5, 0.0]\nparts = 0.5\n"
    (folder / "tiny.toml").write_text(extra + TINY + weights)
    data = plain_tar(folder / "faces.tar", people=4)
    return ["--data", str(data), "--config", str(folder / "tiny.toml"), "--device", "cpu",
            "--encoder", str(tiny_checkpoints[1])]  # fmt: skip


@pytest.fixture(scope="module")
def state(flags, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state of a run of three steps."""
    folder = tmp_path_factory.mktemp("first")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Path, "unlink", lambda self, **_: None)  # a finished run drops its state
        assert train.main([*flags, "-o", str(folder), "--steps", "3"]) == 0
    return folder / "run.state"


@pytest.mark.slow
def test_it_trains_and_goes_on_from_a_packed_run(flags, state, tmp_path) -> None:
    small, second = tmp_path / "run.pt", tmp_path / "second"
    assert pack.main([str(state), "-o", str(small)]) == 0
    assert small.stat().st_size < 0.5 * state.stat().st_size
    assert isinstance(load_generator(small), LiteGenerator)
    found = packed.unpack(small)
    assert (found["steps"], found["samples"]) == (3, 12)
    assert train.main([*flags, "-o", str(second), "--steps", "5", "--from-packed", str(small)]) == 0
    assert isinstance(load_generator(second / "generator.pt"), LiteGenerator)
    assert '"step": 5' in (second / "log.jsonl").read_text()


def test_a_packed_run_of_another_network_is_refused(flags, tmp_path, capsys) -> None:
    torch.save({"generator": {}}, tmp_path / "part.pt")
    begin = [*flags, "-o", str(tmp_path / "run"), "--steps", "1", "--from-packed"]
    assert train.main([*begin, str(tmp_path / "part.pt")]) == 4
    assert "lacks discriminators" in capsys.readouterr().err
    content = {"generator": {}, "discriminators": {}, "kinds": {}, "purpose": {}}
    content |= dict.fromkeys(packed.COUNTS, 0)
    torch.save(content, tmp_path / "empty.pt")
    assert train.main([*begin, str(tmp_path / "empty.pt")]) == 4
    assert "does not fit this run" in capsys.readouterr().err
    torch.save({**content, "average": {}}, tmp_path / "run.state")
    assert train.main([*begin, str(tmp_path / "run.state")]) == 4
    assert "is the state of a run" in capsys.readouterr().err


def test_a_run_is_not_packed_into_its_own_state(tmp_path, capsys) -> None:
    content = {"average": {}, "discriminators": {}, "kinds": {}, "purpose": {}}
    state = tmp_path / "run.state"
    torch.save(content | dict.fromkeys(packed.COUNTS, 0), state)
    before = state.read_bytes()
    assert pack.main([str(state), "-o", str(state)]) == 2
    assert state.read_bytes() == before
    assert "the run's state itself" in capsys.readouterr().err


@pytest.mark.slow
def test_a_packed_run_that_is_as_long_already_is_refused(flags, state, tmp_path, capsys) -> None:
    small = tmp_path / "run.pt"
    assert pack.main([str(state), "-o", str(small)]) == 0
    again = [*flags, "-o", str(tmp_path / "second"), "--from-packed", str(small), "--steps", "3"]
    assert train.main(again) == 2
    assert "has 3 steps" in capsys.readouterr().err
    assert not (tmp_path / "second/generator.pt").exists()


def test_init_of_the_other_network_is_refused(flags, tmp_path, tiny_checkpoints, capsys) -> None:
    begin = [*flags, "-o", str(tmp_path / "run"), "--steps", "1"]
    assert train.main([*begin, "--init", str(tiny_checkpoints[0])]) == 4
    assert "ask for a LiteGenerator" in capsys.readouterr().err


# Export


@pytest.mark.slow
def test_every_format_is_proven_on_a_tiny_one(tmp_path: Path) -> None:
    save(lively(), tmp_path / "lite.pt")
    result = run("export", tmp_path / "lite.pt", "-o", tmp_path / "dist", "--samples", "2")
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
def test_int8_of_the_real_size_is_small_in_one_partition_and_composes_in_float(
    tmp_path: Path,
) -> None:
    save(seeded_lite(), tmp_path / "lite.pt")
    result = run("export.tflite", tmp_path / "lite.pt", "-o", tmp_path, "--precision", "int8",
                 "--no-parity")  # fmt: skip
    assert result.returncode == 0, result.stderr  # more partitions than one are an error
    file = tmp_path / "lite/generator-int8.tflite"
    assert file.stat().st_size <= 2.8e6
    model = flatbuffer.read(file.read_bytes())
    tensors = model.subgraphs[0].tensors
    kinds = {
        (op.name, int(tensors[op.outputs[0]].type))
        for op in flatbuffer.ops(model)
        if op.name != "QUANTIZE" and list(tensors[op.outputs[0]].shape[3:]) in ([1], [3])
    }
    assert ("CONV_2D", 0) in kinds
    assert {type for _, type in kinds} == {0}, "float32 in the schema"


def test_a_file_of_very_many_blocks_is_refused_before_they_are_made(tmp_path: Path) -> None:
    state = lively().state_dict()
    state |= {f"b16.{i}.shift.bias": torch.zeros(8) for i in range(5000)}
    torch.save(state, tmp_path / "deep.pt")
    with pytest.raises(CheckpointError, match="5,000 blocks in b16; a LiteGenerator has 64"):
        load_generator(tmp_path / "deep.pt")
