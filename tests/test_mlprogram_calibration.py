"""W8A8 without a Mac."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mlprogram_packages import SmallNet, ct, save, small_net

from export.quantize.coreml_w8a8 import _span, activation_ranges, quantize_w8a8
from model.errors import BackendUnavailable
from pipeline.metrics import psnr_db
from pipeline.mlprogram.program import Package

SAMPLES = [
    {"x": np.random.default_rng(i).uniform(-1, 1, (1, 3, 16, 16)).astype(np.float32) * (i + 1)}
    for i in range(3)
]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return save(small_net(ct.target.iOS17), tmp_path_factory.mktemp("float"))


@pytest.mark.slow
def test_ranges_cover_all_samples_not_the_last_one(package: Package) -> None:
    wide_first = activation_ranges(package, SAMPLES[::-1])
    assert wide_first == activation_ranges(package, SAMPLES)
    assert wide_first["x"]["rmax"] == pytest.approx(max(s["x"].max() for s in SAMPLES))


def test_the_quantized_package_is_8_bit_and_near_pytorch(package: Package, tmp_path: Path) -> None:
    quantized = save(
        quantize_w8a8(package.path, activation_ranges(package, SAMPLES)), tmp_path
    ).function()
    kinds = [op.type for op in quantized.block.operations]
    assert kinds.count("quantize") >= 2
    assert kinds.count("constexpr_affine_dequantize") == 2
    x = SAMPLES[1]["x"]
    wanted = SmallNet().eval()(torch.from_numpy(x)).detach().numpy()
    found_db = psnr_db(quantized.run({"x": x})["y"], wanted, peak=float(np.ptp(wanted)))
    assert 30 < found_db < 80, "8 bits cost something, but not much"


def test_too_narrow_a_range_clips(package: Package, tmp_path: Path) -> None:
    narrow = [{"x": SAMPLES[0]["x"] * 0.1}]
    quantized = save(
        quantize_w8a8(package.path, activation_ranges(package, narrow)), tmp_path
    ).function()
    found = quantized.run({"x": SAMPLES[2]["x"]})["y"]
    wanted = SmallNet().eval()(torch.from_numpy(SAMPLES[2]["x"])).detach().numpy()
    assert np.abs(found).max() < 0.5 * np.abs(wanted).max()


def test_coarse_maps_stay_in_float(package: Package, tmp_path: Path) -> None:
    ranges = activation_ranges(package, SAMPLES)
    fine, coarse = (
        save(quantize_w8a8(package.path, ranges, coarse=side), tmp_path).function()
        for side in (0, 16)
    )
    kinds = [[op.type for op in function.block.operations] for function in (fine, coarse)]
    assert kinds[0].count("quantize") > kinds[1].count("quantize")
    assert kinds[1].count("constexpr_affine_dequantize") == 2, "their weights have 8 bits still"


def test_a_single_large_value_does_not_make_all_steps_coarse(package: Package) -> None:
    assert _span(torch.cat([torch.linspace(-1, 1, 200_000), torch.tensor([1e4])]))[1] < 1.01


def test_another_coremltools_is_refused_with_the_reason(
    package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ct, "__version__", "10.0")
    with pytest.raises(BackendUnavailable, match=r"need a Mac with coremltools 10\.0"):
        quantize_w8a8(package.path, activation_ranges(package, SAMPLES))
