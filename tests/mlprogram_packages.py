"""Small packages for the tests of the interpreter, made by coremltools."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.quiet import quiet

with quiet():
    ct = pytest.importorskip("coremltools")
    from coremltools.converters.mil import Builder as mb

from pipeline.mlprogram.program import Package

logging.getLogger("coremltools").setLevel(logging.ERROR)


def save(model: Any, folder: Path, name: str = "m") -> Package:
    """Save a converted model and open it with the interpreter."""
    path = folder / f"{name}.mlpackage"
    model.save(str(path))
    return Package(path)


def op_package(
    build: Callable[[Any], Any], shape: tuple[int, ...], folder: Path, precision: str = "fp32"
) -> Package:
    """A package that applies `build` to an input 'x'; in fp32 no pass changes what is written."""
    program = mb.program(input_specs=[mb.TensorSpec(shape)], opset_version=ct.target.iOS17)(
        lambda x: build(x)
    )
    half = precision == "fp16"
    with quiet():
        model = ct.convert(
            program,
            convert_to="mlprogram",
            minimum_deployment_target=ct.target.iOS17,
            compute_precision=ct.precision.FLOAT16 if half else ct.precision.FLOAT32,
            pass_pipeline=ct.PassPipeline.DEFAULT if half else ct.PassPipeline.EMPTY,
            skip_model_load=True,
        )
    return save(model, folder)


def run_op(
    build: Callable[[Any], Any], x: torch.Tensor, folder: Path
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """What the interpreter gives for `build` applied to `x`."""
    (output,) = op_package(build, tuple(x.shape), folder).function().run({"x": x.numpy()}).values()
    return output


class SmallNet(torch.nn.Module):
    """Two convolutions whose channels divide by 16 and 32, as grouped compression needs."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = torch.nn.Conv2d(3, 32, 3, padding=1)
        self.second = torch.nn.Conv2d(32, 32, 3, padding=1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(torch.relu(self.first(x)))


def small_net(target: Any, precision: str = "fp32") -> Any:
    """`SmallNet` as a Core ML model for an OS version; its input is (1, 3, 16, 16)."""
    with quiet():
        return ct.convert(
            torch.jit.trace(SmallNet().eval(), torch.zeros(1, 3, 16, 16)),
            inputs=[ct.TensorType("x", (1, 3, 16, 16))],
            outputs=[ct.TensorType("y")],
            minimum_deployment_target=target,
            compute_precision=ct.precision.FLOAT16 if precision == "fp16" else ct.precision.FLOAT32,
            skip_model_load=True,
        )
