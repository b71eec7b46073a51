"""Peak activations of a generator over thousands of (face, identity) pairs.

The published decoder does not bound its attention, and twelve blocks multiply it, so a network that
works on most pairs can overflow on a few. Activations above a tenth of fp16's range fail the test,
because phones compute in fp16.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

if TYPE_CHECKING:
    from model.lite import SwapNetwork

BAR = 6_550.0  # a tenth of the largest fp16 number, 65,504

# Every tenth pair: blank pictures and noise; the others are faces, changed at random.
_ODD = ("black", "white", "grey", "noise", "halves")


@dataclass(slots=True)
class Bounds:
    """The measurements so far.

    Attributes:
        pairs: (face, identity) pairs that went through.
        not_finite: values that were NaN or infinite, over all modules and pairs.
        not_finite_in: the first module with one in its inputs or outputs.
        peak: the largest absolute finite value.
        peak_in: the module that had it as input or output, and the pair.
        peaks: the largest of each module.
    """

    pairs: int = 0
    not_finite: int = 0
    not_finite_in: str = ""
    peak: float = 0.0
    peak_in: str = ""
    peaks: dict[str, float] = field(default_factory=dict)

    @property
    def held(self) -> bool:
        """Whether all was finite and below the bar."""
        return self.not_finite == 0 and self.peak < BAR


def measure(
    network: SwapNetwork,
    faces: NDArray[np.uint8],
    identities: NDArray[np.float32],
    pairs: int,
    *,
    seed: int = 0,
    batch: int = 1,
    step: Callable[[int], None] = lambda _count: None,
) -> Bounds:
    """Run pairs through the network as trained, and measure every module's inputs and outputs.

    Args:
        network: in eval mode, on the device to run on; becomes channels-last, which is faster.
        faces: (N, S, S, 3) uint8 RGB, aligned.
        identities: (M, E) float32 unit vectors, used by every second pair; the others are random.
        pairs: how many.
        seed: draws them.
        batch: pairs at a time; on a CPU one at a time is the fastest.
        step: told how many pairs were done.
    """
    bounds = Bounds()
    device = next(network.parameters()).device
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    handles = [
        module.register_forward_hook(_watcher(name or "generator", bounds))
        for name, module in network.named_modules()
    ]
    try:
        drawn = _draw(faces, identities, pairs, seed)
        with torch.inference_mode():
            while bounds.pairs < pairs:
                chunk = [next(drawn) for _ in range(min(batch, pairs - bounds.pairs))]
                target = torch.from_numpy(np.stack([face for face, _ in chunk])).to(device)
                embedding = torch.from_numpy(np.stack([who for _, who in chunk])).to(device)
                network(target.contiguous(memory_format=torch.channels_last), embedding)
                bounds.pairs += len(chunk)
                step(len(chunk))
    finally:
        for handle in handles:
            handle.remove()
    return bounds


def _watcher(name: str, bounds: Bounds) -> Callable[[nn.Module, Any, Any], None]:
    def watch(_module: nn.Module, taken: Any, given: Any) -> None:
        # Inputs are measured too: sums between modules are the output of no module.
        for kind, value in (("into", taken), ("out of", given)):
            for tensor in _tensors(value):
                _note(bounds, name, kind, tensor)

    return watch


def _note(bounds: Bounds, name: str, kind: str, tensor: Tensor) -> None:
    if tensor.dim() == 4:
        tensor = tensor.permute(0, 2, 3, 1)  # as it lies in memory: three times as fast
    low, high = torch.aminmax(tensor)
    peak = max(abs(float(low)), abs(float(high)))
    if not np.isfinite(peak):
        finite = torch.isfinite(tensor)
        bounds.not_finite += int((~finite).sum())
        bounds.not_finite_in = bounds.not_finite_in or f"{kind} {name}"
        peak = float(tensor[finite].abs().max()) if finite.any() else 0.0
    bounds.peaks[name] = max(bounds.peaks.get(name, 0.0), peak)
    if peak > bounds.peak:
        bounds.peak, bounds.peak_in = peak, f"{kind} {name}, pairs from {bounds.pairs} on"


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)


def _draw(
    faces: NDArray[np.uint8], identities: NDArray[np.float32], pairs: int, seed: int
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Targets (3, S, S) float32 in [-1, 1] and unit identities (E,)."""
    random = np.random.default_rng(seed)
    size, length = faces.shape[1], identities.shape[1]
    for i in range(pairs):
        if i % 10 == 9:
            picture = _odd(_ODD[i // 10 % len(_ODD)], size, random)
        else:
            picture = _changed(faces[random.integers(len(faces))], random)
        known = identities[random.integers(len(identities))]
        who = random.normal(size=length) if i % 2 else known
        who = who / np.linalg.norm(who)
        yield (
            np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32),
            np.asarray(who, np.float32),
        )


def _changed(face: NDArray[np.uint8], random: np.random.Generator) -> NDArray[Any]:
    """Mirrored, brighter or darker, of more or less contrast; half of the time as it is."""
    unit = face.astype(np.float32) / 127.5 - 1
    if random.random() < 0.5:
        unit = unit[:, ::-1]
    if random.random() < 0.5:
        unit = (unit * random.uniform(0.3, 2.0) + random.uniform(-0.6, 0.6)).clip(-1, 1)
    return unit


def _odd(kind: str, size: int, random: np.random.Generator) -> NDArray[Any]:
    shape = (size, size, 3)
    if kind == "noise":
        return random.uniform(-1, 1, shape)
    if kind == "halves":
        return np.where(np.arange(size)[:, None, None] < size // 2, -1.0, 1.0) * np.ones(shape)
    return np.full(shape, {"black": -1.0, "white": 1.0, "grey": 0.0}[kind])
