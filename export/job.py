"""One export, from a checkpoint to a verified bundle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import export.convert.coreml
import export.convert.onnx
import export.convert.tflite
from export import bundle
from export.earlier import replaced
from export.proof.chains import Chains
from export.proof.parity import Chain, run_torch
from export.proof.prove import prove
from export.proof.samples import load_identity
from export.quantize.calibration import CalibrationSet, built_in, from_folder
from export.stages import Stages
from export.staging import Staging, staging
from export.subject import Artifact, Subject
from model.contract import FACE_SIZE, Format, Manifest, Precision
from model.errors import BadInput, UsageError
from model.files import fitting, new_log
from model.place import GOLDEN, GOLDEN_BAKED

if TYPE_CHECKING:
    from model.lite import SwapNetwork
    from model.mobilefacenet import MobileFaceNet

FORMATS: dict[Format, tuple[Precision, ...]] = {
    "onnx": export.convert.onnx.PRECISIONS,
    "tflite": export.convert.tflite.PRECISIONS,
    "mlpackage": export.convert.coreml.PRECISIONS,
}
# The 8-bit ones are asked for by name: their gates want trained weights, and a miss of one of them
# would take the float files down with it.
DEFAULT_PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16")
_DEPLOY_GATE_DB = 60.0
# The precisions that need ranges of activations; Core ML's int8 is of weights only.
_CALIBRATED: dict[Format, tuple[Precision, ...]] = {
    "onnx": ("int8",), "tflite": ("int8",), "mlpackage": ("w8a8",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """What the user asked for.

    Attributes:
        checkpoint: the generator's weights.
        identity: the identity encoder's weights; None takes the shipped ones if they fit.
        output_dir: the bundle becomes `output_dir / <checkpoint name>`.
        formats: which kinds of file.
        precisions: which of each format's precisions.
        opset: of the ONNX graph, and of the one that TFLite is made from.
        bake: an aligned face or an embedding to bake in, instead of exporting the plain models.
        parity: prove every file before the bundle is put in place.
        samples: how many (face, identity) pairs the proof uses.
        threads: for the runtimes during the proof.
        seed: for the random identities among the samples.
        calibration: a folder of photos or aligned faces for int8; None for the built-in set.
        recipe: layers of the generator that every compressed file keeps in higher precision.
        overwrite: a bundle of other weights in the same place may be replaced.
    """

    checkpoint: Path
    identity: Path | None
    output_dir: Path
    formats: tuple[Format, ...]
    precisions: tuple[Precision, ...] = DEFAULT_PRECISIONS
    opset: int = export.convert.onnx.DEFAULT_OPSET
    bake: Path | None = None
    parity: bool = True
    samples: int = 8
    threads: int = 2
    seed: int = 0
    calibration: Path | None = None
    recipe: Path | None = None
    overwrite: bool = False

    @property
    def place(self) -> Path:
        """Where the bundle goes."""
        return self.output_dir / self.checkpoint.stem

    def wanted(self, format: Format) -> tuple[Precision, ...]:
        """The precisions to export in a format."""
        return tuple(p for p in FORMATS[format] if p in self.precisions)


def run(job: Job, stages: Stages) -> Manifest:
    """Export, prove, and put the bundle in its place; the old one stays until then.

    Raises:
        CheckpointError: the weights cannot be used.
        ConversionError: a converter crashed.
        ParityError: a file does not compute what the network as trained computes.
        BadInput: another input or the output folder cannot be used.
    """
    from model.checkpoint import load_generator, load_identity_encoder

    _refuse_nothing_to_do(job)
    trained = load_generator(job.checkpoint)
    if job.identity is None:
        job = replace(job, identity=_shipped_identity_for(trained, stages))
    encoder = load_identity_encoder(job.identity) if job.identity else None
    _check_embedding_sizes(trained, encoder)
    baked = None
    if job.bake:
        baked = load_identity(job.bake, encoder, FACE_SIZE, trained.config.embedding_size)
    checkpoint = bundle.checkpoint_of(job.checkpoint)
    identity = bundle.checkpoint_of(job.identity) if job.identity else None
    if note := replaced(job.place, checkpoint, identity, baked, overwrite=job.overwrite):
        stages.say(note)
    calibration = _calibrate_on(job, trained, encoder, stages)
    with staging(job.place) as into:
        log = new_log(job.output_dir / fitting(job.place.name, ".log"))
        chains = None
        if job.parity:
            chains = Chains(trained, encoder, baked, job.samples, job.seed, stages)
        chain = chains.of("fp32") if chains else None
        specs = []
        if encoder and baked is None and "w8a8" in job.precisions and "mlpackage" in job.formats:
            stages.say("the identity encoder is not exported as w8a8: it is asked once per source,")
            stages.say("so its speed does not matter; int8, pal6 and fp16 have one")
        for subject in _subjects(trained, encoder, baked, chain, stages):
            for artifact in _convert(job, subject, into, log, calibration, chain, stages):
                show = job.output_dir / fitting(job.place.name, f"-{artifact.path.name}.png")
                held_against = chains.of(artifact.precision) if chains else None
                parity = prove(artifact, held_against, job.threads, stages, show)
                specs.append(bundle.describe(artifact, parity))
        golden = {GOLDEN if baked is None else GOLDEN_BAKED: chain.reference} if chain else {}
        manifest = bundle.publish(
            into, specs, checkpoint, identity, golden, baked=baked, overwrite=job.overwrite
        )
    return manifest


def _shipped_identity_for(trained: SwapNetwork, stages: Stages) -> Path | None:
    """The identity encoder that comes with the toolkit, where it fits; says what was chosen."""
    from model.shipped import SHIPPED_EMBEDDING_SIZE, SHIPPED_IDENTITY_ENCODER

    fits = trained.config.embedding_size == SHIPPED_EMBEDDING_SIZE
    if fits and SHIPPED_IDENTITY_ENCODER.is_file():
        stages.say(
            "the identity encoder is the shipped one, which fits generators trained with it;"
        )
        stages.say("give the one that yours was trained with as --identity CKPT")
        return SHIPPED_IDENTITY_ENCODER
    stages.say("no identity encoder fits (give one with --identity CKPT): only the generator is")
    stages.say("exported, and identity cosines are not measured")
    return None


def _refuse_nothing_to_do(job: Job) -> None:
    if not any(job.wanted(format) for format in job.formats):
        have = "; ".join(f"{format} has {', '.join(FORMATS[format])}" for format in job.formats)
        raise UsageError(f"no file has the precision {', '.join(job.precisions)}: {have}")


def _check_embedding_sizes(trained: SwapNetwork, encoder: MobileFaceNet | None) -> None:
    if encoder and encoder.config.embedding_size != trained.config.embedding_size:
        raise BadInput(
            f"the identity encoder gives {encoder.config.embedding_size} numbers, the generator "
            f"takes {trained.config.embedding_size}. Give the encoder it was trained with"
        )


def _calibrate_on(
    job: Job, trained: SwapNetwork, encoder: MobileFaceNet | None, stages: Stages
) -> CalibrationSet | None:
    """What int8 ranges are measured on, where a format that needs them is exported."""
    if not any(p in job.wanted(f) for f in job.formats for p in _CALIBRATED.get(f, ())):
        return None
    embedding_size = trained.config.embedding_size
    if job.calibration is None:
        chosen = built_in(FACE_SIZE, embedding_size, encoder)
        stages.say(f"ranges are measured on {len(chosen)} built-in pairs (two portraits, varied);")
        stages.say("--calibration FOLDER with a few hundred faces of your own is better")
        return chosen
    chosen = from_folder(job.calibration, FACE_SIZE, embedding_size, encoder, bar=not stages.quiet)
    left_out = "".join(f", {n} {reason} left out" for reason, n in chosen.skipped.items())
    stages.say(
        f"ranges are measured on {len(chosen)} pairs of {len(chosen.faces)} faces from "
        f"{job.calibration}{left_out}"
    )
    return chosen


def _subjects(
    trained: SwapNetwork,
    encoder: MobileFaceNet | None,
    baked: NDArray[np.float32] | None,
    chain: Chain | None,
    stages: Stages,
) -> Iterator[Subject]:
    """The networks to export, rewritten for inference and held against the one as trained."""
    import torch

    from model.deploy import BakedGenerator, DeployedGenerator

    embedding_size = trained.config.embedding_size
    network: torch.nn.Module = DeployedGenerator(trained)
    if baked is not None:
        assert isinstance(network, DeployedGenerator)
        network = BakedGenerator(network, torch.from_numpy(baked))
    network = network.requires_grad_(False).eval()
    if chain:
        with stages.stage("rewritten for inference"):
            parity = chain.generator(
                "deploy",
                lambda pair: run_torch(network, pair, baked=baked is not None),
                _DEPLOY_GATE_DB,
            )
            stages.note(f"{parity.psnr_db:.1f} dB")
    yield Subject("generator", network, FACE_SIZE, embedding_size, baked is not None)
    # A baked generator needs no encoder: that is what it is for.
    if encoder and baked is None:
        yield Subject("identity", encoder, FACE_SIZE, embedding_size)


def _convert(
    job: Job,
    subject: Subject,
    into: Staging,
    log: Path,
    calibration: CalibrationSet | None,
    chain: Chain | None,
    stages: Stages,
) -> Iterator[Artifact]:
    """All files of one network; ONNX first, because TFLite is made from it."""
    keep = _kept_weights(job, subject)
    if "onnx" in job.formats and _precisions(job, subject, "onnx"):
        yield from export.convert.onnx.convert(
            subject, _precisions(job, subject, "onnx"), into.bundle, opset=job.opset,
            calibration=calibration, keep=keep, log=log, stages=stages,
        )  # fmt: skip
    if "tflite" in job.formats and _precisions(job, subject, "tflite"):
        fp32 = into.bundle / subject.file_name("onnx", "fp32")
        if not fp32.exists():
            (link,) = export.convert.onnx.convert(
                subject, ["fp32"], into.work, opset=job.opset, log=log, stages=stages
            )
            prove(link, chain, job.threads, stages)
            fp32 = link.path
        yield from export.convert.tflite.convert(
            subject, _precisions(job, subject, "tflite"), into.bundle, fp32,
            calibration=calibration, keep=keep,
            work=into.work, log=log, stages=stages,
        )  # fmt: skip
    if "mlpackage" in job.formats:
        yield from export.convert.coreml.convert(
            subject, _precisions(job, subject, "mlpackage"), into.bundle,
            calibration=calibration, keep=keep, log=log, stages=stages,
        )  # fmt: skip
    if "fp32" not in job.wanted("onnx"):  # was needed on the way only
        (into.bundle / subject.file_name("onnx", "fp32")).unlink(missing_ok=True)


def _precisions(job: Job, subject: Subject, format: Format) -> tuple[Precision, ...]:
    """The precisions wanted, but for w8a8 of the identity encoder, which nobody needs."""
    left_out = ("w8a8",) if subject.model == "identity" else ()
    return tuple(p for p in job.wanted(format) if p not in left_out)


def _kept_weights(job: Job, subject: Subject) -> list[NDArray[np.float32]]:
    """The weights, (O, I, H, W), of the layers that the recipe keeps in higher precision."""
    if job.recipe is None or subject.model != "generator":
        return []
    from export.sensitivity import read_recipe

    layers = read_recipe(job.recipe, subject.network)
    return [subject.network.get_parameter(f"{name}.weight").numpy() for name in layers]
