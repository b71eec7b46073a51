"""The program that holds a swap against its generator."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import program
from doubles import IDENTITY, needs_detector
from stillface import still_swapper

from benchmarks import swap_overhead

pytestmark = needs_detector


@pytest.mark.slow
def test_every_way_is_told_with_its_limit(bundle: Path) -> None:
    result = program(
        "swap_overhead", bundle, "--precision", "fp32", "--repeats", 2, "--rounds", 1, "--json"
    )
    assert result.returncode == 0, result.stderr
    (told,) = json.loads(result.stdout)["bundles"]
    assert told["bundle"] == str(bundle)
    for name, bar, rises in (("photo", 0.15, False), ("video", 0.70, True)):
        assert told[name]["bar"] == bar
        assert told[name]["held"] == (
            told[name]["share"] >= bar if rises else told[name]["share"] <= bar
        )
    for name in ("video", "live"):
        assert told[name]["real_time"] == (told[name]["fps"] >= 24)
    stages = {"detect", "align", "generate", "blend"}
    assert set(told["photo"]["stages_ms"]) == set(told["live"]["stages_ms"]) == stages
    assert set(told["video"]["stages_ms"]) == stages | {"decode", "encode"}


def test_bundles_are_measured_in_turns() -> None:
    contenders = [
        swap_overhead._Contender(Path(name), still_swapper(), IDENTITY) for name in ("a", "b")
    ]
    order: list[str] = []
    picture = np.zeros((1024, 1024, 3), np.uint8)
    told = swap_overhead._in_turns(contenders, picture, 3, lambda of: order.append(of.bundle.name))
    assert order == ["a", "b"] * 3
    assert len(told) == 2


def test_the_table_tells_what_is_left_of_a_live_frame() -> None:
    stages = {"detect": 3.0, "align": 1.0, "generate": 10.0, "blend": 4.0}
    measured = {"share": 0.5, "fps": 50.0, "real_time": True, "stages_ms": stages}
    row = swap_overhead._row("live", measured)
    assert row[:3] == ("live", "20.0", "50.0")
    assert row[-1] == "2.0"


@pytest.mark.parametrize(
    ("flag", "count", "expected"),
    [
        ("--repeats", 0, "from 1 to 4096"),
        ("--repeats", 4097, "from 1 to 4096"),
        ("--rounds", 0, "from 1 on"),
    ],
)
def test_a_count_that_cannot_be_is_a_usage_error(flag: str, count: int, expected: str) -> None:
    result = program("swap_overhead", flag, count)
    assert result.returncode == 2
    assert f"expected a whole number {expected}" in result.stderr
