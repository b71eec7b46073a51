"""Make one int8 TFLite file of the generator with each quantizer, and judge it.

All quantizers get the same float network and the same calibration pairs.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness.contenders import Contender
from benchmarks.harness.interleave import scratch_log
from benchmarks.harness.openers import tflite_file
from benchmarks.harness.rows import Check, MeasuredModel
from benchmarks.harness.worker import Task
from export.convert.onnx import float_graph
from export.convert.tflite import TfliteConverter, to_int8
from export.proof.golden import feeds
from export.proof.parity import QUANTIZED_SAMPLES, Chain, Picture, Reference
from export.proof.prove import prove
from export.proof.samples import Pair, make_pairs
from export.quantize.calibration import CalibrationSet, built_in
from export.quantize.eight_bit import EightBit
from export.stages import Stages, run_child
from export.subject import Subject
from export.workbench import Workbench
from model.aligned_face import FACE_SIZE
from model.checkpoint import load_generator, load_identity_encoder
from model.deploy import DeployedGenerator
from model.digest import digest
from model.errors import BackendUnavailable, FaceSwapError, install
from model.files import write_atomically
from model.shipped import SHIPPED_EMBEDDING_SIZE, SHIPPED_IDENTITY_ENCODER
from pipeline.backends.base import Arrays
from pipeline.tensor import to_unit

OURS = "toolkit"
AI_EDGE = "ai-edge-quantizer"
_CACHE = Path("build/quantizers")


@dataclass(frozen=True, slots=True)
class Bench:
    """What all quantizers share: the network, the pairs, PyTorch's answers, settings.

    Attributes:
        subject: the generator, rewritten for inference.
        calibration: pairs that ranges are measured on.
        chain: PyTorch's answers on the pairs that files are judged by.
        folder: cache of the float files and of the other quantizers' files.
        python: interpreter of an environment with ai-edge-quantizer; None where none was given.
        threads: of the runtime.
        warmup: frames before the first timed one.
        log: what the quantizers print is appended to it.
        stages: shows progress.
    """

    subject: Subject
    calibration: CalibrationSet
    chain: Chain
    folder: Path
    python: Path | None
    threads: int
    warmup: int
    log: Path
    stages: Stages

    @property
    def onnx(self) -> Path:
        """The fp32 ONNX file, which onnx2tf quantizes."""
        return self.folder / self.subject.file_name("onnx", "fp32")

    @property
    def tflite(self) -> Path:
        """The fp32 TFLite file, which the other quantizers read."""
        return self.folder / self.subject.file_name("tflite", "fp32")


def bench(
    checkpoint: Path,
    identity: Path | None,
    *,
    python: Path | None,
    threads: int,
    warmup: int,
    stages: Stages,
) -> Bench:
    """Load the weights, compute PyTorch's answers, and make the float files that are missing.

    Args:
        checkpoint: the generator.
        identity: the encoder that gives the portraits' embeddings and judges pictures. None takes
            the shipped one, if the generator's embedding has its size.
        python: see `Bench`.
        threads: see `Bench`.
        warmup: see `Bench`.
        stages: see `Bench`.

    Raises:
        CheckpointError: the weights cannot be used.
        ConversionError: the float files cannot be made.
        ParityError: the float files miss their gates against PyTorch.
    """
    trained = load_generator(checkpoint)
    size = trained.config.embedding_size
    if identity is None and size == SHIPPED_EMBEDDING_SIZE and SHIPPED_IDENTITY_ENCODER.is_file():
        identity = SHIPPED_IDENTITY_ENCODER
    encoder = load_identity_encoder(identity) if identity else None
    with stages.stage("network as trained (PyTorch)"):
        pairs = make_pairs(QUANTIZED_SAMPLES, FACE_SIZE, size, encoder, None, seed=0)
        chain = Chain(Reference.compute(trained, encoder, pairs))
    calibration = built_in(FACE_SIZE, size, encoder)
    key = hashlib.sha256((digest(checkpoint)[0] + calibration.sha256).encode()).hexdigest()
    folder = _CACHE.resolve() / key[:12]  # absolute: children run elsewhere
    folder.mkdir(parents=True, exist_ok=True)
    network = DeployedGenerator(trained).requires_grad_(False).eval()
    made = Bench(
        Subject("generator", network, FACE_SIZE, size), calibration, chain, folder, python,
        threads, warmup, scratch_log(), stages,
    )  # fmt: skip
    if not made.tflite.exists():
        _float_files(made)
    return made


def contender(name: str, bench: Bench) -> tuple[Contender, Check | None]:
    """Quantize, compare with PyTorch, and describe how to time the file.

    Args:
        name: of the quantizer.
        bench: what all quantizers share.

    Returns:
        The contender and its figures. Where the quantizer fails, the contender has the reason and
        the figures are None.
    """
    path = bench.folder / f"{name}-int8.tflite"
    arguments: dict[str, Any] = {
        "path": str(path), "pictures": "uint8" if name == OURS else "float",
        "embedding_size": bench.subject.embedding_size, "threads": bench.threads,
    }  # fmt: skip
    try:
        _quantize(name, path, bench)
        check = _judge(name, arguments, bench)
    except FaceSwapError as error:
        # The first line says what failed, the last line of the quoted log why.
        lines = str(error).splitlines()
        reason = " ".join(dict.fromkeys((lines[0], lines[-1].strip(" |"))))
        model = MeasuredModel("generator", path.name, "", "tflite", "int8", 0)
        return Contender(name, name, model, reason=reason), None
    sha256, size = digest(path)
    model = MeasuredModel("generator", path.name, sha256, "tflite", "int8", size)
    task = Task(
        "benchmarks.harness.openers:tflite_file", arguments, ("ai_edge_litert.interpreter",), None,
        bench.warmup, str(bench.log),
    )  # fmt: skip
    return Contender(name, name, model, task=task), check


def _float_files(bench: Bench) -> None:
    """Make and prove the float files; the TFLite file comes last and marks them as complete."""
    with tempfile.TemporaryDirectory() as folder:
        workbench = _workbench(bench, Path(folder))
        graph = float_graph(bench.subject, workbench)
        made = TfliteConverter(graph, ["fp32"], workbench).convert("fp32", EightBit())
        prove(made, bench.chain, bench.threads, bench.stages)
        write_atomically(bench.onnx, lambda beside: shutil.copyfile(graph.path, beside))
        write_atomically(bench.tflite, lambda beside: shutil.copyfile(made.path, beside))


def _quantize(name: str, path: Path, bench: Bench) -> None:
    """Write the int8 file of one quantizer. Files of other quantizers are kept from earlier runs.

    Raises:
        BackendUnavailable: the quantizer is not installed.
        ConversionError: it failed.
    """
    if name != OURS and path.exists():
        return
    with tempfile.TemporaryDirectory() as folder, bench.stages.stage(path.name):
        work, calibration = Path(folder), bench.calibration
        if name == OURS:
            eight_bit = EightBit(calibration)
            to_int8(bench.subject, bench.tflite, path, eight_bit, _workbench(bench, work))
            return
        python = _python_with(name, bench.python)
        signature = bench.subject.signature("tflite")
        fed = [calibration.feed(signature, i) for i in range(len(calibration))]
        pairs = {tensor.name: str(work / f"{tensor.name}.npy") for tensor in signature.inputs}
        for tensor, file in pairs.items():
            np.save(file, np.concatenate([feed[tensor] for feed in fed]))
        task = {
            "quantizer": name, "onnx": str(bench.onnx), "tflite": str(bench.tflite),
            "pairs": pairs, "made": "made.tflite",
        }  # fmt: skip
        run_child("benchmarks.rivals.quantizer_child", [json.dumps(task)], bench.log, work, python)
        write_atomically(path, lambda beside: shutil.copyfile(work / "made.tflite", beside))


def _workbench(bench: Bench, folder: Path) -> Workbench:
    return Workbench(folder, folder, bench.log, bench.stages)


def _python_with(name: str, given: Path | None) -> str:
    """The Python interpreter to run another quantizer in.

    Raises:
        BackendUnavailable: no interpreter has the quantizer installed.
    """
    package = name.replace("-", "_")
    if name == AI_EDGE and given is not None:
        try:
            subprocess.run([given, "-c", f"import {package}"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            raise BackendUnavailable(
                f"{given} cannot import {package}; expected a Python with {name} in it"
            ) from None
        return str(given)
    if importlib.util.find_spec(package) is None:
        remedy = install("tflite")
        if name == AI_EDGE:
            remedy = (
                "it wants a newer LiteRT than the toolkit: install it into an environment of its "
                "own and give that one's Python with --ai-edge-quantizer"
            )
        raise BackendUnavailable(f"{package} is not installed; {remedy}")
    return sys.executable


def _judge(name: str, arguments: dict[str, Any], bench: Bench) -> Check:
    """Compare a file with PyTorch, without gates: figures of any size are reported."""
    backend = tflite_file(**arguments)
    output = backend.spec.outputs[0]

    def picture(pair: Pair) -> Picture:
        sample: Arrays = {"target": pair.face[None], "embedding": pair.embedding}
        return to_unit(backend.run(**feeds(backend.spec, sample))[output.name], output)

    with bench.stages.stage(f"{name} against PyTorch"):
        parity = bench.chain.generator(
            name, picture, -math.inf, mean_gate_db=-math.inf, min_cosine=-math.inf
        )
    return Check(parity.psnr_db, parity.max_abs, parity.identity_cosine, parity.mean_psnr_db)
