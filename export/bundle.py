"""Drop a bundle into one of the demo apps: `python -m export.bundle --web BUNDLE`.

The app's folder gets the model files of the formats that it runs, a manifest of these, the golden
samples and, for Android and the web, the face detectors. iOS finds faces with its own framework.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from model import arguments
from model.errors import BadInput, guard

if TYPE_CHECKING:
    from model.contract import Format, Manifest, Precision

_ROOT = Path(__file__).resolve().parent.parent
_MAY_LIE_THERE = frozenset({"README.md", ".gitignore", ".gitkeep"})


@dataclass(frozen=True, slots=True)
class App:
    """What an app takes of a bundle.

    Attributes:
        folder: where it looks for it, from the top of the repository.
        formats: the model files that it can run.
        precisions: the ones that are worth their place there.
        detectors: it needs the face detectors of the pipeline.
    """

    folder: str
    formats: tuple[Format, ...]
    precisions: tuple[Precision, ...]
    detectors: bool


# fp16 TFLite files are converted to fp32 when WebAssembly loads them: twice the time for nothing.
APPS = {
    "web": App("web_demo/bundle", ("tflite",), ("fp32", "int8", "dynamic"), True),
    "android": App(
        "android_demo/app/src/main/assets/bundle",
        ("tflite", "onnx"),
        ("fp32", "fp16", "int8", "dynamic"),
        True,
    ),
    "ios": App("ios_demo/Bundle", ("mlpackage",), ("fp32", "fp16", "int8", "pal6", "w8a8"), False),
}


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Copy, check every hash, and print what the app has now."""
    parser = arguments.Parser(prog="python -m export.bundle", description=__doc__)
    parser.add_argument("bundle", type=Path, help="a folder made by python -m export")
    app = parser.add_mutually_exclusive_group(required=True)
    for name, wants in APPS.items():
        app.add_argument(
            f"--{name}", dest="app", action="store_const", const=name,
            help=f"for {wants.folder}: {', '.join(wants.formats)}",
        )  # fmt: skip
    parser.add_argument(
        "--to", type=Path, metavar="FOLDER", help="another place than the app's own folder"
    )
    parser.add_argument("--json", action="store_true", help="machine-readable result on stdout")
    args = parser.parse_args(argv)

    place = args.to if args.to else _folder_of(args.app)
    manifest = drop(args.bundle, APPS[args.app], place)
    if args.json:
        files = [{"file": s.file, "bytes": s.bytes, "sha256": s.sha256} for s in manifest.models]
        print(json.dumps({"place": str(place), "files": files}, indent=2))
        return 0
    for spec in manifest.models:
        print(f"{spec.file:<32} {spec.size_mb:6.2f} MB")
    print(f"\n{args.app}: {place}")
    return 0


def drop(bundle: Path, app: App, place: Path) -> Manifest:
    """Put what `app` needs of `bundle` into `place`, which changes at once or not at all.

    Args:
        bundle: a folder made by an export.
        app: what it takes.
        place: a folder that is missing, empty, or holds what was dropped before.

    Returns:
        The manifest in the app: the bundle's, with the models that were copied.

    Raises:
        ContractError: the bundle is damaged, or a file is not the one that its manifest describes.
        BadInput: the bundle has no generator for the app, or `place` cannot be used.
        BackendUnavailable: the package that carries the detectors is not installed.
    """
    from export.publishing import copy_golden, copy_model
    from model.digest import digest
    from model.manifest import checked_file, dumps, load_bundle
    from model.place import GOLDEN, GOLDEN_BAKED, MANIFEST_NAME, locked, publish, staging_root

    manifest = _trimmed(load_bundle(bundle), app, bundle)
    _check_place(place, bundle)
    try:
        with staging_root(place) as root:
            new = root / "new"
            for spec in manifest.models:
                copy_model(checked_file(bundle, spec), new / spec.file)
                if digest(new / spec.file) != (spec.sha256, spec.bytes):
                    raise BadInput(f"{spec.file} changed while it was copied. Try again")
            for folder in (GOLDEN, GOLDEN_BAKED):
                copy_golden(bundle / folder, new / folder)
            if app.detectors:
                _copy_detectors(new)
            (new / MANIFEST_NAME).write_text(dumps(manifest), encoding="utf-8")
            with locked(place):
                publish(root, place)
    except OSError as error:
        raise BadInput(
            f"cannot write {place} ({error.strerror or error}). Choose another place with --to"
        ) from None
    return manifest


def _folder_of(name: str) -> Path:
    """The app's own folder in a checkout of the project."""
    folder = _ROOT / APPS[name].folder
    app = _ROOT / Path(APPS[name].folder).parts[0]
    if not app.is_dir():
        raise BadInput(
            f"{app.name}/ is not beside the toolkit; it comes with a clone of the project, not "
            "with the installed package. Give the app's folder with --to"
        )
    return folder


def _trimmed(manifest: Manifest, app: App, bundle: Path) -> Manifest:
    """The manifest with the models that the app runs."""
    models = tuple(
        spec
        for spec in manifest.models
        if spec.format in app.formats and spec.precision in app.precisions
    )
    if not any(spec.model == "generator" for spec in models):
        formats = " or ".join(app.formats)
        commands = {"tflite": "tflite", "onnx": "onnx", "mlpackage": "coreml"}
        raise BadInput(
            f"{bundle} has no generator as {formats} in {', '.join(app.precisions)}. "
            f"Make one with python -m export.{commands[app.formats[0]]} CHECKPOINT"
        )
    return dataclasses.replace(manifest, models=models)


def _check_place(place: Path, bundle: Path) -> None:
    """Refuse a folder that holds something else."""
    from model.place import MANIFEST_NAME

    if place.is_symlink() or (place.exists() and not place.is_dir()):
        raise BadInput(f"{place} is no folder. Choose another place with --to")
    if place.exists() and place.samefile(bundle):
        raise BadInput(f"{place} is the bundle itself. Choose another place with --to")
    if place.exists() and not (place / MANIFEST_NAME).is_file():
        other = sorted({entry.name for entry in place.iterdir()} - _MAY_LIE_THERE)
        if other:
            raise BadInput(
                f"{place} holds {other[0]} and no bundle. Choose an empty folder with --to"
            )


def _copy_detectors(new: Path) -> None:
    """Write the detectors' files, their index and their notice."""
    from model.contract import SCHEMA
    from model.digest import digest
    from model.place import DETECTORS
    from pipeline.faces.facemodels import DETECTOR_FILES, DETECTOR_NOTICE, model_path

    folder = new / DETECTORS
    folder.mkdir()
    files = []
    for name, file in DETECTOR_FILES.items():
        data = model_path(file).read_bytes()
        (folder / file).write_bytes(data)
        sha256, size = digest(folder / file)
        files.append({"name": name, "file": file, "bytes": size, "sha256": sha256})
    index = json.dumps({"schema": SCHEMA, "files": files}, indent=2) + "\n"
    (folder / "index.json").write_text(index, encoding="utf-8")
    (folder / "NOTICE.txt").write_text(DETECTOR_NOTICE, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
