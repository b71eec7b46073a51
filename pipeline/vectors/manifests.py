"""Vectors of manifests: one that has to be read, and damaged ones that have to be refused."""

from __future__ import annotations

import json

from model.aligned_face import FACE_SIZE, face_template, identity_crop
from model.contract import SCHEMA, Align, Checkpoint, Manifest, ModelSpec, Parity
from model.errors import ContractError
from model.manifest import dumps, loads
from model.tensors import signature
from pipeline.vectors.folder import Folder

_SHA = "0" * 64


def write_manifests(folder: Folder) -> None:
    """Each text with whether Python reads it."""
    cases = [
        {"name": name, "text": text, "accepted": _accepted(text)} for name, text in _texts().items()
    ]
    folder.cases(
        "manifests",
        "Texts of manifest.json. `accepted` says whether it has to be read; all others are refused "
        "with a message, never guessed.",
        {},
        cases,
    )


def _accepted(text: str) -> bool:
    try:
        loads(text)
    except ContractError:
        return False
    return True


def _texts() -> dict[str, str]:
    text = dumps(_manifest())
    good = json.loads(text)
    texts = {"good": text, "unknown keys are ignored": json.dumps({**good, "later": 1})}
    for name, changed in (
        ("newer schema", {**good, "schema": SCHEMA + 1}),
        ("schema as text", {**good, "schema": str(SCHEMA)}),
        ("no schema", {key: value for key, value in good.items() if key != "schema"}),
        ("no models", {key: value for key, value in good.items() if key != "models"}),
        ("models is a number", {**good, "models": 7}),
    ):
        texts[name] = json.dumps(changed)
    for name, key, value in (
        ("file outside of the bundle", "file", "../generator-fp32.tflite"),
        ("file by an absolute path", "file", "/generator-fp32.tflite"),
        ("hidden file", "file", ".generator-fp32.tflite"),
        ("unknown format", "format", "gguf"),
        ("unknown precision", "precision", "int4"),
        ("size as text", "bytes", "many"),
    ):
        damaged = json.loads(text)
        damaged["models"][0][key] = value
        texts[name] = json.dumps(damaged)
    return texts | {"empty": "", "cut off": text[:200], "a list": "[]", "not a number": "NaN"}


def _manifest() -> Manifest:
    """One generator, as the exporter describes it."""
    border = signature("generator", "tflite", "float", face_size=FACE_SIZE, embedding_size=512)
    spec = ModelSpec(
        "generator", "generator-fp32.tflite", "tflite", "fp32", _SHA, 7_910_000,
        border.inputs, border.outputs, Parity("executed", 8, 136.9, 1.0),
    )  # fmt: skip
    return Manifest(
        name="example",
        version="0",
        created="2026-01-01T00:00:00+00:00",
        checkpoint=Checkpoint("example.pt", _SHA),
        identity_checkpoint=None,
        tools={},
        align=Align(FACE_SIZE, face_template(FACE_SIZE)),
        identity=identity_crop(FACE_SIZE),
        models=(spec,),
    )
