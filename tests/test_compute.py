"""The arithmetic of training is what was asked for; `auto` follows the processor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from train_data import TINY, plain_tar

from training import train
from training.running.ranks import bf16_pays, open_compute

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("arithmetic", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)]
)
def test_products_run_in_the_arithmetic_asked_for(arithmetic: str, dtype: torch.dtype) -> None:
    with open_compute("cpu", arithmetic).autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype


@pytest.mark.parametrize(
    ("processor", "used", "pays"),
    [
        ({"architecture": "x86_64", "avx2": True}, "AVX2", False),
        ({"architecture": "x86_64", "avx512_f": True}, "AVX512", False),
        ({"architecture": "x86_64", "avx512_bf16": True}, "AVX512", True),
        ({"architecture": "x86_64", "amx_bf16": True}, "AVX512", True),
        ({"architecture": "x86_64", "avx512_bf16": True}, "AVX2", False),  # ATEN_CPU_CAPABILITY
        ({"architecture": "aarch64", "bf16": True}, "DEFAULT", True),
        ({"architecture": "aarch64", "bf16": False}, "DEFAULT", False),
    ],
)
def test_auto_takes_bf16_where_the_processor_multiplies_it(
    processor: dict[str, object], used: str, pays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: processor)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: used)
    assert open_compute("auto", "auto").bf16 == pays
    assert not open_compute("auto", "fp32").bf16


@pytest.mark.slow
@pytest.mark.skipif(
    not bf16_pays(CPU), reason="this processor has no bf16 instructions, or torch may not use them"
)
def test_the_first_losses_in_bf16_are_near_those_in_fp32(
    tmp_path: Path, tiny_checkpoints, capsys
) -> None:
    (tmp_path / "tiny.toml").write_text(TINY)
    data = plain_tar(tmp_path / "faces.tar")
    losses = {}
    for arithmetic in ("fp32", "bf16"):
        assert train.main(
            ["--data", str(data), "--config", str(tmp_path / "tiny.toml"), "--device", "cpu",
             "--encoder", str(tiny_checkpoints[1]), "--arithmetic", arithmetic, "--steps", "1",
             "-o", str(tmp_path / arithmetic)]
        ) == 0  # fmt: skip
        assert f"cpu, {arithmetic}" in capsys.readouterr().err
        losses[arithmetic] = json.loads((tmp_path / arithmetic / "log.jsonl").read_text())["losses"]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.05, abs=0.02)
    assert losses["bf16"] != losses["fp32"]
