"""Which files of a bundle make a swap, for every backend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from model.aligned_face import FACE_SIZE
from model.contract import Checkpoint, Format, Manifest, Model, ModelSpec, Parity, Precision
from model.digest import digest
from model.errors import BadInput, ContractError, UsageError
from model.manifest import checked_file, load_bundle
from model.place import MANIFEST_NAME
from model.shipped import WEIGHTS_FOLDER
from model.tensors import signature
from pipeline.backends import BACKENDS, backend_class, open_backend
from pipeline.backends.base import Backend

# What the identity encoder is taken in, best first: it runs once per source.
_ENCODER_PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16", "dynamic", "int8", "pal6", "w8a8")
# Where the checkpoints lie that bundles are made from.
_CHECKPOINT_FOLDERS = (Path("build"), WEIGHTS_FOLDER, Path())


def newest_bundle(dist: Path = Path("dist")) -> Path:
    """The bundle below `dist` that was exported last.

    Raises:
        BadInput: there is none.
    """
    found = sorted(dist.glob(f"*/{MANIFEST_NAME}"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise BadInput(
            f"there is no bundle in {dist}/; expected {dist}/*/{MANIFEST_NAME}. Make one with "
            "python -m export CHECKPOINT, or name the folder of one"
        )
    return found[-1].parent


def find_checkpoint(checkpoint: Checkpoint, folders: Sequence[Path] = ()) -> Path | None:
    """The file with exactly these weights, where checkpoints usually lie or in `folders`."""
    for folder in folders or _CHECKPOINT_FOLDERS:
        path = folder / checkpoint.file
        if path.is_file() and digest(path)[0] == checkpoint.sha256:
            return path
    return None


def checkpoint_spec(
    path: Path, model: Model, embedding_size: int, face_size: int = FACE_SIZE
) -> ModelSpec:
    """Describe a checkpoint as PyTorch runs it; no manifest lists it."""
    sides = signature(model, "pt", face_size=face_size, embedding_size=embedding_size)
    return ModelSpec(model, path.name, "pt", "fp32", *digest(path), *sides, Parity("skipped"))


def open_models(
    bundle: Path, backend: str, precision: Precision, threads: int
) -> tuple[Backend, Callable[[], Backend]]:
    """The generator, loaded, and what loads the identity encoder.

    Raises:
        ContractError: no bundle, or it lacks the file, or the file is damaged.
        BackendUnavailable: the runtime cannot work here.
        UsageError: there is no such backend, or it has no such precision.
    """
    backend_class(backend)  # an unknown name is said before anything else
    manifest = load_bundle(bundle)
    format = BACKENDS[backend][2]
    if format == "pt":
        if precision != "fp32":
            raise UsageError(f"pytorch computes in fp32, not {precision}")
        return _open_pytorch(manifest, bundle, threads)

    def opened(spec: ModelSpec) -> Backend:
        checked_file(bundle, spec)  # LiteRT crashes on a file that is cut off
        return open_backend(backend, spec, bundle, threads=threads)

    generator = opened(manifest.find("generator", format, precision))
    return generator, lambda: opened(_find_encoder(manifest, format))


def _find_encoder(manifest: Manifest, format: Format) -> ModelSpec:
    files = {spec.file: spec for spec in manifest.models}
    for precision in _ENCODER_PRECISIONS:
        spec = files.get(f"identity-{precision}.{format}")
        if spec is not None:
            return spec
    return manifest.find("identity", format, "fp32")  # says what is missing


def _open_pytorch(
    manifest: Manifest, bundle: Path, threads: int
) -> tuple[Backend, Callable[[], Backend]]:
    """Bundles hold no checkpoint: the one they were made from is looked for, by its hash."""
    embedding_size = next(
        (t.shape[1] for spec in manifest.models for t in spec.inputs if t.name == "embedding"), 512
    )

    def opened(model: Model, checkpoint: Checkpoint) -> Backend:
        folders = [bundle, *_CHECKPOINT_FOLDERS]
        path = find_checkpoint(checkpoint, folders)
        if path is None:
            raise ContractError(
                f"{checkpoint.file}, which {bundle} was made from, is not in "
                f"{', '.join(map(str, folders))}; --backend pytorch runs the checkpoint itself. "
                "Put it into one of them"
            )
        spec = checkpoint_spec(path, model, embedding_size, manifest.align.size)
        return open_backend("pytorch", spec, path.parent, threads=threads)

    def encoder() -> Backend:
        if manifest.identity_checkpoint is None:
            raise ContractError(
                f"{bundle} was made without an identity encoder. Export with --identity CHECKPOINT"
            )
        return opened("identity", manifest.identity_checkpoint)

    return opened("generator", manifest.checkpoint), encoder
