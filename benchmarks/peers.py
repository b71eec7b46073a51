"""Time the generator in other runtimes: `python benchmarks/peers.py BUNDLE`.

All are timed in one interleaved run with the bundle's own TFLite and ONNX files. A runtime that is
not installed gets a row with the reason. The extra `peers` installs most of them.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness.commands import add_timing, teller
from model.errors import EXIT_INTERRUPTED, BadInput, ConversionError, guard, install
from model.files import append_to, write_atomically

if TYPE_CHECKING:
    from benchmarks.harness.contenders import Contender

_CACHE = Path("build/peers")
_BASELINE = "naive-onnx2tf-fp32"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to convert the generator for another runtime.

    Attributes:
        name: of the runtime, in the table.
        precision: what it computes in.
        package: the Python package of the runtime or its converter.
        opener: name of the function in `benchmarks.rivals.peer_runtimes` that loads the file; empty
            where there is none.
        file: name of the converted file in the cache folder.
        build: writes the file, from (what was asked for, the path, a log).
        options: further arguments of the opener.
        remedy: how to get the package.
    """

    name: str
    precision: str
    package: str
    opener: str
    file: str
    build: Callable[[_Asked, Path, Path], None]
    options: tuple[tuple[str, str], ...] = ()
    remedy: str = install("peers")


@dataclass(frozen=True, slots=True)
class _Asked:
    bundle: Path
    onnx: Path
    checkpoint: Path
    threads: int
    warmup: int
    embedding_size: int


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Convert what is not converted yet, time everything in turns, print the table."""
    args = _parse(argv)

    from benchmarks.harness import plot, table
    from benchmarks.harness import rows as results
    from benchmarks.harness.measure import measure

    ours, asked = _ours(args)
    theirs = [_contender(recipe, asked) for recipe in _recipes() if recipe.name in args.peers]
    rows, interrupted = measure(
        [*theirs, *ours], runs=args.runs, rounds=min(args.rounds, args.runs), warmup=args.warmup,
        threads=args.threads, against=_BASELINE, tell=teller(args.quiet),
    )  # fmt: skip
    print(table.text(rows), flush=True)
    if args.json:
        results.write(args.json, rows)
    if args.plot:
        plot.latency(rows, args.plot)
    return EXIT_INTERRUPTED if interrupted else 0


def _recipes() -> list[Recipe]:
    return [
        Recipe("naive-onnx2tf", "fp32", "onnx2tf", "tflite_as_trained", "naive.tflite",
               lambda asked, path, log: _naive("naive_tflite", asked, path, log)),
        Recipe("onnxruntime-as-trained", "fp32", "onnxruntime", "onnxruntime_as_trained",
               "naive.onnx", lambda asked, path, log: _naive("naive_onnx", asked, path, log)),
        Recipe("openvino", "fp32", "openvino", "openvino", "generator.onnx", _copy_onnx,
               (("hint", "f32"),)),
        Recipe("openvino", "bf16", "openvino", "openvino", "generator.onnx", _copy_onnx,
               (("hint", "bf16"),)),
        Recipe("openvino", "int8", "nncf", "openvino", "int8.xml", _nncf, (("hint", "f32"),)),
        Recipe("mnn", "fp32", "MNN", "mnn", "generator.mnn", _mnn),
        Recipe("ncnn", "fp32", "pnnx", "ncnn", "generator.ncnn", _pnnx),
        Recipe("litert-torch", "fp32", "litert_torch", "", "", _copy_onnx,
               remedy="its pins contradict this toolkit's TensorFlow 2.19 and torch"),
        Recipe("executorch", "fp32", "executorch", "", "", _copy_onnx,
               remedy="its pins contradict this toolkit's torch"),
    ]  # fmt: skip


def _ours(args: argparse.Namespace) -> tuple[list[Contender], _Asked]:
    """Contenders for the bundle's own files, and the inputs of the other conversions."""
    from benchmarks.harness.contenders import Wanted, checkpoint_of, contenders
    from model.manifest import load_bundle

    manifest = load_bundle(args.bundle)
    spec = manifest.find("generator", "onnx", "fp32")
    record = manifest.checkpoint
    checkpoint = checkpoint_of(record, args.checkpoint)
    if checkpoint is None:
        raise BadInput(
            f"{record.file}, which the bundle was made from, is not at hand; the naive exports are "
            "made from it. Give it with --checkpoint CKPT"
        )
    wanted = Wanted(
        args.bundle, manifest, "generator", ("tflite", "onnx"), ("fp32", "dynamic", "int8"),
        args.threads, args.warmup, checkpoint,
    )  # fmt: skip
    embedding_size = next(t for t in spec.inputs if not t.color).shape[1]
    asked = _Asked(
        args.bundle, args.bundle / spec.file, checkpoint, args.threads, args.warmup, embedding_size
    )
    return contenders(wanted), asked


def _contender(recipe: Recipe, asked: _Asked) -> Contender:
    """Convert the generator once per checkpoint, and describe what to run."""
    from benchmarks.harness.contenders import Contender
    from benchmarks.harness.interleave import scratch_log
    from benchmarks.harness.rows import MeasuredModel
    from benchmarks.harness.worker import Task
    from model.digest import digest

    def model(sha256: str = "", size: int = 0) -> MeasuredModel:
        format = Path(recipe.file).suffix.removeprefix(".")
        return MeasuredModel("generator", recipe.file, sha256, format, recipe.precision, size)

    def without(reason: str) -> Contender:
        return Contender(recipe.name, recipe.name, model(), reason=reason)

    if importlib.util.find_spec(recipe.package) is None:
        return without(f"{recipe.package} is not installed; {recipe.remedy}")
    if not recipe.opener:
        return without(f"{recipe.package} is installed, but no way to run it is written yet")
    key = digest(asked.checkpoint)[0][:12]
    path = _CACHE / key / recipe.file
    log = scratch_log()
    weights = path.with_suffix(".bin") if recipe.file.endswith(".xml") else path
    weights = path.with_name(path.name + ".bin") if recipe.name == "ncnn" else weights
    if not weights.exists():
        print(f"converting for {recipe.name} {recipe.precision}", file=sys.stderr, flush=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            recipe.build(asked, path, log)
        except Exception as error:  # converters may raise anything; the row gets the reason
            return without(f"the conversion failed: {' '.join(str(error).split())[:200]}")
    arguments: dict[str, Any] = {
        "path": str(path), "threads": asked.threads, "embedding_size": asked.embedding_size,
        **dict(recipe.options),
    }  # fmt: skip
    golden = asked.bundle / "golden"
    return Contender(
        recipe.name, recipe.name, model(*digest(weights)),
        task=Task(
            f"benchmarks.rivals.peer_runtimes:{recipe.opener}", arguments, ("numpy",),
            str(golden) if golden.is_dir() else None, asked.warmup, str(log),
        ),
    )  # fmt: skip


def _naive(function: str, asked: _Asked, path: Path, log: Path) -> None:
    from benchmarks.rivals import naive

    getattr(naive, function)(asked.checkpoint, path.resolve(), log)


def _copy_onnx(asked: _Asked, path: Path, _: Path) -> None:
    write_atomically(path, lambda beside: shutil.copyfile(asked.onnx, beside))


def _mnn(asked: _Asked, path: Path, log: Path) -> None:
    converter = Path(sys.executable).with_name("mnnconvert")
    _tool(
        [str(converter), "-f", "ONNX", "--modelFile", str(asked.onnx), "--MNNModel", str(path),
         "--bizCode", "generator"], log, path,
    )  # fmt: skip


def _pnnx(asked: _Asked, path: Path, log: Path) -> None:
    """Trace in PyTorch, and let pnnx write ncnn's two files."""
    import pnnx
    import torch

    from model.aligned_face import FACE_SIZE
    from model.checkpoint import load_generator
    from model.deploy import DeployedGenerator
    from model.wrap import PictureGenerator

    network = PictureGenerator(DeployedGenerator(load_generator(asked.checkpoint))).eval()
    example = (torch.rand(1, 3, FACE_SIZE, FACE_SIZE), torch.ones(1, asked.embedding_size))
    sizes = f"inputshape=[1,3,{FACE_SIZE},{FACE_SIZE}]f32,[1,{asked.embedding_size}]f32"
    with tempfile.TemporaryDirectory() as folder:
        traced = Path(folder) / "generator.pt"
        torch.jit.trace(network, example).save(str(traced))
        _tool([pnnx.EXEC_PATH, str(traced), sizes, "fp16=0"], log, traced)
        for ending in ("param", "bin"):
            made = Path(folder) / f"generator.ncnn.{ending}"
            write_atomically(Path(f"{path}.{ending}"), partial(shutil.copyfile, made))


def _nncf(asked: _Asked, path: Path, log: Path) -> None:
    """Quantize with NNCF on the pairs that our own int8 is calibrated on by default."""
    from export.quantize.calibration import built_in
    from model.aligned_face import FACE_SIZE
    from pipeline.quiet import quiet

    with quiet(log):
        import nncf
        import openvino as ov

        pairs = built_in(FACE_SIZE, asked.embedding_size, None)
        feeds = [
            {
                "target": pairs.face(i).transpose(2, 0, 1)[None].astype("float32") / 255,
                "embedding": pairs.embeddings[i : i + 1],
            }
            for i in range(len(pairs))
        ]
        model = ov.Core().read_model(asked.onnx)
        ov.save_model(nncf.quantize(model, nncf.Dataset(feeds), subset_size=len(feeds)), path)


def _tool(command: list[str], log: Path, made: Path) -> None:
    with append_to(log) as output:
        done = subprocess.run(command, stdout=output, stderr=output, check=False, cwd=Path.cwd())
    if done.returncode != 0 or not made.exists():
        raise ConversionError(f"{Path(command[0]).name} failed; see {log}")


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    names = sorted({recipe.name for recipe in _recipes()})
    parser = argparse.ArgumentParser(prog="python benchmarks/peers.py", description=__doc__)
    parser.add_argument("bundle", type=Path, help="with an fp32 ONNX file of the generator")
    parser.add_argument("--peers", nargs="+", choices=names, default=names)
    parser.add_argument("--checkpoint", type=Path, help="default: looked for")
    add_timing(parser, runs=60, rounds=30, warmup=3)
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the rows")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw latencies as PNG or SVG")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
