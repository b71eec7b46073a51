"""What every runtime looks like from outside."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, Self, TypeAlias

from model.contract import Measured, ModelSpec
from model.errors import ContractError, install

if TYPE_CHECKING:
    from numpy.typing import NDArray

Arrays: TypeAlias = "dict[str, NDArray[Any]]"


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a runtime works on this machine; false in a condition when it does not.

    Attributes:
        ok: it can give outputs.
        why: why it cannot, or why only in the way that `how` says.
        how: executed by the real runtime, or interpreted by ours.
    """

    ok: bool
    why: str = ""
    how: Measured = "executed"

    def __bool__(self) -> bool:
        return self.ok


class Backend(Protocol):
    """A loaded model file. No base class: a test double is eight lines."""

    name: ClassVar[str]
    spec: ModelSpec
    invoke_ms: float  # of the last frame: the runtime's own call, without what `run` puts around it

    @classmethod
    def available(cls) -> Availability:
        """Whether the runtime can work here, and if not, why not and what would help."""
        ...

    @classmethod
    def load(cls, spec: ModelSpec, root: Path, *, threads: int = 4) -> Self:
        """Load `root / spec.file`."""
        ...

    @property
    def measured(self) -> Measured:
        """How outputs come about: executed by the real runtime, or interpreted."""
        ...

    def run(self, **inputs: NDArray[Any]) -> Arrays:
        """Compute the outputs by name from inputs by name, as `spec` describes them.

        Raises:
            ContractError: an input is missing, unknown, or not what `spec` says.
        """
        ...


def installed(package: str, extra: str) -> Availability:
    """Available if the Python package can be found; it is not imported."""
    if importlib.util.find_spec(package) is not None:
        return Availability(True)
    return Availability(False, f"{package} is not installed; {install(extra)}")


def check_inputs(spec: ModelSpec, inputs: Mapping[str, NDArray[Any]]) -> None:
    """Refuse inputs that are not exactly what `spec` lists.

    Raises:
        ContractError: a name, shape, dtype or value is wrong.
    """
    names = [tensor.name for tensor in spec.inputs]
    if set(names) != set(inputs):
        raise ContractError(
            f"{spec.file} got {', '.join(inputs) or 'nothing'}; it expects {', '.join(names)}"
        )
    for tensor in spec.inputs:
        tensor.check(inputs[tensor.name], spec.file)


class Declared(NamedTuple):
    """What a model file itself says of a tensor.

    Attributes:
        shape: an axis that is no number may have any length; empty where the file gives no shape.
        dtype: numpy name, or empty where the file gives none.
    """

    shape: Sequence[object]
    dtype: str


def check_tensors(
    spec: ModelSpec, inputs: Mapping[str, Declared], outputs: Mapping[str, Declared]
) -> None:
    """Refuse a model file whose own tensors are not those of its manifest.

    Args:
        spec: the manifest's entry.
        inputs: the file's inputs by name.
        outputs: its outputs by name.

    Raises:
        ContractError: names, shapes or types differ; apps rely on all three.
    """
    wanted = {t.name for t in spec.inputs}, {t.name for t in spec.outputs}
    if (set(inputs), set(outputs)) != wanted:
        raise ContractError(
            f"{spec.file} has inputs {sorted(inputs)} and outputs {sorted(outputs)}; its manifest "
            f"says {sorted(wanted[0])} and {sorted(wanted[1])}. Export the bundle again"
        )
    for tensor, own in (
        *((t, inputs[t.name]) for t in spec.inputs),
        *((t, outputs[t.name]) for t in spec.outputs),
    ):
        if not _same_shape(own.shape, tensor.shape) or own.dtype not in ("", tensor.dtype):
            raise ContractError(
                f"'{tensor.name}' is {tuple(own.shape)} {own.dtype} in {spec.file}; its manifest "
                f"says {tensor.shape} {tensor.dtype}. Export the bundle again"
            )


def _same_shape(own: Sequence[object], wanted: Sequence[int]) -> bool:
    if not own:
        return True
    known = len(own) == len(wanted)
    return known and all(n == m for n, m in zip(own, wanted, strict=True) if isinstance(n, int))
