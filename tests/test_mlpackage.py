"""`describe` says of any ML Program what it takes, gives and holds."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlprogram_packages import mb, op_package

from model.errors import ContractError
from pipeline.mlpackage import describe, main
from pipeline.mlprogram.features import feature_text
from pipeline.mlprogram.program import Package

KERNEL = np.ones((8, 4, 3, 3), np.float32)
MODEL = "Data/com.apple.CoreML/model.mlmodel"


def with_branches(x: Any) -> Any:
    """A condition inside a loop, with weights in both branches."""

    def branch(scale: float) -> Callable[[], Any]:
        return lambda: mb.conv(x=x, weight=KERNEL * np.float32(scale), pad_type="valid")

    def body(count: Any) -> Any:
        large = mb.greater(x=mb.reduce_max(x=x), y=np.float32(0))
        inner = mb.cond(pred=large, _true_fn=branch(2), _false_fn=branch(3))
        return mb.add(x=count, y=mb.reduce_max(x=inner))

    return mb.while_loop(
        _cond=lambda count: mb.less(x=count, y=np.float32(3)),
        _body=body,
        loop_vars=(np.float32(0),),
    )


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return op_package(with_branches, (1, 4, 6, 6), tmp_path_factory.mktemp("branches"))


def test_operations_and_weights_inside_loops_and_conditions_count(package: Package) -> None:
    (function,) = describe(package.path)["functions"].values()
    assert function["operations"]["conv"] == 2
    assert {"while_loop", "cond", "less"} <= function["operations"].keys()
    assert function["weights"]["float32"]["elements"] == 2 * KERNEL.size


def described(build: Callable[[Any], None]) -> str:
    """The text of a feature that `build` makes of an empty description."""
    from coremltools.proto import Model_pb2

    feature = Model_pb2.FeatureDescription()
    feature.name = "f"
    build(feature.type)
    return feature_text(feature)


def image(color: int) -> Callable[[Any], None]:
    def build(kind: Any) -> None:
        kind.imageType.colorSpace = color
        kind.imageType.width, kind.imageType.height = 6, 8

    return build


def image_of_some_sizes(kind: Any) -> None:
    image(20)(kind)
    for width, height in ((6, 8), (12, 16)):
        kind.imageType.enumeratedSizes.sizes.add(width=width, height=height)


def image_of_a_range(kind: Any) -> None:
    image(20)(kind)
    kind.imageType.imageSizeRange.widthRange.lowerBound = 4
    kind.imageType.imageSizeRange.widthRange.upperBound = 9
    kind.imageType.imageSizeRange.heightRange.lowerBound = 8
    kind.imageType.imageSizeRange.heightRange.upperBound = -1


def array(kind: Any, element: int = 65568) -> Any:
    kind.multiArrayType.shape.extend([1, 3])
    kind.multiArrayType.dataType = element
    return kind.multiArrayType


def array_of_some_shapes(kind: Any) -> None:
    flexible = array(kind, 65552).enumeratedShapes
    flexible.shapes.add(shape=[1, 3])
    flexible.shapes.add(shape=[2, 3])


def array_of_a_range(kind: Any) -> None:
    flexible = array(kind, 131104).shapeRange
    flexible.sizeRanges.add(lowerBound=1, upperBound=-1)
    flexible.sizeRanges.add(lowerBound=3, upperBound=3)


def optional_array(kind: Any) -> None:
    array(kind)
    kind.isOptional = True


def state(kind: Any) -> None:
    kind.stateType.arrayType.shape.extend([1, 3])
    kind.stateType.arrayType.dataType = 65552


def sequence(kind: Any) -> None:
    kind.sequenceType.stringType.SetInParent()
    kind.sequenceType.sizeRange.lowerBound = 0
    kind.sequenceType.sizeRange.upperBound = 5


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda kind: kind.stringType.SetInParent(), "string"),
        (lambda kind: kind.int64Type.SetInParent(), "integer"),
        (lambda kind: kind.doubleType.SetInParent(), "number"),
        (
            lambda kind: kind.dictionaryType.stringKeyType.SetInParent(),
            "dictionary of string to number",
        ),
        (
            lambda kind: kind.dictionaryType.int64KeyType.SetInParent(),
            "dictionary of integer to number",
        ),
        (sequence, "sequence of strings, 0 to 5 long"),
        (array, "array (1, 3)"),
        (optional_array, "array (1, 3), optional"),
        (array_of_some_shapes, "array (1, 3) or (2, 3) float16"),
        (array_of_a_range, "array (1, 3) (1 and more, 3) int32"),
        (state, "state, array (1, 3) float16"),
        (image(20), "RGB image, 6x8, 8 bits"),
        (image(30), "BGR image, 6x8, 8 bits"),
        (image(10), "GRAY image, 6x8, 8 bits"),
        (image(40), "GRAY image, 6x8, 16 bits"),
        (image_of_some_sizes, "RGB image, 6x8 or 12x16, 8 bits"),
        (image_of_a_range, "RGB image, 6x8 (width 4 to 9, height 8 and more), 8 bits"),
        (lambda kind: None, "unknown type"),
    ],
)
def test_every_type_of_input_and_output_has_words(build: Callable[[Any], None], text: str) -> None:
    assert described(build) == text


@pytest.fixture
def copy(package: Package, tmp_path: Path) -> Path:
    return shutil.copytree(package.path, tmp_path / "copy.mlpackage")


def change(path: Path, edit: Callable[[Any], None]) -> None:
    model = Package(path).model
    edit(model)
    (path / MODEL).write_bytes(model.SerializeToString())


def test_a_classifier_with_a_state_is_described(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def edit(model: Any) -> None:
        label = model.description.output.add()
        label.name = "classLabel"
        label.type.stringType.SetInParent()
        memory = model.description.state.add()
        memory.name = "memory"
        state(memory.type)

    change(copy, edit)
    (function,) = describe(copy)["functions"].values()
    assert function["outputs"]["classLabel"] == "string"
    assert function["states"] == {"memory": "state, array (1, 3) float16"}
    assert main([str(copy)]) == 0
    assert "state, array (1, 3) float16" in capsys.readouterr().out


def test_a_program_of_another_name_is_found(copy: Path, package: Package) -> None:
    (copy / MODEL).rename(copy / "Data/com.apple.CoreML/Net.mlmodel")
    manifest = copy / "Manifest.json"
    manifest.write_text(manifest.read_text().replace("model.mlmodel", "Net.mlmodel"))
    assert describe(copy)["functions"] == describe(package.path)["functions"]


def test_a_manifest_that_leads_outside_is_refused(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = copy / "Manifest.json"
    manifest.write_text(manifest.read_text().replace("com.apple.CoreML/model", "../../x/model"))
    assert main([str(copy)]) == 4
    assert "outside of the package" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '{"itemInfoEntries": [], "rootModelIdentifier": 0}',
        '{"itemInfoEntries": {"a": {"path": 7}}, "rootModelIdentifier": "a"}',
    ],
)
def test_a_manifest_that_names_nothing_leaves_the_usual_name(
    text: str, copy: Path, package: Package
) -> None:
    (copy / "Manifest.json").write_text(text)
    assert describe(copy)["functions"] == describe(package.path)["functions"]


def test_a_manifest_with_a_name_that_no_file_can_have_is_refused(copy: Path) -> None:
    text = (copy / "Manifest.json").read_text()
    (copy / "Manifest.json").write_text(text.replace("model.mlmodel", "n" * 300))
    with pytest.raises(ContractError, match="expected an"):
        describe(copy)


def test_what_a_file_manager_leaves_behind_changes_nothing(copy: Path, package: Package) -> None:
    (copy / ".DS_Store").write_bytes(b"x" * 99)
    (copy / "Data" / "._weight.bin").write_bytes(b"x" * 99)
    assert describe(copy) == {**describe(package.path), "file": copy.name}
