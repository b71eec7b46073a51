"""Proof that an artifact computes what the network as trained computes.

A chain: network as trained -> rewritten for inference -> ONNX -> TFLite and Core ML. Every link is
compared with the network as trained, in this order, so a miss names the first link that broke.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from export.proof.comparison import write_comparison
from export.proof.nonfinite import first_nonfinite_layer
from export.proof.samples import Pair
from model.contract import Measured, Model, Parity, Precision
from model.errors import ParityError
from pipeline.metrics import cosine, psnr_db, ssim

if TYPE_CHECKING:
    import torch

    from model.lite import SwapNetwork
    from model.mobilefacenet import MobileFaceNet

MIN_IDENTITY_COSINE = 0.999
QUANTIZED: tuple[Precision, ...] = ("dynamic", "int8", "pal6", "w8a8")
QUANTIZED_SAMPLES = 32  # quantization errs differently on every pair; float rounding does not
_MIN_PSNR_DB: dict[Precision, float] = {
    "fp32": 60.0, "fp16": 45.0, "dynamic": 40.0, "int8": 30.0, "pal6": 35.0,
    "w8a8": 30.0,
}  # fmt: skip
_MIN_MEAN_PSNR_DB: dict[Precision, float] = {
    "dynamic": 45.0, "int8": 35.0, "pal6": 40.0, "w8a8": 35.0,
}  # fmt: skip
_MIN_PSNR_8BIT_DB = 45.0  # rounding to 256 levels alone leaves 59 dB

Picture = NDArray[np.float32]  # unit picture: (H, W, 3) float32 RGB in [0, 1]


def min_psnr_db(precision: Precision, eight_bit: bool) -> float:
    """The PSNR (peak 1) that every sample of such an artifact has to reach."""
    return min(_MIN_PSNR_DB[precision], _MIN_PSNR_8BIT_DB if eight_bit else np.inf)


def min_mean_psnr_db(precision: Precision) -> float:
    """The PSNR that the samples of such an artifact have to reach on average."""
    return _MIN_MEAN_PSNR_DB.get(precision, 0.0)


def min_identity_cosine(precision: Precision, model: Model) -> float:
    """The identity cosine that every sample has to reach, of swapped pictures or of embeddings."""
    if precision not in QUANTIZED:
        return MIN_IDENTITY_COSINE
    return 0.98 if model == "generator" else 0.99


@dataclass(frozen=True, slots=True)
class Reference:
    """What the network as trained answers, computed once.

    Attributes:
        pairs: the samples.
        pictures: the swapped faces, one unit picture per pair.
        identities: embeddings of those pictures, (1, E) each; None without an identity encoder.
        faces: embeddings of the target faces themselves, likewise.
        encoder: the identity encoder, to judge an artifact's pictures.
    """

    pairs: Sequence[Pair]
    pictures: Sequence[Picture]
    identities: Sequence[NDArray[np.float32]] | None
    faces: Sequence[NDArray[np.float32]] | None
    encoder: MobileFaceNet | None

    @classmethod
    def compute(
        cls, trained: SwapNetwork, encoder: MobileFaceNet | None, pairs: Sequence[Pair]
    ) -> Reference:
        """Run the network as trained.

        Raises:
            ParityError: a picture has values that are not finite, so nothing can be compared.
        """
        from model.wrap import embed

        pictures = []
        for pair in pairs:
            picture = run_torch(lambda t, e: trained(t, e).image256, pair)
            if not np.isfinite(picture).all():
                raise ParityError(
                    f"the network as trained gives values that are not finite for '{pair.name}'"
                    f"{first_nonfinite_layer(trained, pair)}. Its weights overflow on this pair: "
                    "train on with attention kept in 0..1, or take an earlier checkpoint"
                )
            pictures.append(picture)
        if encoder is None:
            return cls(pairs, pictures, None, None, None)
        identities = [embed(encoder, picture) for picture in pictures]
        targets = [pair.face.astype(np.float32) / 255 for pair in pairs]
        return cls(pairs, pictures, identities, [embed(encoder, t) for t in targets], encoder)


def run_torch(network: Callable[..., torch.Tensor], pair: Pair, *, baked: bool = False) -> Picture:
    """One pair through a PyTorch generator that maps [-1, 1] to [-1, 1], as a unit picture."""
    import torch

    target = torch.from_numpy(pair.face.astype(np.float32).transpose(2, 0, 1)[None] / 255)
    inputs = (target * 2 - 1,) if baked else (target * 2 - 1, torch.from_numpy(pair.embedding))
    with torch.inference_mode():
        image = (network(*inputs)[0] + 1) / 2
    return np.ascontiguousarray(image.numpy().transpose(1, 2, 0))


@dataclass
class Chain:
    """Compares links with the network as trained, and remembers which held.

    Attributes:
        reference: the answers of the network as trained.
        held: the links that held so far, per network, in words. Chains of one export share it.
    """

    reference: Reference
    held: dict[Model, list[str]] = field(default_factory=dict)

    def generator(
        self,
        link: str,
        run: Callable[[Pair], Picture],
        gate_db: float,
        measured: Measured = "executed",
        explain: Callable[[Pair], str] = lambda _: "",
        *,
        mean_gate_db: float = 0.0,
        min_cosine: float = MIN_IDENTITY_COSINE,
        show: Path | None = None,
    ) -> Parity:
        """Compare a generator with the reference on every pair.

        Args:
            link: its name in messages.
            run: gives the unit picture for a pair.
            gate_db: PSNR with peak 1 that every pair has to reach.
            measured: how `run` computes.
            explain: finds out where a pair goes wrong; the end of a sentence.
            mean_gate_db: PSNR that the pairs have to reach on average.
            min_cosine: identity cosine that every pair has to reach.
            show: write the worst pairs there as a picture, whether they pass or not.

        Returns:
            The worst figures over all pairs, and the mean ones.

        Raises:
            ParityError: a pair misses the gate or gives a value that is not finite.
        """
        from model.wrap import embed

        ref, psnrs, ssims, errors, cosines = self.reference, [], [], [], []
        pictures = []
        for i, (pair, wanted) in enumerate(zip(ref.pairs, ref.pictures, strict=True)):
            picture = run(pair)
            self._refuse_nonfinite(link, pair, picture, explain)
            pictures.append(picture)
            psnrs.append(psnr_db(picture, wanted, peak=1.0))
            ssims.append(ssim(picture, wanted))
            errors.append(float(np.abs(picture - wanted).max()))
            if ref.encoder is not None and ref.identities is not None:
                cosines.append(cosine(embed(ref.encoder, picture), ref.identities[i]))
        if show:
            write_comparison(show, ref.pictures, pictures, psnrs)
        self._refuse_below(link, "PSNR", psnrs, gate_db, " dB", explain)
        self._refuse_mean(link, psnrs, mean_gate_db, explain)
        self._refuse_below(link, "identity cosine", cosines, min_cosine, "", explain)
        self.held.setdefault("generator", []).append(f"{link} {min(psnrs):.1f} dB")
        return Parity(
            measured, len(psnrs), min(psnrs), 1.0, min(ssims), max(errors),
            min(cosines) if cosines else None,
            float(np.mean(psnrs)), float(np.mean(ssims)),
            float(np.mean(cosines)) if cosines else None,
        )  # fmt: skip

    def identity(
        self,
        link: str,
        run: Callable[[Pair], NDArray[np.float32]],
        measured: Measured = "executed",
        explain: Callable[[Pair], str] = lambda _: "",
        *,
        min_cosine: float = MIN_IDENTITY_COSINE,
    ) -> Parity:
        """Compare an identity encoder with the reference on every face; arguments as above."""
        assert self.reference.faces is not None
        errors, cosines = [], []
        for pair, wanted in zip(self.reference.pairs, self.reference.faces, strict=True):
            embedding = run(pair)
            self._refuse_nonfinite(link, pair, embedding, explain, model="identity")
            errors.append(float(np.abs(embedding - wanted).max()))
            cosines.append(cosine(embedding, wanted))
        self._refuse_below(
            link, "identity cosine", cosines, min_cosine, "", explain, model="identity"
        )
        self.held.setdefault("identity", []).append(f"{link} {min(cosines):.5f}")
        return Parity(
            measured, len(cosines), max_abs=max(errors), identity_cosine=min(cosines),
            mean_identity_cosine=float(np.mean(cosines)),
        )  # fmt: skip

    def _refuse_nonfinite(
        self,
        link: str,
        pair: Pair,
        values: NDArray[Any],
        explain: Callable[[Pair], str],
        *,
        model: Model = "generator",
    ) -> None:
        if not np.isfinite(values).all():
            raise ParityError(
                f"parity missed: {link} gives values that are not finite for '{pair.name}'"
                f"{explain(pair)}. {self._before(model)}"
            )

    def _refuse_below(
        self,
        link: str,
        what: str,
        values: Sequence[float],
        gate: float,
        unit: str,
        explain: Callable[[Pair], str],
        *,
        model: Model = "generator",
    ) -> None:
        if values and not min(values) >= gate:  # NaN is below every gate
            pair = self.reference.pairs[int(np.argmin(values))]
            raise ParityError(
                f"parity missed: {link} has {what} {min(values):.4g}{unit} for '{pair.name}'; the "
                f"gate is {gate:g}{unit}{explain(pair)}. {self._before(model)}"
            )

    def _refuse_mean(
        self, link: str, psnrs: Sequence[float], gate_db: float, explain: Callable[[Pair], str]
    ) -> None:
        mean = float(np.mean(psnrs))
        if not mean >= gate_db:
            worst = self.reference.pairs[int(np.argmin(psnrs))]
            raise ParityError(
                f"parity missed: {link} has PSNR {mean:.4g} dB on average over {len(psnrs)} pairs; "
                f"the gate is {gate_db:g} dB{explain(worst)}. {self._before('generator')}"
            )

    def _before(self, model: Model) -> str:
        held = ", ".join(self.held.get(model, [])) or "none"
        return f"Links before it that held: {held}"
