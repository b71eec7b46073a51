"""What a Core ML package holds, in text: `python -m pipeline.mlpackage FILE`."""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from model import arguments
from model.errors import guard
from model.streams import one_line


def describe(path: Path) -> dict[str, Any]:
    """Functions, inputs, outputs, states, operations by kind, stored weights by type, and size.

    Works for any ML Program, also one with operations that the interpreter does not know.

    Raises:
        ContractError: `path` is no package with an ML Program.
    """
    from model.digest import digest
    from pipeline.mlprogram.features import feature_text
    from pipeline.mlprogram.program import Package

    package = Package(path)
    functions = {}
    for name in package.functions:
        block, described = package.block(name), package.description(name)
        operations = list(_operations(block))
        functions[name] = {
            "opset": package.model.mlProgram.functions[name].opset,
            "inputs": {f.name: feature_text(f) for f in described.input},
            "outputs": {f.name: feature_text(f) for f in described.output},
            "states": {f.name: feature_text(f) for f in described.state},
            "operations": dict(
                Counter(op.type for op in operations if op.type != "const").most_common()
            ),
            "weights": _weights(operations),
        }
    return {
        "file": path.name,
        "size_mb": round(digest(path)[1] / 1e6, 2),
        "specification": package.model.specificationVersion,
        "description": package.model.description.metadata.shortDescription,
        "default_function": package.default_function,
        "functions": functions,
    }


def _operations(block: Any) -> Iterator[Any]:
    """All operations, those inside loops and conditions too."""
    for op in block.operations:
        yield op
        for inner in op.blocks:
            yield from _operations(inner)


def _weights(operations: list[Any]) -> dict[str, dict[str, float]]:
    """Elements and megabytes per stored type; what is compressed counts as it is stored."""
    from pipeline.mlprogram.values import element_bits, tensor_kind

    blobs = {}
    for op in operations:
        bindings = [b.value for a in op.inputs.values() for b in a.arguments]
        for value in _stored([*op.attributes.values(), *bindings]):
            place = value.blobFileValue
            blobs[place.fileName, place.offset] = tensor_kind(value.type)
    stored: dict[str, dict[str, float]] = {}
    for kind, shape in blobs.values():
        entry = stored.setdefault(kind.lower(), {"elements": 0, "size_mb": 0.0})
        entry["elements"] += math.prod(shape)
        entry["size_mb"] += math.prod(shape) * element_bits(kind) / 8e6
    for entry in stored.values():
        entry["size_mb"] = round(entry["size_mb"], 4)
    return stored


def _stored(values: Iterable[Any]) -> Iterator[Any]:
    """The values that lie in a weight file, those inside lists and dictionaries too."""
    for value in values:
        if value.WhichOneof("value") == "blobFileValue":
            yield value
        elif value.WhichOneof("value") == "immediateValue":
            several = value.immediateValue
            yield from _stored(several.tuple.values)
            yield from _stored(several.list.values)
            pairs = several.dictionary.values
            yield from _stored(v for pair in pairs for v in (pair.key, pair.value))


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Print the description."""
    parser = arguments.Parser(prog="python -m pipeline.mlpackage", description=__doc__)
    parser.add_argument("package", type=Path, metavar="FILE", help="an .mlpackage")
    parser.add_argument("--json", action="store_true", help="machine-readable result on stdout")
    args = parser.parse_args(argv)

    description = describe(args.package)
    if args.json:
        print(json.dumps(description, indent=2))
    else:
        _print(description)
    return 0


def _print(description: dict[str, Any]) -> None:
    for line in _lines(description):
        print(one_line(line))


def _lines(description: dict[str, Any]) -> Iterator[str]:
    size, specification = description["size_mb"], description["specification"]
    yield f"{description['file']}: {size} MB, specification {specification}"
    if description["description"]:
        yield f"  {description['description']}"
    for name, function in description["functions"].items():
        default = " (default)" if name == description["default_function"] else ""
        yield ""
        yield f"function {name}{default}, {function['opset']}"
        for side in ("inputs", "outputs", "states"):
            for tensor, text in function[side].items():
                yield f"  {side[:-1]:<8}{tensor:<24}{text}"
        yield "  operations"
        for operation, count in function["operations"].items():
            yield f"    {count:>5}  {operation}"
        yield "  weights as stored"
        for kind, entry in function["weights"].items():
            yield f"    {kind:<9}{entry['elements']:>12,} elements  {entry['size_mb']:.2f} MB"


if __name__ == "__main__":
    sys.exit(main())
