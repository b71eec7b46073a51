"""Load checkpoints into networks, and save them. This is the only place that does.

A checkpoint is not trusted: `checkpoint_file` reads it without executing anything in it,
`state_dict` finds the weights in it, and here they are checked against a network.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from model.checkpoint_file import read_checkpoint
from model.errors import CheckpointError
from model.files import write_atomically
from model.generator import Generator, GeneratorConfig
from model.lite import LiteConfig, LiteGenerator, SwapNetwork
from model.mobilefacenet import MobileFaceNet, MobileFaceNetConfig
from model.state_dict import StateDict, find_weights
from model.state_dict import some as _some

_MOST_BLOCKS = 64  # of one size in a LiteGenerator; the file decides how many are made

Network = TypeVar("Network", bound=nn.Module)


def load_generator(path: Path) -> SwapNetwork:
    """Load a generator saved by the authors' code or by ours, in eval mode, float32, on the CPU.

    Its keys say which network it is, the published one or `LiteGenerator`.

    Args:
        path: `.pt`/`.pth`, or `.safetensors`.

    Raises:
        CheckpointError: the file is missing, unreadable, not a generator or has unusable numbers.
    """
    state = read_state_dict(path)
    if "conv128.weight" in state:
        with torch.device("meta"):
            lite = LiteGenerator(_lite_config(state, path))
        return fill(lite, state, path, "a LiteGenerator")
    channels = _axis(state, "encoder_head.conv_image.weight", 0)
    embedding_size = _axis(state, "identity_encoder.b256_down.fc_mean.weight", 1)
    with torch.device("meta"):
        network = Generator(GeneratorConfig(channels or 64, embedding_size or 512))
    return fill(network, state, path, "a MobileFSGAN generator")


def load_identity_encoder(path: Path) -> MobileFaceNet:
    """Load a MobileFaceNet, in eval mode, float32, on the CPU; arguments and errors as above."""
    state = read_state_dict(path)
    channels = _axis(state, "conv1.conv.weight", 0)
    embedding_size = _axis(state, "linear.weight", 0)
    with torch.device("meta"):
        network = MobileFaceNet(MobileFaceNetConfig(channels or 64, embedding_size or 512))
    return fill(network, state, path, "a MobileFaceNet identity encoder")


def save(network: nn.Module, path: Path) -> None:
    """Write `network`'s weights in the authors' format, beside `path` first and then renamed."""
    write_atomically(path, lambda beside: torch.save(network.state_dict(), beside))


def read_state_dict(path: Path) -> StateDict:
    """The tensors of a checkpoint by name, without wrapper and prefix, on the CPU.

    Tensors may share memory with the file; copy them before the file changes.

    Raises:
        CheckpointError: the file is missing, unreadable or hostile, or holds no weights by name.
    """
    return find_weights(read_checkpoint(path), path)


def fill(network: Network, state: StateDict, path: Path, what: str) -> Network:
    """Check `state` against `network` (on the meta device, so nothing is allocated) and load it.

    Args:
        network: on the meta device.
        state: weights by name.
        path: of the file, for messages.
        what: the network's name with its article, for messages.

    Returns:
        The network in eval mode, float32, on the CPU, frozen.

    Raises:
        CheckpointError: the keys or shapes are another network's, or the numbers are unusable.
    """
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
        loaded[name] = _as_type(tensor, wanted.dtype, f"{path}: {name}")
        if not torch.isfinite(loaded[name]).all() or (
            name.endswith("running_var") and (loaded[name] < 0).any()
        ):
            raise CheckpointError(
                f"{path}: {name} has values that are NaN, infinite or impossible; expected finite "
                "weights. Training diverged or the file is damaged: take an earlier checkpoint"
            )
    network.load_state_dict(loaded, assign=True)
    return network.requires_grad_(False).eval()


def _as_type(tensor: Tensor, dtype: torch.dtype, where: str) -> Tensor:
    """The tensor as a contiguous one of another type; floats stay floats and integers integers."""
    if tensor.is_complex() or (dtype.is_floating_point and not tensor.is_floating_point()):
        raise CheckpointError(
            f"{where} holds {_word(tensor.dtype)}; expected floating-point weights. Give the "
            "checkpoint from before they were converted"
        )
    try:
        # A copy, for the tensor may be a part of the file.
        return tensor.to(dtype, copy=True, memory_format=torch.contiguous_format)
    except (RuntimeError, NotImplementedError):
        raise CheckpointError(
            f"{where} holds {_word(tensor.dtype)}, which PyTorch cannot convert to "
            f"{_word(dtype)}. Save float32 weights"
        ) from None


def _word(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _lite_config(state: StateDict, path: Path) -> LiteConfig:
    """The widths and depths that the shapes tell; the usual ones where a key is missing.

    Raises:
        CheckpointError: there are more blocks than any such network has.
    """

    def depth(part: str) -> int:
        found = len({name.split(".")[1] for name in state if name.startswith(f"{part}.")})
        if found > _MOST_BLOCKS:
            raise CheckpointError(
                f"{path} has {found:,} blocks in {part}; a LiteGenerator has {_MOST_BLOCKS} at "
                "most. Copy or download the file again"
            )
        return found

    usual = LiteConfig()
    return LiteConfig(
        embedding_size=_axis(state, "style.weight", 1) or usual.embedding_size,
        style=_axis(state, "style.weight", 0) or usual.style,
        width128=_axis(state, "down128.weight", 0) or usual.width128,
        width64=_axis(state, "down64.weight", 0) or usual.width64,
        width32=_axis(state, "down32.weight", 0) or usual.width32,
        width16=_axis(state, "down16.weight", 0) or usual.width16,
        blocks64=depth("b64_down"),
        blocks32=depth("b32_down"),
        blocks16=depth("b16"),
    )


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
