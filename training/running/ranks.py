"""Processes of a run: rank, device, arithmetic, and values that all processes agree on."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

from model.errors import BackendUnavailable


@dataclass(frozen=True, slots=True)
class Compute:
    """Where a process computes, and in which arithmetic.

    Attributes:
        device: the CPU or one GPU.
        bf16: whether convolutions and matrix products run in bfloat16 under autocast. Weights and
            losses are float32 either way.
    """

    device: torch.device
    bf16: bool = False

    @property
    def layout(self) -> torch.memory_format:
        """Memory format of pictures and convolution weights during training.

        The backward pass of a CPU's fp32 convolutions takes twice as long with channels last.
        """
        return torch.channels_last if self.bf16 else torch.contiguous_format

    def autocast(self) -> torch.autocast:
        """A context in which convolutions and matrix products run in the chosen arithmetic."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)

    def __str__(self) -> str:
        return f"{self.device.type}, {'bf16' if self.bf16 else 'fp32'}"


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among those of the run; a single process is rank 0 of 1."""

    rank: int
    world: int
    compute: Compute

    @property
    def device(self) -> torch.device:
        """The device of this process."""
        return self.compute.device

    @property
    def first(self) -> bool:
        """Whether this process writes the files and the messages."""
        return self.rank == 0


def open_ranks(device: str, arithmetic: str) -> Ranks:
    """Join the processes that torchrun started, if it did.

    Args:
        device: `auto`, `cpu` or `cuda`; on GPUs each process takes the one of its local rank.
        arithmetic: see `open_compute`.

    Raises:
        BackendUnavailable: CUDA is asked for and there is none.
    """
    compute = open_compute(device, arithmetic)
    # A CPU computes with denormal numbers several times slower.
    np.finfo(np.float32), np.finfo(np.float64)  # cached here: after the next line they warn
    torch.set_flush_denormal(True)
    if "RANK" not in os.environ:
        return Ranks(0, 1, compute)
    dist.init_process_group("nccl" if compute.device.type == "cuda" else "gloo")
    return Ranks(dist.get_rank(), dist.get_world_size(), compute)


def open_compute(device: str, arithmetic: str) -> Compute:
    """The device of this process and the arithmetic it computes in.

    Args:
        device: see `open_ranks`.
        arithmetic: `fp32`, `bf16`, or `auto` for bf16 where it is faster than fp32.

    Raises:
        BackendUnavailable: CUDA is asked for and there is none.
    """
    chosen = open_device(device)
    return Compute(chosen, bf16_pays(chosen) if arithmetic == "auto" else arithmetic == "bf16")


def open_device(device: str) -> torch.device:
    """The device of this process, set up for work; argument and errors as of `open_ranks`."""
    if device == "cuda" and not torch.cuda.is_available():
        raise BackendUnavailable("this machine has no CUDA device; use --device cpu, or auto")
    if device == "cpu" or not torch.cuda.is_available():
        _keep_freed_memory()
        return torch.device("cpu")
    chosen = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(chosen)
    torch.set_float32_matmul_precision("high")
    return chosen


def close_ranks() -> None:
    """Leave the group of processes, if there is one, and stop flushing denormal numbers to zero."""
    torch.set_flush_denormal(False)
    if dist.is_initialized():
        dist.destroy_process_group()


def bf16_pays(device: torch.device) -> bool:
    """Whether the device multiplies bf16 faster than fp32.

    A CPU without instructions for it emulates bf16. Torch may also be told by the environment
    variable ATEN_CPU_CAPABILITY not to use the instructions that the CPU has.
    """
    if device.type != "cpu":
        return True
    able = torch.cpu.get_capabilities()
    if able.get("architecture") != "x86_64":
        return bool(able.get("bf16"))
    used = torch.backends.cpu.get_cpu_capability()
    return used == "AVX512" and bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def agree(ranks: Ranks, values: Sequence[float]) -> list[float]:
    """The first process's values. Clocks and signals differ, but all must take the same step."""
    if ranks.world == 1:
        return list(values)
    shared = torch.tensor(values, dtype=torch.float64, device=ranks.device)
    dist.broadcast(shared, src=0)
    return shared.tolist()


def parallel(network: nn.Module, ranks: Ranks, *, all_used: bool) -> nn.Module:
    """Wrap a network so that gradients are averaged over the processes (DDP).

    Args:
        network: on its device.
        ranks: the processes; with one process the network itself is returned.
        all_used: whether every weight contributes to every loss. If not, torch searches for the
            unused ones in each step.
    """
    if ranks.world == 1:
        return network
    devices = [ranks.device.index] if ranks.device.type == "cuda" else None
    return nn.parallel.DistributedDataParallel(
        network, device_ids=devices, find_unused_parameters=not all_used
    )


def _keep_freed_memory() -> None:
    """Tell glibc to keep freed memory, because the next step allocates as much again.

    By default glibc returns blocks above 32 MB to the system and gets them back as zeroed pages.
    On one core a step of four faces at 256 px took 15.9 s so, and 9.6 s with this setting. Other C
    libraries are left as they are.
    """
    trim_threshold, top_pad, mmap_max = -1, -2, -4  # mallopt(3)
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(mmap_max, 0)
        mallopt(trim_threshold, 2**31 - 1)
        mallopt(top_pad, 2**28)
