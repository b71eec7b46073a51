"""What an export leaves on disk, also when it is stopped, refused or repeated."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT, run

from model.digest import digest
from model.manifest import load_bundle


def snapshot(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): digest(file)[0]
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_every_format_and_precision_of_both_networks_is_there(bundle: Path) -> None:
    assert {spec.file for spec in load_bundle(bundle).models} == {
        f"{model}-{precision}.{format}"
        for model in ("generator", "identity")
        for precision in ("fp32", "fp16")
        for format in ("onnx", "tflite", "mlpackage")
    }


def test_nothing_is_there_that_the_manifest_does_not_explain(bundle: Path) -> None:
    explained = {spec.file for spec in load_bundle(bundle).models} | {"manifest.json", "golden"}
    assert {path.name for path in bundle.iterdir()} == explained
    assert {path.name for path in bundle.parent.iterdir()} == {"tiny", "tiny.log"}


def test_hashes_and_sizes_are_those_of_the_files(bundle: Path) -> None:
    for spec in load_bundle(bundle).models:
        assert (spec.sha256, spec.bytes) == digest(bundle / spec.file)


def test_what_was_executed_says_so_and_has_its_figures(bundle: Path) -> None:
    for spec in load_bundle(bundle).models:
        if spec.format in ("onnx", "tflite"):
            assert spec.parity.measured == "executed"
            assert spec.parity.samples == 4
            assert spec.parity.identity_cosine >= 0.999


def test_golden_samples_are_raw_little_endian_arrays(bundle: Path) -> None:
    index = json.loads((bundle / "golden" / "index.json").read_text())
    assert len(index["samples"]) == 3
    for sample in index["samples"]:
        embedding = np.fromfile(bundle / "golden" / sample["embedding"]["file"], "<f4")
        assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)
        target = np.fromfile(bundle / "golden" / sample["target"]["file"], "u1")
        assert target.size == np.prod(sample["target"]["shape"]) == 256 * 256 * 3
        image = np.fromfile(bundle / "golden" / sample["image"]["file"], "<f4")
        assert image.size == 256 * 256 * 3
        assert 0 <= image.min() < image.max() <= 1


def test_golden_samples_replay_on_every_file(bundle: Path) -> None:
    result = run("export.verify", bundle, "--json")
    assert result.returncode == 0, result.stderr
    held = {row["file"]: row["held"] for row in json.loads(result.stdout)}
    assert all(held[f] for f in held if f.endswith(("onnx", "tflite")))


def test_a_damaged_model_file_does_not_verify(bundle: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(bundle, tmp_path / "copy")
    with (copy / "generator-fp32.onnx").open("ab") as file:
        file.write(b"x")
    result = run("export.verify", copy)
    assert result.returncode == 4
    assert "generator-fp32.onnx is not the file that its manifest describes" in result.stderr


def test_another_network_in_its_place_misses_parity(bundle: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(bundle, tmp_path / "copy")
    golden = copy / "golden" / "0-image.bin"
    golden.write_bytes(np.zeros(256 * 256 * 3, "<f4").tobytes())
    result = run("export.verify", copy)
    assert result.returncode == 1
    assert "parity missed by" in result.stderr


def export(checkpoints: tuple[Path, Path], dist: Path, *flags: object, kind: str = "export.onnx"):
    generator, identity = checkpoints
    return run(
        kind, generator, "--identity", identity, "-o", dist, "--samples", "2", "--quiet", *flags
    )


@pytest.mark.slow
def test_a_second_format_joins_the_first(tiny_checkpoints, tmp_path: Path) -> None:
    assert export(tiny_checkpoints, tmp_path).returncode == 0
    before = snapshot(tmp_path / "tiny")
    result = export(tiny_checkpoints, tmp_path, "--precision", "fp16", kind="export.coreml")
    assert result.returncode == 0, result.stderr
    after = snapshot(tmp_path / "tiny")
    assert all(after[f] == sha for f, sha in before.items() if f.endswith(".onnx"))
    formats = {spec.format for spec in load_bundle(tmp_path / "tiny").models}
    assert formats == {"onnx", "mlpackage"}


@pytest.mark.slow
def test_files_of_other_weights_do_not_stay(tiny_checkpoints, tmp_path: Path) -> None:
    assert export(tiny_checkpoints, tmp_path).returncode == 0
    weights = torch.load(tiny_checkpoints[0], weights_only=True)
    weights["decoder.image256_output.conv.bias"] += 0.01
    changed = tmp_path / "other" / "tiny.pt"
    changed.parent.mkdir()
    torch.save(weights, changed)
    checkpoints = (changed, tiny_checkpoints[1])
    refused = export(checkpoints, tmp_path, "--precision", "fp16")
    assert refused.returncode == 4
    assert "holds a bundle of other weights: tiny.pt" in refused.stderr
    agreed = export(checkpoints, tmp_path, "--precision", "fp16", "--overwrite")
    assert agreed.returncode == 0, agreed.stderr
    kept = {"generator-fp16.onnx", "identity-fp16.onnx"}
    assert {s.file for s in load_bundle(tmp_path / "tiny").models} == kept
    assert {path.name for path in (tmp_path / "tiny").glob("*.onnx")} == kept


@pytest.mark.slow
def test_a_baked_generator_takes_the_target_alone(tiny_checkpoints, tmp_path: Path) -> None:
    embedding = np.full(16, 0.25, np.float32)
    np.save(tmp_path / "me.npy", embedding)
    result = export(tiny_checkpoints, tmp_path, "--bake-identity", tmp_path / "me.npy")
    assert result.returncode == 0, result.stderr
    (fp16, fp32) = load_bundle(tmp_path / "tiny").models
    assert (fp16.file, fp32.file) == ("generator-fp16-baked.onnx", "generator-fp32-baked.onnx")
    assert [tensor.name for tensor in fp32.inputs] == ["target"]
    assert run("export.verify", tmp_path / "tiny").returncode == 0


@pytest.mark.slow
def test_no_parity_is_recorded(tiny_checkpoints, tmp_path: Path) -> None:
    assert export(tiny_checkpoints, tmp_path, "--no-parity").returncode == 0
    parities = {spec.parity.measured for spec in load_bundle(tmp_path / "tiny").models}
    assert parities == {"skipped"}


@pytest.mark.slow
def test_a_refused_checkpoint_leaves_the_earlier_bundle(tiny_checkpoints, tmp_path: Path) -> None:
    assert export(tiny_checkpoints, tmp_path).returncode == 0
    before = snapshot(tmp_path)
    broken = tmp_path / "broken" / "tiny.pt"
    broken.parent.mkdir()
    broken.write_bytes(tiny_checkpoints[0].read_bytes()[:1000])
    assert export((broken, tiny_checkpoints[1]), tmp_path).returncode == 4
    shutil.rmtree(broken.parent)
    assert snapshot(tmp_path) == before


@pytest.mark.slow
def test_where_every_gate_is_missed_the_earlier_bundle_stays(
    tiny_checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import export.proof.parity
    from export.job import Job
    from export.job import run as run_job
    from export.stages import Stages
    from model.errors import ParityError

    generator, identity = tiny_checkpoints
    job = Job(generator, identity, tmp_path, ("onnx",), ("fp16",), samples=2)
    run_job(job, Stages(quiet=True))
    before = snapshot(tmp_path / "tiny")
    monkeypatch.setitem(export.proof.parity._MIN_PSNR_DB, "fp16", 199.0)
    monkeypatch.setattr(export.proof.parity, "MIN_IDENTITY_COSINE", 2.0)
    with pytest.raises(ParityError, match=r"generator-fp32\.onnx has .*Nothing was written"):
        run_job(job, Stages(quiet=True))
    assert snapshot(tmp_path / "tiny") == before
    assert {path.name for path in tmp_path.iterdir()} == {"tiny", "tiny.log"}


@pytest.mark.slow
def test_what_holds_its_gate_is_published_and_what_misses_is_named(
    tiny_checkpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    import export.proof.parity
    from export.onnx import main

    monkeypatch.setitem(export.proof.parity._MIN_PSNR_DB, "fp16", 199.0)
    generator, identity = map(str, tiny_checkpoints)
    flags = ["--identity", identity, "-o", str(tmp_path), "--samples", "1"]
    assert main([generator, *flags]) == 1
    kept = {"generator-fp32.onnx", "identity-fp16.onnx", "identity-fp32.onnx"}
    assert {spec.file for spec in load_bundle(tmp_path / "tiny").models} == kept
    assert {path.name for path in (tmp_path / "tiny").glob("*.onnx")} == kept
    out, err = capsys.readouterr()
    assert all(file in out for file in kept)
    (error,) = [line for line in err.splitlines() if line.startswith("error:")]
    assert "generator-fp16.onnx has PSNR" in error
    assert "that held: rewritten for inference" in error
    assert f"The other files are in {tmp_path / 'tiny'}" in error


@pytest.mark.slow
@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_export_leaves_the_earlier_bundle(
    blow: signal.Signals, tiny_checkpoints, tmp_path: Path
) -> None:
    assert export(tiny_checkpoints, tmp_path).returncode == 0
    before = snapshot(tmp_path / "tiny")
    generator, identity = tiny_checkpoints
    child = subprocess.Popen(
        [sys.executable, "-m", "export.onnx", generator, "--identity", identity, "-o", tmp_path],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        # A background shell makes its children deaf to Ctrl-C, as CI may.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".tiny.partial-*/new/*.onnx")):
        assert child.poll() is None, "the export ended before it could be stopped"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child.send_signal(blow)
    _, words = child.communicate()
    assert snapshot(tmp_path / "tiny") == before
    if blow != signal.SIGKILL:
        assert child.returncode == 130
        assert "Traceback" not in words
        assert not list(tmp_path.glob(".tiny.partial-*"))
    assert export(tiny_checkpoints, tmp_path).returncode == 0
    assert not list(tmp_path.glob(".tiny.partial-*")), "the next export cleans up"
