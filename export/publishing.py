"""What a bundle consists of, and how a new one takes over the models of the one before."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import importlib.metadata
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.earlier import is_baked, replaced, taken_over
from export.proof.parity import Reference
from export.staging import Staging
from model.aligned_face import face_template, identity_crop
from model.contract import SCHEMA, Align, Checkpoint, Manifest, ModelSpec
from model.digest import digest
from model.files import flush_to_disk
from model.manifest import dumps
from model.place import GOLDEN, GOLDEN_BAKED, MANIFEST_NAME, is_golden_file

_GOLDEN_SAMPLES = 3
_TOOLS = (
    "mobilefsgan-toolkit", "torch", "onnx", "onnxruntime", "onnxsim", "onnx2tf", "tensorflow",
    "ai-edge-litert", "coremltools", "numpy",
)  # fmt: skip


def checkpoint_of(path: Path) -> Checkpoint:
    """Which weights these are."""
    return Checkpoint(path.name, digest(path)[0])


def publish(
    into: Staging,
    specs: Sequence[ModelSpec],
    checkpoint: Checkpoint,
    identity: Checkpoint | None,
    golden: dict[str, Reference],
    *,
    baked: NDArray[np.float32] | None = None,
    overwrite: bool = False,
) -> Manifest:
    """Complete the new bundle and put it in its place, while no other export does.

    Models of the present bundle that were made from the same weights, and were not made again, are
    taken over, whoever published them since this export began.

    Args:
        into: where the new model files are.
        specs: their manifest entries.
        checkpoint: the generator's weights.
        identity: the identity encoder's weights.
        golden: samples to write, by folder.
        baked: the identity that was baked in, (1, E) float32; None for plain models.
        overwrite: models of other weights may be replaced.

    Raises:
        BadInput: the place holds something else by now, or cannot be written to.
    """
    with into.alone():
        replaced(into.place, checkpoint, identity, baked, overwrite=overwrite)
        made = {spec.file for spec in specs}
        earlier, identity = taken_over(into.place, checkpoint, identity, specs, baked)
        kept = [spec for spec in earlier if spec.file not in made]
        manifest = _complete(into, [*specs, *kept], checkpoint, identity, golden, kept)
        for file in (path for path in into.bundle.rglob("*") if path.is_file()):
            flush_to_disk(file)
        into.publish()
    return manifest


def _complete(
    into: Staging,
    specs: Sequence[ModelSpec],
    checkpoint: Checkpoint,
    identity: Checkpoint | None,
    golden: dict[str, Reference],
    kept: Sequence[ModelSpec],
) -> Manifest:
    """Copy what stays, write golden samples and the manifest."""
    for spec in kept:
        copy_model(into.place / spec.file, into.bundle / spec.file)
    for name in {GOLDEN_BAKED if is_baked(spec) else GOLDEN for spec in kept} - golden.keys():
        copy_golden(into.place / name, into.bundle / name)
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


def copy_golden(source: Path, destination: Path) -> None:
    """Copy the samples; other files in that folder are the user's, and are moved later."""
    if source.is_symlink() or not source.is_dir():
        return
    destination.mkdir()
    for file in source.iterdir():
        if is_golden_file(file.name) and file.is_file() and not file.is_symlink():
            shutil.copy2(file, destination / file.name)


def copy_model(source: Path, destination: Path) -> None:
    """Copy a model file or package."""
    if source.is_dir():
        shutil.copytree(source, destination, symlinks=True)  # a link stays a link, unread
    else:
        shutil.copy2(source, destination)


def as_json(manifest: Manifest) -> str:
    """The models and their figures, for machines."""
    return json.dumps([dataclasses.asdict(spec) for spec in manifest.models], indent=2)
