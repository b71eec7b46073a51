"""A tiny network in training: losses fall, resume is exact, and NaN stops the run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from conftest import ROOT, run
from train_data import TINY, plain_tar

from model.checkpoint import load_generator
from model.errors import BadInput
from training import train
from training.generator.config import Config
from training.generator.config_file import read_config
from training.generator.trainer import Trainer

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]


@pytest.fixture(scope="module")
def flags(tmp_path_factory, tiny_checkpoints) -> list[str]:
    folder = tmp_path_factory.mktemp("training")
    (folder / "tiny.toml").write_text(TINY)
    data = plain_tar(folder / "faces.tar", people=8)
    return ["--data", str(data), "--config", str(folder / "tiny.toml"), "--device", "cpu",
            "--arithmetic", "fp32", "--encoder", str(tiny_checkpoints[1])]  # fmt: skip


def trained(flags: list[str], output: Path, *more: str) -> dict[str, torch.Tensor]:
    assert train.main([*flags, "-o", str(output), *more]) == 0
    return torch.load(output / "generator.pt", weights_only=True)


def test_losses_fall_and_the_checkpoint_is_the_authors(flags, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(train, "REPORT_SECONDS", 0)
    trained(flags, tmp_path / "a", "--steps", "40", "--picture-minutes", "0")
    rows = [json.loads(line) for line in (tmp_path / "a/log.jsonl").read_text().splitlines()]

    def total(part: list[dict]) -> float:
        names = ("identity", "pixel", "perceptual")
        return sum(row["losses"][name] for row in part for name in names) / len(part)

    assert total(rows[-10:]) < 0.9 * total(rows[:10])
    assert any("discriminator" in row["losses"] for row in rows)
    assert list((tmp_path / "a/pictures").glob("*.png"))
    network = load_generator(tmp_path / "a/generator.pt")
    assert network.config.channels == 4
    state = torch.load(tmp_path / "a/generator.pt", weights_only=True)
    assert list(state) == list(network.state_dict())
    assert all(v.dtype in (torch.float32, torch.int64) for v in state.values())


class Stopped(BaseException):
    """As a kill, it passes every handler."""


def test_a_killed_run_goes_on_to_the_same_bits(flags, tmp_path, monkeypatch) -> None:
    whole = trained(flags, tmp_path / "whole", "--steps", "6")
    monkeypatch.setattr(train, "SAVE_SECONDS", 0)
    step = Trainer.step

    def step_and_die(trainer: Trainer, progress: float):
        if trainer.steps == 4:
            raise Stopped
        return step(trainer, progress)

    monkeypatch.setattr(Trainer, "step", step_and_die)
    with pytest.raises(Stopped):
        train.main([*flags, "-o", str(tmp_path / "killed"), "--steps", "6"])
    monkeypatch.setattr(Trainer, "step", step)
    resumed = trained(flags, tmp_path / "killed", "--steps", "6", "--resume")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    other_seed = trained(flags, tmp_path / "other", "--steps", "6", "--seed", "1")
    assert not all(torch.equal(whole[name], other_seed[name]) for name in whole)


def test_nan_stops_the_run_and_names_step_and_loss(flags, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(train, "SAVE_SECONDS", 0)
    from training.generator import losses

    good, calls = losses.pixel_loss, []

    def breaks(*args):
        calls.append(1)
        return good(*args) * (float("nan") if len(calls) == 3 else 1)

    monkeypatch.setattr(losses, "pixel_loss", breaks)
    assert train.main([*flags, "-o", str(tmp_path), "--steps", "6"]) == 1
    assert "pixel at step 2 is nan" in capsys.readouterr().err
    state = torch.load(tmp_path / "run.state", weights_only=True)
    assert state["steps"] == 2
    assert all(torch.isfinite(v).all() for v in state["generator"].values())
    assert not (tmp_path / "generator.pt").exists()


def test_init_starts_from_a_checkpoint(flags, tmp_path, tiny_checkpoints) -> None:
    start = load_generator(tiny_checkpoints[0]).state_dict()
    ended = trained(flags, tmp_path, "--steps", "1", "--init", str(tiny_checkpoints[0]))
    key = "decoder.image256_output.conv.weight"
    assert 0 < (ended[key] - start[key]).abs().max() < 0.05


def test_sigterm_saves_the_state_and_says_so(flags, tmp_path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "training.train", *flags, "-o", str(tmp_path), "--threads", "1"],
        cwd=ROOT, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not (tmp_path / "run.state").exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(4)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "--resume" in said
    assert "Traceback" not in said
    assert torch.load(tmp_path / "run.state", weights_only=True)["steps"] > 0


def test_what_cannot_work_is_said_before_the_first_step(flags, tmp_path, capsys) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert train.main([*flags, "-o", str(tmp_path / "file/run"), "--steps", "1"]) == 4
    assert "cannot write" in capsys.readouterr().err
    (tmp_path / "old").mkdir()
    (tmp_path / "old/run.state").write_bytes(b"work")
    assert train.main([*flags, "-o", str(tmp_path / "old")]) == 2
    assert train.main([*flags, "-o", str(tmp_path / "old"), "--resume"]) == 4
    assert "no run to resume" in capsys.readouterr().err
    missing = [str(tmp_path / "gone.tar") if f.endswith("faces.tar") else f for f in flags]
    assert train.main([*missing, "-o", str(tmp_path / "x")]) == 4
    assert "does not exist" in capsys.readouterr().err


def test_a_state_of_another_run_is_refused(flags, tmp_path, capsys, monkeypatch) -> None:
    def stop(_trainer: Trainer, _progress: float):
        raise Stopped

    monkeypatch.setattr(Trainer, "step", stop)
    with pytest.raises(Stopped):
        train.main([*flags, "-o", str(tmp_path), "--steps", "3"])
    assert train.main([*flags, "-o", str(tmp_path), "--resume", "--seed", "5"]) == 4
    assert "another seed" in capsys.readouterr().err


# The configuration


@pytest.mark.parametrize(
    "path", sorted((ROOT / "training/configs").glob("*.toml")), ids=lambda path: path.stem
)
def test_every_shipped_configuration_can_be_read(path: Path) -> None:
    assert read_config(path).stage(1.0).size == 256


def test_the_published_file_says_what_the_defaults_say() -> None:
    published = read_config(ROOT / "training/configs/published.toml")
    default = Config()
    assert {k: v for k, v in default.mix.items() if v} == dict(published.mix)
    for name in ("stages", "weights", "lr", "beta1", "beta2", "lr_discriminator", "clip", "ema"):
        assert getattr(published, name) == getattr(default, name), name


def test_the_cpu_file_goes_through_the_picture_sizes() -> None:
    config = read_config(ROOT / "training/configs/cpu.toml")
    assert [config.stage(p).size for p in (0.0, 0.7, 0.95, 1.0)] == [64, 128, 256, 256]
    assert config.within_stage(0.31) == pytest.approx(0.5)
    assert config.within_stage(0.89) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lr = ", "cannot be read as TOML"),
        ("rate = 1", "'rate'"),
        ("[weights]\nsharp = 1", "'sharp'"),
        ("lr = 'much'", "lr is 'much'"),
        ("[mix]\nbeards = 1", "beards"),
        ("[[stages]]\nsize = 100\nbatch = 4\nuntil = 1.0", "multiples of 32"),
        ("[[stages]]\nsize = 64\nbatch = 4\nuntil = 0.5", "the last one 1"),
        ("random_share = 0.9", "to a half"),
        ("span_samples = -1", "span_samples -1; expected 0 or more"),
        ("parts_of = 3", "expected 0, 1 or 2"),
        ("beta1 = 1.0", "beta1 1.0; expected 0 or more, below 1"),
        ("lr_discriminator = -1.0", "lr_discriminator -1.0; expected a number above 0"),
        ("lr = 1" + 400 * "0", "expected a number"),
        ("channels = 0", "channels 0; expected 1 or more"),
        ("identity_size = 8", "identity_size 8; expected 16 or more"),
        ("shard_batches = 0", "shard_batches 0; expected 1 or more"),
        ("feature_limit = 0.0", "feature_limit 0.0; expected a number above 0"),
        ("ema = -1.0", "ema -1.0"),
        ("warm_up = -5", "warm_up -5"),
        ("lr_end = 2.0", "lr_end 2.0; expected a share"),
        ("jitter = true", "jitter is True; expected a whole number"),
        ("[weights]\nidentity = [20.0, -1.0, 0.0]", "weight identity"),
        ("[weights]\nopen_mask = 1.0", "has no mask"),
        ("identity_margin = 1.0", "expected 0 or more, below 1"),
        ("grow = true\nparts_of = 1", "in its finest picture"),
    ],
)
def test_a_wrong_configuration_is_said_in_words(text, words, tmp_path) -> None:
    (tmp_path / "wrong.toml").write_text(text)
    with pytest.raises(BadInput, match=words):
        read_config(tmp_path / "wrong.toml")


def test_help_is_quick() -> None:
    done = subprocess.run([sys.executable, "-X", "importtime", "-m", "training.train", "--help"],
                          cwd=ROOT, capture_output=True, text=True, check=True)  # fmt: skip
    assert "usage" in done.stdout
    assert " torch\n" not in done.stderr


# What takes longer


@pytest.mark.slow
def test_the_result_exports(flags, tmp_path, tiny_checkpoints) -> None:
    trained(flags, tmp_path / "run", "--steps", "2")
    result = run("export.onnx", tmp_path / "run/generator.pt", "--identity", tiny_checkpoints[1],
                 "-o", tmp_path / "dist", "--no-parity")  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert list(tmp_path.glob("dist/**/generator-fp32.onnx"))


RANK_STEPS = """
import sys, torch
from training import train
def same(self):
    flat = torch.cat([p.detach().flatten() for p in self.trainer.generator.parameters()])
    every = [torch.zeros_like(flat) for _ in range(self.trainer.ranks.world)]
    torch.distributed.all_gather(every, flat)
    kinds = [None, None]
    torch.distributed.all_gather_object(kinds, self.trainer.samples)
    if self.trainer.ranks.first:
        print("SAME", torch.isfinite(flat).all().item() and torch.equal(*every), kinds)
whole = train.Loop.run
def run(self):
    done = whole(self)
    same(self)
    return done
train.Loop.run = run
sys.exit(train.main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_two_processes_hold_the_same_finite_weights(flags, tmp_path) -> None:
    (tmp_path / "ranks.py").write_text(RANK_STEPS)
    result = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
         str(tmp_path / "ranks.py"), *flags, "-o", str(tmp_path / "run"), "--steps", "2",
         "--threads", "1"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-2000:]
    assert "SAME True [16, 16]" in result.stdout
    load_generator(tmp_path / "run/generator.pt")
