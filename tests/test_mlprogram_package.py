"""Packages as a whole: images, functions, the hook, and files that are not what they should be."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import run
from mlprogram_packages import SmallNet, ct, mb, op_package, save, small_net

from model.errors import ContractError
from model.manifest import load_bundle
from pipeline.backends import open_backend
from pipeline.faces.portraits import faces
from pipeline.mlprogram.ops import OPS
from pipeline.mlprogram.program import Intermediate, Package
from pipeline.quiet import quiet

pytestmark = pytest.mark.slow

MODEL = "Data/com.apple.CoreML/model.mlmodel"
WEIGHTS = "Data/com.apple.CoreML/weights/weight.bin"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return save(small_net(ct.target.iOS16), tmp_path_factory.mktemp("package"))


@pytest.fixture
def copy(package: Package, tmp_path: Path) -> Path:
    return shutil.copytree(package.path, tmp_path / "copy.mlpackage")


def test_a_network_computes_what_pytorch_computes(package: Package) -> None:
    x = torch.randn(1, 3, 16, 16)
    found = package.function().run({"x": x.numpy()})["y"]
    np.testing.assert_allclose(found, SmallNet().eval()(x).detach().numpy(), atol=1e-5)


def image_package(layout: str, folder: Path) -> Package:
    """A package that takes an image and gives it back, 100.4 brighter."""
    with quiet():
        model = ct.convert(
            torch.jit.trace(Brighter(), torch.zeros(1, 3, 8, 6)),
            inputs=[ct.ImageType("picture", (1, 3, 8, 6), color_layout=layout)],
            outputs=[ct.ImageType("brighter", color_layout=layout)],
            minimum_deployment_target=ct.target.iOS16,
            compute_precision=ct.precision.FLOAT32,
            skip_model_load=True,
        )
    return save(model, folder)


class Brighter(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("offset", torch.tensor([100.4, 0.0, -100.6]).reshape(1, 3, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.offset


@pytest.mark.parametrize(("layout", "first"), [("RGB", 0), ("BGR", 2)])
def test_images_are_rounded_clipped_and_keep_their_channel_order(
    layout: str, first: int, tmp_path: Path
) -> None:
    package = image_package(layout, tmp_path)
    picture = np.random.default_rng(0).integers(0, 256, (1, 8, 6, 3), dtype=np.uint8)
    found = package.function().run({"picture": picture})["brighter"]
    # The network adds to its first channel, which is red in RGB and blue in BGR.
    wanted = picture.astype(np.float32)
    wanted[..., first] += 100.4
    wanted[..., 2 - first] -= 100.6
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, np.rint(wanted).clip(0, 255).astype(np.uint8))


def test_each_function_of_a_package_has_its_own_weights(tmp_path: Path) -> None:
    names = ["three", "five"]
    for name, factor in zip(names, (3, 5), strict=True):
        op_package(lambda x, f=factor: mb.mul(x=x, y=np.float32(f)), (2, 2), tmp_path / name)
    descriptor = ct.utils.MultiFunctionDescriptor()
    for name in names:
        descriptor.add_function(str(tmp_path / name / "m.mlpackage"), "main", name)
    descriptor.default_function_name = "five"
    with quiet():
        ct.utils.save_multifunction(descriptor, str(tmp_path / "both.mlpackage"))
    package = Package(tmp_path / "both.mlpackage")
    ones = {"x": np.ones((2, 2), np.float32)}
    assert sorted(package.functions) == ["five", "three"]
    assert next(iter(package.function("three").run(ones).values())).max() == 3
    assert next(iter(package.function().run(ones).values())).max() == 5
    with pytest.raises(ContractError, match="no function 'seven'"):
        package.function("seven")


def test_the_hook_sees_every_value_in_order(package: Package) -> None:
    seen: list[Intermediate] = []
    package.function().run({"x": np.ones((1, 3, 16, 16), np.float32)}, hook=seen.append)
    assert [value.operation for value in seen] == ["conv", "relu", "conv"]
    assert {value.kind for value in seen} == {"FLOAT32"}
    assert seen[1].value.min() == 0


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, "the package takes"),
        ({"z": np.zeros((1, 3, 16, 16), np.float32)}, "the package takes"),
        ({"x": np.zeros((1, 3, 16, 15), np.float32)}, r"takes a float32 array of \(1, 3, 16, 16\)"),
        ({"x": np.zeros((1, 3, 16, 16), np.uint8)}, "takes a float32 array"),
    ],
    ids=["missing", "unknown", "shape", "dtype"],
)
def test_wrong_inputs_are_refused(inputs: dict[str, Any], words: str, package: Package) -> None:
    with pytest.raises(ContractError, match=words):
        package.function().run(inputs)


def test_an_unknown_operation_is_named_with_the_place_to_add_it(
    package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(OPS, "relu")
    with pytest.raises(ContractError, match=r"'relu' is not known.*pipeline/mlprogram/ops\.py"):
        package.function()


def test_a_truncated_program_is_refused(copy: Path) -> None:
    (copy / MODEL).write_bytes((copy / MODEL).read_bytes()[:-7])
    with pytest.raises(ContractError, match="damaged or cut short"):
        Package(copy)


def test_a_missing_weight_file_is_refused(copy: Path) -> None:
    (copy / WEIGHTS).unlink()
    with pytest.raises(ContractError, match=r"weight\.bin cannot be read"):
        Package(copy).function()


@pytest.mark.parametrize("part", [0.0, 0.3, 0.99])
def test_a_truncated_weight_file_is_refused(part: float, copy: Path) -> None:
    data = (copy / WEIGHTS).read_bytes()
    (copy / WEIGHTS).write_bytes(data[: int(len(data) * part)])
    with pytest.raises(ContractError):
        Package(copy).function()


def test_a_program_that_names_a_file_outside_is_refused(copy: Path) -> None:
    program = (copy / MODEL).read_bytes()
    inside, outside = b"@model_path/weights/weight.bin", b"@model_path/../../../../../secrets"
    assert inside in program
    (copy / MODEL).write_bytes(program.replace(inside, outside[: len(inside)]))
    with pytest.raises(ContractError, match="outside of it"):
        Package(copy).function()


def neural_network(folder: Path) -> Path:
    """A package of the older kind."""
    with quiet():
        model = ct.convert(
            torch.jit.trace(SmallNet().eval(), torch.zeros(1, 3, 16, 16)),
            inputs=[ct.TensorType("x", (1, 3, 16, 16))],
            convert_to="neuralnetwork",
            skip_model_load=True,
        )
        model.save(str(folder / "old.mlmodel"))
    return folder / "old.mlmodel"


def test_the_command_says_of_a_foreign_file_what_it_is_in_one_line(tmp_path: Path) -> None:
    result = run("pipeline.mlpackage", neural_network(tmp_path))
    assert result.returncode == 4
    assert len(result.stderr.splitlines()) == 1
    assert "neural-network .mlmodel" in result.stderr


def test_the_command_lists_what_a_package_holds(package: Package) -> None:
    result = run("pipeline.mlpackage", package.path, "--json")
    assert result.returncode == 0, result.stderr
    (function,) = json.loads(result.stdout)["functions"].values()
    assert function["operations"] == {"conv": 2, "relu": 1}
    assert function["inputs"] == {"x": "array (1, 3, 16, 16)"}
    assert function["weights"]["float32"]["elements"] == 3 * 9 * 32 + 32 * 9 * 32 + 32


def test_the_commands_text_names_functions_operations_and_weights(package: Package) -> None:
    words = run("pipeline.mlpackage", package.path).stdout
    for word in ("function main (default)", "2  conv", "float32", "array (1, 3, 16, 16)"):
        assert word in words


def test_the_backend_says_interpreted(bundle: Path) -> None:
    spec = load_bundle(bundle).find("generator", "mlpackage", "fp16")
    backend = open_backend("coreml", spec, bundle)
    assert backend.measured == ("interpreted" if not _on_a_mac() else "executed")
    assert spec.parity.measured == backend.measured


def test_a_package_with_other_tensors_than_its_manifest_is_refused(
    bundle: Path, tmp_path: Path
) -> None:
    manifest = load_bundle(bundle)
    spec = manifest.find("generator", "mlpackage", "fp16")
    other = manifest.find("identity", "mlpackage", "fp16")
    shutil.copytree(bundle / other.file, tmp_path / spec.file)
    with pytest.raises(ContractError, match="its manifest says"):
        open_backend("coreml", spec, tmp_path)


def test_a_parity_miss_names_the_first_operation_that_strays(tiny_checkpoints) -> None:
    from export.proof.half_precision import first_stray_operation

    artifact, pair = stray_artifact(tiny_checkpoints, "fp32")
    assert first_stray_operation(artifact, pair, 60.0) == ""
    with torch.no_grad():
        artifact.subject.network.painter.attribute_stages[1][1].branch.conv3x3.weight.mul_(1.1)
    words = first_stray_operation(artifact, pair, 60.0)
    assert "attribute_stages.1.1.branch.conv3x3" in words


def test_fp16_headroom_is_that_of_the_largest_value_stored_in_half(tiny_checkpoints) -> None:
    from export.proof.half_precision import headroom

    artifact, pair = stray_artifact(tiny_checkpoints, "fp16")
    found = headroom(artifact, [pair])
    assert found.operation == "cast", "the 8-bit picture itself is the largest of a tame network"
    assert found.factor == pytest.approx(65504 / pair.face.max())


def stray_artifact(checkpoints: tuple[Path, Path], precision: str):
    """A real conversion of the tiny generator and a pair to run it on."""
    from export.convert.coreml import CoreMLConverter
    from export.proof.samples import Pair
    from export.quantize.eight_bit import EightBit
    from export.stages import Stages
    from export.subject import Subject
    from export.workbench import Workbench
    from model.checkpoint import load_generator
    from model.deploy import DeployedGenerator

    folder = checkpoints[0].parent / "stray"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    network = DeployedGenerator(load_generator(checkpoints[0])).eval()
    bench = Workbench(folder, folder, folder / "log", Stages(quiet=True))
    subject = Subject("generator", network, 64, 16)
    made = CoreMLConverter(subject, bench).convert(precision, EightBit())
    return made, Pair("p", faces(1, 64)[0], np.full((1, 16), 0.25, np.float32))


def _on_a_mac() -> bool:
    import sys

    return sys.platform == "darwin"
