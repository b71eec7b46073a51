"""What 8-bit TFLite files look like from outside, on a tiny network."""

from pathlib import Path

import numpy as np
import pytest
from conftest import run

from export import flatbuffer
from model.contract import Manifest, load_bundle
from pipeline.backends import open_backend
from pipeline.metrics import psnr_db
from pipeline.portraits import faces
from pipeline.tensor import to_tensor, to_unit


@pytest.fixture(scope="module")
def quantized(tiny_checkpoints, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """fp32, dynamic and int8 of the tiny networks; random weights are no measure for the gates."""
    generator, identity = tiny_checkpoints
    dist = tmp_path_factory.mktemp("quantized")
    result = run(
        "export.tflite", generator, "--identity", identity, "-o", dist, "--no-parity",
        "--precision", "fp32", "dynamic", "int8",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return dist / "tiny", load_bundle(dist / "tiny")


def test_pictures_are_bytes_of_exactly_a_255th(quantized: tuple[Path, Manifest]) -> None:
    bundle, manifest = quantized
    spec = manifest.find("generator", "tflite", "int8")
    model = flatbuffer.read((bundle / spec.file).read_bytes())
    inputs, outputs = flatbuffer.border(model)
    for index in (inputs["target"], outputs["image"]):
        tensor = model.subgraphs[0].tensors[index]
        assert tensor.type == 3, "uint8 in the schema"
        assert list(tensor.quantization.scale) == [pytest.approx(1 / 255, rel=1e-7)]
        assert list(tensor.quantization.zeroPoint) == [0]
    assert model.subgraphs[0].tensors[inputs["embedding"]].type == 0, "float32 in the schema"


def test_the_manifest_says_what_int8_was_calibrated_on(quantized: tuple[Path, Manifest]) -> None:
    calibration = quantized[1].find("generator", "tflite", "int8").calibration
    assert calibration is not None
    assert calibration.set == "built-in portraits"
    assert quantized[1].find("generator", "tflite", "fp32").calibration is None


@pytest.mark.parametrize("precision", ["dynamic", "int8"])
def test_the_picture_is_still_the_float_one(
    precision: str, quantized: tuple[Path, Manifest]
) -> None:
    bundle, manifest = quantized
    embedding = np.full((1, 16), 0.25, np.float32)
    pictures = []
    for wanted in ("fp32", precision):
        spec = manifest.find("generator", "tflite", wanted)
        backend = open_backend("tflite", spec, bundle, threads=2)
        target = to_tensor(faces(1)[0], spec.inputs[0])
        named = {"target": target, "embedding": embedding}
        pictures.append(to_unit(backend.run(**named)["image"], spec.outputs[0]))
    assert psnr_db(*pictures, peak=1) > 25


def test_the_dynamic_identity_encoder_still_knows_the_face(
    quantized: tuple[Path, Manifest],
) -> None:
    bundle, manifest = quantized
    embeddings = []
    for wanted in ("fp32", "dynamic"):
        spec = manifest.find("identity", "tflite", wanted)
        backend = open_backend("tflite", spec, bundle, threads=2)
        embeddings.append(backend.run(face=to_tensor(faces(1)[0], spec.inputs[0]))["embedding"])
    assert float((embeddings[0] * embeddings[1]).sum()) > 0.98
