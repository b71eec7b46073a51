"""What the network as trained answers, computed once for all files that are held against it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from export.proof.parity import QUANTIZED, QUANTIZED_SAMPLES, Chain, Reference
from export.proof.samples import make_pairs
from export.stages import Stages
from model.contract import FACE_SIZE, Precision

if TYPE_CHECKING:
    from model.lite import SwapNetwork
    from model.mobilefacenet import MobileFaceNet


@dataclass
class Chains:
    """A short chain for float files, a longer one for quantized files where there are any.

    Attributes:
        trained: the generator, as trained.
        encoder: the identity encoder, where there is one.
        baked: the only embedding, where it is baked in.
        samples: (face, identity) pairs for float files.
        seed: for the random identities among them.
        stages: told what is done.
    """

    trained: SwapNetwork
    encoder: MobileFaceNet | None
    baked: NDArray[np.float32] | None
    samples: int
    seed: int
    stages: Stages
    _started: dict[int, Chain] = field(default_factory=dict)

    def of(self, precision: Precision) -> Chain:
        """What files of a precision are held against."""
        samples = self.samples
        if precision in QUANTIZED:
            samples = max(samples, QUANTIZED_SAMPLES)
        if samples not in self._started:
            self._started[samples] = self._start(samples)
        return self._started[samples]

    def _start(self, samples: int) -> Chain:
        with self.stages.stage("network as trained (PyTorch)"):
            embedding_size = self.trained.config.embedding_size
            pairs = make_pairs(
                samples, FACE_SIZE, embedding_size, self.encoder, self.baked, self.seed
            )
            chain = Chain(Reference.compute(self.trained, self.encoder, pairs))
            self.stages.note(f"{len(pairs)} pairs")
        return chain
