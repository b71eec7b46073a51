"""Fine maps that 8-bit files leave in float."""

from __future__ import annotations

from onnx import TensorProto, helper

from export.quantize.float_maps import Step, fine_floats
from export.quantize.onnx import _read_floats


def lays_a_small_picture_over_the_target() -> list[Step]:
    """Features of 128 px, a picture and a mask of that size, enlarged and laid over the target."""
    return [
        Step("SUB", ("target",), "centred", 3, 256),
        Step("CONV", ("centred",), "stem", 32, 128),
        Step("CONV", ("stem",), "features", 32, 128),
        Step("CONV", ("features",), "logits", 3, 128),
        Step("TANH", ("logits",), "small", 3, 128),
        Step("RESIZE", ("small",), "painted", 3, 256),
        Step("CONV", ("features",), "mask", 1, 128),
        Step("RESIZE", ("mask",), "large mask", 1, 256),
        Step("SUB", ("painted", "centred"), "difference", 3, 256),
        Step("MUL", ("large mask", "difference"), "change", 3, 256),
        Step("ADD", ("centred", "change"), "image", 3, 256),
    ]


def test_nothing_is_rounded_between_a_small_picture_and_the_large_one() -> None:
    floats = fine_floats(lays_a_small_picture_over_the_target(), ["image"], coarse=64)
    assert floats == {
        "centred", "logits", "small", "painted", "mask", "large mask", "difference", "change",
        "image",
    }  # fmt: skip


def test_a_layer_that_paints_at_full_size_is_int8_and_what_follows_is_not() -> None:
    steps = [
        Step("CONV", ("target",), "features", 64, 256),
        Step("CONV", ("features",), "logits", 3, 256),
        Step("TANH", ("logits",), "image", 3, 256),
    ]
    assert fine_floats(steps, ["image"], coarse=64) == {"image"}


def test_a_mask_inside_the_network_stays_int8() -> None:
    steps = [
        Step("CONV", ("features",), "mask", 1, 128),
        Step("MUL", ("mask", "features"), "masked", 64, 128),
        Step("CONV", ("masked",), "logits", 3, 128),
        Step("RESIZE", ("logits",), "image", 3, 256),
    ]
    assert fine_floats(steps, ["image"], coarse=64) == {"logits", "image"}


def test_a_network_that_paints_no_picture_leaves_no_fine_map_in_float() -> None:
    assert fine_floats(lays_a_small_picture_over_the_target(), [], coarse=64) == set()


def test_an_enlarged_coarse_map_is_rounded_once_it_is_added() -> None:
    steps = [
        Step("CONV", ("target",), "skip", 32, 128),
        Step("CONV", ("skip",), "coarse", 32, 64),
        Step("RESIZE", ("coarse",), "enlarged", 32, 128),
        Step("ADD", ("skip", "enlarged"), "sum", 32, 128),
        Step("ADD", ("sum", "skip"), "next sum", 32, 128),
    ]
    assert fine_floats(steps, [], coarse=64) == {"enlarged", "sum"}


def test_an_enlarged_coarse_map_in_front_of_a_layer_is_rounded() -> None:
    steps = [
        Step("CONV", ("target",), "coarse", 32, 64),
        Step("RESIZE", ("coarse",), "enlarged", 32, 128),
        Step("CONV", ("enlarged",), "features", 32, 128),
    ]
    assert fine_floats(steps, [], coarse=64) == set()


def test_an_enlarged_fine_map_is_rounded() -> None:
    steps = [
        Step("CONV", ("target",), "fine", 32, 128),
        Step("RESIZE", ("fine",), "enlarged", 32, 256),
        Step("ADD", ("enlarged", "skip"), "sum", 32, 256),
    ]
    assert fine_floats(steps, [], coarse=64) == set()


def test_float_operators_of_an_onnx_file_read_each_other_without_rounding() -> None:
    """`centre` is float and feeds both a float operator and, rounded, an int8 one."""
    nodes = [
        helper.make_node("Sub", ["target", "half"], ["centred"], "centre"),
        helper.make_node("QuantizeLinear", ["centred", "step", "zero"], ["bytes"], "round"),
        helper.make_node("DequantizeLinear", ["bytes", "step", "zero"], ["rounded"], "read"),
        helper.make_node("Neg", ["rounded"], ["made in int8"], "int8"),
        helper.make_node("Abs", ["rounded"], ["image"], "float"),
    ]
    picture = helper.make_tensor_value_info("target", TensorProto.FLOAT, [1, 3, 8, 8])
    graph = helper.make_graph(nodes, "g", [picture], [])
    _read_floats(graph, {"centre", "float"})
    read = {node.name: list(node.input) for node in graph.node}
    assert read["float"] == ["centred"]
    assert read["int8"] == ["rounded"]


def test_rounding_of_an_int8_operators_result_stays_in_an_onnx_file() -> None:
    """ONNX Runtime computes in int8 only where the result is rounded for all its readers."""
    nodes = [
        helper.make_node("Conv", ["x", "weights"], ["made in int8"], "int8"),
        helper.make_node("QuantizeLinear", ["made in int8", "step", "zero"], ["bytes"], "round"),
        helper.make_node("DequantizeLinear", ["bytes", "step", "zero"], ["rounded"], "read"),
        helper.make_node("Tanh", ["rounded"], ["image"], "float"),
    ]
    graph = helper.make_graph(nodes, "g", [], [])
    _read_floats(graph, {"float"})
    assert list(graph.node[3].input) == ["rounded"]
