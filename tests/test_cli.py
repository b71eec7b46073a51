"""The commands as a user meets them: quick help, no noise, clear refusals."""

import importlib
import importlib.util
import json
import resource
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Exported, run
from PIL import Image

COMMANDS = [
    "export",
    "export.onnx",
    "export.tflite",
    "export.coreml",
    "export.sensitivity",
    "export.verify",
    "export.doctor",
    "model.seeded",
    "pipeline.mlpackage",
    "pipeline",
    "pipeline.gallery",
    "training.distill",
    "training.evaluate",
    "training.mean",
    "training.measure_edits",
    "training.train",
    "training.triplets",
    "training.verify",
]


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_help_answers_in_under_a_second(command: str) -> None:
    # Processor time, so that a busy machine does not count.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert run(command, "--help").returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1


@pytest.mark.parametrize("command", COMMANDS[:4])
def test_an_unknown_precision_is_a_usage_error(command: str) -> None:
    assert run(command, "x.pt", "--precision", "fp8").returncode == 2


@pytest.mark.slow
def test_a_precision_that_the_format_lacks_is_a_usage_error(tiny_checkpoints) -> None:
    result = run("export.onnx", tiny_checkpoints[0], "--precision", "pal6")
    assert result.returncode == 2
    assert "onnx has fp32, fp16, int8" in result.stderr


def test_the_table_is_on_stdout_and_the_stages_on_stderr(
    exported: Exported,
) -> None:
    assert "generator-fp32.tflite" in exported.stdout
    assert "measured" in exported.stdout.splitlines()[0]
    assert "through onnx2tf" in exported.stderr
    assert "through onnx2tf" not in exported.stdout


def test_stages_tell_seconds_and_megabytes(exported: Exported) -> None:
    (line,) = [li for li in exported.stderr.splitlines() if " generator-fp16.tflite  " in li]
    assert " s  generator-fp16.tflite" in line
    assert "MB, 1 XNNPACK partition" in line


def test_the_next_commands_are_named(exported: Exported) -> None:
    words = exported.stderr
    lines = words[words.index("next:") :].splitlines()[1:]
    assert "python -m export.verify" in lines[0]
    assert any("--bake-identity" in line for line in lines)
    for line in lines:
        command = shlex.split(line, comments=True)
        assert command[:2] == ["python", "-m"]
        assert importlib.util.find_spec(command[2])
        named = [word for word in command[3:] if "/" in word]
        assert all(Path(word).exists() for word in named), line
        with pytest.raises(SystemExit) as parsed:  # every word is known: only the help is shown
            importlib.import_module(parser_of(command[2])).main([*command[3:], "--help"])
        assert parsed.value.code == 0


def parser_of(module: str) -> str:
    return "export.__main__" if module == "export" else module


NOISE = [
    "WARNING",
    "Warning",
    "INFO",
    "tensorflow/",
    "absl",
    "coremltools",
    "XNNPACK delegate",
    "%|",
]


@pytest.mark.parametrize("noise", NOISE)
def test_no_converter_chatter_reaches_the_terminal(noise: str, exported: Exported) -> None:
    assert noise not in exported.stdout + exported.stderr


def test_the_chatter_is_in_the_log_beside_the_bundle(bundle: Path) -> None:
    assert bundle.with_suffix(".log").stat().st_size > 1000


@pytest.mark.slow
def test_json_is_the_whole_of_stdout(tiny_checkpoints, tmp_path: Path) -> None:
    result = run("export.onnx", tiny_checkpoints[0], "-o", tmp_path, "--json", "--quiet")
    assert result.stderr == ""
    assert {row["file"] for row in json.loads(result.stdout)} >= {"generator-fp32.onnx"}


def make_bad_input(name: str, folder: Path, checkpoint: Path) -> list[object]:
    """Arguments of an export that has to be refused."""
    path = folder / "bad.pt"
    np.save(folder / "zero.npy", np.zeros(16, np.float32))
    np.save(folder / "nan.npy", np.full(16, np.nan, np.float32))
    np.save(folder / "wide.npy", np.full(17, 17**-0.5, np.float32))
    np.save(folder / "text.npy", np.array(["a"] * 16))
    Image.new("RGB", (100, 256)).save(folder / "small.png")
    (folder / "text.txt").write_text("hello")
    if name == "missing":
        return [path]
    if name == "truncated":
        path.write_bytes(checkpoint.read_bytes()[:5000])
    elif name == "text":
        path.write_text("hello")
    elif name == "nan":
        state = torch.load(checkpoint, weights_only=True)
        state["encoder_head.conv1x1.bias"][0] = torch.nan
        torch.save(state, path)
    elif name == "folder for a checkpoint":
        return [folder]
    elif name == "file for a folder":
        return [checkpoint, "-o", folder / "text.txt"]
    elif name == "generator for an identity encoder":
        return [checkpoint, "--identity", checkpoint]
    else:
        return [checkpoint, "--bake-identity", folder / name]
    return [path]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing", "does not exist"),
        ("truncated", "cut short"),
        ("text", "not a PyTorch checkpoint"),
        ("nan", "NaN"),
        ("folder for a checkpoint", "is a folder"),
        ("file for a folder", "is a file"),
        ("generator for an identity encoder", "not a MobileFaceNet"),
        ("zero.npy", "zero or not finite"),
        ("nan.npy", "zero or not finite"),
        ("wide.npy", "this generator takes floats of (16,)"),
        ("text.npy", "it is no .npy of numbers"),
        ("small.png", "shows no face"),
        ("text.txt", "is no picture that can be read"),
        ("nothing.npy", "cannot be read: it is missing"),
        ("nothing.png", "does not exist"),
    ],
)
def test_bad_input_is_one_line_and_exit_4_and_writes_nothing(
    name: str, words: str, tiny_checkpoints: tuple[Path, Path], tmp_path: Path
) -> None:
    arguments = make_bad_input(name, tmp_path, tiny_checkpoints[0])
    output = [] if "-o" in arguments else ["-o", tmp_path / "dist"]
    identity = tiny_checkpoints[1] if name.endswith((".png", ".txt")) else None
    flags = ["--identity", identity] if identity else []
    result = run("export.onnx", *arguments, *output, *flags, "--quiet")
    assert result.returncode == 4
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""
    assert not list(tmp_path.glob("dist/**/*.onnx"))


def test_a_calibration_set_that_no_file_needs_is_a_usage_error(tmp_path: Path) -> None:
    result = run("export.onnx", "ckpt.pt", "--precision", "fp32", "--calibration", tmp_path)
    assert result.returncode == 2
    assert "has no use: expected a file whose ranges are measured, onnx's int8" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.slow
def test_a_face_without_an_encoder_is_a_usage_error(tiny_checkpoints, tmp_path: Path) -> None:
    # The shipped encoder does not fit a generator for 16-d embeddings.
    Image.new("RGB", (256, 256)).save(tmp_path / "face.png")
    result = run("export.onnx", tiny_checkpoints[0], "--bake-identity", tmp_path / "face.png")
    assert result.returncode == 2
    assert "--identity CKPT" in result.stderr


@pytest.mark.slow
def test_embeddings_of_different_sizes_are_refused(tiny_checkpoints, tmp_path: Path) -> None:
    from model.checkpoint import save
    from model.mobilefacenet import MobileFaceNetConfig
    from model.seeded import seeded_identity_encoder

    save(seeded_identity_encoder(MobileFaceNetConfig(4, 8)), tmp_path / "id.pt")
    result = run("export.onnx", tiny_checkpoints[0], "--identity", tmp_path / "id.pt")
    assert result.returncode == 4
    assert "gives 8 numbers, the generator takes 16" in result.stderr


@pytest.mark.slow
def test_a_crashing_onnxsim_is_survived_and_said_aloud(
    tiny_checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "fake" / "onnxsim"
    fake.mkdir(parents=True)
    (fake / "__init__.py").write_text("import os; os.kill(os.getpid(), 11)")
    monkeypatch.setenv("PYTHONPATH", str(fake.parent))
    result = run("export.onnx", tiny_checkpoints[0], "-o", tmp_path, "--samples", "1")
    assert result.returncode == 0, result.stderr
    assert "NOT simplified: onnxsim crashed" in result.stderr


@pytest.mark.slow
def test_an_onnxsim_that_changes_numbers_is_not_used(
    tiny_checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "fake" / "onnxsim"
    fake.mkdir(parents=True)
    (fake / "__init__.py").write_text(
        "import onnx\n"
        "from onnx import numpy_helper as nh\n"
        "def simplify(path):\n"
        "    model = onnx.load(path)\n"
        "    for tensor in model.graph.initializer:\n"
        "        tensor.CopyFrom(nh.from_array(nh.to_array(tensor) * 2, tensor.name))\n"
        "    return model, True\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(fake.parent))
    result = run("export.onnx", tiny_checkpoints[0], "-o", tmp_path, "--samples", "1")
    assert result.returncode == 0, result.stderr
    assert "NOT simplified: onnxsim changed the numbers" in result.stderr


@pytest.mark.slow
def test_a_crashing_onnx2tf_is_exit_3_with_the_logs_tail(
    tiny_checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "fake" / "onnx2tf"
    fake.mkdir(parents=True)
    (fake / "__init__.py").write_text("raise RuntimeError('the very reason')")
    monkeypatch.setenv("PYTHONPATH", str(fake.parent))
    result = run("export.tflite", tiny_checkpoints[0], "-o", tmp_path / "dist", "--samples", "1")
    assert result.returncode == 3
    assert "the very reason" in result.stderr
    assert "Traceback" not in result.stderr.split("The end of its log")[0]
    assert [p.name for p in (tmp_path / "dist").iterdir()] == ["tiny.log"]
