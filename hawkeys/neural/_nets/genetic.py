"""The network that a genome describes."""

from __future__ import annotations

import torch
from torch import nn

from hawkeys.neural._nets.layers import batch_norm, conv, dense
from hawkeys.neural.genetic import NetworkGenes

__all__ = ["network_of"]


def network_of(genes: NetworkGenes, length: int, n_classes: int) -> nn.Sequential:
    """Return the network: (B, length) to one output per class, (B, n_classes)."""
    parts: list[nn.Module] = [_AddChannel()]
    channels = 1
    for filters, width in genes.convolutions:
        parts += [conv(channels, filters, width), batch_norm(filters), nn.ReLU()]
        channels = filters
    parts.append(nn.Flatten())
    size = channels * length
    for units, dropout in genes.dense:
        parts += [dense(size, units), nn.ReLU(), nn.Dropout(dropout)]
        size = units
    return nn.Sequential(*parts, dense(size, n_classes))


class _AddChannel(nn.Module):
    """(B, T) to (B, 1, T)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, None, :]
