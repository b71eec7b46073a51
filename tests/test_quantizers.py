"""`python benchmarks/quantizers.py`: what it promises of quantizers, on the tiny bundle's files."""

import shutil
from pathlib import Path

import pytest

from benchmarks.harness.measure import measure
from benchmarks.quantizers import _text
from benchmarks.rivals.quantizer_bench import AI_EDGE, OURS, Bench, contender
from export.proof.parity import Chain, Reference
from export.proof.samples import make_pairs
from export.quantize.calibration import built_in
from export.stages import Stages
from export.subject import Subject
from model.checkpoint import load_generator, load_identity_encoder
from model.deploy import DeployedGenerator

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bench(
    bundle: Path, tiny_checkpoints: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Bench:
    """Two pairs to calibrate on, two to judge by, and no Python that has ai-edge-quantizer."""
    folder = tmp_path_factory.mktemp("quantizers")
    trained, encoder = (
        load_generator(tiny_checkpoints[0]),
        load_identity_encoder(tiny_checkpoints[1]),
    )
    pairs = make_pairs(2, 256, 16, encoder, None, seed=0)
    chain = Chain(Reference.compute(trained, encoder, pairs))
    subject = Subject("generator", DeployedGenerator(trained).eval(), 256, 16)
    shutil.copy(bundle / "generator-fp32.tflite", folder)
    return Bench(
        subject, built_in(256, 16, encoder, count=2), chain, folder, Path("nowhere/python"), 2, 1,
        folder / "log", Stages(quiet=True),
    )  # fmt: skip


def test_a_quantizer_that_is_missing_is_a_row_with_the_reason(bench: Bench) -> None:
    missing, check = contender(AI_EDGE, bench)
    assert check is None
    assert missing.task is None
    (row,), _ = measure(
        [missing], runs=1, rounds=1, warmup=1, threads=2, against=None, tell=lambda _: None
    )
    reason = "ai-edge-quantizer: nowhere/python cannot import ai_edge_quantizer"
    assert reason in _text([row])


def test_a_quantizer_that_fails_is_a_reason_with_its_last_words(bench: Bench) -> None:
    failed, _ = contender("onnx2tf", bench)  # the ONNX file is not there
    assert failed.reason is not None
    assert failed.reason.startswith("benchmarks.rivals.quantizer_child failed with exit code 1")
    assert "FileNotFoundError" in failed.reason


@pytest.mark.parametrize("name", [OURS, "tensorflow"])
def test_a_file_is_judged_and_can_be_timed(name: str, bench: Bench) -> None:
    made, check = contender(name, bench)
    assert made.reason is None
    assert made.task is not None
    assert check is not None
    assert check.mean_psnr_db >= check.psnr_db > 10  # random weights amplify rounding
    assert check.identity_cosine is not None
