"""The evaluation: figures against hand-computed ones, and the command with a tiny generator."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from model.checkpoint import load_generator
from model.errors import BadInput
from pipeline.faces.portraits import faces, varied
from training import evaluate, measure_edits
from training.data.faces import Faces
from training.data.landmarks import Landmarks
from training.data.photos import held_out_faces
from training.data.records import Record, write_shard
from training.judging.bounded import BAR, measure
from training.judging.distances import frechet, retrieval_top1
from training.judging.pose import EXPRESSIVE, RIGID, expression_error, fit, pose_error_deg
from training.judging.scores import look_at, score, yardsticks
from training.judging.swaps import Painted, SwapPairs, draw_pairs
from training.judging.teacher import Teacher, teacher_crop

PEOPLE = 16  # of whom four are held out
ONE_THREAD = ("--threads", "1")  # two wait for each other where tests share the machine


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def teacher_file(tmp_path_factory) -> Path:
    """A recogniser that sees colours only: the mean of each quarter of the crop, times a number."""
    import onnx
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node(
            "AveragePool", ["data"], ["small"], kernel_shape=[56, 56], strides=[56, 56]
        ),
        helper.make_node("Flatten", ["small"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes, "teacher",
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, 112, 112])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, 12])],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    path = tmp_path_factory.mktemp("teacher") / "teacher.onnx"
    onnx.save(model, path)
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A tar of crops of the two portraits: people who have two photos each."""
    path = tmp_path_factory.mktemp("data") / "faces.tar"
    with tarfile.open(path, "w") as tar:
        for i, face in enumerate(varied(2 * PEOPLE, 176)):
            stream = io.BytesIO()
            Image.fromarray(face).save(stream, "webp", quality=95)
            info = tarfile.TarInfo(f"P{i % PEOPLE:02}/{i // PEOPLE}.webp")
            info.size = len(stream.getvalue())
            tar.addfile(info, io.BytesIO(stream.getvalue()))
    return path


def rotation(axis: int, degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.eye(3)
    a, b = [i for i in range(3) if i != axis]
    turn[a, a], turn[a, b], turn[b, a], turn[b, b] = c, -s, s, c
    return turn


@pytest.fixture(scope="module")
def mesh() -> np.ndarray:
    return Landmarks().find(faces(2)[1])


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("degrees", [0.0, 3.0, 40.0])
def test_the_turn_of_a_head_comes_back(axis, degrees, mesh) -> None:
    turned = 0.8 * mesh @ rotation(axis, degrees).T + (5, -9, 30)
    assert pose_error_deg(mesh, turned) == pytest.approx(degrees, abs=1e-4)
    assert pose_error_deg(turned, mesh) == pytest.approx(degrees, abs=1e-4)
    assert expression_error(turned, mesh) == pytest.approx(0, abs=1e-6)


def test_a_fit_gives_scale_rotation_and_shift_back(mesh) -> None:
    turn = rotation(1, 25) @ rotation(0, -10)
    found = fit(mesh, 1.3 * mesh @ turn.T + (1, 2, 3))
    assert found.scale == pytest.approx(1.3)
    assert found.params[:3, :3] == pytest.approx(1.3 * turn)
    assert found.translation == pytest.approx((1, 2, 3))


def test_expression_is_what_moves_on_a_still_head(mesh) -> None:
    other = mesh.copy()
    other[list(EXPRESSIVE)] += (0, 3, 0)
    apart = float(np.linalg.norm(mesh[263] - mesh[33]))
    assert not set(EXPRESSIVE) & set(RIGID)
    assert pose_error_deg(other, mesh) == pytest.approx(0, abs=1e-5)
    assert expression_error(other, mesh) == pytest.approx(100 * 3 / apart)


def test_mirrored_landmarks_are_not_fitted_by_a_mirror(mesh) -> None:
    assert np.linalg.det(fit(mesh, mesh * (-1, 1, 1)).params) > 0


def test_frechet_of_known_gaussians() -> None:
    random = np.random.default_rng(0)
    a = random.normal(size=(40_000, 2)) * (1, 2)
    b = random.normal(size=(40_000, 2)) * (3, 1) + (1, -1)
    # Independent axes: squared differences of means and of standard deviations.
    assert frechet(a, b) == pytest.approx(2 + (1 - 3) ** 2 + (2 - 1) ** 2, rel=0.03)
    assert frechet(a, a) == pytest.approx(0, abs=1e-6)
    turn = rotation(2, 30)[:2, :2]
    assert frechet(a @ turn.T, b @ turn.T) == pytest.approx(frechet(a, b), rel=1e-6)
    assert frechet(a, a + np.array([3, 4])) == pytest.approx(25, rel=1e-6)


def test_retrieval_counts_the_right_person_nearest() -> None:
    gallery = np.eye(3)
    people = np.array(["A", "B", "A"])
    found = np.array([[0.1, 0.0, 0.9], [0.0, 1.0, 0.0], [0.9, 0.1, 0.0], [0.2, 0.9, 0.1]])
    assert retrieval_top1(found, gallery, np.array(["A", "B", "B", "A"]), people) == 0.5


def test_pairs_are_of_two_people_and_everybody_gives_once_a_round() -> None:
    people = np.repeat([f"P{i}" for i in range(7)], 3)
    pairs = draw_pairs(people, 14, seed=3)
    sources, targets = people[pairs.source], people[pairs.target]
    assert (sources != targets).all()
    assert sorted(sources[:7]) == sorted(sources[7:]) == sorted(set(people))
    assert (pairs.source == draw_pairs(people, 14, seed=3).source).all()
    assert (pairs.target != draw_pairs(people, 14, seed=4).target).any()
    with pytest.raises(BadInput, match="1 person"):
        draw_pairs(np.array(["A", "A"]), 2)


def test_the_teacher_sees_the_crop_in_rgb(teacher_file) -> None:
    face = np.zeros((256, 256, 3), np.uint8)
    face[26:128, 26:128] = (255, 0, 0)  # the left upper quarter of the crop 26:230
    face[:26] = face[:, 230:] = 255  # outside of it
    vector = Teacher(teacher_file).embed(face)
    assert teacher_crop(face).shape == (112, 112, 3)
    assert vector.argmax() == 0  # channel red comes first, its left upper quarter foremost
    assert vector[0] > 0.99
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


def painted(faces: np.ndarray, rows: np.ndarray) -> list[Painted]:
    """A painter that hands out those faces as they are."""
    return [Painted(faces[i], faces[i].astype(np.float32) / 255, True) for i in rows]


def test_scores_of_a_swap_that_does_nothing_and_of_one_that_copies(teacher_file) -> None:
    pixels = np.stack([*faces(2), *varied(2, seed=5)])
    people = Faces(("A/1", "B/1", "A/2", "B/2"), pixels)
    pairs = SwapPairs(np.array([0, 1]), np.array([1, 2]))
    teacher, landmarks = Teacher(teacher_file), Landmarks()
    truth = look_at(people, pairs, teacher, landmarks)

    def judge(rows: np.ndarray):
        swapped = painted(pixels, rows)
        restored = [(0, painted(pixels, [0])[0])]
        return score(truth, pairs, swapped, restored, [1.0, 2.0], teacher, landmarks, lambda: None)

    nothing, copies = judge(pairs.target), judge(pairs.source)
    assert nothing.identity_target == pytest.approx(1, abs=1e-5)
    assert nothing.closer_to_source == 0
    assert nothing.pose_deg == pytest.approx(0, abs=0.01)
    assert nothing.expression == pytest.approx(0, abs=1e-6)
    assert nothing.blink == pytest.approx(0, abs=1e-6)
    assert nothing.gaze == pytest.approx(0, abs=1e-6)
    assert copies.gaze > 1
    assert nothing.flicker == 1.5
    assert nothing.detail_eyes == pytest.approx(2 - copies.detail_eyes)  # each against their mean
    assert nothing.chroma == pytest.approx(2 - copies.chroma)
    assert nothing.frechet == pytest.approx(0, abs=1e-9)
    assert copies.identity_source == pytest.approx(1, abs=1e-5)
    assert copies.closer_to_source == copies.retrieval_top1 == 1
    assert copies.pose_deg > 1
    assert copies.identity_gain == pytest.approx(-nothing.identity_gain, abs=1e-5)
    assert nothing.psnr_db == nothing.psnr_worst_db == 200
    assert nothing.ssim == pytest.approx(1)
    real = yardsticks(truth, pairs)
    assert real.other_person == pytest.approx(nothing.identity_source, abs=1e-5)
    assert real.same_person == pytest.approx(
        np.mean([truth.embeddings[0] @ truth.embeddings[2],
                 truth.embeddings[1] @ truth.embeddings[3]]), abs=1e-5
    )  # fmt: skip


def test_the_worst_restoration_is_the_worst(teacher_file) -> None:
    pixels = np.stack(faces(2))
    pairs = SwapPairs(np.array([0, 1]), np.array([1, 0]))
    teacher, landmarks = Teacher(teacher_file), Landmarks()
    truth = look_at(Faces(("A/1", "B/1"), pixels), pairs, teacher, landmarks)
    off = pixels[1].astype(np.float32) / 255 + np.float32(0.1)
    restored = [(0, painted(pixels, [0])[0]), (1, Painted(pixels[1], off, False))]
    result = score(truth, pairs, painted(pixels, pairs.target), restored, [], teacher, landmarks,
                   lambda: None)  # fmt: skip
    assert result.psnr_worst_db == pytest.approx(20, abs=1e-3)
    assert result.psnr_db == pytest.approx(110, abs=1e-3)
    assert result.not_finite == 1


def test_held_out_faces_are_those_that_distillation_holds_out(data) -> None:
    from training.data.faces import read_faces, split_people

    _, expected = split_people(read_faces(data), 0)
    found = held_out_faces(data, 176)
    assert sorted(found.names) == sorted(expected.names)
    assert len(set(found.people)) == PEOPLE // 4


@pytest.mark.slow
def test_the_command_judges_a_tiny_generator(
    tiny_checkpoints, data, teacher_file, tmp_path, capsys
) -> None:
    generator, identity = map(str, tiny_checkpoints)
    files = ["--identity", identity, "--data", str(data), "--teacher", str(teacher_file)]
    command = [generator, *files, "--pairs", "4", "--reconstructions", "2", *ONE_THREAD]
    assert evaluate.main([*command, "--json", "--grid", str(tmp_path / "grid.webp")]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    row = json.loads(line)
    assert (row["backend"], row["precision"], row["pairs"], row["people"]) == (
        "pytorch", "fp32", 4, PEOPLE // 4,
    )  # fmt: skip
    gain = row["identity_source"] - row["identity_target"]
    assert row["identity_gain"] == pytest.approx(gain, abs=1e-6)  # means of float32
    assert row["identity_cost"] == 0
    assert row["psnr_worst_db"] <= row["psnr_db"]
    with Image.open(tmp_path / "grid.webp") as grid:
        assert grid.size == (3 * 160, 4 * 176)
    assert evaluate.main(command) == 0
    table = " ".join(capsys.readouterr().out.split())
    assert table.startswith("| file |")
    assert f"| pytorch fp32 | {row['identity_source']:.3f} |" in table


@pytest.mark.slow
def test_files_of_a_bundle_paint_the_same_pairs(
    tiny_checkpoints, bundle, data, teacher_file, capsys
) -> None:
    command = [str(bundle), "--data", str(data), "--teacher", str(teacher_file), "--pairs", "3",
               "--reconstructions", "1", "--backend", "onnx", "tflite", "--json"]  # fmt: skip
    assert evaluate.main(command) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(r["backend"], r["precision"]) for r in rows] == [
        ("onnx", "fp32"), ("onnx", "fp16"), ("tflite", "fp32"), ("tflite", "fp16"),
    ]  # fmt: skip
    for row in rows:
        assert row["identity_source"] == pytest.approx(rows[0]["identity_source"], abs=2e-3)
        gain = rows[0]["identity_gain"]
        assert row["identity_cost"] == pytest.approx(gain - row["identity_gain"])


def test_a_bounded_network_passes_and_peaks_are_where_they_are(tiny_checkpoints) -> None:
    network = load_generator(tiny_checkpoints[0])
    pixels, who = np.stack(varied(3, 64)), np.eye(16, dtype=np.float32)[:3]
    calm = measure(network, pixels, who, 20, batch=4)
    assert calm.held
    assert calm.pairs == 20
    assert calm.peak == max(calm.peaks.values()) < BAR
    assert not network._forward_hooks  # nothing stays behind
    network.decoder.b128_1.conv_attention.bias.fill_(1e5)
    wild = measure(network, pixels, who, 4)
    assert not wild.held
    assert wild.peaks["decoder.b128_1.conv_attention"] > 9e4
    network.attribute_encoder.b64_1.conv1x1.bias.fill_(float("nan"))
    broken = measure(network, pixels, who, 2)
    assert not broken.held
    assert broken.not_finite > 0
    assert broken.not_finite_in == "out of attribute_encoder.b64_1.conv1x1"


@pytest.mark.slow
def test_bounded_ends_with_1_when_it_is_missed(tiny_checkpoints, tmp_path, capsys) -> None:
    generator, identity = tiny_checkpoints
    flags = ["--identity", str(identity), *ONE_THREAD]
    assert evaluate.main([str(generator), *flags, "--bounded", "3"]) == 0
    assert "3 pairs" in capsys.readouterr().out
    state = torch.load(generator, weights_only=True)
    state["decoder.b64_0.conv_attention.bias"] += 1e6
    torch.save(state, tmp_path / "wild.pt")
    assert evaluate.main([str(tmp_path / "wild.pt"), *flags, "--bounded", "2", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["held"] is False
    assert said["peak"] > BAR


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["ckpt"], 2, "--data and --teacher missing"),
        (["ckpt", "--data", "data", "--teacher", "none.onnx"], 4, "none.onnx does not exist"),
        (["ckpt", "--data", "data", "--teacher", "data"], 4, "is not an ONNX file"),
        (["none.pt", "--data", "data", "--teacher", "teacher"], 4, "none.pt does not exist"),
        (["ckpt", "--data", "none.tar", "--teacher", "teacher"], 4, "none.tar does not exist"),
        (["ckpt", "--portraits"], 2, "--grid"),
        (["ckpt", "--portraits", "--grid", "x.txt"], 2, "no kind of picture"),
        (["ckpt", "--portraits", "--grid", "/dev/null/x.png"], 4, "cannot write"),
        (["ckpt", "--backend", "tflite", "--portraits", "--grid", "x.png"], 2, "pytorch and fp32"),
        (["folder", "--bounded", "5"], 2, "Give the checkpoint"),
        (["folder", "--portraits", "--grid", "x.png"], 4, "is no bundle"),
    ],
)
def test_mistakes_end_in_one_line(
    words, code, said, tiny_checkpoints, data, teacher_file, tmp_path, capsys
) -> None:
    generator, identity = tiny_checkpoints
    places = {"ckpt": generator, "data": data, "teacher": teacher_file, "folder": tmp_path}
    command = [str(places.get(word, word)) for word in words]
    assert evaluate.main([*command, "--identity", str(identity)]) == code
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert said in error


def test_a_grid_of_the_portraits_needs_no_data(tiny_checkpoints, tmp_path) -> None:
    generator, identity = map(str, tiny_checkpoints)
    path = tmp_path / "grid.png"
    command = [generator, "--identity", identity, "--portraits", "--grid", str(path)]
    assert evaluate.main([*command, *ONE_THREAD]) == 0
    with Image.open(path) as grid:
        assert grid.size == (3 * 160, 2 * 176)


def test_edits_are_measured_by_the_teacher(teacher_file, tmp_path, capsys) -> None:
    face = faces(1)[0]

    def webp(picture: np.ndarray) -> bytes:
        stream = io.BytesIO()
        Image.fromarray(picture).save(stream, "webp", lossless=True)
        return stream.getvalue()

    edits = {"fat": webp(face[::-1].copy()), "grin": webp(face)}
    write_shard(tmp_path / "shard-00000.tar", [Record("A_1", "A", webp(face), edits)])
    assert measure_edits.main([str(tmp_path), "--teacher", str(teacher_file), "--json"]) == 0
    fat, grin = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (fat["edit"], fat["kind"], grin["kind"]) == ("fat", "identity", "attribute")
    assert grin["cosine"] == pytest.approx(1, abs=1e-5)
    expected = Teacher(teacher_file).embed_all([face, face[::-1]])
    assert fat["cosine"] == pytest.approx(float(expected[0] @ expected[1]), abs=1e-5)
    assert measure_edits.main([str(tmp_path), "--teacher", str(teacher_file)]) == 0
    table = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert table[0][1::2] == ["edit", "kind", "faces", "cosine", "p10", "p90"]
    assert table[3][1:8:2] == ["grin", "attribute", "1", "1.000"]
    assert measure_edits.main([str(tmp_path / "none"), "--teacher", str(teacher_file)]) == 4
