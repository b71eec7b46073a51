"""PyTorch, the reference every other backend is held against."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from numpy.typing import NDArray

from model.contract import Measured, ModelSpec
from pipeline.backends.base import Arrays, Availability, check_inputs, installed

if TYPE_CHECKING:
    from torch import nn


class PyTorchBackend:
    """A checkpoint, deployed and wrapped; takes the tensors that an ONNX file takes."""

    name: ClassVar[str] = "pytorch"
    measured: Measured = "executed"

    def __init__(self, module: nn.Module, spec: ModelSpec) -> None:
        """Run `module`, which maps the tensors of `spec.inputs` in order to its one output."""
        self.spec = spec
        self._module = module
        self.invoke_ms = 0.0

    @classmethod
    def available(cls) -> Availability:
        """PyTorch must be installed."""
        return installed("torch", "torch")

    @classmethod
    def load(cls, spec: ModelSpec, root: Path, *, threads: int = 4) -> Self:
        """Load the checkpoint `root / spec.file`. PyTorch's threads are the whole process's."""
        import torch

        from model.checkpoint import load_generator, load_identity_encoder
        from model.deploy import DeployedGenerator
        from model.wrap import PictureGenerator, PictureIdentityEncoder

        torch.set_num_threads(threads)
        path, face_size = root / spec.file, spec.inputs[0].shape[2]
        if spec.model == "identity":
            encoder = load_identity_encoder(path)
            return cls(PictureIdentityEncoder(encoder, face_size=face_size), spec)
        return cls(PictureGenerator(DeployedGenerator(load_generator(path))), spec)

    def run(self, **inputs: NDArray[Any]) -> Arrays:
        """Compute one frame."""
        import torch

        check_inputs(self.spec, inputs)
        tensors = [torch.from_numpy(inputs[t.name]) for t in self.spec.inputs]
        started = time.perf_counter()
        with torch.inference_mode():
            output = self._module(*tensors)
        self.invoke_ms = 1e3 * (time.perf_counter() - started)
        return {self.spec.outputs[0].name: output.numpy()}
