"""8-bit ONNX and Core ML files, made by the real commands from the tiny checkpoint."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import run

from export.proof.golden import feeds
from model.checkpoint import save
from model.contract import Format, Precision
from model.generator import GeneratorConfig
from model.manifest import load_bundle
from model.seeded import seeded_generator
from pipeline.backends import backend_for, open_backend
from pipeline.faces.portraits import faces
from pipeline.metrics import psnr_db
from pipeline.tensor import to_unit

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def checkpoints(
    tiny_checkpoints: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """A generator whose 3x3 layers are just large enough for Core ML to compress them."""
    generator = tmp_path_factory.mktemp("sixteen") / "tiny.pt"
    save(seeded_generator(GeneratorConfig(channels=16, embedding_size=16)), generator)
    return generator, tiny_checkpoints[1]


@pytest.fixture(scope="module")
def eight_bit(checkpoints: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with the float files and their 8-bit ones; random weights need no proof."""
    generator, identity = checkpoints
    output = tmp_path_factory.mktemp("eight")
    for module, precisions in (
        ("onnx", ("fp32", "int8")),
        ("coreml", ("fp32", "int8", "pal6", "w8a8")),
    ):
        result = run(
            f"export.{module}", generator, "--identity", identity, "-o", output, "--no-parity",
            "--precision", *precisions,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
    return output / "tiny"


def picture(bundle: Path, format: Format, precision: Precision) -> np.ndarray:
    spec = load_bundle(bundle).find("generator", format, precision)
    backend = backend_for(format)
    (face,) = faces(1)
    embedding = np.full((1, 16), 0.25, np.float32)
    sample = {"target": face[None].astype(np.float32) / 255, "embedding": embedding}
    answers = open_backend(backend, spec, bundle, threads=2).run(**feeds(spec, sample))
    return to_unit(answers["image"], spec.outputs[0])


@pytest.mark.parametrize(
    ("format", "precision", "floor_db"),
    [
        ("onnx", "int8", 20.0),
        ("mlpackage", "int8", 35.0),
        ("mlpackage", "pal6", 25.0),
        ("mlpackage", "w8a8", 20.0),
    ],
)
def test_an_8_bit_file_paints_nearly_what_the_float_one_paints(
    eight_bit: Path, format: Format, precision: Precision, floor_db: float
) -> None:
    near = psnr_db(
        picture(eight_bit, format, precision), picture(eight_bit, format, "fp32"), peak=1.0
    )
    assert floor_db < near < 100  # 100: it would not be quantized at all


def test_onnx_int8_stores_its_convolutions_in_8_bits(eight_bit: Path) -> None:
    import onnx

    graph = onnx.load(eight_bit / "generator-int8.onnx").graph
    kinds = {node.op_type for node in graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} <= kinds
    stored = {i.name: i.data_type for i in graph.initializer}
    weights = [
        node.input[0] for node in graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in stored
    ]  # fmt: skip
    convolutions = sum(node.op_type == "Conv" for node in graph.node)
    eight = [w for w in weights if stored[w] in (onnx.TensorProto.INT8, onnx.TensorProto.UINT8)]
    assert len(eight) >= convolutions - 2


def test_onnx_int8_leaves_coarse_maps_in_float_and_fine_ones_not(eight_bit: Path) -> None:
    import onnx

    whole = onnx.shape_inference.infer_shapes(onnx.load(eight_bit / "generator-fp32.onnx")).graph
    shapes = {v.name: v.type.tensor_type.shape.dim for v in (*whole.value_info, *whole.output)}
    sides = [shapes[node.output[0]][-1].dim_value for node in whole.node if node.op_type == "Conv"]
    graph = onnx.load(eight_bit / "generator-int8.onnx").graph
    makers = {name: node.op_type for node in graph.node for name in node.output}
    rounded = [
        makers.get(node.input[0]) == "DequantizeLinear"
        for node in graph.node if node.op_type == "Conv"
    ]  # fmt: skip
    kinds = set(zip(sides, rounded, strict=True))
    assert {(64, False), (128, True), (256, True)} <= kinds
    assert all(in_eight == (side > 64) for side, in_eight in kinds)


@pytest.mark.parametrize("format", ["onnx", "coreml"])
def test_a_recipe_keeps_its_layer_in_float(
    format: str, eight_bit: Path, checkpoints: tuple[Path, Path], tmp_path: Path
) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps({"schema": 1, "keep": ["painter.head.conv3x3"]}))
    result = run(
        f"export.{format}", checkpoints[0], "--identity", checkpoints[1],
        "-o", tmp_path, "--no-parity", "--precision", "fp32", "int8", "--recipe", recipe,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    file = "generator-int8.onnx" if format == "onnx" else "generator-int8.mlpackage"
    spared, plain = (size(bundle / file) for bundle in (tmp_path / "tiny", eight_bit))
    assert spared > plain


def size(artifact: Path) -> int:
    files = artifact.rglob("*") if artifact.is_dir() else [artifact]
    return sum(f.stat().st_size for f in files if f.is_file())


def test_the_manifest_says_what_the_ranges_were_measured_on(eight_bit: Path) -> None:
    manifest = load_bundle(eight_bit)
    calibration = manifest.find("generator", "onnx", "int8").calibration
    assert calibration is not None
    assert (calibration.set, calibration.pairs) == ("built-in portraits", 48)
    assert manifest.find("generator", "onnx", "fp32").calibration is None
