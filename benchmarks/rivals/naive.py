"""Export without this toolkit: the network as trained, through onnx2tf with its defaults.

Speed claims compare with it. It has the 256 px output only, but no rewriting, no folded batch norms
and no slices in place of the reflection pad.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import warnings
from pathlib import Path

from export.stages import run_child
from model.errors import ConversionError
from model.files import write_atomically
from pipeline.quiet import quiet


def naive_onnx(checkpoint: Path, path: Path, log: Path) -> None:
    """Trace the network as trained, pictures (1, 3, 256, 256) NCHW in [-1, 1], to ONNX."""
    import torch

    from model.aligned_face import FACE_SIZE
    from model.checkpoint import load_generator

    class Picture256(torch.nn.Module):
        """The generator with only the 256 px picture of its four outputs."""

        def __init__(self) -> None:
            super().__init__()
            self.trained = load_generator(checkpoint)

        def forward(self, target: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
            image: torch.Tensor = self.trained(target, embedding).image256
            return image

    network = Picture256().eval()
    size = network.trained.config.embedding_size
    example = (torch.zeros(1, 3, FACE_SIZE, FACE_SIZE), torch.ones(1, size) / size**0.5)
    with quiet(log), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network, example, str(path), dynamo=False, opset_version=17,
            input_names=["target", "embedding"], output_names=["image"],
        )  # fmt: skip


def naive_tflite(checkpoint: Path, path: Path, log: Path) -> None:
    """The network as trained, as onnx2tf writes it: fp32 TFLite without a signature.

    Raises:
        ConversionError: onnx2tf crashed; the message has its log's tail.
    """
    with tempfile.TemporaryDirectory() as folder:
        graph, traced = Path(folder) / "naive.onnx", Path(folder) / "traced.onnx"
        naive_onnx(checkpoint, traced, log)
        # onnx2tf does this itself where the onnxsim command is on the path; without it the traced
        # reflection pad comes out with the wrong shape.
        run_child("export.convert.simplify", [str(traced), str(graph)], log, Path(folder))
        run_child("benchmarks.rivals.naive", [str(graph)], log, Path(folder))
        made = sorted(Path(folder, "naive").glob("*float32.tflite"))
        if not made:
            raise ConversionError(f"onnx2tf wrote no float32 .tflite; see {log}")
        write_atomically(path, lambda beside: shutil.copyfile(made[0], beside))


def main() -> int:
    """Child process: the ONNX file argv[1] through onnx2tf, with its own settings."""
    import onnx2tf

    onnx2tf.convert(input_onnx_file_path=sys.argv[1], output_folder_path="naive", non_verbose=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
