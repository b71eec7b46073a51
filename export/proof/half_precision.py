"""Half precision in a Core ML package: distance from overflow, and the first wrong operation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from export.proof.samples import Pair
from export.subject import Artifact
from pipeline.metrics import psnr_db
from pipeline.tensor import inputs_for

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from pipeline.mlprogram.program import Intermediate

FP16_MAX = 65504.0


@dataclass(frozen=True, slots=True)
class Headroom:
    """The largest value that any operation stores in fp16 on the samples.

    Attributes:
        peak: its size.
        name: the value's name in the package.
        operation: what computed it.
    """

    peak: float
    name: str
    operation: str

    @property
    def factor(self) -> float:
        """How many times larger it could grow before fp16 overflows."""
        return FP16_MAX / self.peak

    def __str__(self) -> str:
        """As the end of a stage line."""
        return f"fp16 headroom {self.factor:,.0f}x (peak {self.peak:.4g} in {self.name})"


def headroom(artifact: Artifact, pairs: Sequence[Pair]) -> Headroom:
    """Watch every value of a package, computed without rounding, on `pairs`."""
    from pipeline.mlprogram.program import Package

    function, found = Package(artifact.path).function(), [Headroom(0.0, "", "")]

    def look(seen: Intermediate) -> None:
        peak = float(seen.value.abs().max())
        if seen.kind == "FLOAT16" and peak > found[0].peak:
            found[0] = Headroom(peak, seen.name, seen.operation)

    for pair in pairs:
        function.run(_inputs(artifact, pair), mode="fp32", hook=look)
    return found[0]


def first_stray_operation(artifact: Artifact, pair: Pair, gate_db: float) -> str:
    """The first convolution of a package whose result leaves PyTorch's, as the end of a sentence.

    The k-th convolution of the package is held against the k-th that PyTorch runs, as stored; a
    package with another number of them was rewritten by the converter, and cannot be compared so.
    PSNR is relative to the range of PyTorch's values.
    """
    from pipeline.mlprogram.program import Package

    ours: list[tuple[str, NDArray[Any]]] = []

    def look(seen: Intermediate) -> None:
        if seen.operation == "conv":
            ours.append((seen.name, seen.value.numpy().copy()))

    Package(artifact.path).function().run(_inputs(artifact, pair), mode="stored", hook=look)
    theirs = list(_torch_convolutions(artifact, pair))
    if len(ours) != len(theirs):
        return ""
    for (name, value), (layer, wanted) in zip(ours, theirs, strict=True):
        peak = float(np.ptp(wanted)) or 1.0
        found_db = psnr_db(value, wanted, peak) if value.shape == wanted.shape else 0.0
        if not found_db >= gate_db:
            where = f"{name} ({layer}, {found_db:.1f} dB)"
            return f"; the first operation that leaves PyTorch's is {where}"
    return ""


def _inputs(artifact: Artifact, pair: Pair) -> dict[str, NDArray[Any]]:
    return inputs_for(artifact.signature.inputs, pair.face, pair.embedding)


def _torch_convolutions(artifact: Artifact, pair: Pair) -> Iterator[tuple[str, NDArray[Any]]]:
    """Name and result of each convolution that PyTorch runs, in order."""
    import torch

    module, results = artifact.subject.wrapped(peak=255.0), []

    def keep(name: str) -> Any:
        def hook(_module: torch.nn.Module, _inputs: Any, output: Tensor) -> None:
            results.append((name, output.numpy().copy()))

        return hook

    layers = dict(module.named_modules())
    hooks = []
    for name, layer in layers.items():
        # The converter folds a BN into the convolution before it (MobileFaceNet calls it `bn`).
        folded = name.rpartition(".")[0] + ".bn" in layers
        is_conv = isinstance(layer, torch.nn.Conv2d) and not folded
        if is_conv or isinstance(layer, torch.nn.BatchNorm2d):
            hooks.append(layer.register_forward_hook(keep(name)))
    values = _inputs(artifact, pair)
    inputs = [
        torch.from_numpy(
            values[spec.name].astype(np.float32).transpose(0, 3, 1, 2).copy()
            if spec.color
            else values[spec.name]
        )
        for spec in artifact.signature.inputs
    ]
    with torch.inference_mode():
        module(*inputs)
    for hook in hooks:
        hook.remove()
    yield from results
