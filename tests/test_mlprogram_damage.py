"""A damaged program ends in one refusal that names the operation."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlprogram_packages import mb, op_package

from model.errors import ContractError
from pipeline.mlprogram.program import Package

MODEL = "Data/com.apple.CoreML/model.mlmodel"
SHAPE = (1, 4, 6, 6)


def build(x: Any) -> Any:
    weight = np.ones((8, 4, 3, 3), np.float32)
    x = mb.conv(x=x, weight=weight, pad_type="custom", pad=[1, 1, 1, 1], name="convolved")
    x = mb.concat(values=[x, x], axis=1, name="joined")
    x = mb.reshape(x=x, shape=[1, 16, 36], name="flat")
    return mb.reduce_mean(x=x, axes=[-1], name="mean")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return op_package(build, SHAPE, tmp_path_factory.mktemp("whole"))


def operation(block: Any, kind: str) -> Any:
    return next(op for op in block.operations if op.type == kind)


def constant_of(block: Any, kind: str, operand: str) -> Any:
    """The tensor of the constant that an operand of an operation names."""
    name = operation(block, kind).inputs[operand].arguments[0].name
    op = next(op for op in block.operations if op.outputs[0].name == name)
    return op.attributes["val"].immediateValue.tensor


def drop_operand(block: Any) -> None:
    del operation(block, "conv").inputs["weight"]


def rename_operand(block: Any) -> None:
    operation(block, "reshape").inputs["x"].arguments[0].name = "nobody"


def add_operand(block: Any) -> None:
    op = operation(block, "reduce_mean")
    op.inputs["surprise"].CopyFrom(op.inputs["axes"])


def double_operand(block: Any) -> None:
    argument = operation(block, "reshape").inputs["x"]
    argument.arguments.add().CopyFrom(argument.arguments[0])


def empty_operand(block: Any) -> None:
    del operation(block, "conv").inputs["x"].arguments[:]


def add_attribute(block: Any) -> None:
    op = operation(block, "conv")
    op.attributes["surprise"].CopyFrom(op.attributes["name"])


def add_block(block: Any) -> None:
    operation(block, "conv").blocks.add()


def drop_outputs(block: Any) -> None:
    del operation(block, "concat").outputs[:]


def drop_constant(block: Any) -> None:
    del operation(block, "const").attributes["val"]


def declare_another_shape(block: Any) -> None:
    dimensions = operation(block, "conv").outputs[0].type.tensorType.dimensions
    dimensions[1].constant.size = 9


def declare_another_rank(block: Any) -> None:
    del operation(block, "conv").outputs[0].type.tensorType.dimensions[:]


def axis_out_of_range(block: Any) -> None:
    constant_of(block, "concat", "axis").ints.values[0] = 77


def shape_that_does_not_fit(block: Any) -> None:
    constant_of(block, "reshape", "shape").ints.values[1] = 17


def negative_pad(block: Any) -> None:
    constant_of(block, "conv", "pad").ints.values[0] = -99


def enormous_pad(block: Any) -> None:
    constant_of(block, "conv", "pad").ints.values[0] = 2**31 - 1


def unknown_word(block: Any) -> None:
    constant_of(block, "conv", "pad_type").strings.values[0] = "sideways"


def words_instead_of_numbers(block: Any) -> None:
    operation(block, "reduce_mean").inputs["axes"].CopyFrom(
        operation(block, "conv").inputs["pad_type"]
    )


def constant_of_fewer_numbers(block: Any) -> None:
    del constant_of(block, "conv", "pad").ints.values[0]


def constant_of_unknown_type(block: Any) -> None:
    op = operation(block, "const")
    op.attributes["val"].type.tensorType.dataType = 99


DAMAGE: dict[Callable[[Any], None], str] = {
    drop_operand: "'conv' that gives 'convolved' lacks 'weight'",
    rename_operand: "'reshape' that gives 'flat'.* uses 'nobody', which nothing before it gives",
    add_operand: "'reduce_mean' .* has the operand 'surprise', which is not known here",
    double_operand: "'reshape' that gives 'flat'.* 'x' is 2 values; expected one",
    empty_operand: "'conv' .* 'x' is 0 values; expected one",
    add_attribute: "'conv' .* has 'surprise', which is not known here",
    add_block: "'conv' .* has blocks, which is not known here",
    drop_outputs: "'concat' .* has 0 outputs; expected one",
    drop_constant: "'const' that gives .* only tensors are known here",
    declare_another_shape: r"gives the shape \(1, 8, 6, 6\); the program declares \(1, 9, 6, 6\)",
    declare_another_rank: r"gives the shape \(1, 8, 6, 6\); the program declares \(\)",
    axis_out_of_range: "'concat' that gives 'joined' cannot be computed",
    shape_that_does_not_fit: "'reshape' that gives 'flat' cannot be computed",
    negative_pad: "'conv' that gives 'convolved'",
    enormous_pad: "'conv' that gives 'convolved': the result would have the shape .* too large",
    unknown_word: "pad_type is 'sideways'; known here are valid, custom, same, same_lower",
    words_instead_of_numbers: "'reduce_mean' that gives 'mean' cannot be computed",
    constant_of_fewer_numbers: "'const' that gives .* has 3 values",
    constant_of_unknown_type: "'const' that gives",
}


def damaged(package: Package, folder: Path, damage: Callable[[Any], None]) -> Package:
    model = type(package.model)()
    model.CopyFrom(package.model)
    (function,) = model.mlProgram.functions.values()
    damage(function.block_specializations[function.opset])
    path = folder / "damaged.mlpackage"
    (path / MODEL).parent.mkdir(parents=True)
    weights = package.path / "Data/com.apple.CoreML/weights"
    shutil.copytree(weights, path / "Data/com.apple.CoreML/weights")
    (path / MODEL).write_bytes(model.SerializeToString())
    return Package(path)


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_damage_is_refused_with_the_operations_name(
    damage: Callable[[Any], None], package: Package, tmp_path: Path
) -> None:
    with pytest.raises(ContractError, match=DAMAGE[damage]) as refused:
        damaged(package, tmp_path, damage).function().run({"x": np.zeros(SHAPE, np.float32)})
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith(str(tmp_path))


def test_the_undamaged_program_runs(package: Package, tmp_path: Path) -> None:
    copy = damaged(package, tmp_path, lambda block: None)
    assert next(iter(copy.function().run({"x": np.ones(SHAPE, np.float32)}).values())).size == 16


def another_opset(model: Any) -> None:
    (function,) = model.mlProgram.functions.values()
    function.opset = "CoreML99"


def no_outputs(model: Any) -> None:
    (function,) = model.mlProgram.functions.values()
    del function.block_specializations[function.opset].outputs[:]


def unknown_output(model: Any) -> None:
    (function,) = model.mlProgram.functions.values()
    function.block_specializations[function.opset].outputs[0] = "nobody"


def dictionary_input(model: Any) -> None:
    model.description.input[0].type.dictionaryType.stringKeyType.SetInParent()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (another_opset, "has no operations for 'CoreML99'"),
        (no_outputs, "describes 1 outputs and computes 0"),
        (unknown_output, "gives 'mean' no tensor"),
        (dictionary_input, "dictionary of string to number; the interpreter takes arrays"),
    ],
)
def test_damage_around_the_operations_is_refused(
    damage: Callable[[Any], None], words: str, package: Package, tmp_path: Path
) -> None:
    copy = damaged(package, tmp_path, lambda block: None)
    damage(copy.model)
    with pytest.raises(ContractError, match=words):
        copy.function().run({"x": np.zeros(SHAPE, np.float32)})
