"""List what to time: the files of a bundle on each runtime, and its checkpoint in PyTorch."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.harness.interleave import scratch_log
from benchmarks.harness.rows import How, MeasuredModel
from benchmarks.harness.worker import Task
from export.proof.golden import folder_for
from model.contract import Checkpoint, Manifest, Model, ModelSpec
from model.digest import digest
from model.errors import BadInput, ContractError, UsageError
from model.manifest import load_bundle
from pipeline.backends import BACKENDS, backend_class
from pipeline.bundles import find_checkpoint

_IMPORTS = {
    "pytorch": ("torch", "model.deploy"),
    "onnx": ("onnxruntime",),
    "tflite": ("ai_edge_litert.interpreter",),
    "coreml": ("coremltools",),
}
COMPUTE_UNITS = ("ALL", "CPU_AND_NE", "CPU_AND_GPU", "CPU_ONLY")
ELSEWHERE = {
    "coreml": "Core ML runs on Apple systems only: on a Mac, run this command there; on a phone, "
    "the iOS app's benchmark with --device ios",
}


@dataclass(frozen=True, slots=True)
class Contender:
    """One model file on one runtime, to be timed.

    Attributes:
        requested: the backend by name.
        used: the runtime that does it, with its variant.
        model: the file.
        how: measured by the real runtime or interpreted by ours.
        task: None where it cannot run; then `reason` says why.
        identity_cosine: the exporter's figure for this file.
        reason: why it cannot run.
    """

    requested: str
    used: str
    model: MeasuredModel
    how: How = "measured"
    task: Task | None = None
    identity_cosine: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asked for.

    Attributes:
        bundle: its folder.
        manifest: what is in it.
        model: generator or identity encoder.
        backends: by name.
        precisions: of the files.
        threads: of each runtime.
        warmup: frames before the first timed one.
        checkpoint: for PyTorch; None looks where checkpoints lie.
    """

    bundle: Path
    manifest: Manifest
    model: Model
    backends: Sequence[str]
    precisions: Sequence[str]
    threads: int
    warmup: int
    checkpoint: Path | None


def contenders(wanted: Wanted) -> list[Contender]:
    """A contender for each file, runtime and, on a Mac, set of Core ML compute units.

    Raises:
        UsageError: the bundle holds nothing of what was asked for.
    """
    found = [c for name in wanted.backends for c in _of_backend(wanted, name)]
    if not found:
        files = ", ".join(spec.file for spec in wanted.manifest.models) or "nothing"
        raise UsageError(
            f"{wanted.bundle} has no {wanted.model} for {', '.join(wanted.backends)} at "
            f"{', '.join(wanted.precisions)}; it holds {files}. Export it, or ask for another"
        )
    return found


def contenders_of_file(bundle: Path, file: str, threads: int, warmup: int) -> list[Contender]:
    """One model file of a bundle, on the runtime of its format.

    Raises:
        ContractError: no bundle, or it lacks the file.
        UsageError: the file takes no identity (a baked one).
    """
    manifest = load_bundle(bundle)
    spec = next((spec for spec in manifest.models if spec.file == file), None)
    if spec is None:
        have = ", ".join(spec.file for spec in manifest.models) or "nothing"
        raise ContractError(f"bundle {bundle} has no {file}; it holds {have}")
    name = next(name for name, (_, _, format) in BACKENDS.items() if format == spec.format)
    return contenders(
        Wanted(bundle, manifest, spec.model, (name,), (spec.precision,), threads, warmup, None)
    )


def _of_backend(wanted: Wanted, name: str) -> list[Contender]:
    if name == "pytorch":
        return [_pytorch(wanted)] if "fp32" in wanted.precisions else []
    format = BACKENDS[name][2]
    specs = [
        spec
        for spec in wanted.manifest.models
        if spec.model == wanted.model
        and spec.format == format
        and spec.precision in wanted.precisions
        and spec.file == f"{spec.model}-{spec.precision}.{format}"  # a baked one takes no identity
    ]
    units = COMPUTE_UNITS if name == "coreml" and sys.platform == "darwin" else (None,)
    return [_of_file(wanted, name, spec, unit) for spec in specs for unit in units]


def _of_file(wanted: Wanted, name: str, spec: ModelSpec, units: str | None) -> Contender:
    model = MeasuredModel(
        spec.model, spec.file, spec.sha256, spec.format, spec.precision, spec.bytes
    )
    used = f"{name} {units}" if units else name
    available = backend_class(name).available()
    if not available:
        return Contender(name, used, model, reason=available.why)
    interpreted = available.how == "interpreted"
    arguments = {
        "bundle": str(wanted.bundle), "file": spec.file, "backend": name,
        "threads": wanted.threads, "units": units,
    }  # fmt: skip
    golden = wanted.bundle / folder_for(spec)
    return Contender(
        name,
        used,
        model,
        "interpreted" if interpreted else "measured",
        Task(
            "benchmarks.harness.openers:bundle_file", arguments, _IMPORTS[name],
            str(golden) if golden.is_dir() else None, wanted.warmup, str(scratch_log()),
            frames=not interpreted,
        ),
        spec.parity.identity_cosine,
        ELSEWHERE.get(name, available.why) if interpreted else None,
    )  # fmt: skip


def _pytorch(wanted: Wanted) -> Contender:
    record = wanted.manifest.checkpoint
    if wanted.model == "identity" and wanted.manifest.identity_checkpoint:
        record = wanted.manifest.identity_checkpoint
    model = MeasuredModel(wanted.model, record.file, record.sha256, "pt", "fp32", 0)
    available = backend_class("pytorch").available()
    if not available:
        return Contender("pytorch", "pytorch", model, reason=available.why)
    path = checkpoint_of(record, wanted.checkpoint)
    if path is None:
        why = f"{record.file}, which the bundle was made from, is not at hand: --checkpoint CKPT"
        return Contender("pytorch", "pytorch", model, reason=why)
    spec = next(spec for spec in wanted.manifest.models if spec.model == wanted.model)
    vectors = [t for t in (*spec.inputs, *spec.outputs) if not t.color]
    golden = wanted.bundle / "golden"
    return Contender(
        "pytorch",
        "pytorch",
        replace(model, bytes=path.stat().st_size),
        "measured",
        Task(
            "benchmarks.harness.openers:checkpoint",
            {
                "path": str(path), "model": wanted.model, "threads": wanted.threads,
                "embedding_size": vectors[0].shape[1],
            },
            _IMPORTS["pytorch"], str(golden) if golden.is_dir() else None, wanted.warmup,
            str(scratch_log()),
        ),
    )  # fmt: skip


def checkpoint_of(record: Checkpoint, given: Path | None) -> Path | None:
    """The checkpoint with these weights: the given one, or one where they usually lie.

    Raises:
        BadInput: the given one has other weights, so that a comparison would mean nothing.
    """
    if given is None:
        return find_checkpoint(record)
    if not given.is_file() or digest(given)[0] != record.sha256:
        raise BadInput(
            f"{given} is not the {record.file} that the bundle was made from (by its sha256). "
            "Give that one, or export this one"
        )
    return given
