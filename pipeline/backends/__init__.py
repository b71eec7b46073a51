"""One way into every runtime: `open_backend`. Adding a runtime is one line here and one file."""

from __future__ import annotations

import importlib
from pathlib import Path

from model.contract import Format, ModelSpec
from model.errors import BackendUnavailable, UsageError
from model.untrusted import check_model_kind
from pipeline.backends.base import Backend

BACKENDS: dict[str, tuple[str, str, Format]] = {
    # name after --backend: module, class, format of the files it runs
    "pytorch": ("pipeline.backends.pytorch", "PyTorchBackend", "pt"),
    "onnx": ("pipeline.backends.onnx", "OnnxBackend", "onnx"),
    "tflite": ("pipeline.backends.tflite", "TfliteBackend", "tflite"),
    "coreml": ("pipeline.backends.coreml", "CoreMLBackend", "mlpackage"),
}


def backend_for(format: Format) -> str:
    """The name of the backend that runs files of a format."""
    return next(name for name, (_, _, runs) in BACKENDS.items() if runs == format)


def backend_class(name: str) -> type[Backend]:
    """The backend called `name`; its runtime is not imported yet.

    Raises:
        UsageError: there is no such backend.
    """
    if name not in BACKENDS:
        raise UsageError(f"no backend '{name}'; there are {', '.join(BACKENDS)}")
    module, class_name, _ = BACKENDS[name]
    backend: type[Backend] = getattr(importlib.import_module(module), class_name)
    return backend


def open_backend(name: str, spec: ModelSpec, root: Path, *, threads: int = 4) -> Backend:
    """Load the model file `spec` of the bundle folder `root` into the runtime `name`.

    Raises:
        UsageError: there is no such backend, or it does not run files of this format.
        BackendUnavailable: the runtime cannot work on this machine.
        ContractError: the file is not what its spec says.
    """
    kind = backend_class(name)
    if BACKENDS[name][2] != spec.format:
        raise UsageError(f"backend '{name}' runs .{BACKENDS[name][2]} files, not {spec.file}")
    if spec.format != "pt":
        check_model_kind(root / spec.file)
    available = kind.available()
    if not available:
        raise BackendUnavailable(f"backend '{name}' cannot run here: {available.why}")
    return kind.load(spec, root, threads=threads)
