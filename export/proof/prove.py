"""Hold a model file that was just made against the network as trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export import bundle
from export.proof.half_precision import first_stray_operation, headroom
from export.proof.nonfinite import feed, first_nonfinite_tensor
from export.proof.parity import (
    QUANTIZED,
    Chain,
    Picture,
    min_identity_cosine,
    min_mean_psnr_db,
    min_psnr_db,
)
from export.proof.samples import Pair
from export.stages import Stages
from export.subject import Artifact
from model.contract import Parity
from pipeline.backends import BACKENDS, backend_class, open_backend
from pipeline.backends.base import Backend
from pipeline.tensor import to_unit

_NAMED = 3  # of the layers that 8 bits cost most
_ADVICE = (
    ". python -m export.sensitivity CKPT --format {} ranks the layers that 8 bits hurt and writes "
    "a recipe that keeps the worst of them"
)


def prove(
    artifact: Artifact, chain: Chain | None, threads: int, stages: Stages, show: Path | None = None
) -> Parity:
    """Run the file that was just made on every sample, where its runtime works.

    Args:
        artifact: the model file.
        chain: what it is held against; None skips the proof.
        threads: for the runtime.
        stages: told what is done.
        show: where a picture of a quantized generator's worst pairs is written.

    Raises:
        ParityError: it does not compute what the network as trained computes.
    """
    if chain is None:
        return Parity("skipped")
    name = next(n for n, (_, _, format) in BACKENDS.items() if format == artifact.format)
    with stages.stage(f"{artifact.path.name} against PyTorch"):
        available = backend_class(name).available()
        if not available:
            stages.note(f"converted, not executed: {available.why}")
            return Parity("not executed")
        backend = open_backend(
            name, bundle.describe(artifact), artifact.path.parent, threads=threads
        )
        parity = hold(backend, artifact, chain, show)
        stages.note(summary(parity))
        if backend.measured == "interpreted" and artifact.precision == "fp16":
            stages.note(f"{summary(parity)}, {headroom(artifact, chain.reference.pairs)}")
    return parity


def hold(backend: Backend, artifact: Artifact, chain: Chain, show: Path | None = None) -> Parity:
    """Hold a loaded model file against the chain's reference.

    Raises:
        ParityError: it computes something else.
    """
    output = artifact.signature.outputs[0]

    def answer(pair: Pair) -> NDArray[np.float32]:
        return backend.run(**feed(artifact, pair))[output.name]

    def picture(pair: Pair) -> Picture:
        return to_unit(answer(pair), output)

    def explain(pair: Pair) -> str:
        where = first_nonfinite_tensor(artifact, pair)
        if not where and backend.measured == "interpreted":
            where = first_stray_operation(artifact, pair, gate_db)
        if artifact.precision in QUANTIZED and artifact.subject.model == "generator":
            where += _worst_layers(artifact, pair)
            where += _ADVICE.format("coreml" if artifact.format == "mlpackage" else "tflite")
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


def _worst_layers(artifact: Artifact, pair: Pair) -> str:
    """The layers that 8 bits cost most on a pair, as the end of a sentence."""
    from export.sensitivity import network_inputs, rank

    inputs = network_inputs(pair.face[None], pair.embedding)
    # Core ML's int8 and pal6 store weights in 8 bits, and compute in half precision.
    activations = artifact.format != "mlpackage" or artifact.precision == "w8a8"
    given = inputs[:1] if artifact.subject.baked else inputs
    ranked = rank(artifact.subject.network, given, activations=activations)[:_NAMED]
    named = ", ".join(f"{layer.name} (alone {layer.psnr_db:.1f} dB)" for layer in ranked)
    return f"; the layers that 8 bits cost most are {named}"


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
