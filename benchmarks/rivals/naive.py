"""Export the network as trained with onnx2tf and its default settings, as a baseline of speed.

Of the network's four outputs it has the 256 px picture only. The toolkit's exact rewrite is not
applied: batch norms are not folded, and reflection pads stay.
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
    """Trace the network as trained to an fp32 ONNX file.

    Its pictures are (1, 3, 256, 256) NCHW float32 RGB in [-1, 1].

    Args:
        checkpoint: the generator.
        path: of the file to write.
        log: what the exporter prints is appended to it.

    Raises:
        CheckpointError: the weights cannot be used.
    """
    import torch

    from model.aligned_face import FACE_SIZE
    from model.checkpoint import load_generator

    class Picture256(torch.nn.Module):
        """The generator with one of its four outputs, the 256 px picture."""

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
    """Convert the network as trained to fp32 TFLite with onnx2tf; the file has no signature.

    Args:
        checkpoint: the generator.
        path: of the file to write.
        log: what the converters print is appended to it.

    Raises:
        CheckpointError: the weights cannot be used.
        ConversionError: onnx2tf crashed; the message has the end of its log.
    """
    with tempfile.TemporaryDirectory() as folder:
        graph, traced = Path(folder) / "naive.onnx", Path(folder) / "traced.onnx"
        naive_onnx(checkpoint, traced, log)
        # onnx2tf simplifies the graph itself where the command onnxsim is on the path. Without that
        # it gives the traced reflection pad a wrong shape.
        run_child("export.convert.simplify", [str(traced), str(graph)], log, Path(folder))
        run_child("benchmarks.rivals.naive", [str(graph)], log, Path(folder))
        made = sorted(Path(folder, "naive").glob("*float32.tflite"))
        if not made:
            raise ConversionError(f"onnx2tf wrote no float32 .tflite; see {log}")
        write_atomically(path, lambda beside: shutil.copyfile(made[0], beside))


def main() -> int:
    """Child process: convert the ONNX file argv[1] with onnx2tf's default settings."""
    import onnx2tf

    onnx2tf.convert(input_onnx_file_path=sys.argv[1], output_folder_path="naive", non_verbose=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
