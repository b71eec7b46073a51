"""Fine maps that stay in float in 8-bit files: what the picture is painted from, and early sums.

The rules look at a graph through `Step`, so that TFLite and ONNX files follow the same ones. Which
vectors and coarse maps stay in float is said where each format is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# A picture has 3 channels, with a mask beside it 4. Such maps are a small part of the work.
_FEW = 4


@dataclass(frozen=True, slots=True)
class Step:
    """One operator that gives a map.

    Attributes:
        kind: CONV, RESIZE or ADD; anything else for other operators.
        inputs: names of the tensors that it reads.
        output: name of the map that it gives.
        channels: of that map.
        side: its longer side in pixels.
    """

    kind: str
    inputs: tuple[str, ...]
    output: str
    channels: int
    side: int


def fine_floats(steps: Sequence[Step], pictures: Sequence[str], coarse: int) -> set[str]:
    """The maps of more than `coarse` pixels a side that stay in float.

    Args:
        steps: the operators that give maps, in the order of execution.
        pictures: names of the pictures that come out.
        coarse: longest side of the maps that stay in float in any case.

    Returns:
        Names of tensors.
    """
    return _painting(steps, pictures) | _sums_of_enlarged(steps, coarse)


def _painting(steps: Sequence[Step], pictures: Sequence[str]) -> set[str]:
    """The maps of few channels that a picture is composed of.

    A network may paint a small picture, enlarge it and lay it over the target by a mask. In int8
    each of these operators rounds anew, and the errors of the small picture become patches of
    colour in flat skin. So nothing is rounded from the layer that paints to the picture itself.
    A layer that paints at the picture's own size stays int8: its errors are single pixels, and its
    input is large, so that converting it to floats would take time.
    """
    made = {step.output: step for step in steps}
    found: set[str] = set()
    open_ends = [made[name] for name in pictures if name in made]
    full = max((step.side for step in open_ends), default=0)
    while open_ends:
        step = open_ends.pop()
        if step.output in found or (step.kind == "CONV" and step.side >= full):
            continue
        found.add(step.output)
        read = (made[name] for name in step.inputs if name in made)
        open_ends += [other for other in read if other.channels <= _FEW]
    return found


def _sums_of_enlarged(steps: Sequence[Step], coarse: int) -> set[str]:
    """Coarse maps once they are enlarged, and the sums that they go into.

    Coarse maps are in float already, and may have large values that a ReLU behind the sum cuts off.
    Only the sum is rounded, in front of the next layer, in the finer steps that suffice for it.
    """
    sides = {step.output: step.side for step in steps}
    enlarged = {
        step.output
        for step in steps
        if step.kind == "RESIZE" and sides.get(step.inputs[0], coarse + 1) <= coarse < step.side
    }
    found: set[str] = set()
    for step in steps:
        terms = enlarged.intersection(step.inputs)
        if step.kind == "ADD" and terms:
            found |= {step.output, *terms}
    return found
