"""Tiny networks and one bundle of theirs, made by the real commands, for all tests to share."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT.parent / "shared" / "reference"


@pytest.fixture(scope="session")
def reference() -> Path:
    """The authors' checkpoint and its answers; not part of the project."""
    if not (REFERENCE / "reference_io.npz").exists():
        pytest.skip("needs ../shared/reference, which is not part of the project")
    return REFERENCE


@pytest.fixture(scope="session")
def tiny_checkpoints(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A generator with 4 channels and an identity encoder with 4, both for 16-d embeddings."""
    from model.checkpoint import save
    from model.generator import GeneratorConfig
    from model.mobilefacenet import MobileFaceNetConfig
    from model.seeded import seeded_generator, seeded_identity_encoder

    folder = tmp_path_factory.mktemp("checkpoints")
    generator, identity = folder / "tiny.pt", folder / "tiny_identity.pt"
    save(seeded_generator(GeneratorConfig(channels=4, embedding_size=16)), generator)
    save(seeded_identity_encoder(MobileFaceNetConfig(channels=4, embedding_size=16)), identity)
    return generator, identity


@pytest.fixture(scope="session")
def exported(
    tiny_checkpoints: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> subprocess.CompletedProcess[str]:
    """`python -m export` on the tiny checkpoints, to every format."""
    generator, identity = tiny_checkpoints
    output = tmp_path_factory.mktemp("dist")
    result = run("export", generator, "--identity", identity, "-o", output, "--samples", "4")
    assert result.returncode == 0, result.stderr
    result.bundle = output / "tiny"  # type: ignore[attr-defined]
    return result


@pytest.fixture(scope="session")
def bundle(exported: subprocess.CompletedProcess[str]) -> Path:
    """The folder that `exported` made."""
    folder: Path = exported.bundle  # type: ignore[attr-defined]
    return folder


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """PyTorch with one thread: on the smallest networks two wait for each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def run(module: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """`python -m module`, as a user types it."""
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
