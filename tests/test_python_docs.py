"""The examples of docs/python.md run as they stand, one after the other, on tiny networks."""

import functools
import re
import shutil
from pathlib import Path
from typing import Any

import matplotlib
import pytest

import mobilefsgan

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs/python.md").read_text(), re.DOTALL)


@pytest.mark.slow
def test_examples_run_in_any_folder(
    tiny_checkpoints: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator, identity = tiny_checkpoints
    export = functools.partial(mobilefsgan.export_bundle, identity=identity)
    monkeypatch.setattr(mobilefsgan, "SHIPPED_GENERATOR", generator)
    monkeypatch.setattr(mobilefsgan, "export_bundle", export)
    monkeypatch.chdir(tmp_path)
    portraits = Path(matplotlib.get_data_path()) / "sample_data/grace_hopper.jpg"
    shutil.copy(portraits, "me.jpg")
    shutil.copy(portraits, "party.jpg")
    names: dict[str, Any] = {}
    for example in EXAMPLES:
        exec(compile(example, "docs/python.md", "exec"), names)
    assert names["bundle"] == Path("dist/tiny")
    assert names["row"].total.p50_ms > 0
    assert names["picture"].shape == (256, 256, 3)
    assert names["swapped"].shape == (600, 512, 3)
    assert Path("swapped.jpg").is_file()
