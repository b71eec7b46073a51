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
    [
        "aligned_face",
        "arguments",
        "array_file",
        "contract",
        "digest",
        "errors",
        "file_kinds",
        "files",
        "manifest",
        "shipped",
        "place",
        "possible",
        "tensors",
        "typed_json",
        "untrusted",
    ],
)  # fmt: skip
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


def module_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(file): file for file in FILES}


def modules_imported(file: Path) -> set[str]:
    """Our modules that `file` imports anywhere, inside functions too, but not for types alone."""
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = inner & MODULES.keys()
            found |= modules or {node.module}
    return found & MODULES.keys()


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    return {name: modules_imported(file) - {name} for name, file in MODULES.items()}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Nodes of a graph that lead back to themselves; an empty list if there are none."""
    left = {node: set(edges) & graph.keys() for node, edges in graph.items()}
    while ends := [node for node, edges in left.items() if not edges]:
        for node in ends:
            del left[node]
        for edges in left.values():
            edges.difference_update(ends)
    return sorted(left)


def test_no_modules_import_each_other_in_a_circle(graph: dict[str, set[str]]) -> None:
    assert not circle(graph)


def test_the_rooms_of_export_do_not_import_each_other_in_a_circle(
    graph: dict[str, set[str]],
) -> None:
    rooms = ("convert", "quantize", "proof")

    def room_of(module: str) -> str:
        parts = module.split(".")
        return parts[1] if parts[0] == "export" and parts[1:2] and parts[1] in rooms else ""

    between: dict[str, set[str]] = {room: set() for room in rooms}
    for module, imported in graph.items():
        if room := room_of(module):
            between[room] |= {room_of(name) for name in imported} - {room, ""}
    assert not circle(between), between


COMMANDS = {
    f"export.{name}"
    for name in (
        "__main__", "cli", "coreml", "doctor", "files", "job", "onnx", "sensitivity", "tflite",
        "verify",
    )
}  # fmt: skip


@pytest.mark.parametrize("room", ["convert", "quantize", "proof"])
def test_rooms_of_export_know_no_command_and_no_job(room: str, graph: dict[str, set[str]]) -> None:
    assert MODULES.keys() >= COMMANDS
    for module in graph:
        if module.startswith(f"export.{room}"):
            assert not graph[module] & COMMANDS, module
