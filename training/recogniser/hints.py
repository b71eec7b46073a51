"""Hints: the student also learns from the teacher's intermediate feature maps.

An embedding gives 128 numbers a picture. The teacher's maps at 28, 14 and 7 px give hundreds of
numbers at each of a thousand places, which makes more of a set of a few thousand people (FitNets,
arXiv:1412.6550).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.errors import BackendUnavailable, BadInput, install
from model.mobilefacenet import MobileFaceNet
from pipeline.backends.onnx import session_options
from training.recogniser.onnx_layers import OnnxLayers
from training.recogniser.student import early_features, late_features, read

SIDES = (28, 14, 7)  # of the maps that are compared, for a view of 112 px
HINT_WEIGHT = 1.0
DULL = 0.1  # of the mean variance is added, so that channels with little variance count less


class Answer(NamedTuple):
    """A teacher's embeddings, (N, D) unit norm, and its maps, `thinned`, for each of `SIDES`."""

    embedding: Tensor
    maps: list[Tensor]


class HintingTeacher:
    """A recogniser as ONNX with its last map of each of `SIDES` as further outputs."""

    def __init__(
        self, path: Path, threads: int | None = None, device: torch.device | None = None
    ) -> None:
        """Load it.

        Args:
            path: the file.
            threads: of ONNX Runtime, which runs it on a CPU.
            device: where PyTorch runs it instead, in half precision, if that is a GPU.

        Raises:
            BadInput: the file is missing, no ONNX, or has no maps of these sizes.
            BackendUnavailable: onnx or ONNX Runtime is not installed.
        """
        try:
            import onnx
            import onnxruntime
        except ImportError as error:
            raise BackendUnavailable(
                f"a teacher runs in onnxruntime, and {error.name} is not installed. "
                f"{install('onnx')}"
            ) from None
        if not path.is_file():
            raise BadInput(f"{path} does not exist; expected a face recogniser as ONNX (--teacher)")
        try:
            model = onnx.shape_inference.infer_shapes(onnx.load(path))
        except Exception as error:  # onnx's own exceptions share no base class
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise BadInput(f"{path} is not an ONNX file that can be read ({reason})") from None
        self.sizes, names = _expose_maps(model, path)
        self._wanted = [model.graph.output[0].name, *names]
        if device is not None and device.type != "cpu":
            self._run = _on_gpu(model, self._wanted, device)
            return
        session = onnxruntime.InferenceSession(
            model.SerializeToString(),
            session_options(threads or 0),
            providers=["CPUExecutionProvider"],
        )
        name = session.get_inputs()[0].name
        self._run = lambda pixels: [
            torch.from_numpy(found)
            for found in session.run(self._wanted, {name: pixels.contiguous().numpy()})
        ]

    def answer(self, view: Tensor) -> Answer:
        """What it says of faces.

        Args:
            view: ArcFace crops, (N, 3, 112, 112) NCHW float32 RGB in [-1, 1].
        """
        embedding, *maps = self._run((view + 1) * 127.5)
        return Answer(F.normalize(embedding), [thinned(found).contiguous() for found in maps])


class Hints(nn.Module):
    """Predicts the teacher's maps from the student's, by one linear layer per size."""

    def __init__(self, student: MobileFaceNet, teacher_sizes: list[int]) -> None:
        """Start from zero weights, so that the first gradients do not disturb the student.

        Args:
            student: whose maps are compared.
            teacher_sizes: channels of the teacher's maps at `SIDES`.
        """
        super().__init__()
        mine = (
            student.conv_23.project.conv.out_channels,
            student.conv_34.project.conv.out_channels,
            student.conv_6_sep.conv.out_channels,
        )
        self.readers = nn.ModuleList(
            nn.Sequential(nn.BatchNorm2d(a, affine=False), _zero_convolution(a, b))
            for a, b in zip(mine, teacher_sizes, strict=True)
        )

    def forward(self, mine: list[Tensor], theirs: list[Tensor]) -> Tensor:
        """Mean share of the teacher's variance that the student's maps do not explain.

        Args:
            mine: the student's maps at `SIDES`, (N, C, S, S).
            theirs: the teacher's, `thinned`.
        """
        terms = []
        for reader, a, b in zip(self.readers, mine, theirs, strict=True):
            spread = b.var((0, 2, 3), keepdim=True)
            spread = spread + DULL * spread.mean()
            terms.append(((reader(thinned(a)) - b) ** 2 / spread).mean())
        return torch.stack(terms).mean()


def _zero_convolution(channels: int, wanted: int) -> nn.Conv2d:
    layer = nn.Conv2d(channels, wanted, 1)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(cast(Tensor, layer.bias))
    return layer


def thinned(map_: Tensor) -> Tensor:
    """Every other row and column of the largest maps, (N, C, 28, 28); neighbours are redundant."""
    return map_[:, :, ::2, ::2] if map_.shape[-1] == SIDES[0] else map_


def student_maps(
    network: MobileFaceNet, view: Tensor, done: int = 0
) -> tuple[Tensor, list[Tensor]]:
    """`MobileFaceNet.forward`, and the maps at `SIDES` on the way; see `early_features`."""
    early = early_features(network, view, done)
    late = late_features(network, early[-1])
    return read(network, late[-1]), [early[-2], *late]


def _on_gpu(
    model: Any, wanted: list[str], device: torch.device
) -> Callable[[Tensor], list[Tensor]]:
    layers = OnnxLayers(model, device, torch.float16)

    def run(pixels: Tensor) -> list[Tensor]:
        pixels = pixels.half().contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            return [found.float() for found in layers(pixels, wanted)]

    return run


def _expose_maps(model: Any, path: Path) -> tuple[list[int], list[str]]:
    """Add the last map of each size to the outputs and free the batch; their channels and names."""
    last: dict[int, Any] = {}
    for info in model.graph.value_info:
        sides = [d.dim_value for d in info.type.tensor_type.shape.dim]
        if len(sides) == 4 and sides[2] == sides[3]:
            last[sides[2]] = info
    missing = [side for side in SIDES if side not in last]
    if missing or len(model.graph.input) < 1:
        raise BadInput(
            f"{path} has no maps of {missing} px; expected a recogniser of 112 px crops that "
            "halves them to 28, 14 and 7, such as SFace of the OpenCV Zoo"
        )
    chosen = [last[side] for side in SIDES]
    channels = [int(info.type.tensor_type.shape.dim[1].dim_value) for info in chosen]
    model.graph.output.extend(chosen)
    for tensor in (model.graph.input[0], *model.graph.output):
        tensor.type.tensor_type.shape.dim[0].dim_param = "N"
    del model.graph.value_info[:]
    return channels, [info.name for info in chosen]
