"""The program that holds a swap against its generator."""

import json
from pathlib import Path

import pytest
from conftest import program
from doubles import needs_detector

pytestmark = needs_detector


@pytest.mark.slow
def test_both_shares_are_told_with_their_bars(bundle: Path) -> None:
    result = program("swap_overhead", bundle, "--precision", "fp32", "--repeats", 2, "--json")
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    for name, bar, rises in (("photo", 0.15, False), ("video", 0.70, True)):
        assert told[name]["bar"] == bar
        assert told[name]["held"] == (
            told[name]["share"] >= bar if rises else told[name]["share"] <= bar
        )
        assert set(told[name]["stages_ms"]) >= {"detect", "align", "generate", "blend"}


def test_a_count_of_nothing_is_a_usage_error() -> None:
    result = program("swap_overhead", "--repeats", 0)
    assert result.returncode == 2
    assert "expected a whole number from 1 on" in result.stderr
