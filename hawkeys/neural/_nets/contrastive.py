"""The convolutional and recurrent encoder of event times, and the supervised contrastive loss."""

from __future__ import annotations

import itertools

import torch
from torch import nn

from hawkeys.neural._nets.layers import LSTM, batch_norm, conv, dense, dense_head

__all__ = ["Encoder", "Inception", "ProjectionHead", "Residual", "WithHead", "supcon_loss"]

_FILTERS = (16, 64, 256)


def _branch(n_in: int, n_filters: int, depth: int) -> nn.Sequential:
    """Return so many convolutions, normalised, rectified between each other."""
    parts: list[nn.Module] = []
    for place in range(depth):
        parts += [conv(n_in if place == 0 else n_filters, n_filters), batch_norm(n_filters)]
        if place < depth - 1:
            parts.append(nn.ReLU())
    return nn.Sequential(*parts)


class Residual(nn.Module):
    """One branch beside a projection of its input: (B, n_in, T) to (B, n_filters, T)."""

    def __init__(self, n_in: int, n_filters: int, depth: int = 2) -> None:
        super().__init__()
        self.branch = _branch(n_in, n_filters, depth)
        self.projection = conv(n_in, n_filters, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the sum of both."""
        return self.branch(x) + self.projection(x)


class Inception(nn.Module):
    """Two residual branches, one after the other in time: (B, n_in, T) to (B, n_filters, 2 T)."""

    def __init__(self, n_in: int, n_filters: int) -> None:
        super().__init__()
        self.short, self.long = Residual(n_in, n_filters, 2), Residual(n_in, n_filters, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the branches in a row."""
        return torch.cat([self.short(x), self.long(x)], dim=2)


class Encoder(nn.Module):
    """Times (B, T) to a code (B, n_code): three blocks, their copies of time summed, two LSTMs.

    Without recurrence the code is the mean over time of what the blocks give.
    """

    def __init__(self, *, recurrent: bool = True, block: str = "inception") -> None:
        super().__init__()
        kind = Inception if block == "inception" else Residual
        sizes = (1, *_FILTERS)
        self.blocks = nn.Sequential(
            *(
                nn.Sequential(kind(n_in, n_out), batch_norm(n_out), nn.ReLU())
                for n_in, n_out in itertools.pairwise(sizes)
            )
        )
        self.recurrent = recurrent
        self.n_code = 512 if recurrent else _FILTERS[-1]
        if recurrent:
            self.first, self.first_norm = LSTM(256, 256, last=False), batch_norm(256)
            self.second, self.second_norm = LSTM(256, 512, last=True), batch_norm(512)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return codes."""
        y = self.blocks(x[:, None, :])
        y = y.unflatten(2, (-1, x.shape[1])).sum(dim=2)  # eight pieces of T; one of residual blocks
        if not self.recurrent:
            return y.mean(dim=2)
        states = self.first(y.transpose(1, 2))
        states = self.first_norm(states.transpose(1, 2)).transpose(1, 2)
        return self.second_norm(self.second(states))


class ProjectionHead(nn.Module):
    """Codes (B, n_code) to points (B, 128) that the contrastive loss compares."""

    def __init__(self, n_code: int) -> None:
        super().__init__()
        self.dense = dense(n_code, 128)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return points, none of them negative."""
        return torch.relu(self.dense(x))


class WithHead(nn.Module):
    """An encoder and what stands on it."""

    def __init__(self, encoder: Encoder, head: nn.Module) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head

    @classmethod
    def projecting(cls, encoder: Encoder) -> WithHead:
        """Return an encoder with a head for the contrastive loss."""
        return cls(encoder, ProjectionHead(encoder.n_code))

    @classmethod
    def classifying(cls, encoder: Encoder, n_classes: int) -> WithHead:
        """Return an encoder with a head that tells classes apart."""
        return cls(encoder, dense_head(encoder.n_code, n_classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return what the head says of the codes."""
        return self.head(self.encoder(x))


def supcon_loss(
    points: torch.Tensor,
    labels: torch.Tensor,
    temperature: float = 0.1,
    *,
    include_self: bool = False,
) -> torch.Tensor:
    """Return the supervised contrastive loss of points (B, n) with labels (B,), mean over anchors.

    An anchor without another sample of its label is left out. With `include_self` each point is
    its own positive, and stands in its own denominator.
    """
    unit = nn.functional.normalize(points, dim=1)
    similarity = unit @ unit.T / temperature
    same = labels[:, None] == labels[None, :]
    itself = torch.eye(len(labels), dtype=torch.bool, device=points.device)
    if not include_self:
        similarity = similarity.masked_fill(itself, -torch.inf)
        same = same & ~itself
    log_share = similarity - torch.logsumexp(similarity, dim=1, keepdim=True)
    count = same.sum(dim=1)
    each = -log_share.masked_fill(~same, 0.0).sum(dim=1) / count.clamp(min=1)
    kept = count > 0
    return each[kept].mean() if bool(kept.any()) else 0.0 * unit.sum()
