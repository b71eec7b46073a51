"""ONNX Runtime on the CPU."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, ClassVar, Self

from numpy.typing import NDArray

from model.contract import Measured, ModelSpec
from model.errors import ContractError
from model.untrusted import read_regular
from pipeline.backends.base import (
    Arrays,
    Availability,
    Declared,
    check_inputs,
    check_tensors,
    installed,
)

_DTYPES = {"tensor(float)": "float32", "tensor(uint8)": "uint8"}
_ERRORS_ONLY = 3  # onnxruntime's severity; warnings are about graphs that users cannot change


class OnnxBackend:
    """One inference session."""

    name: ClassVar[str] = "onnx"
    measured: Measured = "executed"

    def __init__(self, session: Any, spec: ModelSpec) -> None:
        """Use `load`."""
        self.spec = spec
        self._session = session
        self.invoke_ms = 0.0
        self._outputs = [t.name for t in spec.outputs]

    @classmethod
    def available(cls) -> Availability:
        """ONNX Runtime must be installed."""
        return installed("onnxruntime", "onnx")

    @classmethod
    def load(cls, spec: ModelSpec, root: Path, *, threads: int = 4) -> Self:
        """Load `root / spec.file`.

        Raises:
            ContractError: ONNX Runtime cannot load the file, its tensors have other names, or its
                weights are in other files.
        """
        import onnxruntime

        _refuse_other_files(root / spec.file)
        options = session_options(threads)
        try:
            session = onnxruntime.InferenceSession(
                str(root / spec.file), options, providers=["CPUExecutionProvider"]
            )
            sides = _declared(session.get_inputs()), _declared(session.get_outputs())
        except Exception as error:  # onnxruntime's own exceptions share no base class
            raise ContractError(
                f"ONNX Runtime cannot load {root / spec.file}: {_first_line(error)}. "
                "Export the bundle again"
            ) from None
        check_tensors(spec, *sides)
        return cls(session, spec)

    def run(self, **inputs: NDArray[Any]) -> Arrays:
        """Compute one frame."""
        check_inputs(self.spec, inputs)
        started = time.perf_counter()
        try:
            values = self._session.run(self._outputs, inputs)
        except Exception as error:  # onnxruntime's own exceptions share no base class
            raise ContractError(
                f"ONNX Runtime cannot compute {self.spec.file}: {_first_line(error)}. "
                "Export the bundle again"
            ) from None
        self.invoke_ms = 1e3 * (time.perf_counter() - started)
        return dict(zip(self._outputs, values, strict=True))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _declared(tensors: Any) -> dict[str, Declared]:
    return {t.name: Declared(t.shape, _DTYPES.get(t.type, t.type)) for t in tensors}


def _refuse_other_files(path: Path) -> None:
    """Refuse external data: ONNX Runtime would read any file of this machine as weights.

    The key `location` stands in every reference to external data, and in no file of ours.
    """
    if b"location" in read_regular(path):
        raise ContractError(
            f"{path} takes weights from other files, which could be any file of this machine; a "
            "bundle's ONNX file holds its weights itself. Export the bundle again"
        )


def session_options(threads: int = 0) -> Any:
    """SessionOptions for ONNX files: quiet, and as exact as an 8-bit file is written.

    0 threads leave the number to ONNX Runtime: one per core.

    On x86 without VNNI, ONNX Runtime's fast kernel adds two products of 8 bits in 16, which they
    overflow: an encoder's worst face fell from a cosine of 0.993 to 0.956. The option asks for the
    kernel that does not; other processors have no such choice and ignore it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry("session.x64quantprecision", "1")
    return options
