"""tests/vectors holds what the pipeline computes today."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, run

KEPT = ROOT / "tests" / "vectors"
NAMES = sorted(path.stem for path in KEPT.glob("*.json") if path.name != "index.json")
# Convolutions add in another order on another processor, and a pixel may round the other way.
NUMBER_ABS, LEVELS_MEAN = 2e-3, 0.02


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The vectors, written by the command."""
    folder = tmp_path_factory.mktemp("vectors")
    result = run("pipeline.vectors", "-o", folder)
    assert result.returncode == 0, result.stderr
    assert (folder / "index.json").name in result.stdout.split()
    return folder


@pytest.mark.slow
def test_there_are_vectors_of_every_kind_that_the_command_writes(fresh: Path) -> None:
    assert {path.name for path in fresh.iterdir()} == {
        path.name for path in KEPT.iterdir() if path.name != "README.md"
    }


@pytest.mark.parametrize("name", NAMES)
def test_vectors_are_current(name: str, fresh: Path) -> None:
    kept, made = (json.loads((folder / f"{name}.json").read_text()) for folder in (KEPT, fresh))
    assert_alike(kept, made, fresh, name)


def assert_alike(kept: Any, made: Any, fresh: Path, where: str) -> None:
    """The same but for rounding, arrays in raw files included."""
    if isinstance(kept, dict):
        assert kept.keys() == made.keys(), where
        for key in kept:
            assert_alike(kept[key], made[key], fresh, f"{where}.{key}")
        if "dtype" in kept:
            now, then = (
                np.frombuffer((folder / kept["file"]).read_bytes(), kept["dtype"]).astype(float)
                for folder in (fresh, KEPT)
            )
            assert then.size == np.prod(kept["shape"]), where
            bar = LEVELS_MEAN if kept["dtype"] == "uint8" else NUMBER_ABS
            assert np.abs(now - then).mean() <= bar, f"{where}: python -m pipeline.vectors"
    elif isinstance(kept, list):
        assert len(kept) == len(made), where
        for i, pair in enumerate(zip(kept, made, strict=True)):
            assert_alike(*pair, fresh, f"{where}[{i}]")
    elif isinstance(kept, float):
        assert abs(kept - made) <= NUMBER_ABS * max(1.0, abs(kept)), where
    else:
        assert kept == made, where


def test_the_index_has_the_hash_of_every_file() -> None:
    index = json.loads((KEPT / "index.json").read_text())["files"]
    for name, entry in index.items():
        content = (KEPT / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (
            entry["bytes"],
            entry["sha256"],
        )
    left = {path.name for path in KEPT.iterdir()} - index.keys()
    assert left == {"index.json", "README.md"}


def test_a_pasted_portrait_differs_inside_of_its_mask_only() -> None:
    for case in json.loads((KEPT / "portraits.json").read_text())["cases"]:
        image, final = (
            np.frombuffer((KEPT / case[name]["file"]).read_bytes(), np.uint8).reshape(320, 320, 3)
            for name in ("image", "final")
        )
        changed = (image != final).any(axis=2)
        assert 0.02 < changed.mean() < 0.3
        assert not changed[[0, -1]].any()
        assert not changed[:, [0, -1]].any()


def test_every_file_is_small() -> None:
    assert max(path.stat().st_size for path in KEPT.iterdir()) <= 320 * 320 * 3
