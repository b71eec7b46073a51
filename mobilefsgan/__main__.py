"""The console command: `mobilefsgan COMMAND ...`, one word for each `python -m` of the toolkit."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from model import arguments
from model.errors import guard


class Command(NamedTuple):
    """A sub-command: the module whose `main` it calls, and what it does."""

    module: str
    does: str


COMMANDS = {
    "export": Command("export.__main__", "export a checkpoint to every format, with proof"),
    "onnx": Command("export.onnx", "export to ONNX only"),
    "tflite": Command("export.tflite", "export to TFLite only"),
    "coreml": Command("export.coreml", "export to Core ML only"),
    "verify": Command("export.verify", "replay a bundle's golden samples on every file"),
    "bundle": Command("export.bundle", "drop a bundle into the web, Android or iOS app"),
    "sensitivity": Command("export.sensitivity", "rank layers by what 8 bits cost them"),
    "doctor": Command("export.doctor", "what this machine can convert and run"),
    "mlpackage": Command("pipeline.mlpackage", "look inside a Core ML package"),
    "swap": Command("pipeline.cli", "swap faces in photos, films and folders"),
    "latency": Command("benchmarks.latency", "time the files of a bundle on each runtime"),
    "web": Command("benchmarks.serve_page", "serve the web demo from this machine"),
    "report": Command("benchmarks.report", "result rows as one table and plots"),
    "profile": Command("benchmarks.profile_ops", "time the operations of one model file"),
    "swap-overhead": Command("benchmarks.swap_overhead", "time a swap around the generator"),
    "fine-detail": Command("benchmarks.fine_detail", "how sharp large swapped faces are"),
    "peers": Command("benchmarks.peers", "time other runtimes beside a bundle"),
    "quantizers": Command("benchmarks.quantizers", "compare int8 files of several quantizers"),
    "train": Command("training.train", "train a generator"),
    "evaluate": Command("training.evaluate", "judge a generator on people it never saw"),
    "triplets": Command("training.triplets", "make training shards of photos"),
    "pack": Command("training.pack", "pack a training run into one small file"),
    "measure-edits": Command("training.measure_edits", "judge the edits of training shards"),
    "mean": Command("training.mean", "a weighted mean of checkpoints"),
    "distill": Command("training.distill", "teach an identity encoder"),
    "keypoints": Command("training.keypoints.__main__", "teach a small network facial keypoints"),
    "verify-encoder": Command("training.verify", "judge an identity encoder on pairs of faces"),
    "vectors": Command("pipeline.vectors.__main__", "write the test vectors of the apps"),
    "seeded": Command("model.seeded", "write checkpoints with random weights"),
}


@guard
def main(argv: Sequence[str] | None = None) -> int:
    """Hand the words after the command to its own `main`, and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] in COMMANDS:
        command = importlib.import_module(COMMANDS[words[0]].module)
        with arguments.typed(f"mobilefsgan {words[0]}"):
            return int(command.main(words[1:]))
    _parser().parse_args(words)
    raise AssertionError("the parser refuses anything but a command")


def _parser() -> argparse.ArgumentParser:
    from model.shipped import PUBLISHED_GENERATOR, SHIPPED_GENERATOR

    width = max(map(len, COMMANDS))
    listed = "\n".join(f"  {name:<{width}}  {command.does}" for name, command in COMMANDS.items())
    parser = arguments.Parser(
        prog="mobilefsgan",
        usage="mobilefsgan [--version] COMMAND ...",
        description="Take a MobileFSGAN face-swap generator to phones.",
        epilog=(
            f"commands:\n{listed}\n\n`mobilefsgan COMMAND --help` lists the flags of a command.\n"
            f"shipped weights: {SHIPPED_GENERATOR}\n"
            f"the published network's: {PUBLISHED_GENERATOR}"
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_version())
    parser.add_argument(
        "command", choices=COMMANDS, metavar="COMMAND", help="one of those below, with its flags"
    )
    return parser


def _version() -> str:
    try:
        return version("mobilefsgan-toolkit")
    except PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    sys.exit(main())
