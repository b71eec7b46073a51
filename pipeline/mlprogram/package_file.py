"""Find and parse the program inside an `.mlpackage` folder."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Any

from model.errors import ContractError
from model.typed_json import load_json
from model.untrusted import LARGEST_TEXT_BYTES, check_model_kind, read_regular
from pipeline.quiet import quiet

_DATA = "Data"
_USUAL_FILE = "com.apple.CoreML/model.mlmodel"


def parse(path: Path) -> tuple[Any, Path]:
    """The `Model` message of a package, and the folder that its weight files are named from.

    Raises:
        ContractError: it is no package with an ML Program, or the program is damaged.
    """
    if path.is_file():
        raise ContractError(
            f"{path} is a file; expected an .mlpackage folder with an ML Program. A neural-network "
            ".mlmodel has another format: convert it again with convert_to='mlprogram'"
        )
    check_model_kind(path)
    file = path / _DATA / _model_file(path)
    if not os.path.isfile(file):  # unlike Path, it takes a name that no file can have
        raise ContractError(f"{path} has no {file.name}; expected an .mlpackage")
    with quiet():  # importing coremltools takes seconds, and announces missing Apple libraries
        from coremltools.proto import Model_pb2
        from google.protobuf.message import DecodeError

    model = Model_pb2.Model()
    try:
        model.ParseFromString(read_regular(file))
    except DecodeError:
        raise ContractError(f"{file} is damaged or cut short. Copy the package again") from None
    if model.WhichOneof("Type") != "mlProgram":
        raise ContractError(
            f"{path} holds {model.WhichOneof('Type') or 'no model'}; expected an mlProgram. "
            "Convert it again with convert_to='mlprogram'"
        )
    return model, file.parent


def _model_file(path: Path) -> PurePosixPath:
    """Where the package's own Manifest.json says that the program is; Xcode gives it any name."""
    manifest = path / "Manifest.json"
    if not manifest.is_file():
        return PurePosixPath(_USUAL_FILE)
    data = load_json(read_regular(manifest, LARGEST_TEXT_BYTES), str(manifest))
    try:
        named = PurePosixPath(data["itemInfoEntries"][data["rootModelIdentifier"]]["path"])
    except (LookupError, TypeError):
        return PurePosixPath(_USUAL_FILE)
    if named.is_absolute() or ".." in named.parts:
        raise ContractError(f"{manifest} names {str(named)!r}, which is outside of the package")
    return named
