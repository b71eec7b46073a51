"""`python benchmarks/latency.py` and its kin, as a user types them, on the tiny bundle."""

import importlib
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT, program
from phone import FROM_A_PHONE

from benchmarks import latency
from benchmarks.harness import rows
from benchmarks.harness.contenders import Contender
from benchmarks.harness.interleave import Worker, WorkerFailed, interleave
from benchmarks.harness.rows import MeasuredModel
from benchmarks.harness.worker import Task
from model.errors import UsageError


@pytest.fixture(scope="module")
def measured(
    bundle: Path, tiny_checkpoints: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[subprocess.CompletedProcess[str], list[rows.Row], Path]:
    folder = tmp_path_factory.mktemp("latency")
    result = program(
        "latency", bundle, "--checkpoint", tiny_checkpoints[0], "--runs", 12, "--rounds", 3,
        "--json", folder / "rows.jsonl", "--plot", folder / "latency.png",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return result, rows.read(folder / "rows.jsonl"), folder


@pytest.mark.slow
def test_every_runtime_and_precision_is_a_row_of_the_schema(measured) -> None:
    _, found, _ = measured
    timed = {row.name for row in found if row.total}
    assert timed >= {"pytorch-fp32", "onnx-fp32", "onnx-fp16", "tflite-fp32", "tflite-fp16"}


def test_every_executed_row_has_the_parity_of_the_very_file(measured, bundle: Path) -> None:
    _, found, _ = measured
    for row in found:
        if row.backend.requested != "pytorch" and row.check is not None:
            assert row.check.psnr_db is not None
            assert row.check.psnr_db > 40
            assert row.model.sha256 in (bundle / "manifest.json").read_text()


def test_the_plot_is_a_picture(measured) -> None:
    _, _, folder = measured
    assert (folder / "latency.png").read_bytes().startswith(b"\x89PNG")


def test_report_merges_rows_of_laptop_and_phone(measured, tmp_path: Path) -> None:
    _, _, folder = measured
    phone = tmp_path / "phone.jsonl"
    phone.write_text(json.dumps(FROM_A_PHONE) + "\n")
    result = program("report", folder / "rows.jsonl", phone, "-o", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert re.search(r"\| Pixel +\| gpu +\| int8 +\|", result.stdout)
    made = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert made == ["latency.png", "quality.png", "report.md"]


def test_report_names_the_line_that_is_no_row(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text(json.dumps(FROM_A_PHONE) + "\n{}\n")
    result = program("report", tmp_path / "bad.jsonl")
    assert result.returncode == 4
    assert "bad.jsonl:2 has schema None" in result.stderr


@pytest.mark.skipif(sys.platform == "darwin", reason="Core ML executes here")
def test_core_ml_alone_shows_parity_and_says_what_would_measure_it(bundle: Path) -> None:
    result = program("latency", bundle, "--backend", "coreml", "--precision", "fp32")
    assert result.returncode == 3
    assert "on a Mac, run this command there" in result.stderr
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("coreml ")]
    assert line.endswith("interpreted")


def test_a_file_that_is_not_the_manifests_is_a_row_with_the_reason(
    bundle: Path, tmp_path: Path
) -> None:
    import shutil

    copy = tmp_path / "bundle"
    shutil.copytree(bundle, copy)
    (copy / "generator-fp32.onnx").write_bytes(b"other")
    result = program("latency", copy, "--backend", "onnx", "--runs", 2, "--rounds", 1)
    assert result.returncode == 0, result.stderr
    refusal = "onnx-fp32: generator-fp32.onnx is not the file that its manifest describes"
    assert refusal in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nowhere"], 4, "nowhere is no bundle"),
        (["BUNDLE", "--against", "nobody"], 2, "no such row; there are"),
        (["BUNDLE", "--backend", "tflite", "--precision", "pal6"], 2, "it holds"),
        (["BUNDLE", "--runs", "0"], 2, "a whole number from 1 on"),
    ],
)
def test_wrong_words_are_refused_in_one_line(
    arguments: list[str], code: int, words: str, bundle: Path
) -> None:
    result = program("latency", *(str(bundle) if a == "BUNDLE" else a for a in arguments))
    assert result.returncode == code
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_ctrl_c_keeps_the_rows_measured_so_far(bundle: Path, tmp_path: Path) -> None:
    kept = tmp_path / "rows.jsonl"
    child = subprocess.Popen(
        [sys.executable, "benchmarks/latency.py", str(bundle), "--backend", "tflite", "--precision",
         "fp32", "--runs", "100000", "--rounds", "10000", "--json", str(kept)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert child.stderr is not None
    while "round" not in (line := child.stderr.readline()):
        assert line, "ended before a round was over"
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=60) == 130
    (row,) = rows.read(kept)
    assert row.total is not None
    assert row.runs.n >= 10


def task(tmp_path: Path, opener: str) -> Task:
    return Task(opener, {}, (), None, 1, str(tmp_path / "log"))


def test_a_runtime_that_crashes_is_a_reason(tmp_path: Path) -> None:
    (measurement,), interrupted = interleave(
        [task(tmp_path, "ctypes:string_at")], 1, 1, lambda _: None
    )
    assert measurement.reason is not None
    assert not interrupted


def test_a_worker_that_is_killed_says_by_what(tmp_path: Path) -> None:
    with (
        Worker(task(tmp_path, "os:abort")) as worker,
        pytest.raises(WorkerFailed, match="was killed by signal 6"),
    ):
        worker.loaded()


FAKE_ADB = """#!{python}
import json, pathlib, sys
words, home = sys.argv[1:], pathlib.Path({home!r})
(home / "said").open("a").write(" ".join(words) + "\\n")
if words == ["devices"]:
    print("List of devices attached\\n{device}")
elif words[:3] == ["shell", "am", "start"]:
    name = words[words.index("out") + 1]
    (home / name).write_text({rows!r})
elif words[0] == "pull":
    asked = home / pathlib.Path(words[1]).name
    if not asked.exists():
        sys.exit(1)
    pulls = (home / "said").read_text().count("pull")
    lines = asked.read_text().splitlines(keepends=True)
    pathlib.Path(words[2]).write_text("".join(lines[:1] if pulls < 2 else lines))
"""


def fake_adb(folder: Path, device: str) -> str:
    """A PATH with an `adb` that speaks the protocol; its first pull finds the app still busy."""
    written = json.dumps(FROM_A_PHONE) + '\n{"done": true}\n'
    adb = folder / "adb"
    adb.write_text(
        FAKE_ADB.format(python=sys.executable, home=str(folder), device=device, rows=written)
    )
    adb.chmod(adb.stat().st_mode | stat.S_IXUSR)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.slow
def test_a_phones_rows_come_through_adb_once_they_are_whole(tmp_path: Path) -> None:
    path = fake_adb(tmp_path, "emulator-5554\\tdevice")
    started = time.monotonic()
    result = program("latency", "--device", "android", "--backend", "tflite", "--runs", 7,
                     PATH=path)  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[1].split()[:2] == ["gpu", "int8"]
    said = (tmp_path / "said").read_text()
    assert "am start -W -n org.mobilefsgan.demo/.BenchmarkActivity --es backends tflite" in said
    assert "--ei runs 7" in said
    assert said.count("pull") == 2
    assert time.monotonic() - started < 30


def test_no_phone_is_one_line_and_exit_3(tmp_path: Path) -> None:
    result = program("latency", "--device", "android", PATH=fake_adb(tmp_path, ""))
    assert result.returncode == 3
    assert "adb sees no phone" in result.stderr


def test_no_adb_says_what_to_install() -> None:
    result = program("latency", "--device", "android", PATH="")
    assert result.returncode == 3
    assert "platform-tools" in result.stderr


def test_ratios_refer_to_pytorch_where_it_is_and_to_a_row_that_exists() -> None:
    def contender(name: str) -> Contender:
        return Contender(name, name, MeasuredModel("generator", "f", "0", "pt", "fp32", 1))

    found = [contender("tflite"), contender("onnx")]
    assert latency._against(found, None) == "onnx-fp32"
    assert latency._against([*found, contender("pytorch")], None) == "pytorch-fp32"
    assert latency._against(found, "tflite-fp32") == "tflite-fp32"
    with pytest.raises(UsageError, match="no such row; there are onnx-fp32, tflite-fp32"):
        latency._against(found, "coreml-fp32")


@pytest.mark.parametrize("command", ["latency", "peers", "quantizers"])
def test_rows_that_cannot_be_kept_are_refused_before_the_minutes(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    main = importlib.import_module(f"benchmarks.{command}").main
    assert main(["no-bundle", "--json", str(tmp_path / "file/rows.jsonl")]) == 4
    assert capsys.readouterr().err.startswith("error: cannot write ")


def test_a_plot_of_another_kind_is_refused_before_the_minutes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert latency.main(["no-bundle", "--plot", "plot.jpg"]) == 4
    assert "expected a .png, .svg or .pdf" in capsys.readouterr().err
