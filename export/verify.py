"""Replay a bundle's golden samples on every file it holds: `python -m export.verify BUNDLE`.

Needs no PyTorch and no checkpoint. On a Mac it executes the Core ML files, which other systems
interpret.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model import arguments
from model.errors import BackendUnavailable, ParityError, guard

_NO_SAMPLE = "not executed: it has no golden sample"

if TYPE_CHECKING:
    from export.proof.golden import GoldenSample
    from model.contract import ModelSpec


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Check hashes, replay the samples, and print a line per file.

    Ends with 1 where a file misses its gate or has no sample, and with 3 where no file can run.
    """
    parser = arguments.Parser(prog="python -m export.verify", description=__doc__)
    parser.add_argument("bundle", type=Path, help="a folder made by python -m export")
    parser.add_argument("--threads", type=arguments.threads, default=2, help="default: 2")
    parser.add_argument("--json", action="store_true", help="machine-readable result on stdout")
    args = parser.parse_args(argv)

    rows = []
    for row in replay(args.bundle, args.threads):
        rows.append(row)
        if not args.json:
            print(f"{row['file']:<32} {row['verdict']}", flush=True)
    if args.json:
        print(json.dumps(rows, indent=2))
    _judge(args.bundle, rows)
    return 0


def _judge(bundle: Path, rows: Sequence[dict[str, Any]]) -> None:
    """End the command with an error unless every file that can run here was verified.

    Raises:
        ParityError: a file misses its gate, or has no sample to be held against.
        BackendUnavailable: no file can run on this machine.
    """
    missed = [row["file"] for row in rows if row["held"] is False]
    if missed:
        raise ParityError(
            f"parity missed by {', '.join(missed)} on the golden samples. Export again"
        )
    without = [row["file"] for row in rows if row["verdict"] == _NO_SAMPLE]
    if without or not rows:
        raise ParityError(
            f"not verified: {', '.join(without) or str(bundle) + ' holds no model'}. "
            "Export without --no-parity, which writes the golden samples"
        )
    if all(row["held"] is None for row in rows):
        raise BackendUnavailable(
            f"nothing in {bundle} can be executed here ({rows[0]['verdict']}). "
            "Run python -m export.doctor"
        )


def replay(bundle: Path, threads: int) -> Iterator[dict[str, Any]]:
    """Run the golden samples on every file of a bundle, one after the other.

    Yields:
        Rows as `--json` prints them.

    Raises:
        ContractError: no bundle, or a file is not the one that the manifest describes.
    """
    from export.proof.golden import folder_for, read_golden
    from model.manifest import checked_file, load_bundle

    golden: dict[str, list[GoldenSample]] = {}
    for spec in load_bundle(bundle).models:
        checked_file(bundle, spec)
        folder = folder_for(spec)
        if folder not in golden:
            golden[folder] = read_golden(bundle / folder)
        yield {"file": spec.file, **_replay(spec, bundle, golden[folder], threads)}


def _replay(
    spec: ModelSpec, bundle: Path, samples: list[GoldenSample], threads: int
) -> dict[str, Any]:
    """Run one file on all samples it can take; `held` is None where nothing could be run."""
    from export.proof.golden import score
    from export.proof.parity import min_identity_cosine, min_psnr_db
    from pipeline.backends import backend_class, backend_for, open_backend

    name = backend_for(spec.format)
    available = backend_class(name).available()
    if not available:
        return {"held": None, "verdict": f"not executed: {available.why}"}
    if spec.model == "identity":
        samples = [s for s in samples if "target_embedding" in s]
    if not samples:
        return {"held": None, "verdict": _NO_SAMPLE}
    backend = open_backend(name, spec, bundle, threads=threads)
    worst = min(score(backend, sample) for sample in samples)
    unit, gate = "identity cosine", min_identity_cosine(spec.precision, "identity")
    if spec.model == "generator":
        eight_bit = spec.outputs[0].dtype == "uint8"
        unit, gate = "dB", min_psnr_db(spec.precision, eight_bit)
    held = worst >= gate
    verdict = f"{worst:.5g} {unit}, {backend.measured}" + ("" if held else f" - MISSES {gate:g}")
    return {"held": held, "worst": worst, "gate": gate, "unit": unit, "verdict": verdict}


if __name__ == "__main__":
    sys.exit(main())
