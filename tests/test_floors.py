"""Imports point down only: model, then pipeline, then export and training, then benchmarks."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "model": {"model"},
    "pipeline": {"model", "pipeline"},
    "export": {"model", "pipeline", "export"},
    "training": {"model", "pipeline", "training"},
    "benchmarks": {"model", "pipeline", "export", "training", "benchmarks"},
    "mobilefsgan": {"model", "pipeline", "export", "training", "benchmarks", "mobilefsgan"},
}
FILES = [file for floor in MAY_IMPORT for file in sorted((ROOT / floor).rglob("*.py"))]


def imports(node: ast.AST) -> set[str]:
    """Top-level packages imported anywhere inside `node`."""
    names = set()
    for child in ast.walk(node):
        if isinstance(child, ast.Import):
            names |= {alias.name.split(".")[0] for alias in child.names}
        elif isinstance(child, ast.ImportFrom) and child.level == 0:
            names.add((child.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_module_imports_only_its_own_floor_and_those_below(file: Path) -> None:
    floor = file.relative_to(ROOT).parts[0]
    ours = imports(ast.parse(file.read_text())) & MAY_IMPORT.keys()
    assert ours <= MAY_IMPORT[floor]


@pytest.mark.parametrize(
    "name",
    ["arguments", "contract", "errors", "file_kinds", "files", "shipped", "tensors", "typed_json"],
)
def test_floor_zero_needs_no_torch(name: str) -> None:
    assert not imports(ast.parse((ROOT / f"model/{name}.py").read_text())) & {"torch", "PIL"}


def test_relative_imports_are_not_used() -> None:
    # They would slip through the check above.
    for file in FILES:
        nodes = ast.walk(ast.parse(file.read_text()))
        assert not any(isinstance(n, ast.ImportFrom) and n.level for n in nodes), file


def test_no_test_imports_a_test() -> None:
    # What two files need lives in conftest.py or in a module of its own.
    for file in sorted((ROOT / "tests").glob("*.py")):
        assert not [n for n in imports(ast.parse(file.read_text())) if n.startswith("test_")], file
