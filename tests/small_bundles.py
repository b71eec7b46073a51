"""Bundles whose model files are a few bytes: enough for kinds, sizes, hashes and manifests."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx

from model.aligned_face import face_template, identity_crop
from model.contract import Align, Checkpoint, Manifest, ModelSpec, Parity
from model.digest import digest
from model.manifest import dumps
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


def write_identity_bundle(folder: Path, samples: int = 2) -> Path:
    """A bundle whose generator returns the target, with golden samples that say so; 8x8 pixels."""
    size, embedding_size = 8, 4
    (folder / "golden").mkdir(parents=True)
    sides = signature("generator", "onnx", face_size=size, embedding_size=embedding_size)
    inputs, outputs = (
        [onnx.helper.make_tensor_value_info(t.name, 1, t.shape) for t in side] for side in sides
    )
    node = onnx.helper.make_node("Identity", [inputs[0].name], [outputs[0].name])
    graph = onnx.helper.make_graph([node], "graph", inputs, outputs)
    opset = [onnx.helper.make_opsetid("", 17)]
    file = folder / ONNX
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), file)
    spec = ModelSpec("generator", ONNX, "onnx", "fp32", *digest(file), *sides, Parity("skipped"))
    write_manifest(folder, [spec])
    index = []
    for number in range(samples):
        target = np.full((1, size, size, 3), 50 * number, np.uint8)
        arrays = {
            "target": target,
            "embedding": np.full((1, embedding_size), 0.5, "<f4"),
            "image": target.astype("<f4") / 255,
        }
        index.append({name: write_array(folder, name, number, a) for name, a in arrays.items()})
    (folder / "golden/index.json").write_text(json.dumps({"schema": 1, "samples": index}))
    return folder


def write_array(folder: Path, name: str, number: int, array: np.ndarray) -> dict[str, object]:
    """Write one array of a golden sample, and describe it."""
    file = f"{number}-{name}.bin"
    (folder / "golden" / file).write_bytes(array.tobytes())
    return {"file": file, "dtype": array.dtype.name, "shape": list(array.shape)}
