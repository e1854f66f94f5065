"""The temporal-character network: keys and their times, read as characters, then as words."""

from __future__ import annotations

import torch
from torch import nn

from hawkeys.neural._nets.layers import LSTM, dense
from hawkeys.neural.regularization import Regularization

__all__ = ["CharacterNetwork"]

_SIZE, _UNKNOWN = 96, 1


class CharacterNetwork(nn.Module):
    """Keystrokes in recordings to one output per person.

    Takes keys (B, L), 0 for those past the end; times (B, L, n_times); the number of keystrokes
    (B,); and the first and last keystroke of each word (B, W), -1 past the last word.
    """

    def __init__(
        self,
        n_keys: int,
        n_times: int,
        n_classes: int,
        *,
        head: str = "transformer",
        regularization: Regularization = Regularization(),  # noqa: B008  (frozen)
    ) -> None:
        super().__init__()
        self.regularization = regularization
        self.keys = nn.Embedding(n_keys + 2, _SIZE, padding_idx=0) if n_keys else None
        self.times = (
            nn.Sequential(dense(n_times, _SIZE), nn.GELU(), dense(_SIZE, _SIZE))
            if n_times
            else None
        )
        self.dropout = nn.Dropout(regularization.dropout)
        self.gru = nn.GRU(_SIZE, _SIZE // 2, batch_first=True, bidirectional=True)
        self.word = dense(2 * _SIZE, _SIZE)
        self.start = nn.Parameter(torch.zeros(1, 1, _SIZE))
        nn.init.normal_(self.start, std=0.02)
        self.words = _Transformer(regularization.dropout) if head == "transformer" else _LastState()
        self.output = dense(_SIZE, n_classes)

    def extra_repr(self) -> str:
        """Return what tells a checkpoint of another regularisation apart."""
        return repr(self.regularization)

    def forward(
        self,
        keys: torch.Tensor,
        times: torch.Tensor,
        size: torch.Tensor,
        first: torch.Tensor,
        last: torch.Tensor,
    ) -> torch.Tensor:
        """Return outputs, (B, n_classes)."""
        longest, n_words = int(size.max()), int((first >= 0).sum(dim=1).max())
        keys, times = self._disturbed(keys[:, :longest], times[:, :longest])
        first, last = first[:, :n_words], last[:, :n_words]
        x = times.new_zeros(len(keys), longest, _SIZE)
        if self.keys is not None:
            x = x + self.keys(keys)
        if self.times is not None:
            x = x + self.times(times)
        states = self._read(self.dropout(x), size)
        held = torch.cat([first.new_ones(len(first), 1) > 0, self._shown(first >= 0)], dim=1)
        ends = [_pick(states, place) for place in (first, last)]
        words = self.word(torch.cat(ends, dim=2))
        words = torch.cat([self.start.expand(len(words), -1, -1), words], dim=1)
        return self.output(self.dropout(self.words(words, held)))

    def _disturbed(
        self, keys: torch.Tensor, times: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return keys (B, L) and times (B, L, n_times) as training shows them."""
        how = self.regularization
        if self.training and how.hidden_keys:
            hidden = (torch.rand(keys.shape, device=keys.device) < how.hidden_keys) & (keys > 0)
            keys = keys.masked_fill(hidden, _UNKNOWN)
        if self.training and how.time_noise:
            times = times + how.time_noise * torch.randn_like(times)
        return keys, times

    def _shown(self, held: torch.Tensor) -> torch.Tensor:
        """Return which words (B, W) are read: in training some of those that are there."""
        share = self.regularization.hidden_words
        if not (self.training and share):
            return held
        return held & (torch.rand(held.shape, device=held.device) >= share)

    def _read(self, x: torch.Tensor, size: torch.Tensor) -> torch.Tensor:
        """Return states of both directions, (B, L, 96), which know nothing past the end."""
        packed = nn.utils.rnn.pack_padded_sequence(
            x, size.cpu(), batch_first=True, enforce_sorted=False
        )
        states, _ = nn.utils.rnn.pad_packed_sequence(self.gru(packed)[0], batch_first=True)
        return states


class _Transformer(nn.Module):
    """Two layers of four heads; the mean over what is there."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            _SIZE, 4, 2 * _SIZE, dropout=dropout, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, words: torch.Tensor, held: torch.Tensor) -> torch.Tensor:
        """Return (B, 96) from words (B, W + 1, 96) and which of them are there."""
        read = self.layers(words, src_key_padding_mask=~held)
        weight = held[:, :, None].to(read.dtype)
        return (read * weight).sum(dim=1) / weight.sum(dim=1)


class _LastState(nn.Module):
    """An LSTM over the words; its state at the last that is there."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = LSTM(_SIZE, _SIZE, last=False)

    def forward(self, words: torch.Tensor, held: torch.Tensor) -> torch.Tensor:
        """Return (B, 96) from words (B, W + 1, 96) and which of them are there."""
        there_first = torch.argsort((~held).long(), dim=1, stable=True)
        states = self.lstm(_pick(words, there_first))
        return states[torch.arange(len(states)), held.sum(dim=1) - 1]


def _pick(states: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    """Return states (B, L, n) at places (B, W), those of -1 being the first: they are masked."""
    index = place.clamp(min=0)[:, :, None].expand(-1, -1, states.shape[2])
    return states.gather(1, index)
