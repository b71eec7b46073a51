"""Read and write a bundle's `manifest.json`, and hold a bundle's files against it.

A manifest may come from anywhere: what it names and states is checked before anything is computed
with it. Floor 0: standard library only.
"""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

from model.contract import SCHEMA, Manifest, ModelSpec
from model.digest import digest
from model.errors import ContractError
from model.place import MANIFEST_NAME, recover
from model.possible import check_sides
from model.typed_json import load_json, parse
from model.untrusted import LARGEST_TEXT_BYTES, check_model_kind, read_regular


def dumps(manifest: Manifest) -> str:
    """The manifest as JSON text."""
    return json.dumps(dataclasses.asdict(manifest), indent=2, allow_nan=False) + "\n"


def loads(text: str) -> Manifest:
    """The manifest from JSON text; unknown keys are ignored, as apps do.

    Raises:
        ContractError: not JSON, an unknown schema, a missing key or a value of the wrong type.
    """
    data = load_json(text, "the manifest")
    schema = data.get("schema") if isinstance(data, dict) else None
    if schema != SCHEMA:
        raise ContractError(
            f"the manifest has schema {schema!r}; this version reads schema {SCHEMA}. "
            "Export the bundle again with these tools, or update them"
        )
    manifest = parse(Manifest, data, "manifest")
    for spec in manifest.models:
        # A manifest may come from anywhere; a file name must not lead out of its bundle.
        plain = spec.file == os.path.basename(spec.file) and spec.file.isprintable()
        if not spec.file or not plain or spec.file.startswith("."):
            raise ContractError(f"the manifest names {spec.file!r}, which is not a plain file name")
        check_sides(spec)
    return manifest


def load_bundle(folder: Path) -> Manifest:
    """Read `folder`'s manifest.

    A bundle whose replacement was interrupted is put back first.

    Raises:
        ContractError: the folder is no bundle, or its manifest is broken or names missing files.
    """
    recover(folder)
    text, lacking = _text_of(folder)
    if lacking:
        raise ContractError(
            f"{folder} is no bundle: {lacking}. Make a bundle with python -m export CHECKPOINT"
        )
    manifest = loads(text)
    for spec in manifest.models:
        path = folder / spec.file
        if not os.path.lexists(path):
            raise ContractError(
                f"{folder} lacks {spec.file}, which its manifest names. Export again"
            )
        check_model_kind(path)
    return manifest


def _text_of(folder: Path) -> tuple[str, str]:
    """The manifest's text, and what the folder lacks where there is none."""
    if not os.path.lexists(folder):
        return "", "it does not exist"
    if not os.path.isdir(folder):
        return "", "it is no folder"
    if os.access(folder, os.X_OK) and not os.path.lexists(folder / MANIFEST_NAME):
        return "", f"there is no {MANIFEST_NAME} in it"
    try:
        return read_regular(folder / MANIFEST_NAME, LARGEST_TEXT_BYTES).decode("utf-8"), ""
    except (ContractError, UnicodeDecodeError) as error:
        return "", f"{MANIFEST_NAME} cannot be read ({error})"


def checked_file(bundle: Path, spec: ModelSpec) -> Path:
    """The file of a model, after its kind, size and hash were held against the manifest.

    Raises:
        ContractError: it is not the file that the manifest describes.
    """
    path = bundle / spec.file
    check_model_kind(path)
    # A file of another size need not be read.
    as_large = path.is_dir() or path.stat().st_size == spec.bytes
    if as_large and digest(path) == (spec.sha256, spec.bytes):
        return path
    raise ContractError(
        f"{spec.file} is not the file that its manifest describes; it was damaged or exchanged. "
        "Copy or export the bundle again"
    )
