"""The published network once, through the command a user types, against the authors' answers."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import run

from model.contract import Manifest
from model.manifest import load_bundle
from pipeline.backends import open_backend
from pipeline.metrics import psnr_db

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def real(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """The reference checkpoint in ONNX, TFLite and Core ML."""
    dist = tmp_path_factory.mktemp("real")
    result: subprocess.CompletedProcess[str] = run(
        "export",
        reference / "reference_generator_ddp.pth",
        "--identity",
        reference / "reference_mobilefacenet.pth",
        "-o",
        dist,
        "--samples",
        "2",
    )
    assert result.returncode == 0, result.stderr
    bundle = dist / "reference_generator_ddp"
    return bundle, load_bundle(bundle)


@pytest.mark.parametrize(("backend", "format"), [("onnx", "onnx"), ("tflite", "tflite")])
def test_generator_is_within_60_db_of_the_authors_answers(
    backend: str, format: str, real: tuple[Path, Manifest], reference: Path
) -> None:
    bundle, manifest = real
    answers = np.load(reference / "reference_io.npz")
    runtime = open_backend(backend, manifest.find("generator", format, "fp32"), bundle, threads=2)
    for target, embedding, image in zip(
        answers["target"].astype("f"),
        answers["embedding"].astype("f"),
        answers["image"].astype("f"),
        strict=True,
    ):
        picture = (target[None] + 1) / 2
        if format == "tflite":
            picture = np.ascontiguousarray(picture.transpose(0, 2, 3, 1))
        swapped = runtime.run(target=picture, embedding=embedding[None])["image"] * 2 - 1
        if format == "tflite":
            swapped = swapped.transpose(0, 3, 1, 2)
        assert psnr_db(swapped[0], image, peak=2) >= 60


@pytest.mark.parametrize(
    ("file", "size_mb"),
    [
        ("generator-fp32.tflite", 10.3),
        ("generator-fp16.tflite", 5.3),
        ("generator-fp32.onnx", 10.3),
        ("generator-fp16.mlpackage", 5.4),
    ],
)
def test_files_are_as_small_as_promised(
    file: str, size_mb: float, real: tuple[Path, Manifest]
) -> None:
    (spec,) = [spec for spec in real[1].models if spec.file == file]
    assert spec.size_mb <= size_mb


def as_stored(
    package: Path, inputs: dict[str, np.ndarray], mode: str
) -> tuple[np.ndarray, np.ndarray]:
    """A package's output before rounding to 8 bits, NCHW in 0..255 or a vector, and as given."""
    from pipeline.mlprogram.program import Package

    function = Package(package).function()
    seen = {}
    outputs = function.run(inputs, mode, hook=lambda value: seen.update({value.name: value.value}))
    return seen[function.block.outputs[0]].numpy(), next(iter(outputs.values()))


@pytest.mark.parametrize(("precision", "least_db"), [("fp32", 100), ("fp16", 60)])
def test_core_ml_generator_as_stored(
    precision: str, least_db: float, real: tuple[Path, Manifest], reference: Path
) -> None:
    import torch

    from model.checkpoint import load_generator
    from pipeline.faces.portraits import faces

    face = faces(1)[0][None]
    embedding = np.load(reference / "reference_io.npz")["embedding"][:1].astype("f")
    network = load_generator(reference / "reference_generator_ddp.pth")
    with torch.inference_mode():
        target = torch.from_numpy(face.transpose(0, 3, 1, 2) / np.float32(127.5) - 1).float()
        wanted = (network(target, torch.from_numpy(embedding)).image256.numpy() + 1) * 127.5
    package = real[0] / f"generator-{precision}.mlpackage"
    exact, pixels = as_stored(package, {"target": face, "embedding": embedding}, "stored")
    assert psnr_db(exact, wanted, peak=255) >= least_db
    levels = np.abs(pixels.astype(int) - np.rint(wanted).transpose(0, 2, 3, 1))
    assert (levels <= 1).mean() >= 0.999


@pytest.mark.parametrize(("precision", "least_db"), [("fp32", 100), ("fp16", 60)])
def test_core_ml_identity_encoder_as_stored(
    precision: str, least_db: float, real: tuple[Path, Manifest], reference: Path
) -> None:
    from model.checkpoint import load_identity_encoder
    from model.wrap import embed
    from pipeline.faces.portraits import faces

    face = faces(1)[0]
    wanted = embed(load_identity_encoder(reference / "reference_mobilefacenet.pth"), face)
    package = real[0] / f"identity-{precision}.mlpackage"
    found, _ = as_stored(package, {"face": face[None]}, "stored")
    assert psnr_db(found, wanted, peak=2) >= least_db
