"""The format of the vectors: JSON files with cases, raw files for arrays, one index.

A JSON file holds `about`, `tolerance` and `cases`. A large array is a raw little-endian file beside
it, named in the JSON as `{"file": ..., "dtype": ..., "shape": [...]}`, rows first. Small arrays are
lists. The index has size and SHA-256 of every file.
"""

from __future__ import annotations

import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.files import write_atomically

SCHEMA = 1
INDEX = "index.json"
_SUFFIX = {"uint8": "u8", "float32": "f32"}


class Folder:
    """Collects vectors in memory and writes them at the end, so that a failure writes nothing."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def array(self, name: str, values: NDArray[Any]) -> dict[str, Any]:
        """Keep a large array as a raw file.

        Args:
            name: file name without its suffix.
            values: uint8 or float32.

        Returns:
            What the JSON says of it.
        """
        file = f"{name}.{_SUFFIX[values.dtype.name]}"
        self._files[file] = np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
        return {"file": file, "dtype": values.dtype.name, "shape": list(values.shape)}

    def cases(
        self, name: str, about: str, tolerance: dict[str, float], cases: list[dict[str, Any]]
    ) -> None:
        """Keep one JSON file.

        Args:
            name: file name without its suffix.
            about: one sentence: what goes in, what comes out, in which units.
            tolerance: how far an app may differ, by field or by measure.
            cases: inputs and expected results.
        """
        head = json.dumps({"schema": SCHEMA, "about": about, "tolerance": tolerance}, indent=1)
        lines = ",\n".join(f"  {json.dumps(case)}" for case in cases)  # a case a line: short diffs
        text = f'{head.removesuffix("}").rstrip()},\n "cases": [\n{lines}\n ]\n}}\n'
        self._files[f"{name}.json"] = text.encode()

    def write(self, folder: Path) -> list[str]:
        """Write all files and the index; returns their names."""
        folder.mkdir(parents=True, exist_ok=True)
        index = {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in sorted(self._files.items())
        }
        text = json.dumps({"schema": SCHEMA, "files": index}, indent=1) + "\n"
        for name, content in {**self._files, INDEX: text.encode()}.items():
            write_atomically(folder / name, partial(_fill, content=content))
        return [*index, INDEX]


def _fill(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def numbers(values: NDArray[Any], digits: int = 6) -> Any:
    """A small array as nested lists, rounded to `digits` decimals."""
    return np.round(np.asarray(values, np.float64), digits).tolist()
