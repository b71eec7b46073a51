"""Make `authors_generator.npz` from the reference files, which are not part of the project.

    python tests/golden/make_authors.py FOLDER

FOLDER holds `reference_generator_ddp.pth`, a checkpoint, and `reference_io.npz`, the answers of the
authors' own code to it. The convolutions of that checkpoint are PyTorch's default initialisation at
seed 1, so they are not stored: `initial_weights` makes them again.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np
import torch

from model.checkpoint import read_state_dict
from model.generator import Generator

SEED = 1
PIXELS = slice(None, None, 4)  # of the answer, every fourth row and column is kept


def initial_weights() -> dict[str, torch.Tensor]:
    """What PyTorch makes of the generator at `SEED`; independent of the processor."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return Generator().state_dict()


def digest(weights: dict[str, torch.Tensor], names: list[str]) -> str:
    """SHA-256 of the weights of these names, in order."""
    sha = hashlib.sha256()
    for name in names:
        sha.update(weights[name].numpy().tobytes())
    return sha.hexdigest()


def main() -> None:
    """Write the file beside this script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder

    wanted = read_state_dict(folder / "reference_generator_ddp.pth")
    initial = initial_weights()
    seeded = [name for name in wanted if torch.equal(wanted[name], initial[name])]
    answers = np.load(folder / "reference_io.npz")
    np.savez_compressed(
        Path(__file__).with_name("authors_generator.npz"),
        target=answers["target"][:1],
        embedding=answers["embedding"][:1],
        image=answers["image"][:1, :, PIXELS, PIXELS],
        sha256=np.array(digest(initial, seeded)),
        **{f"weights/{name}": wanted[name].numpy() for name in wanted if name not in seeded},
    )


if __name__ == "__main__":
    main()
