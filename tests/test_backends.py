"""One suite over every runtime; those that cannot run here skip with their own words."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

from model.contract import ModelSpec, Parity
from model.errors import BackendUnavailable, ContractError, UsageError, install
from model.manifest import load_bundle
from model.tensors import signature
from pipeline.backends import BACKENDS, backend_class, open_backend
from pipeline.backends.base import Backend
from pipeline.faces.portraits import faces
from pipeline.tensor import to_tensor, to_unit

EMBEDDING = np.full((1, 16), 0.25, np.float32)


@pytest.fixture(scope="module", params=list(BACKENDS))
def backend(request, bundle: Path, tiny_checkpoints: tuple[Path, Path]) -> Backend:
    available = backend_class(request.param).available()
    if not available:
        pytest.skip(available.why)
    spec, root = spec_of(request.param, bundle, tiny_checkpoints[0])
    return open_backend(request.param, spec, root, threads=2)


def spec_of(name: str, bundle: Path, checkpoint: Path) -> tuple[ModelSpec, Path]:
    format = BACKENDS[name][2]
    if format != "pt":
        return load_bundle(bundle).find("generator", format, "fp32"), bundle
    border = signature("generator", "pt", embedding_size=16)
    spec = ModelSpec("generator", checkpoint.name, "pt", "fp32", "", 0, *border, Parity("skipped"))
    return spec, checkpoint.parent


def inputs(backend: Backend) -> dict[str, np.ndarray]:
    face = faces(1)[0]
    return {
        tensor.name: to_tensor(face, tensor) if tensor.color else EMBEDDING
        for tensor in backend.spec.inputs
    }


def test_outputs_are_what_the_manifest_says(backend: Backend) -> None:
    outputs = backend.run(**inputs(backend))
    assert set(outputs) == {"image"}
    backend.spec.outputs[0].check(outputs["image"], backend.spec.file)


@pytest.mark.slow
def test_every_backend_gives_the_picture_that_pytorch_gives(
    backend: Backend, tiny_checkpoints: tuple[Path, Path]
) -> None:
    spec, root = spec_of("pytorch", Path(), tiny_checkpoints[0])
    pytorch = open_backend("pytorch", spec, root, threads=2)
    wanted = to_unit(pytorch.run(**inputs(pytorch))["image"], spec.outputs[0])
    found = to_unit(backend.run(**inputs(backend))["image"], backend.spec.outputs[0])
    assert np.abs(found - wanted).max() <= (0.003 if backend.name == "coreml" else 1e-4)


def test_a_second_frame_does_not_change_the_first(backend: Backend) -> None:
    feeds = inputs(backend)
    first = backend.run(**feeds)["image"]
    kept = first.copy()
    backend.run(**{**feeds, "embedding": -EMBEDDING})
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"embedding": None}, "it expects target, embedding"),
        ({"extra": EMBEDDING}, "it expects target, embedding"),
        ({"embedding": EMBEDDING[0]}, r"'embedding' is \(16,\)"),
        ({"embedding": EMBEDDING.astype(np.float64)}, "float64"),
        ({"embedding": EMBEDDING * np.nan}, "not finite"),
    ],
    ids=["missing", "unknown", "shape", "dtype", "nan"],
)
def test_wrong_inputs_are_refused_in_words(
    change: dict[str, np.ndarray | None], message: str, backend: Backend
) -> None:
    changed = {**inputs(backend), **change}
    with pytest.raises(ContractError, match=message):
        backend.run(**{name: value for name, value in changed.items() if value is not None})


@pytest.mark.parametrize("name", ["onnx", "tflite"])
def test_a_foreign_file_is_refused_in_words(name: str, bundle: Path, tmp_path: Path) -> None:
    spec = load_bundle(bundle).find("generator", BACKENDS[name][2], "fp32")
    (tmp_path / spec.file).write_bytes(b"no model at all")
    with pytest.raises(ContractError, match="cannot load"):
        open_backend(name, spec, tmp_path)


def test_tflite_runs_in_one_xnnpack_partition(bundle: Path) -> None:
    from pipeline.backends.tflite import TfliteBackend

    for spec in load_bundle(bundle).models:
        if spec.format == "tflite":
            assert TfliteBackend.load(spec, bundle).partitions == 1, spec.file


def test_an_unknown_backend_is_a_usage_error(bundle: Path) -> None:
    spec = load_bundle(bundle).find("generator", "onnx", "fp32")
    with pytest.raises(UsageError, match="there are pytorch, onnx, tflite, coreml"):
        open_backend("tensorrt", spec, bundle)


def test_a_file_of_another_format_is_a_usage_error(bundle: Path) -> None:
    spec = load_bundle(bundle).find("generator", "onnx", "fp32")
    with pytest.raises(UsageError, match=r"runs \.tflite files"):
        open_backend("tflite", spec, bundle)


def test_an_uninstalled_runtime_says_what_to_install(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    spec = load_bundle(bundle).find("generator", "onnx", "fp32")
    with pytest.raises(BackendUnavailable, match=r"pip install 'mobilefsgan-toolkit\[onnx\]'"):
        open_backend("onnx", spec, bundle)


@pytest.mark.parametrize("extra", ["torch", "onnx", "tflite", "coreml", "faces", "swap", "web"])
def test_messages_name_extras_that_there_are(extra: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert install(extra) == f"pip install '{project['name']}[{extra}]'"
    assert extra in project["optional-dependencies"]
