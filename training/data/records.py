"""Training data on disk: tar shards of photos with their edits, in WebDataset's layout.

A record is one aligned photo and its edits:

    Jane_Doe_0001.json          {"schema": 1, "person": "Jane_Doe"}
    Jane_Doe_0001.photo.webp    the photo as it is
    Jane_Doe_0001.fat.webp      an edit, one file each; a record may have any of EDITS, or none

All photos of a person are in one shard. A shard is read as a whole, and a training step draws from
one shard only, so a step can be repeated without a saved reader state.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from model.errors import BadInput, ContractError
from model.files import write_atomically
from model.typed_json import load_json
from training.data.archives import members
from training.data.pictures import decode_rgb

SCHEMA = 1
_EXPECTED = "expected a shard made by python -m training.triplets. Make it again"

# Edits that change the identity, and edits that keep it (FSTriplets, paper section 3).
IdentityEdit = Literal["fat", "older", "beard"]
AttributeEdit = Literal["glasses", "sunglasses", "fringe", "bald", "grin"]
Edit = IdentityEdit | AttributeEdit
IDENTITY_EDITS: tuple[IdentityEdit, ...] = get_args(IdentityEdit)
ATTRIBUTE_EDITS: tuple[AttributeEdit, ...] = get_args(AttributeEdit)
EDITS: tuple[Edit, ...] = (*IDENTITY_EDITS, *ATTRIBUTE_EDITS)


@dataclass(frozen=True, slots=True)
class Record:
    """One photo and its edits, as encoded pictures.

    Attributes:
        key: unique in the shard; without dots, because WebDataset splits names at the first one.
        person: name of the person.
        photo: the photo, an encoded picture of an aligned face.
        edits: its edits, encoded likewise.
    """

    key: str
    person: str
    photo: bytes
    edits: dict[Edit, bytes]


def write_shard(path: Path, records: Iterable[Record]) -> None:
    """Write a shard atomically.

    Raises:
        BadInput: the file cannot be written.
    """

    def write(beside: Path) -> None:
        with tarfile.open(beside, "w") as tar:
            for record in records:
                head = json.dumps({"schema": SCHEMA, "person": record.person})
                _add(tar, f"{record.key}.json", head.encode())
                _add(tar, f"{record.key}.photo.webp", record.photo)
                for edit, data in record.edits.items():
                    _add(tar, f"{record.key}.{edit}.webp", data)

    write_atomically(path, write)


def read_shard(path: Path) -> list[Record]:
    """All records of a shard, pictures still encoded, in the order of the file.

    Raises:
        BadInput: not a shard, or a record without its photo or its person.
    """
    parts: dict[str, dict[str, bytes]] = {}
    for name, data in members(path, _EXPECTED):
        key, _, kind = name.partition(".")
        parts.setdefault(key, {})[kind.removesuffix(".webp")] = data
    try:
        return [_record(key, kinds) for key, kinds in parts.items()]
    except (ContractError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"{path} cannot be read as a shard ({type(error).__name__}: {error}); {_EXPECTED}"
        ) from None


def decode(data: bytes, size: int) -> np.ndarray[Any, Any]:
    """An encoded picture as (size, size, 3) HWC uint8 RGB.

    Raises:
        BadInput: it is damaged, too large or no picture.
    """
    from PIL import Image

    picture = decode_rgb(data)
    if picture.size != (size, size):
        picture = picture.resize((size, size), Image.Resampling.BICUBIC, reducing_gap=3.0)
    return np.asarray(picture)


def _record(key: str, kinds: dict[str, bytes]) -> Record:
    head = load_json(kinds["json"], f"{key}.json")
    if head["schema"] != SCHEMA:
        raise ValueError(f"{key} has schema {head['schema']}, expected {SCHEMA}")
    edits = {edit: kinds[edit] for edit in EDITS if edit in kinds}
    return Record(key, str(head["person"]), kinds["photo"], edits)


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))
