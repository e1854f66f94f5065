"""Training with checkpoints: the same numbers, however often it is stopped and resumed."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from hawkeys._files import reason, write_bytes
from hawkeys.exceptions import InvalidParameterError, OutputError, ResultFileError
from hawkeys.neural.extra import Runtime, Schedule

__all__ = ["Diverged", "arrays_of", "choose_device", "load_arrays", "seeded", "train"]

Loss = Callable[..., torch.Tensor]

# of one-cycle steps: the share of them that rise, and the part of the largest at which they start
_RISE, _START = 0.1, 25.0


def choose_device(runtime: Runtime) -> torch.device:
    """Return the device asked for, else a GPU if there is one, else the processor."""
    asked = runtime.device
    if asked is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(asked)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise InvalidParameterError(
            f'device={asked!r} cannot be used here ({reason}). Use "cpu", or None to choose.'
        ) from error
    return device


def seeded(seed: int) -> AbstractContextManager[Any]:
    """Return a context in which torch draws from a seed; the caller's own draws are untouched."""
    context = torch.random.fork_rng()
    return _Seeded(context, seed)


class Diverged(InvalidParameterError):
    """The loss of a training is no longer finite."""


class _Seeded(AbstractContextManager[Any]):
    """Enters a fork of torch's generators and seeds it."""

    def __init__(self, fork: Any, seed: int) -> None:
        self._fork, self._seed = fork, seed

    def __enter__(self) -> None:
        self._fork.__enter__()
        torch.manual_seed(self._seed)

    def __exit__(self, *error: Any) -> Any:
        return self._fork.__exit__(*error)


def train(
    module: nn.Module,
    loss: Loss,
    data: tuple[torch.Tensor, ...],
    schedule: Schedule,
    *,
    runtime: Runtime,
    seed: int,
    what: str,
) -> list[float]:
    """Train by ``loss(module, *batch)``; return the mean loss of each epoch.

    Batches and dropout of an epoch follow from the seed and its number alone, so that a training
    that was stopped goes on exactly as if it had not been.
    """
    device = choose_device(runtime)
    module.to(device)
    optimizer = _optimizer(module, schedule)
    file = _file_of(runtime, what)
    mark = _fingerprint(module, data, schedule, seed)
    curve = _resume(file, mark, module, optimizer)
    rates = _rates(schedule, len(data[0]))
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
        for epoch in range(len(curve), schedule.epochs):
            with seeded(_epoch_seed(seed, epoch)):
                curve.append(
                    _epoch(module, loss, data, optimizer, schedule.batch_size, rates[epoch])
                )
            if not np.isfinite(curve[-1]):
                raise Diverged(
                    f"{what}: the loss of epoch {epoch + 1} is {curve[-1]}; the training diverged. "
                    "Lower the learning rate."
                )
            if file is not None:
                _save(file, mark, module, optimizer, curve)
            if runtime.report is not None:
                runtime.report(what, epoch + 1, schedule.epochs)
    module.eval()
    return curve


def _epoch(
    module: nn.Module,
    loss: Loss,
    data: tuple[torch.Tensor, ...],
    optimizer: torch.optim.Optimizer,
    batch_size: int,
    rates: np.ndarray,
) -> float:
    """Make one pass, a batch with each size of step in `rates`, and return the mean loss."""
    module.train()
    size = len(data[0])
    device = next(module.parameters()).device
    total, seen = 0.0, 0
    for rows, rate in zip(torch.randperm(size).split(batch_size), rates, strict=True):
        if len(rows) < 2 <= size:
            continue  # nothing to normalise by, nothing to contrast with
        for group in optimizer.param_groups:
            group["lr"] = float(rate)
        batch = [part[rows].to(device) for part in data]
        optimizer.zero_grad(set_to_none=True)
        value = loss(module, *batch)
        value.backward()
        optimizer.step()
        total += value.item() * len(rows)
        seen += len(rows)
    return total / seen


def _optimizer(module: nn.Module, schedule: Schedule) -> torch.optim.Optimizer:
    parameters = [one for one in module.parameters() if one.requires_grad]
    rate = schedule.learning_rate
    if schedule.optimizer == "adam":
        return torch.optim.AdamW(parameters, lr=rate, weight_decay=schedule.decay)
    return torch.optim.SGD(parameters, lr=rate, momentum=schedule.momentum)


def _rates(schedule: Schedule, size: int) -> np.ndarray:
    """Return the size of each step, (epochs, batches)."""
    shape = schedule.epochs, -(-size // schedule.batch_size)
    if schedule.shape == "constant":
        return np.full(shape, schedule.learning_rate)
    step = (np.arange(shape[0] * shape[1]) + 0.5) / (shape[0] * shape[1])
    rising = 1.0 / _START + (1.0 - 1.0 / _START) * 0.5 * (1.0 - np.cos(np.pi * step / _RISE))
    falling = 0.5 * (1.0 + np.cos(np.pi * (step - _RISE) / (1.0 - _RISE)))
    share = np.where(step < _RISE, rising, falling)
    return (schedule.learning_rate * share).reshape(shape)


def _epoch_seed(seed: int, epoch: int) -> int:
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0] >> 1)


def _fingerprint(
    module: nn.Module, data: tuple[torch.Tensor, ...], schedule: Schedule, seed: int
) -> str:
    """Return what tells this training from every other one, before its first step."""
    seen = hashlib.sha256(f"{module!r} {schedule!r} {seed}".encode())
    for array in [*arrays_of(module).values(), *(part.numpy() for part in data)]:
        seen.update(f"{array.shape} {array.dtype}".encode())
        seen.update(np.ascontiguousarray(array).tobytes())
    return seen.hexdigest()


def arrays_of(module: nn.Module) -> dict[str, np.ndarray]:
    """Return weights and running statistics by name."""
    return {name: one.detach().cpu().numpy().copy() for name, one in module.state_dict().items()}


def load_arrays(module: nn.Module, arrays: Mapping[str, np.ndarray]) -> None:
    """Set weights and running statistics from arrays of the same names and shapes."""
    module.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})


def _file_of(runtime: Runtime, what: str) -> Path | None:
    if runtime.checkpoint is None:
        return None
    folder = Path(runtime.checkpoint)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make the folder {folder} for checkpoints: {reason(error)}"
        ) from error
    return folder / f"{what.replace(' ', '-')}.npz"


def _save(
    file: Path, mark: str, module: nn.Module, optimizer: torch.optim.Optimizer, curve: list[float]
) -> None:
    arrays = {f"module/{name}": one for name, one in arrays_of(module).items()}
    for number, state in optimizer.state_dict()["state"].items():
        for name, value in state.items():
            if value is not None:
                arrays[f"step/{number}/{name}"] = value.detach().cpu().numpy()
    content = io.BytesIO()
    named: dict[str, Any] = {"mark": np.array(mark), "curve": np.array(curve), **arrays}
    np.savez(content, **named)
    write_bytes(file, content.getvalue())


def _resume(
    file: Path | None, mark: str, module: nn.Module, optimizer: torch.optim.Optimizer
) -> list[float]:
    """Load what an earlier call left, and return its losses; none if there is no file."""
    if file is None or not file.exists():
        return []
    try:
        with file.open("rb") as handle, np.load(handle, allow_pickle=False) as found:
            arrays = dict(found)
        same, curve = str(arrays["mark"]) == mark, arrays["curve"].tolist()
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ResultFileError(
            f"{file}: expected a checkpoint of a training ({error}). Remove it to start anew."
        ) from error
    if not same:
        raise InvalidParameterError(
            f"{file} is the checkpoint of another training: other samples, settings or seed. "
            "Remove it, or give another folder."
        )
    prefix = "module/"
    weights = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
    load_arrays(module, weights)
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in arrays.items():
        if key.startswith("step/"):
            _, number, name = key.split("/")
            state.setdefault(int(number), {})[name] = torch.from_numpy(value)
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    return [float(value) for value in curve]
