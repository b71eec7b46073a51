"""Functions that load a model to be timed; each is called in a worker process."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from model.contract import Model, ModelSpec, Parity
from model.digest import digest
from model.errors import UsageError
from model.manifest import checked_file, load_bundle
from model.tensors import Pictures, signature
from pipeline.backends import open_backend
from pipeline.backends.base import Backend
from pipeline.backends.coreml import ComputeUnits, CoreMLBackend
from pipeline.bundles import checkpoint_spec


def bundle_file(
    bundle: str, file: str, backend: str, threads: int, units: ComputeUnits | None
) -> Backend:
    """Load a file of a bundle, after a check against the hash in the manifest.

    Raises:
        ContractError: the file is another one, or cannot be loaded.
    """
    root = Path(bundle)
    spec = next(spec for spec in load_bundle(root).models if spec.file == file)
    checked_file(root, spec)
    if units:
        return CoreMLBackend.load(spec, root, threads=threads, units=units)
    return open_backend(backend, spec, root, threads=threads)


def checkpoint(path: str, model: Model, embedding_size: int, threads: int) -> Backend:
    """Load a checkpoint in PyTorch, rewritten for inference as the exported files are."""
    file = Path(path)
    spec = checkpoint_spec(file, model, embedding_size)
    return open_backend("pytorch", spec, file.parent, threads=threads)


def tflite_file(path: str, pictures: Pictures, embedding_size: int, threads: int) -> Backend:
    """A generator's int8 TFLite file outside any bundle, with the toolkit's tensor names."""
    border = signature("generator", "tflite", pictures, embedding_size=embedding_size)
    spec = ModelSpec(
        "generator", Path(path).name, "tflite", "int8", *digest(Path(path)), border.inputs,
        border.outputs, Parity("not executed"),
    )  # fmt: skip
    return open_backend("tflite", spec, Path(path).parent, threads=threads)


def opener(name: str) -> Any:
    """The function 'module:function'.

    Raises:
        UsageError: there is none.
    """
    module, _, function = name.partition(":")
    found = getattr(importlib.import_module(module), function, None)
    if found is None:
        raise UsageError(f"no opener {name}")
    return found
