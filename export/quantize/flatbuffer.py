"""Read and edit TFLite files as objects, for changes that no converter has a flag for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_FILE_IDENTIFIER = b"TFL3"
_NUMPY = {0: np.float32, 2: np.int32, 3: np.uint8, 9: np.int8}  # by schema's TensorType


class Op(NamedTuple):
    """One operator of a TFLite file.

    Attributes:
        name: of its kind, as in the schema: CONV_2D.
        inputs: indices of the tensors that it reads, without optional inputs that are left out.
        outputs: indices of the tensors that it writes.
        operator: the schema's `OperatorT`.
    """

    name: str
    inputs: list[int]
    outputs: list[int]
    operator: Any


def read(content: bytes) -> Any:
    """Parse the bytes of a TFLite file into the schema's `ModelT`.

    A damaged file makes the generated readers raise any exception, `struct.error` for one.
    """
    from ai_edge_litert import schema_py_generated as schema

    return schema.ModelT.InitFromPackedBuf(bytearray(content), 0)


def pack(model: Any) -> bytes:
    """The bytes of a TFLite file from a `ModelT`."""
    import flatbuffers

    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), _FILE_IDENTIFIER)
    return bytes(builder.Output())


def ops(model: Any) -> Iterator[Op]:
    """The operators of the first subgraph, in the order of execution."""
    names = _op_names()
    for operator in model.subgraphs[0].operators:
        code = model.operatorCodes[operator.opcodeIndex]
        name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        inputs = [int(i) for i in operator.inputs if i >= 0]
        yield Op(name, inputs, [int(i) for i in operator.outputs], operator)


def constant(model: Any, tensor: int) -> NDArray[Any] | None:
    """The values of a constant tensor, in its shape.

    None where the tensor is computed, or is not float32, int32, uint8 or int8.
    """
    entry = model.subgraphs[0].tensors[tensor]
    data = model.buffers[entry.buffer].data
    if data is None or entry.type not in _NUMPY:
        return None
    shape = [] if entry.shape is None else list(entry.shape)
    return np.frombuffer(bytes(data), _NUMPY[entry.type]).reshape(shape)


def name_of(model: Any, tensor: int) -> str:
    """The name of a tensor."""
    return str(model.subgraphs[0].tensors[tensor].name.decode())


def signature(model: Any) -> tuple[dict[str, int], dict[str, int]]:
    """The one signature: tensor indices of its inputs and of its outputs, by the names apps use."""
    (signature,) = model.signatureDefs
    return (
        {entry.name.decode(): int(entry.tensorIndex) for entry in signature.inputs},
        {entry.name.decode(): int(entry.tensorIndex) for entry in signature.outputs},
    )


def opcode(model: Any, name: str) -> int:
    """The index of the operator code `name`; it is added where the file lacks it."""
    from ai_edge_litert import schema_py_generated as schema

    wanted = getattr(schema.BuiltinOperator, name)
    for index, code in enumerate(model.operatorCodes):
        if max(code.builtinCode, code.deprecatedBuiltinCode) == wanted:
            return index
    added = schema.OperatorCodeT()
    added.builtinCode, added.deprecatedBuiltinCode = wanted, min(wanted, 127)
    model.operatorCodes.append(added)
    return len(model.operatorCodes) - 1


def _op_names() -> dict[int, str]:
    from ai_edge_litert import schema_py_generated as schema

    codes = vars(schema.BuiltinOperator).items()
    return {code: name for name, code in codes if isinstance(code, int)}


def drop_transposed_activations(model: Any) -> int:
    """Remove the transposes to NCHW and back around a LEAKY_RELU, in place.

    onnx2tf 1.29 adds such pairs around the activations after the AdaIN modulation. They copy whole
    256 px maps and change nothing.

    Returns:
        How many pairs were removed.
    """
    graph = model.subgraphs[0]
    listed = list(ops(model))
    made = {index: op for op in listed for index in op.outputs}
    readers: dict[int, list[Op]] = {}
    for op in listed:
        for index in op.inputs:
            readers.setdefault(index, []).append(op)
    gone = []
    for op in listed:
        before = made.get(op.inputs[0]) if op.name == "LEAKY_RELU" else None
        behind = readers.get(op.outputs[0], [])
        if before is None or before.name != "TRANSPOSE" or not behind:
            continue
        if {b.name for b in behind} != {"TRANSPOSE"} or len(readers[before.outputs[0]]) != 1:
            continue
        there = constant(model, before.inputs[1])
        back = [constant(model, b.inputs[1]) for b in behind]
        if there is None or any(b is None or (there[b] != np.arange(len(b))).any() for b in back):
            continue
        op.operator.inputs = [before.inputs[0]]
        for b in behind:
            graph.tensors[b.outputs[0]].name = graph.tensors[op.outputs[0]].name
            for reader in readers.get(b.outputs[0], []):
                reader.operator.inputs = [
                    op.outputs[0] if i == b.outputs[0] else i for i in reader.operator.inputs
                ]
        graph.tensors[op.outputs[0]].shape = graph.tensors[before.inputs[0]].shape
        graph.tensors[op.outputs[0]].shapeSignature = None
        gone += [before, *behind]
    dropped = {id(op.operator) for op in gone}
    graph.operators = [o for o in graph.operators if id(o) not in dropped]
    _drop_unused(model)
    return len(gone) // 2


def _drop_unused(model: Any) -> None:
    """Remove tensors and operator codes that no operator uses, in place.

    Other tools fail on them: ai-edge-quantizer on tensors without memory, TensorFlow's calibrator
    on unused operator codes.
    """
    graph, (signature,) = model.subgraphs[0], model.signatureDefs
    used = {int(i) for o in graph.operators for i in (*o.inputs, *o.outputs)}
    used |= {int(i) for i in (*graph.inputs, *graph.outputs)}
    kept = [i for i in range(len(graph.tensors)) if i in used]
    new = {old: i for i, old in enumerate(kept)} | {-1: -1}  # -1 is an input left out
    graph.tensors = [graph.tensors[i] for i in kept]
    for part in (graph, *graph.operators):
        part.inputs, part.outputs = (
            [new[int(i)] for i in ends] for ends in (part.inputs, part.outputs)
        )
    for entry in (*signature.inputs, *signature.outputs):
        entry.tensorIndex = new[int(entry.tensorIndex)]
    codes = sorted({o.opcodeIndex for o in graph.operators})
    model.operatorCodes = [model.operatorCodes[code] for code in codes]
    for operator in graph.operators:
        operator.opcodeIndex = codes.index(operator.opcodeIndex)
