"""One export, from a checkpoint to a proved bundle: load, deploy, convert, prove, bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import export.convert.coreml
import export.convert.onnx
import export.convert.tflite
from export import publishing
from export.earlier import replaced
from export.files import FileMaker, Orders
from export.networks import Networks, load, subjects
from export.proof.chains import Chains
from export.proof.prove import prove_rewrite
from export.quantize.calibration import CalibrationSet, built_in, from_folder
from export.quantize.ranking import Rankings
from export.quantize.recipe import read_recipe
from export.stages import Stages
from export.staging import staging
from export.subject import Subject
from export.workbench import Workbench
from model.aligned_face import FACE_SIZE
from model.contract import Format, Manifest, ModelSpec, Precision
from model.errors import ParityError, UsageError
from model.files import fitting, new_log
from model.place import GOLDEN, GOLDEN_BAKED

FORMATS: dict[Format, tuple[Precision, ...]] = {
    "onnx": export.convert.onnx.PRECISIONS,
    "tflite": export.convert.tflite.PRECISIONS,
    "mlpackage": export.convert.coreml.PRECISIONS,
}
# The compressed precisions take minutes, and need a calibration set of the user's to be at their
# best: they are made on request only.
DEFAULT_PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16")
# The precisions that need ranges of activations; Core ML's int8 is of weights only.
_CALIBRATED: dict[Format, tuple[Precision, ...]] = {
    "onnx": ("int8",), "tflite": ("int8",), "mlpackage": ("w8a8",),
}  # fmt: skip
_RANKING_PAIRS = 2


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
        bake: a photo or an embedding to bake in, instead of exporting the plain models.
        parity: prove every file before the bundle is put in place.
        samples: how many (face, identity) pairs the proof uses.
        threads: for the runtimes during the proof.
        seed: for the random identities among the samples.
        calibration: a folder of photos or aligned faces for int8; None for the built-in set.
        recipe: layers of the generator that every compressed file keeps in higher precision.
        overwrite: a bundle of other weights in the same place may be replaced.
        mixed: find layers to keep by itself where a compressed file misses its gate.
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
    mixed: bool = True

    @property
    def place(self) -> Path:
        """Where the bundle goes."""
        return self.output_dir / self.checkpoint.stem

    def wanted(self, format: Format) -> tuple[Precision, ...]:
        """The precisions to export in a format."""
        return tuple(p for p in FORMATS[format] if p in self.precisions)


class GatesMissed(ParityError):
    """Some files missed their gates; the others are in the bundle.

    Attributes:
        manifest: of the bundle that was written.
    """

    def __init__(self, message: str, manifest: Manifest) -> None:
        """Say what missed, and what was written."""
        super().__init__(message)
        self.manifest = manifest


def run(job: Job, stages: Stages) -> Manifest:
    """Export, prove, and put the bundle in its place; the old one stays until then.

    Raises:
        CheckpointError: the weights cannot be used.
        ConversionError: a converter crashed.
        GatesMissed: some files do not compute what the network as trained computes. They are left
            out; the bundle holds the others.
        ParityError: no file does; nothing was written.
        BadInput: another input or the output folder cannot be used.
    """
    _refuse_nothing_to_do(job)
    networks = load(job.checkpoint, job.identity, job.bake, stages)
    generator, *others = subjects(networks)
    keep = read_recipe(job.recipe, generator.network) if job.recipe else []
    checkpoint = publishing.checkpoint_of(job.checkpoint)
    identity = publishing.checkpoint_of(networks.identity) if networks.identity else None
    if note := replaced(job.place, checkpoint, identity, networks.baked, overwrite=job.overwrite):
        stages.say(note)
    calibration = _calibrate_on(job, networks, stages)
    with staging(job.place) as into:
        log = new_log(job.output_dir / fitting(job.place.name, ".log"))
        bench = Workbench(into.bundle, into.work, log, stages)
        chains = Chains(networks, job.samples, job.seed, stages) if job.parity else None
        made: list[ModelSpec] = []
        missed: list[ParityError] = []
        if chains:
            prove_rewrite(generator, chains.of("fp32"), stages)
        for subject in (generator, *others):
            kept = keep if subject is generator else []
            specs, misses = _maker(job, subject, kept, calibration, bench, chains).make()
            made, missed = [*made, *specs], [*missed, *misses]
        if not made:
            raise ParityError(_told(missed, "Nothing was written"))
        golden = GOLDEN if networks.baked is None else GOLDEN_BAKED
        samples = {golden: chains.of("fp32").reference} if chains else {}
        manifest = publishing.publish(
            into, made, checkpoint, identity, samples,
            baked=networks.baked, overwrite=job.overwrite,
        )  # fmt: skip
    if missed:
        raise GatesMissed(_told(missed, f"The other files are in {job.place}"), manifest)
    return manifest


def _maker(
    job: Job, subject: Subject, keep: Sequence[str], calibration: CalibrationSet | None,
    bench: Workbench, chains: Chains | None,
) -> FileMaker:  # fmt: skip
    """What makes the files of one network."""
    precisions = {format: _precisions(job, subject, format, bench.stages) for format in job.formats}
    orders = Orders(
        {format: some for format, some in precisions.items() if some}, job.opset, job.threads,
        tuple(keep), job.mixed, calibration,
    )  # fmt: skip
    pairs = built_in(FACE_SIZE, subject.embedding_size, None, _RANKING_PAIRS)
    rankings = Rankings(subject, pairs.faces, pairs.embeddings, bench.stages)
    return FileMaker(subject, orders, bench, chains, rankings, job.place)


def _told(missed: Sequence[ParityError], written: str) -> str:
    """One message for all misses."""
    words = [str(miss).removeprefix("parity missed: ") for miss in missed]
    return f"parity missed: {'; '.join(words)}. {written}"


def _refuse_nothing_to_do(job: Job) -> None:
    if not any(job.wanted(format) for format in job.formats):
        have = "; ".join(f"{format} has {', '.join(FORMATS[format])}" for format in job.formats)
        raise UsageError(f"no file has the precision {', '.join(job.precisions)}: {have}")
    if job.calibration and not _is_calibrated(job):
        have = " and ".join(f"{f}'s {', '.join(_CALIBRATED[f])}" for f in job.formats)
        raise UsageError(
            f"--calibration {job.calibration} has no use: expected a file whose ranges are "
            f"measured, {have}. Ask for it with --precision, or leave out --calibration"
        )


def _is_calibrated(job: Job) -> bool:
    """Whether a file is asked for whose ranges are measured."""
    return any(p in job.wanted(f) for f in job.formats for p in _CALIBRATED[f])


def _calibrate_on(job: Job, networks: Networks, stages: Stages) -> CalibrationSet | None:
    """The pairs that int8 ranges are measured on, if a format that needs them is exported."""
    if not _is_calibrated(job):
        return None
    size, encoder = networks.embedding_size, networks.encoder
    if job.calibration is None:
        chosen = built_in(FACE_SIZE, size, encoder)
        stages.say(f"ranges are measured on {len(chosen)} built-in pairs (two portraits, varied);")
        stages.say("--calibration FOLDER with a few hundred faces of your own is better")
        return chosen
    chosen = from_folder(job.calibration, FACE_SIZE, size, encoder, bar=not stages.quiet)
    left_out = "".join(f", {n} {reason} left out" for reason, n in chosen.skipped.items())
    stages.say(
        f"ranges are measured on {len(chosen)} pairs of {len(chosen.faces)} faces from "
        f"{job.calibration}{left_out}"
    )
    return chosen


def _precisions(
    job: Job, subject: Subject, format: Format, stages: Stages
) -> tuple[Precision, ...]:
    """The precisions wanted, but for w8a8 of the identity encoder."""
    wanted = job.wanted(format)
    if subject.model == "generator" or "w8a8" not in wanted:
        return wanted
    stages.say("the identity encoder is not exported as w8a8: it is asked once per source,")
    stages.say("so its speed does not matter; int8, pal6 and fp16 have one")
    return tuple(p for p in wanted if p != "w8a8")
