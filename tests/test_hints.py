"""Learning from a teacher's maps."""

from pathlib import Path

import onnx
import pytest
import torch
from onnx import helper

from model.errors import BadInput
from model.mobilefacenet import MobileFaceNet, MobileFaceNetConfig
from training.hints import SIDES, HintingTeacher, Hints, student_maps, thinned


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
