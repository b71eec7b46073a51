"""Learning from a teacher's maps."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import helper, numpy_helper

from model.errors import BadInput
from model.mobilefacenet import MobileFaceNet, MobileFaceNetConfig
from training.recogniser.hints import SIDES, HintingTeacher, Hints, student_maps, thinned
from training.recogniser.onnx_layers import OnnxLayers


@pytest.fixture
def student() -> MobileFaceNet:
    torch.manual_seed(0)
    return MobileFaceNet(MobileFaceNetConfig(4, 16)).eval()


def test_the_students_maps_lie_on_its_way_to_the_embedding(student: MobileFaceNet) -> None:
    view = torch.rand(2, 3, 112, 112) * 2 - 1
    with torch.no_grad():
        embedding, maps = student_maps(student, view)
        torch.testing.assert_close(embedding, student(view))
    assert tuple(m.shape[-1] for m in maps) == SIDES


def test_hints_begin_at_the_whole_variance_and_fall(student: MobileFaceNet) -> None:
    hints = Hints(student, [5, 6, 7])
    view = torch.rand(2, 3, 112, 112) * 2 - 1
    with torch.no_grad():
        _, mine = student_maps(student, view)
    theirs = [thinned(m)[:, :1].repeat(1, c, 1, 1) for m, c in zip(mine, (5, 6, 7), strict=True)]
    theirs = [(m - m.mean()) / m.std() for m in theirs]
    optimizer = torch.optim.Adam(hints.parameters(), 0.05)
    first = last = hints(mine, theirs)
    for _ in range(40):
        optimizer.zero_grad()
        last = hints(mine, theirs)
        last.backward()
        optimizer.step()
    assert 0.7 < first.item() < 1.1
    assert last.item() < 0.5 * first.item()


def test_a_network_without_such_maps_is_refused(tmp_path: Path) -> None:
    value = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 3, 112, 112])
    out = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 3, 112, 112])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [value], [out])
    onnx.save(helper.make_model(graph), tmp_path / "t.onnx")
    with pytest.raises(BadInput, match="no maps of"):
        HintingTeacher(tmp_path / "t.onnx")


def recogniser(path: Path, last: str = "Relu") -> onnx.ModelProto:
    """Every kind of layer that a GPU's teacher has, on 16 px pictures."""
    random = np.random.default_rng(0)
    constants = {
        "mean": np.float32([0.5]), "scale": np.float32([2]),
        "w": random.normal(size=(4, 3, 3, 3)), "b": random.normal(size=4),
        "gain": random.random(4), "shift": random.random(4), "middle": random.random(4),
        "spread": random.random(4) + 0.5, "slope": random.random((4, 1, 1)),
        "deep": random.normal(size=(4, 1, 3, 3)),
        "table": random.normal(size=(5, 4 * 64)), "offset": random.normal(size=5),
    }  # fmt: skip
    make = helper.make_node
    nodes = [
        make("Sub", ["x", "mean"], ["x1"]), make("Mul", ["x1", "scale"], ["x2"]),
        make("Conv", ["x2", "w", "b"], ["x3"], pads=[1, 1, 1, 1], strides=[2, 2]),
        make("BatchNormalization", ["x3", "gain", "shift", "middle", "spread"], ["x4"],
             epsilon=1e-3),
        make("PRelu", ["x4", "slope"], ["x5"]),
        make("Conv", ["x5", "deep"], ["x6"], pads=[0, 0, 2, 2], group=4),
        make("Add", ["x5", "x6"], ["x7"]), make("Dropout", ["x7"], ["x8"]),
        make("Flatten", ["x8"], ["x9"]),
        make("Gemm", ["x9", "table", "offset"], ["x10"], transB=1, alpha=0.5),
        make(last, ["x10"], ["y"]),
    ]  # fmt: skip
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "g", [value("x", onnx.TensorProto.FLOAT, [2, 3, 16, 16])],
        [value("y", onnx.TensorProto.FLOAT, [2, 5])],
        [numpy_helper.from_array(v.astype(np.float32), k) for k, v in constants.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 12)], ir_version=8)
    onnx.save(model, path)
    return model


def test_a_teacher_answers_in_pytorch_as_in_onnx_runtime(tmp_path: Path) -> None:
    layers = OnnxLayers(recogniser(tmp_path / "t.onnx"), torch.device("cpu"), torch.float32)
    x = torch.rand(2, 3, 16, 16)
    session = onnxruntime.InferenceSession(
        str(tmp_path / "t.onnx"), providers=["CPUExecutionProvider"]
    )
    (wanted,) = session.run(None, {"x": x.numpy()})
    torch.testing.assert_close(layers(x, ["y"])[0], torch.from_numpy(wanted))


def test_a_teacher_with_unknown_layers_is_refused_for_gpus(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="Sigmoid"):
        OnnxLayers(recogniser(tmp_path / "t.onnx", "Sigmoid"), torch.device("cpu"), torch.float32)
