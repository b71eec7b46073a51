"""Every JSON text ends in data or in one refusal that says which text it was."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.harness import rows
from export.proof.golden import read_golden
from export.quantize.recipe import read_recipe
from model.errors import FaceSwapError
from model.manifest import load_bundle
from model.typed_json import load_json

HOSTILE: dict[str, bytes] = {
    "nested lists": b"[" * 100_000,
    "nested objects": b'{"schema":' * 100_000,
    "nested and closed": b"[" * 900 + b"]" * 900,
    "an integer of 400 digits": b'{"schema": 1, "models": ' + b"9" * 400 + b"}",
    "an integer of 5000 digits": b"[" + b"9" * 5000 + b"]",
    "a float beyond range": b'{"schema": 1e999}',
    "NaN": b'{"schema": NaN}',
    "half a surrogate pair": b'{"schema": "\\ud800"}',
    "half a surrogate pair as key": b'{"\\udfff": 1}',
    "not UTF-8": b'{"schema": "\xff"}',
    "cut short": b'{"schema": 1, "mod',
    "empty": b"",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_json_is_refused_in_one_line(text: bytes) -> None:
    with pytest.raises(FaceSwapError, match=r"^the file is") as refused:
        load_json(text, "the file")
    assert "\n" not in str(refused.value)


def read_manifest(path: Path) -> object:
    return load_bundle(path.parent)


READERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "manifest": ("manifest.json", read_manifest),
    "rows": ("rows.jsonl", rows.read),
    "golden": ("index.json", lambda path: read_golden(path.parent)),
    "recipe": ("recipe.json", lambda path: read_recipe(path, None)),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(
    ("reader", "kind"),
    # A file without rows is a file of no rows.
    [pair for pair in itertools.product(READERS, HOSTILE) if pair != ("rows", "empty")],
)
def test_every_reader_of_json_refuses_it(reader: str, kind: str, tmp_path: Path) -> None:
    name, read = READERS[reader]
    (tmp_path / name).write_bytes(HOSTILE[kind])
    with pytest.raises(FaceSwapError) as refused:
        read(tmp_path / name)
    assert "\n" not in str(refused.value)


def test_numbers_and_words_come_back_as_they_are() -> None:
    text = '{"a": [1, -9223372036854775808, 0.5, true, null], "\\u00e9": "\\ud83d\\ude00"}'
    assert load_json(text, "x") == {"a": [1, -(2**63), 0.5, True, None], "é": "😀"}
