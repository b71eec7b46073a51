"""Distillation: on tiny pictures made here, with a tiny network."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from model.aligned_face import FACE_SIZE, identity_crop
from model.checkpoint import load_identity_encoder
from model.errors import BadInput, CheckpointError
from model.mobilefacenet import MobileFaceNet, MobileFaceNetConfig
from training import distill, verify
from training.data.faces import Faces, read_embeddings, read_faces, split_people
from training.recogniser import verification
from training.recogniser.distillation import DistillSettings, Run
from training.recogniser.muon import orthogonalised
from training.recogniser.student import embed, teacher_map
from training.recogniser.views import augmented_view, identity_view
from training.running.state import Diverged

PEOPLE, PHOTOS, SIZE, TEACHER = 16, 6, 40, 16
FAST = {"batch": 16, "channels": 4, "lr": 0.01, "sizes": ((64, 1.0),)}


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def faces() -> Faces:
    """Each person is a blob of their own colour and place; photos differ by noise."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    names, pictures = [], []
    for person in range(PEOPLE):
        color, (cx, cy) = random.uniform(0, 255, 3), random.uniform(12, 28, 2)
        blob = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 60)[..., None] * color
        for photo in range(PHOTOS):
            picture = blob + random.normal(30, 8, (SIZE, SIZE, 3))
            names.append(f"P{person:02}/{photo}")
            pictures.append(picture.clip(0, 255).astype(np.uint8))
    return Faces(tuple(names), np.stack(pictures))


@pytest.fixture(scope="module")
def targets(faces: Faces) -> np.ndarray:
    random = np.random.default_rng(1)
    centres = random.normal(size=(PEOPLE, TEACHER))
    rows = centres.repeat(PHOTOS, 0) + 0.2 * random.normal(size=(len(faces), TEACHER))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def folder(faces: Faces, targets: np.ndarray, tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("faces")
    write_tar(
        root / "faces.tar", {f"{n}.webp": p for n, p in zip(faces.names, faces.pixels, strict=True)}
    )
    names = np.array([f"{name}.jpg" for name in faces.names])
    np.savez(root / "teacher.npz", names=names, emb=targets.astype(np.float16))
    return root


def write_tar(path: Path, files: dict[str, np.ndarray | bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            data = content
            if isinstance(content, np.ndarray):
                stream = io.BytesIO()
                Image.fromarray(content).save(stream, "WEBP", lossless=True)
                data = stream.getvalue()
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def command(folder: Path, output: Path, *more: str) -> list[str]:
    return [
        "--data", str(folder / "faces.tar"), "--embeddings", str(folder / "teacher.npz"),
        "-o", str(output), "--channels", "4", "--batch", "16",
        "--arithmetic", "fp32", *more,
    ]  # fmt: skip


# Reading


def test_faces_survive_the_tar(faces, folder):
    read = read_faces(folder / "faces.tar")
    assert read.names == faces.names
    np.testing.assert_array_equal(read.pixels, faces.pixels)


def test_embeddings_come_in_the_order_asked_for(faces, targets, folder):
    rows = read_embeddings(folder / "teacher.npz", faces.names[::-1])
    np.testing.assert_allclose(rows, targets[::-1], atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-6)


def test_broken_pictures_are_skipped_and_counted(faces, tmp_path):
    files = {"A/1.webp": faces.pixels[0], "A/2.webp": b"RIFF no picture", "B/1.webp": b"",
             "B/2.webp": faces.pixels[9], "README": b"words"}  # fmt: skip
    read = read_faces(write_tar(tmp_path / "some.tar", files))
    assert (read.names, read.skipped) == (("A/1", "B/2"), 2)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no readable face"),
        ({"A/1.webp": b"x"}, r"no readable face \(1 broken\)"),
        ({"A/1.webp": np.zeros((8, 8, 3), np.uint8)}, "one person"),
        ({"A/1.webp": np.zeros((8, 8, 3), np.uint8), "B/1.webp": np.zeros((9, 9, 3), np.uint8)},
         "one size"),
    ],
)  # fmt: skip
def test_a_bad_tar_is_named(tmp_path, files, words):
    with pytest.raises(BadInput, match=words):
        read_faces(write_tar(tmp_path / "bad.tar", files))


def test_bad_embeddings_are_named(faces, tmp_path):
    path = tmp_path / "bad.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(BadInput, match="cannot be read as embeddings"):
        read_embeddings(path, faces.names)
    np.savez(path, names=np.array(["A/1.jpg"]), emb=np.ones((1, 4)))
    with pytest.raises(BadInput, match="no embedding of 96 faces"):
        read_embeddings(path, faces.names)
    np.savez(path, names=np.array(["A/1.jpg"]), emb=np.full((1, 4), np.nan))
    with pytest.raises(BadInput, match="not finite"):
        read_embeddings(path, ["A/1"])


def test_held_out_people_are_never_trained_on(faces):
    learned, held_out = split_people(faces)
    assert len(set(held_out.people)) == PEOPLE // 4
    assert not set(learned.people) & set(held_out.people)
    assert set(learned.names) | set(held_out.names) == set(faces.names)
    assert split_people(faces)[1].names == held_out.names
    assert split_people(faces, seed=1)[1].names != held_out.names


# Views


def test_identity_view_is_the_crop_of_the_contract():
    y, x = np.mgrid[0:FACE_SIZE, 0:FACE_SIZE]
    ramp = np.stack((x, y, x // 2), -1).astype(np.uint8)[None]
    crop = identity_crop(FACE_SIZE)
    part = torch.from_numpy(ramp).permute(0, 3, 1, 2)[..., crop.start : crop.stop,
                                                      crop.start : crop.stop].float()  # fmt: skip
    expected = torch.nn.functional.interpolate(
        part, size=(112, 112), mode="bilinear", align_corners=True
    )
    got = (identity_view(torch.from_numpy(ramp)) + 1) * 127.5
    torch.testing.assert_close(got, expected, atol=2e-2, rtol=0)


def test_augmentation_follows_its_seed(faces):
    pixels = torch.from_numpy(faces.pixels[:8])

    def view(seed: int, size: int = 64) -> torch.Tensor:
        return augmented_view(pixels, size, torch.Generator().manual_seed(seed))

    assert torch.equal(view(0), view(0))
    assert not torch.equal(view(0), view(1))
    assert view(0, 112).shape == (8, 3, 112, 112)
    assert view(0).abs().max() <= 1


# Student


def test_teacher_map_keeps_cosines(targets):
    rows = torch.from_numpy(targets)
    mapped = rows @ teacher_map(TEACHER, 512)
    torch.testing.assert_close(mapped @ mapped.T, rows @ rows.T, atol=1e-6, rtol=0)
    assert torch.equal(teacher_map(TEACHER, 512), teacher_map(TEACHER, 512))


def test_embed_is_forward_at_112():
    network = MobileFaceNet(MobileFaceNetConfig(channels=4, embedding_size=32)).eval()
    view = torch.rand(2, 3, 112, 112) * 2 - 1
    with torch.inference_mode():
        assert torch.equal(embed(network, view), network(view))
        assert embed(network, view[..., ::2, ::2]).shape == (2, 32)


def test_orthogonalised_levels_the_singular_values():
    for shape in ((32, 8), (8, 32)):
        matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        values = torch.linalg.svdvals(orthogonalised(matrix))
        assert 0.6 < values.min() <= values.max() < 1.3


# Training


@pytest.mark.slow
def test_the_loss_falls(faces, targets):
    run = Run(DistillSettings(steps=90, **FAST), faces, targets)
    steps = [run.step() for _ in range(90)]
    losses, cosines = np.array(steps).T
    assert losses[-10:].mean() < 0.9 * losses[:10].mean()
    assert cosines[-10:].mean() > cosines[:10].mean() + 0.1


@pytest.mark.slow
def test_a_resumed_run_continues_exactly(faces, targets, tmp_path):
    settings = DistillSettings(steps=8, rounding=0.5, **FAST)
    whole = Run(settings, faces, targets)
    expected = [whole.step() for _ in range(8)]
    first = Run(settings, faces, targets)
    assert [first.step() for _ in range(3)] == expected[:3]
    first.save(tmp_path / "run.state")
    second = Run(settings, faces, targets)
    second.load(tmp_path / "run.state")
    assert [second.step() for _ in range(5)] == expected[3:]
    for a, b in zip(whole.average.parameters(), second.average.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_foreign_state_is_refused(faces, targets, tmp_path):
    path = tmp_path / "run.state"
    run = Run(DistillSettings(steps=8, **FAST), faces, targets)
    with pytest.raises(CheckpointError, match="no run to resume"):
        run.load(path)
    path.write_bytes(b"half a file")
    with pytest.raises(CheckpointError, match="no run to resume"):
        run.load(path)
    run.save(path)
    with pytest.raises(CheckpointError, match="settings"):
        Run(DistillSettings(steps=9, **FAST), faces, targets).load(path)


def test_a_loss_that_is_no_number_stops_before_the_weights_change(faces, targets):
    run = Run(DistillSettings(steps=8, **FAST), faces, targets)
    run.step()
    run.lessons.targets[:] = np.nan
    before = [w.clone() for w in run.network.parameters()]
    with pytest.raises(Diverged, match="at step 1"):
        run.step()
    assert all(torch.equal(a, b) for a, b in zip(before, run.network.parameters(), strict=True))


# Verification


def test_verification_of_embeddings_made_by_hand():
    people = np.repeat([f"P{i}" for i in range(8)], 3)
    pairs = verification.make_pairs(people)
    assert pairs.same.sum() == (~pairs.same).sum() == 8 * 3
    assert (people[pairs.left] == people[pairs.right]).tolist() == pairs.same.tolist()
    perfect = np.eye(8, dtype=np.float32).repeat(3, 0)
    result = verification.verify(perfect, pairs)
    assert (result.accuracy, result.auc, result.threshold) == (1.0, 1.0, 0.5)
    assert (result.same_mean, result.different_mean, result.pairs) == (1.0, 0.0, 48)


def test_verification_of_pairs_counted_by_hand():
    # Ten folds of two pairs; one same-person pair of the ten looks like two people.
    same = np.tile([True, False], 10)
    cosine = np.where(same, 0.9, 0.1)
    cosine[0] = -0.2
    left = np.tile([1.0, 0.0], (20, 1))
    right = np.stack((cosine, np.sqrt(1 - cosine**2)), 1)
    pairs = verification.Pairs(np.arange(20), np.arange(20, 40), same)
    result = verification.verify(np.concatenate((left, right)), pairs)
    assert result.accuracy == 19 / 20
    assert result.auc == pytest.approx(0.9)


def test_verification_needs_pairs():
    with pytest.raises(BadInput, match="0 pairs"):
        verification.make_pairs(np.array(["A", "B", "C"]))


# Commands


def test_the_commands_train_and_verify(folder, tmp_path, capsys):
    output = tmp_path / "tiny.pt"
    assert distill.main(command(folder, output, "--max-steps", "3", "--json")) == 0
    results = json.loads(capsys.readouterr().out)
    assert list(tmp_path.iterdir()) == [output]
    state = torch.load(output, weights_only=True)
    network = MobileFaceNet(MobileFaceNetConfig(channels=4))
    network.load_state_dict(state)
    assert set(state) == set(network.state_dict())
    floats = [v for k, v in state.items() if not k.endswith("num_batches_tracked")]
    assert all(v.dtype == torch.float32 and v.is_contiguous() for v in floats)

    arguments = command(folder, output, "--json")[:4]
    assert verify.main([str(output), *arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == results


def test_an_unfinished_run_is_not_overwritten(folder, tmp_path, capsys):
    state = tmp_path / "tiny.state"
    state.write_bytes(b"work")
    assert distill.main(command(folder, tmp_path / "tiny.pt")) == 2
    assert "--resume" in capsys.readouterr().err
    assert state.read_bytes() == b"work"


def test_what_cannot_work_is_said_before_the_first_step(folder, tmp_path, capsys):
    assert distill.main(command(folder, tmp_path / "tiny.pt", "--hold", "3")) == 2
    assert "--init" in capsys.readouterr().err
    assert distill.main(command(folder, tmp_path / "tiny.pt", "--mix", "0.5")) == 2
    assert "--teacher" in capsys.readouterr().err
    (tmp_path / "file").write_bytes(b"")
    assert distill.main(command(folder, tmp_path / "file/tiny.pt", "--max-steps", "1")) == 4
    assert "cannot write" in capsys.readouterr().err


def test_bad_data_ends_with_exit_4(folder, tmp_path, capsys):
    (tmp_path / "faces.tar").write_bytes(b"no tar")
    assert distill.main(command(tmp_path, tmp_path / "tiny.pt")) == 4
    assert "cannot be read as a tar" in capsys.readouterr().err
    assert verify.main([str(folder / "faces.tar"), *command(folder, tmp_path)[:4]]) == 4
    assert "faces.tar is a tar archive" in capsys.readouterr().err


def test_verify_takes_and_refuses_the_weights_that_every_command_does(folder, tmp_path, capsys):
    network = MobileFaceNet(MobileFaceNetConfig(channels=4, embedding_size=32))
    weights = {f"module.{name}": value for name, value in network.state_dict().items()}
    torch.save({"state_dict": weights}, tmp_path / "parallel.pt")
    arguments = [*command(folder, tmp_path)[:4], "--json"]
    assert verify.main([str(tmp_path / "parallel.pt"), *arguments]) == 0
    assert json.loads(capsys.readouterr().out)["student"]["pairs"] > 0
    network.linear.weight.data[0] = float("nan")
    torch.save(network.state_dict(), tmp_path / "broken.pt")
    assert verify.main([str(tmp_path / "broken.pt"), *arguments]) == 4
    assert "NaN" in capsys.readouterr().err


@pytest.mark.parametrize("module", ["training.distill", "training.verify"])
def test_help_is_quick(module):
    done = subprocess.run([sys.executable, "-X", "importtime", "-m", module, "--help"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert "usage" in done.stdout
    heavy = ("torch", "sklearn", "scipy", "onnxruntime", "tensorflow")
    loaded = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "argparse" in loaded  # so that names of modules are what is compared
    assert not loaded.intersection(heavy)


# What is shipped

WEIGHTS = Path(verify.__file__).resolve().parents[1] / "model/weights/mobilefacenet.pt"


@pytest.mark.skipif(not WEIGHTS.exists(), reason="the weights are not trained yet")
def test_the_shipped_weights_load():
    assert WEIGHTS.stat().st_size <= 5.1e6
    network = load_identity_encoder(WEIGHTS)
    assert network.config == MobileFaceNetConfig()
    with torch.inference_mode():
        embedding = network(torch.rand(2, 3, 112, 112) * 2 - 1)
    torch.testing.assert_close(embedding.norm(dim=1), torch.ones(2))


@pytest.mark.skipif(not WEIGHTS.exists(), reason="the weights are not trained yet")
def test_the_shipped_weights_have_the_reference_keys():
    lines = (Path(__file__).parent / "golden/keys_mobilefacenet.txt").read_text().splitlines()
    state = torch.load(WEIGHTS, weights_only=True)
    assert [f"{key}\t{tuple(value.shape)}" for key, value in state.items()] == lines
