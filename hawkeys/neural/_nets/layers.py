"""Layers that several networks share, started as Keras starts them."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

__all__ = ["LSTM", "batch_norm", "conv", "dense", "dense_head", "n_parameters"]

# "momentum .99, epsilon 1e-3": the running statistics move by a hundredth per batch
_MOVE, _EPSILON = 0.01, 1e-3


def conv(n_in: int, n_out: int, width: int = 3) -> nn.Module:
    """Return a convolution over time that keeps its length: (B, n_in, T) to (B, n_out, T)."""
    if width % 2:
        return _glorot(nn.Conv1d(n_in, n_out, width, padding=width // 2))
    before = nn.ConstantPad1d((width // 2 - 1, width // 2), 0.0)  # one more zero at the end
    return nn.Sequential(before, _glorot(nn.Conv1d(n_in, n_out, width)))


def dense(n_in: int, n_out: int) -> nn.Linear:
    """Return a dense layer: (B, n_in) to (B, n_out)."""
    return _glorot(nn.Linear(n_in, n_out))


def batch_norm(n_channels: int) -> nn.BatchNorm1d:
    """Return batch normalisation of channels."""
    return nn.BatchNorm1d(n_channels, eps=_EPSILON, momentum=_MOVE)


def dense_head(n_in: int, n_classes: int) -> nn.Sequential:
    """Return dense 128, 64 and 16, each normalised and rectified, and one output per class."""
    parts: list[nn.Module] = []
    for width in (128, 64, 16):
        parts += [dense(n_in, width), batch_norm(width), nn.ReLU()]
        n_in = width
    return nn.Sequential(*parts, dense(n_in, n_classes))


class LSTM(nn.LSTM):
    """Long short-term memory: (B, T, n_in) to states (B, T, n_out), or to the last (B, n_out)."""

    def __init__(self, n_in: int, n_out: int, *, last: bool) -> None:
        super().__init__(n_in, n_out, batch_first=True)
        self.last = last
        nn.init.xavier_uniform_(self.weight_ih_l0)
        for gate in self.weight_hh_l0.detach().split(n_out):
            nn.init.orthogonal_(gate)
        nn.init.zeros_(self.bias_ih_l0)
        nn.init.zeros_(self.bias_hh_l0)
        self.bias_ih_l0.detach()[n_out : 2 * n_out] = 1.0  # of the gate that forgets

    def forward(self, x: torch.Tensor) -> Any:
        """Return the states, or the last one."""
        states, (final, _) = super().forward(x)
        return final[-1] if self.last else states


def n_parameters(module: nn.Module) -> int:
    """Return how many numbers are trained."""
    return sum(one.numel() for one in module.parameters())


def _glorot(layer: Any) -> Any:
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
