"""The model files of one network: converted, proved, in mixed precision where a gate needs it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from export.convert.coreml import CoreMLConverter
from export.convert.onnx import OnnxConverter, float_graph
from export.convert.tflite import TfliteConverter
from export.proof.chains import Chains
from export.proof.parity import QUANTIZED
from export.proof.prove import prove
from export.quantize.calibration import CalibrationSet
from export.quantize.eight_bit import EightBit
from export.quantize.ranking import Layer, Rankings, named
from export.quantize.recipe import MOST_LOST, candidates, recipe, weights_of
from export.subject import Artifact, Subject
from export.workbench import Workbench
from model.contract import Format, ModelSpec, Parity, Precision
from model.errors import ParityError
from model.files import fitting

_ADVICE = (
    "python -m export.sensitivity CKPT --format {} ranks all layers and writes a recipe that keeps "
    "the worst of them"
)


class Converter(Protocol):
    """Makes the files of one network in one format."""

    def convert(self, precision: Precision, eight_bit: EightBit) -> Artifact:
        """Write the file of one precision, instead of the one that may be there."""
        ...


@dataclass(frozen=True, slots=True)
class Orders:
    """What is asked of every file of a network.

    Attributes:
        precisions: by format, in the order in which files are made.
        opset: of the ONNX graph.
        threads: for the runtimes during the proof.
        keep: layers that every compressed file keeps in higher precision.
        mixed: find more layers to keep where a compressed file misses its gate.
        calibration: pairs that activation ranges are measured on, where a format needs them.
    """

    precisions: dict[Format, tuple[Precision, ...]]
    opset: int
    threads: int
    keep: tuple[str, ...]
    mixed: bool
    calibration: CalibrationSet | None


class FileMaker:
    """Converts and proves the files of one network."""

    def __init__(
        self, subject: Subject, orders: Orders, bench: Workbench, chains: Chains | None,
        rankings: Rankings, pictures: Path,
    ) -> None:  # fmt: skip
        """Prepare to work.

        Args:
            subject: the network.
            orders: what is wanted.
            bench: where to work.
            chains: what files are compared with; None skips the proof.
            rankings: of the network's layers.
            pictures: stem of the pictures of quantized files' worst pairs.
        """
        self._subject = subject
        self._orders = orders
        self._bench = bench
        self._chains = chains
        self._rankings = rankings
        self._pictures = pictures

    def make(self) -> tuple[list[ModelSpec], list[ParityError]]:
        """Make all files.

        Returns:
            The entries of those that held their gates, and what was missed.

        Raises:
            ConversionError: a converter crashed.
        """
        made: list[ModelSpec] = []
        missed: list[ParityError] = []
        graph = graph_parity = None
        if {"onnx", "tflite"} & self._orders.precisions.keys():
            # TFLite is made from the ONNX graph, so the graph is proved first in any case.
            graph = float_graph(self._subject, self._bench, self._orders.opset)
            try:
                graph_parity = self._prove(graph)
            except ParityError as miss:
                missed.append(miss)
        for format, precisions in self._orders.precisions.items():
            if missed and format != "mlpackage" and graph_parity is None:
                continue
            converter = self._converter(format, graph)
            for precision in precisions:
                try:
                    if graph_parity and (format, precision) == ("onnx", "fp32"):
                        copied = converter.convert(precision, EightBit())
                        made.append(copied.spec(graph_parity))
                    elif precision in QUANTIZED:
                        made.append(self._compressed(converter, format, precision))
                    else:
                        artifact = converter.convert(precision, EightBit())
                        made.append(artifact.spec(self._prove(artifact)))
                except ParityError as miss:
                    missed.append(miss)
                    self._remove(format, precision)
        return made, missed

    def _remove(self, format: Format, precision: Precision) -> None:
        """Take a file that missed its gate out of the bundle."""
        path = self._bench.bundle / self._subject.file_name(format, precision)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def _converter(self, format: Format, graph: Artifact | None) -> Converter:
        if format == "mlpackage":
            return CoreMLConverter(self._subject, self._bench)
        assert graph is not None
        if format == "onnx":
            return OnnxConverter(graph, self._bench)
        return TfliteConverter(graph, self._orders.precisions[format], self._bench)

    def _compressed(self, converter: Converter, format: Format, precision: Precision) -> ModelSpec:
        """A compressed file, with as many layers in higher precision as its gate asks for.

        Raises:
            ParityError: it misses its gate with all that may be kept.
        """
        network = self._subject.network

        def attempt(keep: tuple[str, ...]) -> ModelSpec:
            eight_bit = EightBit(self._orders.calibration, weights_of(network, keep))
            artifact = converter.convert(precision, eight_bit)
            artifact = replace(artifact, recipe=recipe(network, keep, format, precision))
            return artifact.spec(self._prove(artifact))

        try:
            return attempt(self._orders.keep)
        except ParityError as miss:
            last = miss
        ranked = self._rankings.of(format, precision)
        if self._orders.mixed:
            self._bench.stages.say(f"{_figures(last)};")
            self._bench.stages.say("layers are kept in higher precision until it holds")
            given = self._orders.keep
            for keep in candidates(network, ranked, given, format, precision):
                try:
                    spec = attempt(tuple(keep))
                except ParityError as miss:
                    last = miss
                    continue
                self._tell(spec)
                return spec
        raise ParityError(_explained(last, ranked, format, self._orders.mixed))

    def _tell(self, spec: ModelSpec) -> None:
        assert spec.recipe is not None
        cost = f"{spec.recipe.lost_share:.0%} of the size gain"
        self._bench.stages.say(f"{spec.file} keeps {len(spec.recipe.keep)} layers ({cost}):")
        self._bench.stages.say(f"  {', '.join(spec.recipe.keep)}")

    def _prove(self, artifact: Artifact) -> Parity:
        chain = self._chains.of(artifact.precision) if self._chains else None
        ending = f"-{artifact.path.name}.png"
        show = self._pictures.with_name(fitting(self._pictures.name, ending))
        return prove(artifact, chain, self._orders.threads, self._bench.stages, show)


def _figures(miss: ParityError) -> str:
    """The miss in short: the first sentence of its message, without what held before it."""
    return str(miss).partition(". Links before it")[0].removeprefix("parity missed: ")


def _explained(miss: ParityError, ranked: list[Layer], format: Format, mixed: bool) -> str:
    """A miss of a compressed file, with what can be done about it."""
    tried = ""
    if mixed:
        tried = f". Keeping layers did not help within {MOST_LOST:.0%} of the size gain"
    advice = _ADVICE.format("coreml" if format == "mlpackage" else "tflite")
    return f"{miss}{tried}; {named(ranked)}. {advice}"
