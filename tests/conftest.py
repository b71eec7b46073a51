"""Tiny networks and one bundle of theirs, made by the real commands, for all tests to share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT.parent / "shared" / "reference"


class Exported(NamedTuple):
    """What `python -m export` said, and the bundle it made."""

    stdout: str
    stderr: str
    bundle: Path


@pytest.hookimpl(tryfirst=True)  # before `-m "not slow"` is looked at
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of an exported bundle are slow: the first of them waits for the export."""
    for item in items:
        if {"exported", "bundle"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def reference() -> Path:
    """The authors' checkpoint and its answers; not part of the project."""
    if not (REFERENCE / "reference_io.npz").exists():
        pytest.skip("needs ../shared/reference, which is not part of the project")
    return REFERENCE


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first worker of the session makes and all others read.

    Args:
        factory: pytest's.
        name: of the folder, within the session.
        make: fills the empty folder that it is given.
    """
    root = factory.getbasetemp()
    if root.name.startswith("popen-"):  # pytest-xdist gives each worker a folder of its own
        root = root.parent
    folder, done = root / name, root / f"{name}.done"
    with FileLock(root / f"{name}.lock"):
        if not done.exists():
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def tiny_checkpoints(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A generator with 4 channels and an identity encoder with 4, both for 16-d embeddings."""
    from model.checkpoint import save
    from model.generator import GeneratorConfig
    from model.mobilefacenet import MobileFaceNetConfig
    from model.seeded import seeded_generator, seeded_identity_encoder

    def make(folder: Path) -> None:
        generator = seeded_generator(GeneratorConfig(channels=4, embedding_size=16))
        encoder = seeded_identity_encoder(MobileFaceNetConfig(channels=4, embedding_size=16))
        save(generator, folder / "tiny.pt")
        save(encoder, folder / "tiny_identity.pt")

    folder = made_once(tmp_path_factory, "checkpoints", make)
    return folder / "tiny.pt", folder / "tiny_identity.pt"


@pytest.fixture(scope="session")
def exported(
    tiny_checkpoints: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Exported:
    """`python -m export` on the tiny checkpoints, to every format."""
    generator, identity = tiny_checkpoints

    def make(folder: Path) -> None:
        result = run(
            "export", generator, "--identity", identity, "-o", folder / "dist", "--samples", "4"
        )
        assert result.returncode == 0, result.stderr
        (folder / "words.json").write_text(json.dumps([result.stdout, result.stderr]))

    folder = made_once(tmp_path_factory, "exported", make)
    return Exported(*json.loads((folder / "words.json").read_text()), folder / "dist/tiny")


@pytest.fixture(scope="session")
def bundle(exported: Exported) -> Path:
    """The bundle that `exported` made; tests copy it before they change it."""
    return exported.bundle


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


def program(name: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python benchmarks/name.py`, as a user types it, with these environment variables besides."""
    return subprocess.run(
        [sys.executable, f"benchmarks/{name}.py", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
