"""The apps' self-tests refuse what an export refuses."""

from __future__ import annotations

import re

import pytest
from conftest import ROOT

from export.proof.parity import min_psnr_db
from model.arguments import PRECISIONS
from model.contract import Precision

_ANDROID = ROOT / "android_demo/core/src/main/kotlin/org/mobilefsgan/core/Golden.kt"
_WEB = ROOT / "web_demo/engine/golden.js"


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_android_app_has_the_gates_of_the_export(precision: Precision) -> None:
    named = {
        name.removeprefix("Precision."): float(gate)
        for names, gate in re.findall(
            r"((?:Precision\.\w+(?:, )?)+) -> ([\d.]+)", _ANDROID.read_text()
        )
        for name in names.split(", ")
    }
    assert named[precision.upper()] == min_psnr_db(precision, False)


@pytest.mark.parametrize("precision", ["fp32", "int8"])  # what the page runs
def test_the_page_has_the_gates_of_the_export(precision: Precision) -> None:
    bars = re.search(r"BAR_DB = \{(.*)\}", _WEB.read_text())
    assert bars is not None
    named = dict(re.findall(r"(\w+): (\d+)", bars[1]))
    assert float(named[precision]) == min_psnr_db(precision, False)
