"""How the compressed files of a network are made: calibration pairs and layers left alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from export.quantize.calibration import CalibrationSet


@dataclass(frozen=True, slots=True)
class EightBit:
    """What a compressed file depends on besides its network.

    Attributes:
        calibration: pairs that activation ranges are measured on; None where no format needs them.
        keep: weights of layers that stay in higher precision, in PyTorch's layout: (O, I, H, W) of
            a convolution, (O, I) of a linear layer. Converters find a layer by its weights, since
            names do not survive conversion.
    """

    calibration: CalibrationSet | None = None
    keep: tuple[NDArray[np.float32], ...] = ()

    def pairs(self) -> CalibrationSet:
        """The calibration pairs, where the file cannot be made without them."""
        assert self.calibration is not None
        return self.calibration
