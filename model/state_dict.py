"""Find a network's weights in what a checkpoint file holds, and give them the names we use.

The authors' key names are the attribute names of our networks. Training code wraps the weights in
dictionaries and puts prefixes before their names; both are undone here and nowhere else. Where a
file holds the weights of several networks and nothing tells which are meant, it is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from model.errors import CheckpointError
from model.pickle_scan import one_line

StateDict = dict[str, Tensor]

_WRAPPERS = (
    "generator", "G", "netG", "state_dict", "generator_state_dict", "model_state_dict", "model",
    "network", "net", "weights", "params", "generator_ema", "G_ema", "g_ema", "netG_ema",
    "model_ema", "params_ema", "ema", "ema_state_dict",
)  # fmt: skip
_WRAPPERS_DEEP = 4
# Put before every name by DistributedDataParallel and torch.compile; they say nothing.
_SILENT_PREFIXES = ("module.", "_orig_mod.")
_GENERATOR_PREFIXES = (
    "generator.", "G.", "netG.", "generator_ema.", "G_ema.", "g_ema.", "netG_ema."
)  # fmt: skip
_NETWORK_PREFIXES = (*_GENERATOR_PREFIXES, "model.", "network.", "net.", "ema.", "model_ema.")
_COUNTER = "n_averaged"  # of torch.optim.swa_utils.AveragedModel, beside the weights
# One layer of each network; what stands before its name, stands before all.
_LANDMARKS = ("encoder_head.conv_image.weight", "conv128.weight", "conv_6_sep.conv.weight")
_MOST_TENSORS = 10_000
_LONGEST_AXIS = 1 << 20  # far beyond any layer; products of two still fit in 64 bits


def find_weights(content: object, path: Path) -> StateDict:
    """The weights in a checkpoint's content, by names without prefixes.

    Numbers and words beside the weights (an epoch, a name) are left out.

    Args:
        content: what `read_checkpoint` gave.
        path: what the file is called in an error.

    Raises:
        CheckpointError: there are no weights, those of several networks, or tensors that are not
            plain arrays of numbers.
    """
    state = _strip_prefixes(_unwrap(content, path), path)
    if len(state) > _MOST_TENSORS:
        raise CheckpointError(f"{path} holds {len(state):,} tensors; expected one network's")
    for name, tensor in state.items():
        _check_tensor(name, tensor, path)
    _check_sharing(state, path)
    return {name: tensor.detach() for name, tensor in state.items()}


def _unwrap(content: object, path: Path) -> StateDict:
    for _ in range(_WRAPPERS_DEEP + 1):
        if not isinstance(content, Mapping):
            raise CheckpointError(
                f"{path} holds a {type(content).__name__}; expected weights by name. "
                "Save network.state_dict()"
            )
        found: list[Any] = [key for key in _WRAPPERS if _holds_weights(content.get(key))]
        if not found and not any(isinstance(value, Tensor) for value in content.values()):
            found = [key for key, value in content.items() if _holds_weights(value)]
        if not found:
            return _tensors_of(content, path)
        if len(found) > 1:
            # Of generator and generator_ema the average is better.
            example = found[-1] if found[-1] in _WRAPPERS else found[0]
            raise CheckpointError(
                f"{path} holds weights under {_listed(found)}; expected those of one network. "
                f"Save the ones you want: torch.save(torch.load(FILE)[{example!r}], NEW)"
            )
        content = content[found[0]]
    raise CheckpointError(
        f"{path} holds dictionaries more than {_WRAPPERS_DEEP} deep; expected weights by name. "
        "Save network.state_dict()"
    )


def _holds_weights(value: object, depth: int = 0) -> bool:
    if not isinstance(value, Mapping) or depth > _WRAPPERS_DEEP:
        return False
    return any(isinstance(item, Tensor) for item in value.values()) or any(
        _holds_weights(value.get(key), depth + 1) for key in _WRAPPERS
    )


def _tensors_of(content: Mapping[Any, Any], path: Path) -> StateDict:
    state = {
        str(name): value
        for name, value in content.items()
        if isinstance(value, Tensor) and name != _COUNTER
    }
    if not state:
        raise CheckpointError(
            f"{path} holds {some(content) or 'nothing'}; expected weights by name, bare or "
            f"under a name such as {', '.join(_WRAPPERS[:4])}. Save network.state_dict()"
        )
    foreign = {
        str(name): type(value).__name__
        for name, value in content.items()
        if not isinstance(value, Tensor | int | float | str | None)
    }
    if foreign:
        listed = some(f"{name} ({kind})" for name, kind in foreign.items())
        raise CheckpointError(
            f"{path} holds {listed} among the weights; expected tensors by name. "
            "Save network.state_dict() alone"
        )
    return state


def _strip_prefixes(state: StateDict, path: Path) -> StateDict:
    state = _renamed(state, _without_silent, path)
    for _ in range(_WRAPPERS_DEEP):
        used = [
            prefix for prefix in _NETWORK_PREFIXES if any(name.startswith(prefix) for name in state)
        ]
        if not used:
            break
        chosen = used[0]
        inside = {name: value for name, value in state.items() if name.startswith(chosen)}
        if len(used) > 1 or (len(inside) < len(state) and chosen not in _GENERATOR_PREFIXES):
            others = sorted({name.split(".")[0] + "." for name in state})
            raise CheckpointError(
                f"{path} holds several networks ({some(others)}); expected one. Save the one you "
                f"want: torch.save({{k.removeprefix('{chosen}'): v for k, v in weights.items() "
                f"if k.startswith('{chosen}')}}, NEW)"
            )
        state = _renamed(
            inside, lambda name, prefix=chosen: _without_silent(name.removeprefix(prefix)), path
        )
    prefix = _unknown_prefix(state)
    return _renamed(state, lambda name: _without_silent(name.removeprefix(prefix)), path)


def _unknown_prefix(state: StateDict) -> str:
    """What stands before every name of a network of ours; empty where there is nothing."""
    found = {
        name.removesuffix(landmark)
        for name in state
        for landmark in _LANDMARKS
        if name.endswith(f".{landmark}")
    }
    prefix = found.pop() if len(found) == 1 else ""
    return prefix if all(name.startswith(prefix) for name in state) else ""


def _without_silent(name: str) -> str:
    while name.startswith(_SILENT_PREFIXES):
        name = name.partition(".")[2]
    return name.replace("._orig_mod.", ".")  # a compiled part of the network


def _renamed(state: StateDict, rename: Any, path: Path) -> StateDict:
    renamed = {rename(name): tensor for name, tensor in state.items()}
    if len(renamed) < len(state):
        raise CheckpointError(
            f"{path} holds some weights twice, with and without a prefix such as "
            f"{_SILENT_PREFIXES[0]}; expected one network. Save network.state_dict() alone"
        )
    return renamed


def _check_tensor(name: str, tensor: Tensor, path: Path) -> None:
    """Refuse what is no plain array, or claims more elements than are stored."""
    if tensor.is_quantized:
        raise CheckpointError(
            f"{path}: {some([name])} is quantised; expected floating-point weights. Give the "
            "checkpoint from before the quantisation"
        )
    if tensor.layout != torch.strided or tensor.is_meta or tensor.is_nested:
        raise CheckpointError(
            f"{path}: {some([name])} is a {_kind(tensor)} tensor; expected plain weights. "
            "Save network.state_dict() of a network on the CPU"
        )
    stored = tensor.untyped_storage().nbytes()
    if tensor.numel() * tensor.element_size() > stored or max(tensor.shape, default=0) > (
        _LONGEST_AXIS
    ):
        raise CheckpointError(
            f"{path}: {some([name])} claims the shape {tuple(tensor.shape)} with {stored:,} bytes "
            "stored; the file is damaged or made to exhaust memory. Copy or download it again"
        )


def _check_sharing(state: StateDict, path: Path) -> None:
    """Refuse many tensors of one piece of memory: a copy of each would need far more."""
    claimed = sum(tensor.numel() * tensor.element_size() for tensor in state.values())
    storages = [tensor.untyped_storage() for tensor in state.values()]
    stored = sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())
    if claimed > 2 * stored:  # two layers may share their weights
        raise CheckpointError(
            f"{path} has {stored:,} bytes of weights and claims {claimed:,}; it is damaged or made "
            "to exhaust memory. Copy or download it again"
        )


def _kind(tensor: Tensor) -> str:
    if tensor.is_meta:
        return "meta"
    return "nested" if tensor.is_nested else str(tensor.layout).removeprefix("torch.")


def _listed(names: Iterable[object]) -> str:
    """A few names with `and`, shortened, for a message."""
    return " and ".join(one_line(str(name))[:60] for name in list(names)[:4])


def some(names: Iterable[object]) -> str:
    """The first three of the names, shortened, for a message."""
    listed = [one_line(str(name))[:60] for name in names]
    return ", ".join(listed[:3]) + (", ..." if len(listed) > 3 else "")
