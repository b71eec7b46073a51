"""Muon: momentum whose matrix updates are made orthogonal (Jordan et al., 2024).

Every direction of a weight matrix learns at the same pace, which gets more out of few samples than
Adam does; torch.optim.Muon takes no 1x1 convolutions, hence this one.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

# The quintic of the published method: steep at zero, so that five rounds bring all singular values
# near 1.
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
                # Those of one shape together: a GPU takes as long for one small matrix as for ten.
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
