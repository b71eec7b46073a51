"""Load and save checkpoints; they are untrusted, so nothing in them is ever executed.

The authors' key names are the attribute names of our networks; what else their training code does
to a file (a `module.` prefix, a dict around the weights) is undone here and nowhere else.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from model.errors import CheckpointError
from model.files import write_atomically
from model.generator import Generator, GeneratorConfig
from model.mobilefacenet import MobileFaceNet, MobileFaceNetConfig

_WRAPPERS = ("generator", "G", "state_dict")  # a file may hold {wrapper: weights}
_PREFIX = "module."  # DistributedDataParallel's

StateDict = dict[str, Tensor]
Network = TypeVar("Network", bound=nn.Module)


def load_generator(path: Path) -> Generator:
    """Load a generator saved by the authors' code or by ours, in eval mode, float32, on the CPU.

    Args:
        path: `.pt`/`.pth`, or `.safetensors`.

    Raises:
        CheckpointError: the file is missing, unreadable, not a generator or has unusable numbers.
    """
    state = read_state_dict(path)
    channels = _axis(state, "encoder_head.conv_image.weight", 0)
    embedding_size = _axis(state, "identity_encoder.b256_down.fc_mean.weight", 1)
    with torch.device("meta"):
        network = Generator(GeneratorConfig(channels or 64, embedding_size or 512))
    return _fill(network, state, path, "a MobileFSGAN generator")


def load_identity_encoder(path: Path) -> MobileFaceNet:
    """Load a MobileFaceNet, in eval mode, float32, on the CPU; arguments and errors as above."""
    state = read_state_dict(path)
    channels = _axis(state, "conv1.conv.weight", 0)
    embedding_size = _axis(state, "linear.weight", 0)
    with torch.device("meta"):
        network = MobileFaceNet(MobileFaceNetConfig(channels or 64, embedding_size or 512))
    return _fill(network, state, path, "a MobileFaceNet identity encoder")


def save(network: nn.Module, path: Path) -> None:
    """Write `network`'s weights in the authors' format, beside `path` first and then renamed."""
    write_atomically(path, lambda beside: torch.save(network.state_dict(), beside))


def read_state_dict(path: Path) -> StateDict:
    """The tensors of a checkpoint by name, without wrapper and prefix.

    Raises:
        CheckpointError: the file is missing or unreadable, or holds no tensors by name.
    """
    if not path.is_file():
        kind = "is a folder" if path.is_dir() else "does not exist"
        raise CheckpointError(f"{path} {kind}; expected a checkpoint (.pt, .pth or .safetensors)")
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    state = _unwrap(content, path)
    return {name.removeprefix(_PREFIX): tensor for name, tensor in state.items()}


def _read_safetensors(path: Path) -> object:
    import safetensors
    import safetensors.torch

    try:
        return safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} is not a safetensors file or is cut short ({error}). Copy it again"
        ) from None


def _read_torch(path: Path) -> object:
    with path.open("rb") as file:
        if not file.read(2).startswith((b"PK", b"\x80")):  # a zip archive or a binary pickle
            raise _unreadable(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise CheckpointError(
            f"{path} is a Python pickle that holds more than tensors, or is damaged; loading it "
            "could run code, so it was not loaded. Save it again with "
            "torch.save(network.state_dict(), file)"
        ) from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, AttributeError, IndexError):
        # What torch raises for foreign bytes depends on where they stop making sense.
        raise _unreadable(path) from None


def _unreadable(path: Path) -> CheckpointError:
    return CheckpointError(
        f"{path} is not a PyTorch checkpoint, or is cut short ({path.stat().st_size:,} bytes); "
        "expected a file made by torch.save. Copy or download it again"
    )


def _unwrap(content: object, path: Path) -> StateDict:
    while isinstance(content, Mapping):
        if content and all(isinstance(value, Tensor) for value in content.values()):
            return {str(name): tensor for name, tensor in content.items()}
        inner = next((content[key] for key in _WRAPPERS if key in content), None)
        if inner is None:
            raise CheckpointError(
                f"{path} holds {_some(content) or 'nothing'}; expected weights by name, bare or "
                f"under one of {', '.join(_WRAPPERS)}. Save network.state_dict()"
            )
        content = inner
    raise CheckpointError(
        f"{path} holds a {type(content).__name__}; expected weights by name. "
        "Save network.state_dict()"
    )


def _fill(network: Network, state: StateDict, path: Path, what: str) -> Network:
    """Check `state` against `network` (on the meta device, so nothing is allocated) and load it."""
    expected = network.state_dict()
    # PyTorch before 0.4.1 did not count batches, and nothing here reads the count.
    missing = [k for k in expected if k not in state and not k.endswith("num_batches_tracked")]
    unknown = [k for k in state if k not in expected]
    if missing or unknown:
        guess = _guess(state)
        raise CheckpointError(
            f"{path} is not {what}"
            + (f": it looks like {guess}" if guess else "")
            + (f"; keys missing: {len(missing)} ({_some(missing)})" if missing else "")
            + (f"; keys unknown: {len(unknown)} ({_some(unknown)})" if unknown else "")
        )
    loaded = {}
    for name, wanted in expected.items():
        tensor = state.get(name, torch.zeros(wanted.shape, dtype=wanted.dtype))
        if tensor.shape != wanted.shape:
            raise CheckpointError(
                f"{path}: {name} is {tuple(tensor.shape)}; a network of this width has "
                f"{tuple(wanted.shape)}. Check that the file holds one network, unpruned"
            )
        loaded[name] = tensor.to(wanted.dtype).contiguous()
        if not torch.isfinite(loaded[name]).all() or (
            name.endswith("running_var") and (loaded[name] < 0).any()
        ):
            raise CheckpointError(
                f"{path}: {name} has values that are NaN, infinite or impossible; expected finite "
                "weights. Training diverged or the file is damaged: take an earlier checkpoint"
            )
    network.load_state_dict(loaded, assign=True)
    return network.requires_grad_(False).eval()


def _axis(state: StateDict, name: str, axis: int) -> int | None:
    shape = state[name].shape if name in state else ()
    return shape[axis] if axis < len(shape) else None


def _guess(state: StateDict) -> str | None:
    """What a foreign file probably is, from the names that such networks have."""
    names = list(state)
    if "encoder_head.conv_image.weight" in state:
        return "a generator of another architecture, or an incomplete one"
    if "conv_6_sep.conv.weight" in state:
        return "a MobileFaceNet identity encoder (pass it with --identity)"
    if any(
        n.endswith(("weight_orig", "weight_u", "parametrizations.weight.original")) for n in names
    ):
        return "a discriminator (spectral norm)"
    if any("layer1.0." in n or "body.0." in n or "output_layer" in n for n in names):
        return "a ResNet face recogniser"
    if any(n.startswith("features.") for n in names):
        return "a VGG or another classifier"
    return None


def _some(names: object) -> str:
    listed = [str(name)[:60] for name in names]  # type: ignore[attr-defined]
    return ", ".join(listed[:3]) + (", ..." if len(listed) > 3 else "")
