"""What `mobilefsgan` offers to Python, each in a few lines over the modules that do the work."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.harness.rows import Row
    from model.contract import Format, Precision
    from pipeline.backends.base import Backend
    from pipeline.request import Outcome

StrPath = str | os.PathLike[str]


def export_bundle(
    checkpoint: StrPath,
    output_dir: StrPath = "dist",
    *,
    formats: Sequence[Format] = ("onnx", "tflite", "mlpackage"),
    precisions: Sequence[Precision] = ("fp32", "fp16"),
    identity: StrPath | None = None,
    threads: int = 2,
    overwrite: bool = False,
    quiet: bool = True,
) -> Path:
    """Export a generator and its identity encoder, and prove every file against PyTorch.

    Args:
        checkpoint: weights of a generator, .pt, .pth or .safetensors.
        output_dir: the bundle becomes `output_dir / <checkpoint name>`.
        formats: kinds of file.
        precisions: those of them that a format has.
        identity: weights of the identity encoder; None takes the shipped one where it fits.
        threads: CPU threads of the runtimes during the proof.
        overwrite: replace a bundle of other weights in that folder.
        quiet: no progress on stderr.

    Returns:
        The bundle's folder.

    Raises:
        CheckpointError: the weights cannot be used.
        BackendUnavailable: a converter is not installed, or crashed.
        ParityError: a file differs from the network as trained; files that do not differ are
            in the bundle all the same.
        BadInput: the output folder cannot be used, or holds a bundle of other weights.
    """
    from export.doctor import require_converters
    from export.job import Job, run
    from export.stages import Stages

    require_converters(tuple(formats))
    job = Job(
        checkpoint=Path(checkpoint),
        identity=Path(identity) if identity is not None else None,
        output_dir=Path(output_dir),
        formats=tuple(formats),
        precisions=tuple(precisions),
        threads=threads,
        overwrite=overwrite,
    )
    run(job, Stages(quiet=quiet))
    return job.place


def verify_bundle(bundle: StrPath, *, threads: int = 2) -> list[dict[str, Any]]:
    """Replay a bundle's golden samples on every file that can run here.

    Args:
        bundle: a folder made by an export.
        threads: CPU threads of the runtimes.

    Returns:
        A row for each file, as `export.verify --json` prints it: `file`, `verdict` in words, and
        `held`, which is None where nothing was run. Otherwise also `worst`, `gate` and `unit`.

    Raises:
        ContractError: no bundle, or a damaged one.
    """
    from export.verify import replay

    return list(replay(Path(bundle), threads))


def open_generator(
    bundle: StrPath,
    *,
    backend: str = "tflite",
    precision: Precision = "fp32",
    threads: int = 2,
) -> Backend:
    """Load the generator of a bundle; `spec` describes its tensors, `run` computes a frame.

    Args:
        bundle: a folder made by an export.
        backend: pytorch, onnx, tflite or coreml. pytorch needs the checkpoint at hand.
        precision: of the file.
        threads: CPU threads of the runtime.

    Raises:
        ContractError: no bundle, or it lacks the file.
        BackendUnavailable: the runtime cannot work here.
        UsageError: there is no such backend, or it has no such precision.
    """
    from pipeline.bundles import open_models

    return open_models(Path(bundle), backend, precision, threads)[0]


def swap_photo(
    source: StrPath,
    target: StrPath,
    output: StrPath,
    *,
    bundle: StrPath | None = None,
    backend: str = "tflite",
    precision: Precision = "fp32",
    threads: int = 2,
) -> Outcome:
    """Put the face of `source` onto the largest face of `target`, and label the result.

    For several people, video, or arrays instead of files, use `pipeline.swap.FaceSwapper`.

    Args:
        source: photo of one person, or an .npy identity.
        target: photo to swap in; it stays as it is.
        output: file to write; its ending gives the kind.
        bundle: folder made by an export; None takes the newest below dist/.
        backend: see `open_generator`.
        precision: of the generator.
        threads: CPU threads of the runtime.

    Returns:
        The file, how many faces were found and swapped, and notes in words.

    Raises:
        ImageError: a photo cannot be read, or shows no face.
        UsageError: `output` is `source` or `target`, or no photo's name.
        ContractError: no bundle, or it lacks the file.
        BackendUnavailable: the runtime or the face detector cannot work here.
    """
    from pipeline.bundles import newest_bundle
    from pipeline.files import check_output, spare
    from pipeline.files import swap_photo as swap_one
    from pipeline.people import person, photos_of
    from pipeline.request import Request
    from pipeline.swap import FaceSwapper

    target, output = Path(target), Path(output)
    given = [*photos_of(str(source)), target]
    check_output(target, output, given)
    spare(output, given)
    swapper = FaceSwapper.load(
        Path(bundle) if bundle is not None else newest_bundle(),
        backend=backend, precision=precision, threads=threads,
    )  # fmt: skip
    request = Request((person(swapper, str(source)),))
    return swap_one(swapper, target, output, request, progress=False)


def benchmark_file(
    bundle: StrPath,
    file: str = "generator-fp32.tflite",
    *,
    runs: int = 50,
    warmup: int = 5,
    threads: int = 2,
) -> Row:
    """Time one model file of a bundle, in a process of its own, and replay its golden samples.

    Args:
        bundle: folder made by an export.
        file: its name in the bundle.
        runs: timed frames.
        warmup: frames before them.
        threads: CPU threads of the runtime.

    Returns:
        The row that `benchmarks/latency.py --json` keeps: `total.p50_ms` is the median latency of a
        frame in milliseconds, `check` the parity. `total` is None, and `reason` says why, where the
        file cannot be timed here.

    Raises:
        ContractError: no bundle, or it lacks the file.
        UsageError: the file takes no identity (a baked one).
    """
    from benchmarks.harness.contenders import contenders_of_file
    from benchmarks.harness.interleave import ROUNDS
    from benchmarks.harness.measure import measure

    rows, interrupted = measure(
        contenders_of_file(Path(bundle), file, threads, warmup), runs=runs,
        rounds=min(ROUNDS, runs), warmup=warmup, threads=threads, against=None,
        tell=lambda words: None,
    )  # fmt: skip
    if interrupted:
        raise KeyboardInterrupt
    return rows[0]
