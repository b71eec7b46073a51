"""The Android app's self-test refuses what an export refuses."""

from __future__ import annotations

import re

import pytest
from conftest import ROOT

from export.proof.parity import min_psnr_db
from model.arguments import PRECISIONS
from model.contract import Precision

_GOLDEN = ROOT / "android_demo/core/src/main/kotlin/org/mobilefsgan/core/Golden.kt"


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_self_test_has_the_gates_of_the_export(precision: Precision) -> None:
    named = {
        name.removeprefix("Precision."): float(gate)
        for names, gate in re.findall(
            r"((?:Precision\.\w+(?:, )?)+) -> ([\d.]+)", _GOLDEN.read_text()
        )
        for name in names.split(", ")
    }
    assert named[precision.upper()] == min_psnr_db(precision, False)
