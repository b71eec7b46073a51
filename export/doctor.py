"""What this machine can convert, execute or only interpret: `python -m export.doctor`."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from model.contract import Format
from model.errors import BackendUnavailable, guard

if TYPE_CHECKING:
    from pipeline.backends.base import Availability

# Package, the extra that brings it, and the version tested together with all the others. A test
# holds these against pyproject.toml.
TESTED = (
    ("torch", "torch", "2.13.0"),
    ("safetensors", "torch", "0.8.0"),
    ("numpy", "", "1.26.4"),
    ("onnx", "onnx", "1.19.1"),
    ("onnxruntime", "onnx", "1.23.0"),
    ("onnxsim", "onnx", "0.4.36"),
    ("tensorflow", "tflite", "2.19.0"),
    ("tf-keras", "tflite", "2.19.0"),
    ("onnx2tf", "tflite", "1.29.24"),
    ("ai-edge-litert", "tflite", "2.1.0"),
    ("coremltools", "coreml", "9.0"),
    ("scikit-learn", "coreml", "1.5.1"),
    ("scikit-image", "faces", "0.25.2"),
    ("matplotlib", "faces", "3.11.2"),
)
_ONNX = ("torch", "onnx", "onnxruntime", "onnxsim", "scikit-image", "matplotlib")
_NEEDS: dict[Format, tuple[str, ...]] = {
    "onnx": _ONNX,
    "tflite": (*_ONNX, "tensorflow", "tf-keras", "onnx2tf", "ai-edge-litert"),
    "mlpackage": ("torch", "coremltools", "scikit-learn", "scikit-image", "matplotlib"),
}


def missing_for(format: Format) -> list[str]:
    """Packages that exporting a format needs and that are not installed."""
    return [name for name in _NEEDS[format] if _version(name) is None]


def require_converters(formats: Sequence[Format]) -> None:
    """Refuse before any work if a converter is not installed.

    Raises:
        BackendUnavailable: names what is missing and the line that installs it.
    """
    for format in formats:
        missing = missing_for(format)
        if missing:
            raise BackendUnavailable(
                f"cannot export {format}: {', '.join(missing)} not installed. "
                "python -m export.doctor says what to install"
            )


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package).split("+")[0]  # without the build, e.g. +cpu
    except importlib.metadata.PackageNotFoundError:
        return None


def _abilities() -> dict[str, dict[str, str]]:
    """Per format, whether this machine converts to it and runs it, or why not."""
    from pipeline.backends import BACKENDS, backend_class

    abilities: dict[str, dict[str, str]] = {}
    for backend, (_, _, format) in BACKENDS.items():
        if format == "pt":
            continue
        missing = missing_for(format)
        available = backend_class(backend).available()
        abilities[format] = {
            "convert": f"no: {', '.join(missing)} not installed" if missing else "yes",
            "execute": _how(available),
        }
    return abilities


def _how(available: Availability) -> str:
    if not available:
        return f"no: {available.why}"
    return "yes" if available.how == "executed" else f"{available.how} only: {available.why}"


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Print the tools and what they make possible; exit 0 if everything can be converted."""
    parser = argparse.ArgumentParser(prog="python -m export.doctor", description=__doc__)
    parser.add_argument("--json", action="store_true", help="machine-readable result on stdout")
    args = parser.parse_args(argv)

    tools = [
        {"package": name, "extra": extra, "tested": tested, "installed": _version(name)}
        for name, extra, tested in TESTED
    ]
    abilities = _abilities()
    if args.json:
        print(json.dumps({"tools": tools, "formats": abilities}, indent=2))
    else:
        _print_report(tools, abilities)
    return 0 if all(a["convert"] == "yes" for a in abilities.values()) else 3


def _print_report(tools: list[dict[str, str | None]], abilities: dict[str, dict[str, str]]) -> None:
    print(f"{'package':<16}{'installed':<12}tested together")
    for tool in tools:
        verdict = "" if tool["installed"] == tool["tested"] else "  <- differs"
        installed = tool["installed"] or "missing"
        print(f"{tool['package']:<16}{installed:<12}{tool['tested']}{verdict}")
    print(f"\n{'format':<12}{'convert':<9}execute")
    for format, ability in abilities.items():
        print(f"{format:<12}{ability['convert']:<9}{ability['execute']}")
    wrong = [tool for tool in tools if tool["installed"] != tool["tested"]]
    if wrong:
        pins = " ".join(f"'{tool['package']}=={tool['tested']}'" for tool in wrong)
        print(f"\nto get the versions tested together:\n  pip install {pins}")


if __name__ == "__main__":
    sys.exit(main())
