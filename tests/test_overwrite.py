"""What an export may replace without being told to."""

import argparse
import dataclasses
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from small_bundles import ONNX, spec_of, write_manifest, write_small

from export.cli import _next_commands
from export.earlier import replaced, taken_over
from export.publishing import publish
from export.staging import staging
from model.contract import Checkpoint
from model.errors import BadInput
from model.manifest import load_bundle

SAME, OTHER = Checkpoint("c.pt", "ab"), Checkpoint("c.pt", "cd")
ENCODER, OTHER_ENCODER = Checkpoint("id.pt", "11"), Checkpoint("id.pt", "22")
ME = np.full((1, 4), 0.5, np.float32)


@pytest.fixture
def present(tmp_path: Path) -> Path:
    """A bundle of the weights SAME and ENCODER."""
    folder = write_small(tmp_path / "latest")
    write_manifest(folder, [spec_of(folder / ONNX)], "ab", "11")
    return folder


@pytest.fixture
def baked(tmp_path: Path) -> Path:
    """A bundle with the identity ME baked into its one model."""
    folder = tmp_path / "latest"
    (folder / "golden-baked").mkdir(parents=True)
    (folder / "generator-fp32-baked.onnx").write_bytes(b"model")
    (folder / "golden-baked/0-embedding.bin").write_bytes(ME.tobytes())
    write_manifest(folder, [spec_of(folder / "generator-fp32-baked.onnx")])
    return folder


def test_the_same_weights_join_the_bundle(present: Path, tmp_path: Path) -> None:
    assert replaced(present, SAME, ENCODER, None, overwrite=False) == ""
    assert replaced(present, SAME, None, None, overwrite=False) == ""
    assert replaced(tmp_path / "free", SAME, None, None, overwrite=False) == ""


@pytest.mark.parametrize(
    ("checkpoint", "identity", "words"),
    [
        (OTHER, ENCODER, "a bundle of other weights: c.pt, sha256 ab, where c.pt has cd"),
        (SAME, OTHER_ENCODER, "a bundle with another identity encoder: id.pt, sha256 11"),
    ],
)
def test_other_weights_of_the_same_name_are_replaced_on_request_only(
    checkpoint: Checkpoint, identity: Checkpoint, words: str, present: Path
) -> None:
    with pytest.raises(BadInput, match=f"holds {words}.* Give --overwrite"):
        replaced(present, checkpoint, identity, None, overwrite=False)
    note = replaced(present, checkpoint, identity, None, overwrite=True)
    assert note.startswith(f"replaces {words}")
    assert taken_over(present, checkpoint, identity, [], None) == ([], identity)


@pytest.mark.parametrize("damage", ["no JSON", "model missing", "from the future"])
def test_a_bundle_that_cannot_be_read_is_replaced_on_request_only(
    damage: str, present: Path
) -> None:
    manifest = present / "manifest.json"
    if damage == "no JSON":
        manifest.write_text("{")
    elif damage == "model missing":
        (present / ONNX).unlink()
    else:
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"schema": 9}))
    with pytest.raises(BadInput, match="cannot be read"):
        replaced(present, SAME, ENCODER, None, overwrite=False)
    assert replaced(present, SAME, ENCODER, None, overwrite=True)


def test_a_file_of_the_user_among_the_samples_stays_once(present: Path) -> None:
    (present / "golden").mkdir()
    (present / "golden/index.json").write_text("ours")
    (present / "golden/README.md").write_text("mine")
    os.mkfifo(present / "golden/pipe")
    with staging(present) as into:
        shutil.copy(present / ONNX, into.bundle / "generator-fp16.onnx")
        new = spec_of(into.bundle / "generator-fp16.onnx")
        publish(into, [new], SAME, ENCODER, {})
    assert [spec.file for spec in load_bundle(present).models] == ["generator-fp16.onnx", ONNX]
    names = {"index.json", "README.md", "pipe"}
    assert {path.name for path in (present / "golden").iterdir()} == names
    assert not list(present.parent.glob(".*"))


def test_other_weights_that_came_meanwhile_are_not_replaced(present: Path) -> None:
    with staging(present) as into:
        shutil.copy(present / ONNX, into.bundle / ONNX)
        new = spec_of(into.bundle / ONNX)
        with pytest.raises(BadInput, match="bundle of other weights"):
            publish(into, [new], OTHER, ENCODER, {})
    assert load_bundle(present).checkpoint == SAME


def test_another_baked_identity_is_replaced_on_request_only(baked: Path) -> None:
    assert replaced(baked, SAME, None, ME, overwrite=False) == ""
    with pytest.raises(BadInput, match="another identity baked in"):
        replaced(baked, SAME, None, -ME, overwrite=False)
    assert replaced(baked, SAME, None, -ME, overwrite=True)


def test_models_of_another_baked_identity_do_not_stay(baked: Path) -> None:
    model = spec_of(baked / "generator-fp32-baked.onnx")
    new = [dataclasses.replace(model, file="generator-fp16-baked.onnx", precision="fp16")]
    assert taken_over(baked, SAME, None, new, ME)[0] == [model]
    assert taken_over(baked, SAME, None, new, -ME)[0] == []
    (baked / "golden-baked/0-embedding.bin").unlink()  # made with --no-parity: nobody knows whose
    assert taken_over(baked, SAME, None, new, ME)[0] == []


def test_the_next_lines_name_what_is_there(present: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(present.parent)
    args = argparse.Namespace(
        checkpoint=Path("-c.pt"), identity=None, output_dir=Path("-out"), bake_identity=None
    )
    manifest = load_bundle(present)
    lines = _next_commands(Path("latest"), manifest, args)
    assert "export ./-c.pt -o ./-out --bake-identity" in lines
    assert "export.verify" not in lines, "there are no samples to replay"
    (present / "golden").mkdir()
    assert "export.verify latest" in _next_commands(Path("latest"), manifest, args)
