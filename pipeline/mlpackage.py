"""What a Core ML package holds, in text: `python -m pipeline.mlpackage FILE`."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model.errors import guard


def describe(path: Path) -> dict[str, Any]:
    """Functions, inputs, outputs, operations by kind, stored weights by type, and size.

    Works for any ML Program, also one with operations that the interpreter does not know.

    Raises:
        ContractError: `path` is no package with an ML Program.
    """
    from model.contract import digest
    from pipeline.mlprogram.program import Package

    package = Package(path)
    program = package.model.mlProgram
    functions = {}
    for name, function in program.functions.items():
        block = function.block_specializations[function.opset]
        inputs, outputs = package.features(name)
        functions[name] = {
            "opset": function.opset,
            "inputs": {f.name: _feature_text(f) for f in inputs},
            "outputs": {f.name: _feature_text(f) for f in outputs},
            "operations": dict(
                Counter(op.type for op in block.operations if op.type != "const").most_common()
            ),
            "weights": _weights(block),
        }
    return {
        "file": path.name,
        "size_mb": round(digest(path)[1] / 1e6, 2),
        "specification": package.model.specificationVersion,
        "description": package.model.description.metadata.shortDescription,
        "default_function": package.default_function,
        "functions": functions,
    }


def _feature_text(feature: Any) -> str:
    _, *rest = feature.shape or (0,)
    if feature.color:
        return f"{feature.color} image, {rest[1]}x{rest[0]}, 8 bits"
    return f"array {feature.shape}"


def _weights(block: Any) -> dict[str, dict[str, float]]:
    """Elements and megabytes per stored type; what is compressed counts as it is stored."""
    import numpy as np

    from pipeline.mlprogram.blob import KINDS
    from pipeline.mlprogram.values import tensor_kind

    stored: dict[str, dict[str, float]] = {}
    for op in block.operations:
        for value in [
            *op.attributes.values(),
            *(b.value for a in op.inputs.values() for b in a.arguments),
        ]:
            if value.WhichOneof("value") != "blobFileValue":
                continue
            kind, shape = tensor_kind(value.type)
            count = int(np.prod(shape))
            entry = stored.setdefault(kind.lower(), {"elements": 0, "size_mb": 0.0})
            entry["elements"] += count
            bits = KINDS[kind].bits if kind in KINDS else 0
            entry["size_mb"] = round(entry["size_mb"] + count * bits / 8e6, 4)
    return stored


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Print the description."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.mlpackage", description=__doc__)
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
    print(f"{description['file']}: {description['size_mb']} MB, specification ", end="")
    print(description["specification"])
    if description["description"]:
        print(f"  {description['description']}")
    for name, function in description["functions"].items():
        default = " (default)" if name == description["default_function"] else ""
        print(f"\nfunction {name}{default}, {function['opset']}")
        for side in ("inputs", "outputs"):
            for tensor, text in function[side].items():
                print(f"  {side[:-1]:<8}{tensor:<24}{text}")
        print("  operations")
        for operation, count in function["operations"].items():
            print(f"    {count:>5}  {operation}")
        print("  weights as stored")
        for kind, entry in function["weights"].items():
            print(f"    {kind:<9}{entry['elements']:>12,} elements  {entry['size_mb']:.2f} MB")


if __name__ == "__main__":
    sys.exit(main())
