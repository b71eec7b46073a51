"""Muon: momentum whose matrix updates are made orthogonal (Jordan et al., 2024).

All directions of a weight matrix are updated equally, which learns more from few samples than Adam
does. This optimizer is our own because torch.optim.Muon does not accept 1x1 convolutions.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

# Coefficients of the published quintic: five iterations bring all singular values near 1.
_A, _B, _C = 3.4445, -4.7750, 2.0315


class Muon(torch.optim.Optimizer):
    """For weights that are matrices: linear layers and 1x1 convolutions."""

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float = 0.95) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move every weight that has a gradient."""
        for group in self.param_groups:
            alike: dict[tuple[int, int], list[tuple[Tensor, Tensor]]] = {}
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight.grad)
                state["momentum"].lerp_(weight.grad, 1 - group["momentum"])
                ahead = weight.grad.lerp(state["momentum"], group["momentum"]).flatten(1)
                rows, columns = ahead.shape
                alike.setdefault((rows, columns), []).append((weight, ahead))
            for (rows, columns), found in alike.items():
                # One batch per shape: on a GPU ten small matrices take as long as one.
                updates = orthogonalised(torch.stack([ahead for _, ahead in found]))
                pace = group["lr"] * max(1.0, rows / columns) ** 0.5
                for (weight, _), update in zip(found, updates, strict=True):
                    weight.sub_(update.view_as(weight), alpha=pace)


def orthogonalised(matrices: Tensor, rounds: int = 5) -> Tensor:
    """Matrices, (..., R, C), with singular values brought near 1, by Newton-Schulz iteration."""
    x = matrices / (matrices.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    for _ in range(rounds):
        gram = x @ x.mT
        x = _A * x + (_B * gram + _C * gram @ gram) @ x
    return x.mT if tall else x
