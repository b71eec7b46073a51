"""The bundle on disk: written beside the old one, and put in its place only when it is whole."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import importlib.metadata
import json
import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from export.proof.parity import Reference
from export.subject import Artifact
from model.contract import (
    MANIFEST_NAME,
    SCHEMA,
    Align,
    Checkpoint,
    Manifest,
    ModelSpec,
    Parity,
    digest,
    dumps,
    face_template,
    identity_crop,
    load_bundle,
)
from model.errors import BadInput, ContractError

GOLDEN = "golden"
GOLDEN_BAKED = "golden-baked"  # the baked generator knows one identity only
_GOLDEN_SAMPLES = 3
_TOOLS = (
    "mobilefsgan-toolkit", "torch", "onnx", "onnxruntime", "onnxsim", "onnx2tf", "tensorflow",
    "ai-edge-litert", "coremltools", "numpy",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Staging:
    """Where a new bundle grows: same file system as its place, so that a rename suffices."""

    place: Path
    root: Path

    @property
    def bundle(self) -> Path:
        """The new bundle."""
        return self.root / "bundle"

    @property
    def work(self) -> Path:
        """Files on the way, thrown away at the end."""
        return self.root / "work"

    def publish(self) -> None:
        """Put the new bundle in its place; the old one is there until that moment."""
        with _signals_held():
            if self.place.exists():
                self.place.rename(self.root / "old")
            self.bundle.rename(self.place)


@contextlib.contextmanager
def staging(place: Path) -> Iterator[Staging]:
    """A place to make a bundle that leaves nothing behind, whatever happens.

    Args:
        place: the bundle's folder, `dist/<name>`.

    Raises:
        BadInput: `place` or a folder above it cannot be written, or is something else.
    """
    if place.parent.is_file():
        raise BadInput(
            f"{place.parent} is a file; expected a folder for the bundle as --output-dir"
        )
    if place.exists() and not (place.is_dir() and _is_bundle_or_empty(place)):
        raise BadInput(f"{place} exists and is no bundle; choose another --output-dir")
    # Absolute, because converters run in child processes with folders of their own.
    root = place.parent.resolve() / f".{place.name}.partial-{os.getpid()}"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        _recover(place)
        for folder in (root, root / "bundle", root / "work"):
            folder.mkdir()
    except OSError as error:
        raise BadInput(
            f"cannot write to {place.parent} ({error.strerror}); choose another --output-dir"
        ) from None
    try:
        yield Staging(place, root)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def describe(artifact: Artifact, parity: Parity | None = None) -> ModelSpec:
    """The manifest entry of a model file."""
    sha256, size = digest(artifact.path)
    return ModelSpec(
        artifact.subject.model, artifact.path.name, artifact.format, artifact.precision, sha256,
        size, artifact.signature.inputs, artifact.signature.outputs,
        parity or Parity("skipped"), artifact.calibration,
    )  # fmt: skip


def checkpoint_of(path: Path) -> Checkpoint:
    """Which weights these are."""
    return Checkpoint(path.name, digest(path)[0])


def earlier_models(
    place: Path, checkpoint: Checkpoint, identity: Checkpoint | None
) -> tuple[tuple[ModelSpec, ...], Checkpoint | None]:
    """Models of the present bundle that were made from the same weights, and stay in the new one.

    Returns:
        Their manifest entries, and the identity encoder's checkpoint that some were made from.
    """
    try:
        manifest = load_bundle(place)
    except ContractError:
        return (), identity
    old = manifest.identity_checkpoint
    other_identity = identity and old and identity.sha256 != old.sha256
    if manifest.checkpoint.sha256 != checkpoint.sha256 or other_identity:
        return (), identity
    return manifest.models, identity or old


def write(
    into: Staging,
    specs: Sequence[ModelSpec],
    checkpoint: Checkpoint,
    identity: Checkpoint | None,
    golden: dict[str, Reference],
) -> Manifest:
    """Complete the bundle: copy what stays, write golden samples and the manifest.

    Args:
        into: where the new model files are already.
        specs: all files the bundle is to hold; those not in it yet come from the earlier one.
        checkpoint: the generator's weights.
        identity: the identity encoder's weights.
        golden: samples to write, by folder; other golden folders stay if any earlier file does.
    """
    stay = [spec.file for spec in specs if not (into.bundle / spec.file).exists()]
    if stay:
        folders = (GOLDEN, GOLDEN_BAKED)
        stay += [f for f in folders if f not in golden and (into.place / f).is_dir()]
    for name in stay:
        _copy(into.place / name, into.bundle / name)
    for name, reference in golden.items():
        _write_golden(into.bundle / name, reference)
    face_size = next(t.shape[1 if t.layout == "NHWC" else 2] for t in specs[0].inputs if t.color)
    tools = _tool_versions()
    manifest = Manifest(
        name=into.place.name,
        version=tools.get("mobilefsgan-toolkit", "not installed"),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        checkpoint=checkpoint,
        identity_checkpoint=identity,
        tools=tools,
        align=Align(face_size, face_template(face_size)),
        identity=identity_crop(face_size),
        models=tuple(sorted(specs, key=lambda spec: spec.file)),
    )
    (into.bundle / MANIFEST_NAME).write_text(dumps(manifest), encoding="utf-8")
    return manifest


def _write_golden(folder: Path, reference: Reference) -> None:
    """A few inputs and PyTorch's answers as raw little-endian arrays, for any app to replay."""
    folder.mkdir()

    def save(
        name: str, array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]
    ) -> dict[str, object]:
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        (folder / name).write_bytes(little.tobytes())
        return {"file": name, "dtype": array.dtype.name, "shape": list(array.shape)}

    samples = []
    for i, pair in enumerate(reference.pairs[:_GOLDEN_SAMPLES]):
        target = save(f"{i}-target.bin", pair.face[None])
        sample = {
            "description": pair.name,
            "target": {**target, "layout": "NHWC", "color": "RGB", "range": [0, 255]},
            "embedding": save(f"{i}-embedding.bin", pair.embedding),
            "image": {
                **save(f"{i}-image.bin", reference.pictures[i][None]),
                "layout": "NHWC", "color": "RGB", "range": [0, 1],
            },
        }  # fmt: skip
        if reference.faces is not None:
            sample["target_embedding"] = save(f"{i}-target_embedding.bin", reference.faces[i])
        samples.append(sample)
    index = {"schema": SCHEMA, "samples": samples}
    (folder / "index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def _tool_versions() -> dict[str, str]:
    versions = {}
    for name in _TOOLS:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


def _copy(source: Path, destination: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, destination)
    else:
        shutil.copy2(source, destination)


def _is_bundle_or_empty(place: Path) -> bool:
    return (place / MANIFEST_NAME).is_file() or not any(place.iterdir())


def _recover(place: Path) -> None:
    """Clean up after exports that were killed; put back a bundle caught between two renames."""
    for root in place.parent.glob(f".{place.name}.partial-*"):
        if _alive(root.name.rpartition("-")[2]):
            continue
        if (root / "old").exists() and not place.exists():
            (root / "old").rename(place)
        shutil.rmtree(root, ignore_errors=True)


def _alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait until the two renames are done."""
    blocked = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def as_json(manifest: Manifest) -> str:
    """The models and their figures, for machines."""
    return json.dumps([dataclasses.asdict(spec) for spec in manifest.models], indent=2)
