"""Bundles whose model files are a few bytes: enough for kinds, sizes, hashes and manifests."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx

from model.contract import (
    Align,
    Checkpoint,
    Manifest,
    ModelSpec,
    Parity,
    digest,
    dumps,
    face_template,
    identity_crop,
)
from model.tensors import signature

ONNX, PACKAGE = "generator-fp32.onnx", "generator-fp16.mlpackage"
WEIGHTS = "Data/com.apple.CoreML/weights/weight.bin"


def spec_of(file: Path) -> ModelSpec:
    """The manifest entry of a generator; its name says which."""
    _, precision, *baked = file.stem.split("-")
    inputs, outputs = signature("generator", file.suffix[1:], "float")
    return ModelSpec(
        "generator", file.name, file.suffix[1:], precision, *digest(file),
        inputs[:1] if baked else inputs, outputs, Parity("skipped"),
    )  # fmt: skip


def write_manifest(
    folder: Path, specs: Sequence[ModelSpec], weights: str = "ab", identity: str | None = None
) -> None:
    """Write a manifest; `weights` and `identity` are hashes of checkpoints."""
    manifest = Manifest(
        folder.name, "1", "now", Checkpoint("c.pt", weights),
        Checkpoint("id.pt", identity) if identity else None, {}, Align(256, face_template()),
        identity_crop(), tuple(specs),
    )  # fmt: skip
    (folder / "manifest.json").write_text(dumps(manifest))


def write_small(folder: Path) -> Path:
    """A bundle with an ONNX file that adds and a package that holds no program."""
    folder.mkdir()
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Add", ["target", "weight"], ["image"])],
        "graph",
        [onnx.helper.make_tensor_value_info("target", 1, [4])],
        [onnx.helper.make_tensor_value_info("image", 1, [4])],
        [onnx.numpy_helper.from_array(np.ones(4, np.float32), "weight")],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.save(model, folder / ONNX)
    program = folder / PACKAGE / "Data/com.apple.CoreML"
    (program / "weights").mkdir(parents=True)
    (folder / PACKAGE / "Manifest.json").write_text("{}")
    (program / "model.mlmodel").write_bytes(b"program")
    (folder / PACKAGE / WEIGHTS).write_bytes(b"weights")
    write_manifest(folder, [spec_of(folder / ONNX), spec_of(folder / PACKAGE)])
    return folder
