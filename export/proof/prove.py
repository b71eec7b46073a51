"""Compare what was just made with the network as trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.proof.half_precision import first_stray_operation, headroom
from export.proof.nonfinite import first_nonfinite_tensor
from export.proof.parity import (
    QUANTIZED,
    Chain,
    Picture,
    min_identity_cosine,
    min_mean_psnr_db,
    min_psnr_db,
    run_torch,
)
from export.proof.samples import Pair
from export.stages import Stages
from export.subject import Artifact, Subject
from model.contract import Parity
from pipeline.backends import backend_class, backend_for, open_backend
from pipeline.backends.base import Backend
from pipeline.tensor import inputs_for, to_unit

_REWRITE = "rewritten for inference"
_REWRITE_GATE_DB = 60.0


def prove_rewrite(subject: Subject, chain: Chain, stages: Stages) -> None:
    """Compare the generator that is exported, still in PyTorch, with the one as trained.

    Raises:
        ParityError: the rewrite changed it.
    """
    with stages.stage(_REWRITE):
        parity = chain.generator(
            _REWRITE,
            lambda pair: run_torch(subject.network, pair, baked=subject.baked),
            _REWRITE_GATE_DB,
        )
        stages.note(f"{parity.psnr_db:.1f} dB")


def prove(
    artifact: Artifact, chain: Chain | None, threads: int, stages: Stages, show: Path | None = None
) -> Parity:
    """Run a model file on every sample, where its runtime works on this machine.

    Args:
        artifact: the model file.
        chain: what it is compared with; None skips the proof.
        threads: for the runtime.
        stages: reports progress to the user.
        show: where a picture of a quantized generator's worst pairs is written.

    Raises:
        ParityError: it does not compute what the network as trained computes.
    """
    if chain is None:
        return Parity("skipped")
    name = backend_for(artifact.format)
    with stages.stage(f"{artifact.path.name} against PyTorch"):
        available = backend_class(name).available()
        if not available:
            stages.note(f"converted, not executed: {available.why}")
            return Parity("not executed")
        backend = open_backend(name, artifact.spec(), artifact.path.parent, threads=threads)
        parity = hold(backend, artifact, chain, show)
        stages.note(summary(parity))
        if backend.measured == "interpreted" and artifact.precision == "fp16":
            stages.note(f"{summary(parity)}, {headroom(artifact, chain.reference.pairs)}")
    return parity


def hold(backend: Backend, artifact: Artifact, chain: Chain, show: Path | None = None) -> Parity:
    """Compare a loaded model file with the chain's reference.

    Raises:
        ParityError: it computes something else.
    """
    output = artifact.signature.outputs[0]

    def answer(pair: Pair) -> NDArray[np.float32]:
        inputs = inputs_for(artifact.signature.inputs, pair.face, pair.embedding)
        return backend.run(**inputs)[output.name]

    def picture(pair: Pair) -> Picture:
        return to_unit(answer(pair), output)

    def explain(pair: Pair) -> str:
        where = first_nonfinite_tensor(artifact, pair)
        # 8 bits stray everywhere a little; the ranking of the layers says more there.
        if not where and backend.measured == "interpreted" and artifact.precision not in QUANTIZED:
            where = first_stray_operation(artifact, pair, gate_db)
        return where

    gate_db = min_psnr_db(artifact.precision, output.dtype == "uint8")
    link, measured = artifact.path.name, backend.measured
    min_cosine = min_identity_cosine(artifact.precision, artifact.subject.model)
    if artifact.subject.model == "identity":
        return chain.identity(link, answer, measured, explain, min_cosine=min_cosine)
    return chain.generator(
        link, picture, gate_db, measured, explain,
        mean_gate_db=min_mean_psnr_db(artifact.precision), min_cosine=min_cosine,
        show=show if artifact.precision in QUANTIZED else None,
    )  # fmt: skip


def summary(parity: Parity) -> str:
    """The figures of one file in a few words."""
    if parity.psnr_db is None and parity.identity_cosine is None:
        return parity.measured
    words: list[str] = [parity.measured]
    if parity.psnr_db is not None:
        mean = f", {parity.mean_psnr_db:.1f} on average" if parity.mean_psnr_db else ""
        words.append(f"{parity.psnr_db:.1f} dB{mean}")
    if parity.identity_cosine is not None:
        words.append(f"identity cosine {parity.identity_cosine:.5f}")
    return ", ".join(words)
