"""Damage files at random and read them: one line of refusal or success, nothing else.

The test of the suite tries some hundreds of cases. A longer run, with its figures on stdout:

    python tests/fuzzing.py --seconds 300 --seed 1
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from model.errors import FaceSwapError

LONGEST_S = 20.0  # of one case, on a busy machine; all take milliseconds
MOST_MB = 1000.0  # that memory may grow by in a run


class Hang(Exception):
    """A case took longer than `LONGEST_S`."""


@dataclass(frozen=True)
class Subject:
    """A kind of file, and what reads it.

    Attributes:
        name: for people.
        make: writes a whole file or package into an empty folder and gives its path.
        read: what is tried; it takes that path.
        damaged: the files below the path to damage, itself where it is a file.
    """

    name: str
    make: Callable[[Path], Path]
    read: Callable[[Path], object]
    damaged: tuple[str, ...] = ("",)


@dataclass
class Tally:
    """What a run met."""

    cases: int = 0
    read: int = 0
    refused: int = 0
    longest_s: float = 0.0
    grown_mb: float = 0.0
    faults: list[str] = field(default_factory=list)
    words: Counter[str] = field(default_factory=Counter)


def run(subject: Subject, *, seed: int, cases: int | None = None, seconds: float = 1e9) -> Tally:
    """Read a file `cases` times or for `seconds`, damaged in another way each time.

    The same seed gives the same cases.
    """
    tally, numbers = Tally(), random.Random(f"{subject.name}-{seed}")
    with tempfile.TemporaryDirectory() as folder:
        path = subject.make(Path(folder))
        whole = {name: (path / name if name else path).read_bytes() for name in subject.damaged}
        subject.read(path)  # the whole file is read
        memory_mb, started = _peak_mb(), time.monotonic()
        while tally.cases < (cases or math.inf) and time.monotonic() - started < seconds:
            name = numbers.choice(subject.damaged)
            place = path / name if name else path
            place.write_bytes(damage(whole[name], numbers))
            _try(subject, path, tally)
            place.write_bytes(whole[name])
    tally.grown_mb = _peak_mb() - memory_mb
    return tally


def _try(subject: Subject, path: Path, tally: Tally) -> None:
    started = time.monotonic()
    try:
        with _deadline():
            subject.read(path)
        tally.read += 1
    except FaceSwapError as error:
        tally.refused += 1
        tally.words[type(error).__name__] += 1
        if len(str(error).splitlines()) != 1:
            tally.faults.append(f"case {tally.cases}: several lines: {str(error)[:200]!r}")
    except Exception as error:  # whatever it is, it would be a traceback
        tally.faults.append(f"case {tally.cases}: {type(error).__name__}: {str(error)[:200]}")
    tally.cases += 1
    tally.longest_s = max(tally.longest_s, time.monotonic() - started)


@contextmanager
def _deadline() -> Iterator[None]:
    def end(*_: object) -> None:
        raise Hang(f"over {LONGEST_S:g} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, LONGEST_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


_WORDS = (
    b"\0", b"\xff", b"\xff\xff\xff\xff", b"\xff" * 7 + b"\x7f", b"\0" * 8, b"-1", b"1e999", b"NaN",
    b"9" * 400, b"null", b"[]", b"{}", b'""', b"[" * 2000, b'"\\ud800"', b"\r\n", b"../", b"}",
)  # fmt: skip


def damage(data: bytes, numbers: random.Random) -> bytes:
    """A copy with one to four faults; most of them where descriptions usually are, at the ends."""
    changed = bytearray(data)
    for _ in range(numbers.choice((1, 1, 1, 2, 4))):
        size = len(changed)
        if not size:
            break
        near = min(size, 4096)
        at = numbers.choice(
            (numbers.randrange(size), numbers.randrange(near), size - 1 - numbers.randrange(near))
        )
        length = numbers.choice((1, 2, 4, 8, 64, 1024))
        kind = numbers.randrange(7)
        if kind == 0:
            changed[at] ^= 1 << numbers.randrange(8)
        elif kind == 1:
            changed[at] = numbers.randrange(256)
        elif kind == 2:
            del changed[at:]
        elif kind == 3:
            del changed[at : at + length]
        elif kind == 4:
            changed[at:at] = numbers.choice(_WORDS)
        elif kind == 5:
            word = numbers.choice(_WORDS)
            changed[at : at + len(word)] = word
        else:
            changed[at:at] = changed[at : at + length]
    return bytes(changed)


def _checkpoint(folder: Path, **options: Any) -> Path:
    import torch

    weights = {f"module.layer{i}.weight": torch.rand(4, 3) for i in range(6)}
    torch.save({"generator": weights, "epoch": 3}, folder / "x.pt", **options)
    return folder / "x.pt"


def _safetensors(folder: Path) -> Path:
    import torch
    from safetensors.torch import save_file

    save_file({f"layer{i}.weight": torch.rand(4, 3) for i in range(6)}, folder / "x.safetensors")
    return folder / "x.safetensors"


def _generator(folder: Path) -> Path:
    from model.checkpoint import save
    from model.generator import GeneratorConfig
    from model.seeded import seeded_generator

    save(seeded_generator(GeneratorConfig(2, 4)), folder / "g.pt")
    return folder / "g.pt"


def _read_state(path: Path) -> object:
    from model.checkpoint import read_state_dict

    return {name: tensor.sum() for name, tensor in read_state_dict(path).items()}


def _load_generator(path: Path) -> object:
    from model.checkpoint import load_generator

    return load_generator(path)


def _manifest(folder: Path) -> Path:
    from model.aligned_face import face_template, identity_crop  # fmt: skip
    from model.contract import Align, Checkpoint, Manifest, ModelSpec, Parity
    from model.manifest import dumps
    from model.tensors import signature

    border = signature("generator", "onnx", "float")
    parity = Parity("executed", 8, 101.5, 1.0, 1.0, 1e-5, 0.9999)
    spec = ModelSpec("generator", "g.onnx", "onnx", "fp32", "00", 7, *border, parity)
    manifest = Manifest(
        "m", "1", "now", Checkpoint("c.pt", "ab"), None, {"torch": "2"},
        Align(256, face_template()), identity_crop(), (spec,),
    )  # fmt: skip
    (folder / "g.onnx").write_bytes(b"x")
    (folder / "manifest.json").write_text(dumps(manifest))
    return folder / "manifest.json"


def _read_bundle(path: Path) -> object:
    from model.manifest import load_bundle

    return load_bundle(path.parent)


def _identity(folder: Path) -> Path:
    import numpy as np

    vector = np.random.default_rng(0).standard_normal(16).astype(np.float32)
    np.save(folder / "i.npy", vector / np.linalg.norm(vector))
    return folder / "i.npy"


def _read_identity(path: Path) -> object:
    from pipeline.people import load_identity

    return load_identity(path, 16)


def _recipe(folder: Path) -> Path:
    (folder / "r.json").write_text(json.dumps({"schema": 1, "keep": ["a.b", "c"]}))
    return folder / "r.json"


def _read_recipe(path: Path) -> object:
    from model.typed_json import load_json

    return load_json(path.read_bytes(), str(path))


def _package(folder: Path) -> Path:
    import numpy as np

    from pipeline.quiet import quiet

    with quiet():
        import coremltools as ct
        from coremltools.converters.mil import Builder as mb

        weight = np.ones((8, 4, 3, 3), np.float32)

        def build(x: Any) -> Any:
            x = mb.conv(x=x, weight=weight, pad_type="custom", pad=[1, 1, 1, 1])
            x = mb.pad(x=x, pad=[0, 0, 0, 0, 1, 1, 1, 1], mode="reflect")
            x = mb.upsample_bilinear(x=x, scale_factor_height=2.0, scale_factor_width=2.0)
            x = mb.slice_by_index(x=x, begin=[0, 0, 1, 1], end=[1, 8, 15, 15])
            return mb.reduce_mean(x=mb.concat(values=[x, x], axis=1), axes=[2, 3])

        program = mb.program(
            input_specs=[mb.TensorSpec((1, 4, 6, 6))], opset_version=ct.target.iOS17
        )(lambda x: build(x))
        model = ct.convert(
            program, convert_to="mlprogram", minimum_deployment_target=ct.target.iOS17,
            compute_precision=ct.precision.FLOAT32, pass_pipeline=ct.PassPipeline.EMPTY,
            skip_model_load=True,
        )  # fmt: skip
        model.save(str(folder / "p.mlpackage"))
    return folder / "p.mlpackage"


def _run_package(path: Path) -> object:
    import numpy as np

    from pipeline.mlpackage import describe
    from pipeline.mlprogram.program import Package

    describe(path)
    function = Package(path).function()
    inputs = {f.name: np.ones((1, 4, 6, 6), np.float32) for f in function.inputs}
    return function.run(inputs)


def _photo(folder: Path, suffix: str) -> Path:
    import numpy as np
    from PIL import Image

    exif = Image.Exif()
    exif[0x010E], exif[0x0112], exif[0x011A] = "a picture", 6, 72.0
    exif.get_ifd(0x8825)[1] = "N"
    noise = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)
    path = folder / f"p{suffix}"
    Image.fromarray(noise).save(path, exif=exif)
    return path


def _rewrite_photo(path: Path) -> object:
    from pipeline.media import label, photo

    taken = photo.read(path, keep_metadata=True)
    out = path.with_name(f"out{path.suffix}")
    return photo.write(out, taken, taken.image, label.xmp_packet(taken.xmp))


def _film(folder: Path, suffix: str) -> Path:
    import numpy as np
    from movies import film

    noise = np.random.default_rng(0).integers(0, 255, (32, 48, 3), np.uint8)
    return film(folder / f"f{suffix}", 6, lambda _: noise)


def _rewrite_film(path: Path) -> object:
    from pipeline.media.reader import Reader
    from pipeline.media.writer import Writer

    out = path.with_name(f"out{path.suffix}")
    with Reader(path) as reader, Writer(out, path.suffix, reader, labelled=True) as writer:
        for item in reader.items():
            if item.frame is None:
                writer.put(item)
            else:
                writer.put(item._replace(frame=writer.fitting.fit(item.frame)))
    return reader.notes(), writer.notes()


def _rows(folder: Path) -> Path:
    from benchmarks.harness import rows

    runs, stage = rows.Runs(1, 3), rows.Stage.of([1.0, 2.0, 3.0])
    model = rows.MeasuredModel("generator", "f", "0", "tflite", "fp32", 10_000_000)
    device = rows.Device("x86_64", "Linux", "some processor", 2)
    row = rows.Row(
        source="desktop", device=device, app=rows.App("0", "0"), model=model,
        backend=rows.Ran("tflite", "tflite", 2), runs=runs, how="measured",
        stages={"total": stage}, rounds_ms=(1.0, 2.0, 3.0),
    )  # fmt: skip
    rows.write(folder / "rows.jsonl", [row, row])
    return folder / "rows.jsonl"


def _read_rows(path: Path) -> object:
    from benchmarks.harness import rows

    return rows.dumps(rows.read(path))


_INSIDE = "Data/com.apple.CoreML/"
SUBJECTS = (
    Subject("checkpoint", _checkpoint, _read_state),
    Subject(
        "old checkpoint",
        lambda folder: _checkpoint(folder, _use_new_zipfile_serialization=False),
        _read_state,
    ),
    Subject("safetensors", _safetensors, _read_state),
    Subject("generator", _generator, _load_generator),
    Subject("manifest", _manifest, _read_bundle),
    Subject("identity", _identity, _read_identity),
    Subject("json", _recipe, _read_recipe),
    *(
        Subject(f"photo {suffix}", functools.partial(_photo, suffix=suffix), _rewrite_photo)
        for suffix in (".jpg", ".png", ".tif", ".webp")
    ),
    *(
        Subject(f"film {suffix}", functools.partial(_film, suffix=suffix), _rewrite_film)
        for suffix in (".mp4", ".mkv", ".webm")
    ),
    Subject("rows", _rows, _read_rows),
    Subject(
        "package",
        _package,
        _run_package,
        (f"{_INSIDE}model.mlmodel", f"{_INSIDE}weights/weight.bin", "Manifest.json"),
    ),
)


def main() -> int:
    """Try every subject for an equal share of the time; exit 1 where anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="for all kinds together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=[s.name for s in SUBJECTS], help="one kind of file")
    args = parser.parse_args()

    chosen = [s for s in SUBJECTS if args.only in (None, s.name)]
    faults = 0
    for subject in chosen:
        tally = run(subject, seed=args.seed, seconds=args.seconds / len(chosen))
        faults += len(tally.faults)
        print(
            f"{subject.name:15} {tally.cases:7,} cases: {tally.read:,} read, "
            f"{tally.refused:,} refused, {len(tally.faults)} faults; longest {tally.longest_s:.2f} "
            f"s, memory +{tally.grown_mb:.0f} MB",
            flush=True,
        )
        for fault in tally.faults[:10]:
            print(f"    {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
