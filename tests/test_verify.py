"""`export.verify`: what counts as verified, and what foreign bundles may not do."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from small_bundles import ONNX, spec_of, write_identity_bundle, write_manifest, write_small

from export.verify import main
from model.digest import digest
from pipeline import gallery

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_identity_bundle(tmp_path / "small")


def change(path: Path, how: Change) -> None:
    data = json.loads(path.read_text())
    how(data)
    path.write_text(json.dumps(data))


def refusal(bundle: Path, capsys: pytest.CaptureFixture[str], code: int = 4) -> str:
    """The one line that `main` ends with."""
    assert main([str(bundle)]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    return line


def test_a_whole_bundle_verifies(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(small)]) == 0
    assert "dB, executed" in capsys.readouterr().out


@pytest.mark.parametrize("threads", ["0", "-1", "many", "99999999999999999999"])
def test_an_impossible_number_of_threads_is_a_usage_error(threads: str, small: Path) -> None:
    assert main([str(small), f"--threads={threads}"]) == 2


def test_a_bundle_without_samples_is_not_verified(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = write_identity_bundle(tmp_path / "none", samples=0)
    assert f"not verified: {ONNX}" in refusal(bundle, capsys, 1)


def test_a_bundle_without_models_is_not_verified(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_manifest(small, [])
    assert "holds no model" in refusal(small, capsys, 1)


def test_a_bundle_that_cannot_run_here_is_not_verified(
    small: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert "onnxruntime is not installed" in refusal(small, capsys, 3)


SAMPLES: dict[str, Change] = {
    "target missing": lambda s: s.pop("target"),
    "embedding missing": lambda s: s.pop("embedding"),
    "image missing": lambda s: s.pop("image"),
    "file missing": lambda s: s["image"].pop("file"),
    "file not there": lambda s: s["image"].update(file="no.bin"),
    "file above": lambda s: s["image"].update(file="../manifest.json"),
    "file a number": lambda s: s["image"].update(file=7),
    "file with NUL": lambda s: s["image"].update(file="a\0b"),
    "file name too long": lambda s: s["image"].update(file="n" * 300),
    "shape missing": lambda s: s["image"].pop("shape"),
    "shape of words": lambda s: s["image"].update(shape=["a"]),
    "shape a number": lambda s: s["image"].update(shape=7),
    "too few axes": lambda s: s["image"].update(shape=[8, 8, 3]),
    "negative axis": lambda s: s["image"].update(shape=[1, -1, 8, 3]),
    "huge axis": lambda s: s["image"].update(shape=[1, 2**40, 2**40, 3]),
    "other size": lambda s: s["image"].update(shape=[1, 4, 16, 3]),
    "longer than its file": lambda s: s["embedding"].update(shape=[1, 8]),
    "shorter than its file": lambda s: s["embedding"].update(shape=[1, 2]),
    "unknown dtype": lambda s: s["image"].update(dtype="float33"),
    "objects": lambda s: s["image"].update(dtype="object"),
    "dtype a list": lambda s: s["image"].update(dtype=[1]),
    "no object": lambda s: s.update(image="picture"),
}


@pytest.mark.parametrize("damage", SAMPLES)
def test_a_damaged_sample_is_one_line_and_exit_4(
    damage: str, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(small / "golden/index.json", lambda data: SAMPLES[damage](data["samples"][0]))
    assert "holds no readable golden samples" in refusal(small, capsys)


@pytest.mark.parametrize("damage", ["link", "pipe", "endless", "not finite"])
def test_a_sample_that_is_no_plain_file_is_refused(
    damage: str, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = small / "golden/0-image.bin"
    if damage == "endless":
        os.truncate(file, 1 << 42)
    elif damage == "not finite":
        file.write_bytes(b"\xff" * file.stat().st_size)
    else:
        file.unlink()
        file.symlink_to("/dev/zero") if damage == "link" else os.mkfifo(file)
    assert "holds no readable golden samples" in refusal(small, capsys)


def test_samples_of_another_size_than_the_model_are_refused(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def turn(data: dict[str, Any]) -> None:
        for sample in data["samples"]:
            for name in ("target", "image"):
                sample[name]["shape"] = [1, 4, 16, 3]

    change(small / "golden/index.json", turn)
    assert "expects (1, 3, 8, 8)" in refusal(small, capsys)


MANIFESTS: dict[str, tuple[Change, str]] = {
    "no inputs": (lambda m: m.update(inputs=[]), "expected a picture among the inputs"),
    "no outputs": (lambda m: m.update(outputs=[]), "one output"),
    "two outputs": (lambda m: m.update(outputs=m["outputs"] * 2), "one output"),
    "no picture": (lambda m: m["inputs"][0].update(color=None), "picture among the inputs"),
    "a vector of a generator": (lambda m: m["outputs"][0].update(color=None), "another kind"),
    "another size": (lambda m: m["inputs"][0].update(shape=[1, 3, 16, 16]), "in generator-fp32"),
    "another embedding": (lambda m: m["inputs"][1].update(shape=[1, 5]), "in generator-fp32"),
    "another output": (lambda m: m["outputs"][0].update(shape=[1, 3, 4, 16]), "in generator-fp32"),
    "another dtype": (lambda m: m["inputs"][0].update(dtype="uint8"), "in generator-fp32"),
    "another name": (lambda m: m["inputs"][0].update(name="x"), "has inputs"),
    "zero": (lambda m: m["inputs"][0].update(shape=[1, 3, 0, 8]), "no tensor of a bundle"),
    "negative": (lambda m: m["inputs"][0].update(shape=[1, 3, -8, -8]), "no tensor of a bundle"),
    "huge": (lambda m: m["inputs"][0].update(shape=[1, 3, 2**62, 8]), "no tensor of a bundle"),
    "three axes": (lambda m: m["inputs"][0].update(shape=[3, 8, 8]), "no tensor of a bundle"),
    "four channels": (lambda m: m["inputs"][0].update(shape=[1, 4, 8, 8]), "no tensor"),
    "empty range": (lambda m: m["inputs"][0].update(range=[0, 0]), "no tensor of a bundle"),
    "a name of two lines": (lambda m: m.update(file="a\nb.onnx"), "not a plain file name"),
    "a name with NUL": (lambda m: m.update(file="a\0b.onnx"), "not a plain file name"),
    "a name too long": (lambda m: m.update(file="n" * 300 + ".onnx"), "lacks n"),
}


@pytest.mark.parametrize("damage", MANIFESTS)
def test_a_manifest_unlike_its_model_is_one_line_and_exit_4(
    damage: str, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    how, words = MANIFESTS[damage]
    change(small / "manifest.json", lambda data: how(data["models"][0]))
    assert words in refusal(small, capsys)


def test_a_model_that_fails_when_it_runs_is_one_line_and_exit_4(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = onnx.load(small / ONNX)
    del model.graph.node[:]
    index = onnx.numpy_helper.from_array(onnx.numpy_helper.np.array([9]), "index")
    model.graph.initializer.append(index)
    model.graph.node.append(onnx.helper.make_node("Gather", ["target", "index"], ["image"]))
    onnx.save(model, small / ONNX)
    sha256, size = digest(small / ONNX)
    how = {"sha256": sha256, "bytes": size}
    change(small / "manifest.json", lambda data: data["models"][0].update(how))
    assert "ONNX Runtime cannot compute" in refusal(small, capsys)


def test_names_in_a_model_that_are_no_text_are_one_line_and_exit_4(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = (small / ONNX).read_bytes().replace(b"embedding", b"embed\xb1ing")
    (small / ONNX).write_bytes(content)
    sha256, size = digest(small / ONNX)
    how = {"sha256": sha256, "bytes": size}
    change(small / "manifest.json", lambda data: data["models"][0].update(how))
    assert "ONNX Runtime cannot load" in refusal(small, capsys)


@pytest.mark.parametrize("name", ["a\0b", "n" * 300, "nowhere", "/dev/null"])
def test_what_is_no_bundle_is_one_line_and_exit_4(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "is no bundle" in refusal(Path(name), capsys)


def test_a_folder_without_a_manifest_is_told_what_it_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "is no bundle: there is no manifest.json in it" in refusal(tmp_path, capsys)
    assert "is no bundle: it does not exist" in refusal(tmp_path / "nowhere", capsys)
    assert "is no bundle: it is no folder" in refusal(Path(__file__), capsys)
    (tmp_path / "manifest.json").write_bytes(b"\xff")
    assert "is no bundle: manifest.json cannot be read ('utf-8'" in refusal(tmp_path, capsys)


@pytest.mark.parametrize("kind", ["no bundle", "no model that runs here"])
def test_a_gallery_of_nothing_is_refused_and_nothing_is_written(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, output = tmp_path / "b", tmp_path / "out.png"
    if kind != "no bundle":
        write_manifest(write_small(bundle), [])
    output.write_bytes(b"mine")
    code = gallery.main(["--bundle", str(bundle), "-o", str(output)])
    assert code == (4 if kind == "no bundle" else 3)
    assert [line.startswith("error: ") for line in capsys.readouterr().err.splitlines()][-1]
    assert output.read_bytes() == b"mine"


def test_a_file_of_no_model_is_one_line_and_exit_4(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_small(tmp_path / "b")
    write_identity_bundle(tmp_path / "c").joinpath("golden").rename(folder / "golden")
    (folder / ONNX).write_bytes(b"no model")
    write_manifest(folder, [spec_of(folder / ONNX)])
    assert "ONNX Runtime cannot load" in refusal(folder, capsys)
