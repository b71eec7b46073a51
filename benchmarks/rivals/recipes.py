"""Convert the generator for other runtimes, each with the runtime's own converter.

No heavy imports: `benchmarks/peers.py --help` lists these runtimes.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from model.errors import ConversionError, install
from model.files import append_to, write_atomically


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
    build: Callable[[Asked, Path, Path], None]
    options: tuple[tuple[str, str], ...] = ()
    remedy: str = install("peers")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the conversions start from.

    Attributes:
        bundle: folder with the generator's files.
        onnx: its fp32 ONNX file.
        checkpoint: the weights that it was made from.
        threads: of the runtimes.
        warmup: frames before the first timed one.
        embedding_size: of the generator.
    """

    bundle: Path
    onnx: Path
    checkpoint: Path
    threads: int
    warmup: int
    embedding_size: int


def recipes() -> list[Recipe]:
    """All runtimes, in the order of the table."""
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


def _naive(function: str, asked: Asked, path: Path, log: Path) -> None:
    from benchmarks.rivals import naive

    getattr(naive, function)(asked.checkpoint, path.resolve(), log)


def _copy_onnx(asked: Asked, path: Path, _: Path) -> None:
    write_atomically(path, lambda beside: shutil.copyfile(asked.onnx, beside))


def _mnn(asked: Asked, path: Path, log: Path) -> None:
    converter = Path(sys.executable).with_name("mnnconvert")
    _tool(
        [str(converter), "-f", "ONNX", "--modelFile", str(asked.onnx), "--MNNModel", str(path),
         "--bizCode", "generator"], log, path,
    )  # fmt: skip


def _pnnx(asked: Asked, path: Path, log: Path) -> None:
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


def _nncf(asked: Asked, path: Path, log: Path) -> None:
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
