"""Profiles: operators cut out one by one, and ONNX Runtime's own."""

import json
import sys
from pathlib import Path

import pytest
from conftest import program

from benchmarks.rivals.recipes import recipes


def profile(file: Path) -> dict:  # type: ignore[type-arg]
    result = program("profile_ops", file, "--repeats", 2, "--json")
    assert result.returncode == 0, result.stderr
    found: dict = json.loads(result.stdout)  # type: ignore[type-arg]
    return found


def gflop_in_pytorch(checkpoint: Path) -> float:
    from torch import ones, zeros
    from torch.utils.flop_counter import FlopCounterMode

    from model.checkpoint import load_generator
    from model.deploy import DeployedGenerator

    network = DeployedGenerator(load_generator(checkpoint))
    with FlopCounterMode(display=False) as counter:
        network(zeros(1, 3, 256, 256), ones(1, 16))
    return counter.get_total_flops() / 1e9


def test_a_profile_counts_the_operations_that_pytorch_counts(
    bundle: Path, tiny_checkpoints: tuple[Path, Path]
) -> None:
    counted = sum(layer["gflop"] for layer in profile(bundle / "generator-fp32.tflite")["layers"])
    assert counted == pytest.approx(gflop_in_pytorch(tiny_checkpoints[0]), rel=1e-3)


def test_onnx_runtimes_layers_add_up_to_its_frame(bundle: Path) -> None:
    found = profile(bundle / "generator-fp32.onnx")
    assert all(layer["ms"] >= 0 for layer in found["layers"])
    assert 0.5 < sum(layer["ms"] for layer in found["layers"]) / found["whole_ms"] < 1.5


def test_the_report_compares_the_parts_with_the_whole(bundle: Path) -> None:
    result = program("profile_ops", bundle / "generator-fp32.tflite", "--repeats", 2)
    assert "operators one by one" in result.stdout
    assert "of the fp32 peak" in result.stdout


def test_a_file_of_another_kind_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "some.txt").write_text("")
    result = program("profile_ops", tmp_path / "some.txt")
    assert result.returncode == 4
    assert "cannot be profiled" in result.stderr


def test_no_benchmark_shadows_a_module_when_run_by_its_path() -> None:
    ours = {path.stem for path in Path("benchmarks").glob("*.py")} - {"__init__"}
    assert not ours & sys.stdlib_module_names


def test_a_peer_that_is_not_installed_is_a_row_with_the_reason(
    bundle: Path, tiny_checkpoints: tuple[Path, Path]
) -> None:
    missing = next(r for r in recipes() if r.package == "executorch")
    result = program(
        "peers", bundle, "--checkpoint", tiny_checkpoints[0], "--peers", missing.name,
        "--runs", 2, "--rounds", 1, "--quiet",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "executorch-fp32: executorch is not installed" in result.stdout
