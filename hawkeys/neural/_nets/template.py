"""The recurrent template of fixed text, and the triplet loss."""

from __future__ import annotations

import torch
from torch import nn

from hawkeys.neural._nets.layers import LSTM, dense

__all__ = ["StepEncoder", "WithClasses", "triplet_loss"]

_FAR = 5.0  # standard deviations beyond which a pause counts no more
N_CODE = 100


class StepEncoder(nn.Module):
    """Steps (B, T, 2) in seconds to codes (B, 100); on the unit sphere if `sphere`, else >= 0."""

    def __init__(self, width: int, dropout: float, *, sphere: bool) -> None:
        super().__init__()
        self.register_buffer("center", torch.zeros(2))
        self.register_buffer("scale", torch.ones(2))
        self.lstm = LSTM(2, width, last=True)
        self.dropout = nn.Dropout(dropout)
        self.dense = dense(width, N_CODE)
        self.sphere = sphere

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return codes."""
        standard = ((x - self.center) / self.scale).clamp(-_FAR, _FAR)
        code = self.dense(self.dropout(self.lstm(standard)))
        return nn.functional.normalize(code, dim=1) if self.sphere else torch.relu(code)


class WithClasses(nn.Module):
    """An encoder with one output per person of the template."""

    def __init__(self, encoder: StepEncoder, n_classes: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.output = dense(N_CODE, n_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return what the outputs say, (B, n_classes)."""
        return self.output(self.dropout(self.encoder(x)))


def triplet_loss(points: torch.Tensor, labels: torch.Tensor, margin: float = 0.2) -> torch.Tensor:
    """Return the mean over anchors of max(0, farthest positive - nearest negative + margin).

    Distances are Euclidean; an anchor without a positive or a negative in the batch is left out.
    """
    squared = (points[:, None, :] - points[None, :, :]).square().sum(dim=2)
    distance = (squared + 1e-12).sqrt()  # the slope of a root at 0 is infinite
    same = labels[:, None] == labels[None, :]
    itself = torch.eye(len(labels), dtype=torch.bool, device=points.device)
    far = distance.masked_fill(~(same & ~itself), -torch.inf).amax(dim=1)
    near = distance.masked_fill(same, torch.inf).amin(dim=1)
    kept = torch.isfinite(far) & torch.isfinite(near)
    if not bool(kept.any()):
        return 0.0 * points.sum()
    return torch.relu(far[kept] - near[kept] + margin).mean()
