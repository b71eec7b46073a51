"""Find the first value that is not finite: in a PyTorch network or in a model file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from export.proof.samples import Pair
from export.subject import Artifact
from model.contract import Format
from pipeline.quiet import quiet
from pipeline.tensor import inputs_for

if TYPE_CHECKING:
    from model.lite import SwapNetwork
    from pipeline.mlprogram.program import Intermediate


def first_nonfinite_layer(network: SwapNetwork, pair: Pair) -> str:
    """The first layer with such values, as the end of a sentence; empty if there is none."""
    import torch

    found: list[str] = []

    def watch(name: str) -> Callable[..., None]:
        def look(_module: object, _inputs: object, output: object) -> None:
            if isinstance(output, torch.Tensor) and not torch.isfinite(output).all():
                found.append(name)

        return look

    hooks = [
        module.register_forward_hook(watch(name))
        for name, module in network.named_modules()
        if not list(module.children())
    ]
    target = torch.from_numpy(pair.face.astype(np.float32).transpose(2, 0, 1)[None] / 127.5 - 1)
    with torch.inference_mode():
        network(target, torch.from_numpy(pair.embedding))
    for hook in hooks:
        hook.remove()
    return f", first in {found[0]}" if found else ""


def first_nonfinite_tensor(artifact: Artifact, pair: Pair) -> str:
    """The first tensor with such values, as the end of a sentence; empty if none is found."""
    inputs = inputs_for(artifact.signature.inputs, pair.face, pair.embedding)
    look = _LOOKS.get(artifact.format)
    name = look(artifact, inputs) if look else None
    return f", first in {name}" if name else ""


def _look_onnx(artifact: Artifact, inputs: dict[str, NDArray[Any]]) -> str | None:
    import onnx
    import onnxruntime

    model = onnx.load(artifact.path)
    names = [name for node in model.graph.node for name in node.output]
    known = {output.name for output in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=n) for n in names if n not in known)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    values = dict(zip(names, session.run(names, inputs), strict=True))
    return next((n for n in names if _nonfinite(values[n])), None)


def _look_tflite(artifact: Artifact, inputs: dict[str, NDArray[Any]]) -> str | None:
    with quiet():
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(str(artifact.path), experimental_preserve_all_tensors=True)
        interpreter.allocate_tensors()
    details = interpreter.get_signature_runner().get_input_details()
    for name, value in inputs.items():
        interpreter.set_tensor(details[name]["index"], value)
    interpreter.invoke()
    names = {tensor["index"]: tensor["name"] for tensor in interpreter.get_tensor_details()}
    for op in interpreter._get_ops_details():
        for index in op["outputs"]:
            if op["op_name"] != "DELEGATE" and _nonfinite(interpreter.get_tensor(index)):
                return names[index]
    return None


def _look_mlpackage(artifact: Artifact, inputs: dict[str, NDArray[Any]]) -> str | None:
    from pipeline.mlprogram.program import Package

    found: list[str] = []

    def look(seen: Intermediate) -> None:
        if not seen.value.isfinite().all():
            found.append(f"{seen.name} ({seen.operation})")

    Package(artifact.path).function().run(inputs, mode="stored", hook=look)
    return found[0] if found else None


def _nonfinite(value: NDArray[Any]) -> bool:
    return value.dtype.kind == "f" and not bool(np.isfinite(value).all())


_LOOKS: dict[Format, Callable[[Artifact, dict[str, NDArray[Any]]], str | None]] = {
    "onnx": _look_onnx,
    "tflite": _look_tflite,
    "mlpackage": _look_mlpackage,
}
