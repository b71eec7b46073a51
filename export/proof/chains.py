"""The answers of the network as trained, computed once for all files that are compared with it."""

from __future__ import annotations

from dataclasses import dataclass, field

from export.networks import Networks
from export.proof.parity import QUANTIZED, QUANTIZED_SAMPLES, Chain, Reference
from export.proof.samples import make_pairs
from export.stages import Stages
from model.aligned_face import FACE_SIZE
from model.contract import Model, Precision


@dataclass
class Chains:
    """A short chain for float files, and a longer one for quantized files where there are any.

    Attributes:
        networks: as trained.
        samples: (face, identity) pairs for float files.
        seed: for the random identities among them.
        stages: reports progress to the user.
    """

    networks: Networks
    samples: int
    seed: int
    stages: Stages
    _started: dict[int, Chain] = field(default_factory=dict)
    _held: dict[Model, list[str]] = field(default_factory=dict)

    def of(self, precision: Precision) -> Chain:
        """The chain that files of a precision belong to."""
        samples = self.samples
        if precision in QUANTIZED:
            samples = max(samples, QUANTIZED_SAMPLES)
        if samples not in self._started:
            self._started[samples] = self._start(samples)
        return self._started[samples]

    def _start(self, samples: int) -> Chain:
        trained, encoder = self.networks.trained, self.networks.encoder
        with self.stages.stage("network as trained (PyTorch)"):
            pairs = make_pairs(
                samples, FACE_SIZE, trained.config.embedding_size, encoder,
                self.networks.baked, self.seed,
            )  # fmt: skip
            chain = Chain(Reference.compute(trained, encoder, pairs), self._held)
            self.stages.note(f"{len(pairs)} pairs")
        return chain
