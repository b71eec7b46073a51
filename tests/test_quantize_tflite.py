"""What 8-bit TFLite files look like from outside, on a tiny network."""

from pathlib import Path

import numpy as np
import pytest
from conftest import run

from export.quantize import flatbuffer
from model.checkpoint import load_generator, save
from model.contract import Manifest
from model.manifest import load_bundle
from pipeline.backends import open_backend
from pipeline.backends.tflite import TfliteBackend
from pipeline.faces.portraits import faces
from pipeline.metrics import psnr_db
from pipeline.tensor import to_tensor, to_unit

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def quantized(tiny_checkpoints, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """fp32, dynamic and int8 of the tiny networks; random weights are no measure for the gates.

    One branch of the generator gives next to nothing, as after a training that hardly reached it.
    """
    trained = load_generator(tiny_checkpoints[0])
    trained.attribute_encoder.b256_1.conv3x3.weight.data.mul_(1e-9)
    dist = tmp_path_factory.mktemp("quantized")
    generator, identity = dist / "tiny.pt", tiny_checkpoints[1]
    save(trained, generator)
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
    inputs, outputs = flatbuffer.signature(model)
    for index in (inputs["target"], outputs["image"]):
        tensor = model.subgraphs[0].tensors[index]
        assert tensor.type == 3, "uint8 in the schema"
        assert list(tensor.quantization.scale) == [pytest.approx(1 / 255, rel=1e-7)]
        assert list(tensor.quantization.zeroPoint) == [0]
    assert model.subgraphs[0].tensors[inputs["embedding"]].type == 0, "float32 in the schema"


def test_nothing_in_a_float_file_lies_idle(quantized: tuple[Path, Manifest]) -> None:
    """ai-edge-quantizer stops at tensors without memory, TensorFlow's calibrator at idle codes."""
    model = flatbuffer.read((quantized[0] / "generator-fp32.tflite").read_bytes())
    used = {i for op in flatbuffer.ops(model) for i in (*op.inputs, *op.outputs)}
    assert used == set(range(len(model.subgraphs[0].tensors)))
    codes = {op.operator.opcodeIndex for op in flatbuffer.ops(model)}
    assert codes == set(range(len(model.operatorCodes)))


def test_the_manifest_says_what_int8_was_calibrated_on(quantized: tuple[Path, Manifest]) -> None:
    calibration = quantized[1].find("generator", "tflite", "int8").calibration
    assert calibration is not None
    assert calibration.set == "built-in portraits"
    assert quantized[1].find("generator", "tflite", "fp32").calibration is None


def test_a_branch_that_gives_next_to_nothing_does_not_cut_the_graph(
    quantized: tuple[Path, Manifest],
) -> None:
    bundle, manifest = quantized
    spec = manifest.find("generator", "tflite", "int8")
    assert TfliteBackend.load(spec, bundle).partitions == 1


def test_every_modulation_vector_has_its_own_scale(quantized: tuple[Path, Manifest]) -> None:
    bundle, manifest = quantized
    spec = manifest.find("generator", "tflite", "int8")
    model = flatbuffer.read((bundle / spec.file).read_bytes())
    tensors = model.subgraphs[0].tensors
    scales = [
        tensors[op.outputs[0]].quantization.scale[0]
        for op in flatbuffer.ops(model)
        if op.name == "QUANTIZE"
        and tensors[op.inputs[0]].type == 0
        and max(tensors[op.inputs[0]].shape[1:3]) == 1
    ]
    assert len(scales) == 4, "scale and shift of the two blocks that are not coarse"
    assert len(set(scales)) == 4


def test_coarse_maps_compute_in_float_and_fine_ones_do_not(
    quantized: tuple[Path, Manifest],
) -> None:
    bundle, manifest = quantized
    spec = manifest.find("generator", "tflite", "int8")
    model = flatbuffer.read((bundle / spec.file).read_bytes())
    tensors = model.subgraphs[0].tensors
    kinds: dict[int, set[int]] = {}
    for op in flatbuffer.ops(model):
        if op.name == "CONV_2D":
            given = tensors[op.outputs[0]]
            kinds.setdefault(int(given.shape[1]), set()).add(int(given.type))
    assert {side: types == {9} for side, types in kinds.items() if side > 1} == {
        8: False, 16: False, 32: False, 64: False, 128: True, 256: True
    }  # fmt: skip


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
