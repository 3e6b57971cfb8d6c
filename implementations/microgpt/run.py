"""One training in a folder: begun, kept from time to time, gone on with, finished.

`config.json` is written first and says which training it is; at the end its mean loss is added. Until then
`training.safetensors` holds all that the next step needs, weights among it, so that no two files have to fit together:
whenever the process ends, the folder can be gone on with, and gives in the end the same bytes as without the break.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from implementations.microgpt.checkpoint import (
    CONFIG,
    WEIGHTS,
    read_config,
    read_tensors,
    save_config,
    save_model,
    write_tensors,
)
from implementations.microgpt.config import NUM_STEPS, PARAMETER_COUNT, SEED
from implementations.microgpt.files import Unusable, held
from implementations.microgpt.model import DEFAULT, model_of, split_parameters
from implementations.microgpt.names import Names
from implementations.microgpt.training import WINDOW, State, initial_state, one_thread, train

STATE = "training.safetensors"
LOSS = f"loss_last_{WINDOW}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What decides every byte of the result, on one machine: `names` is their number."""

    steps: int
    seed: int
    names: int
    names_sha256: str


def run(
    folder: Path,
    names: Names,
    *,
    steps: int | None,
    seed: int | None,
    resume: bool,
    device: torch.device,
    every: int,
    show: Callable[[Iterator[State], int, int], Iterator[State]],
) -> tuple[int, Plan]:
    """Train in `folder` until the end, or until Ctrl-C or SIGTERM: the steps taken, and the plan.

    `steps` and `seed` not given are those of `folder` with `resume`, otherwise NUM_STEPS and SEED. What can be resumed is
    kept after each `every` steps and when stopped. A training that is there and finished is left as it is. `show` is
    given the states to pass on, how many steps were taken before them, and how many will be in the end.
    Raises Unusable, and leaves all as it is, where `folder` holds anything else than this training, holds it unfinished
    without `resume`, or holds nothing to resume; ValueError as `train` does; and OSError.
    """
    if resume and not os.path.lexists(folder / CONFIG):
        raise Unusable(f"{folder}: it holds nothing to resume; leave out --resume")
    with held(folder), one_thread(), stop_asked() as stopped:
        plan = _planned(folder, names, steps, seed, resume=resume)
        start = _begun(folder, plan, resume=resume, device=device)
        if start is None:
            _drop_state(folder)  # what a process left that was killed while it finished
            return plan.steps, plan
        state = start
        for state in show(train(start, names.names, plan.steps), start.step, plan.steps):
            if state.step < plan.steps and (stopped() or state.step % every == 0):
                _keep(folder, state)
                if stopped():
                    return state.step, plan
        _finish(folder, plan, state)
    return plan.steps, plan


@contextmanager
def stop_asked() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C or SIGTERM came, as a function. The second of them acts as if this were not here."""
    seen: list[int] = []
    before: dict[int, Any] = {}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def note(number: int, _frame: FrameType | None) -> None:
        seen.append(number)
        restore()

    if threading.current_thread() is threading.main_thread():  # elsewhere Python lets nobody listen
        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(seen)
    finally:
        restore()


def _planned(folder: Path, names: Names, steps: int | None, seed: int | None, *, resume: bool) -> Plan:
    there = _training(folder) if resume else {}
    chosen = {"steps": there.get("steps", NUM_STEPS), "seed": there.get("seed", SEED)}
    for key, least in (("steps", 1), ("seed", 0)):
        if type(chosen[key]) is not int or chosen[key] < least:
            raise Unusable(f"{folder / CONFIG}: {key} is {chosen[key]!r}; the file that `train` wrote is needed")
    return Plan(
        steps=chosen["steps"] if steps is None else steps,
        seed=chosen["seed"] if seed is None else seed,
        names=len(names.names),
        names_sha256=names.sha256,
    )


def _begun(folder: Path, plan: Plan, *, resume: bool, device: torch.device) -> State | None:
    """Where training starts or goes on; None where it is finished. An empty folder is claimed."""
    if not os.path.lexists(folder / CONFIG):  # a link that leads nowhere is no empty folder
        others = sorted(path.name for path in folder.iterdir() if path.name != f".{CONFIG}.tmp")
        if others:
            raise Unusable(f"{folder}: it holds {others[0]!r} and no {CONFIG}; an empty folder or none is needed")
        save_config(folder, DEFAULT, asdict(plan))
        return initial_state(plan.seed, device=device)
    training = _training(folder)
    _require_same(folder, plan, training)
    if LOSS in training:
        read_tensors(folder / WEIGHTS)  # what is finished without them is of no use
        return None
    if not resume:
        raise Unusable(f"{folder}: it holds this training, unfinished; --resume goes on with it")
    return _kept(folder, plan, device)


def _keep(folder: Path, state: State) -> None:
    """Put `state` into `folder`, so that training can go on from it, and the model as it is now. Raises OSError."""
    losses = torch.tensor(state.losses, dtype=torch.float64)
    vectors = {"parameters": state.parameters, "m": state.m, "v": state.v}
    write_tensors(folder / STATE, {**vectors, "losses": losses, "step": torch.tensor(state.step)})
    save_model(folder, model_of(split_parameters(state.parameters)))


def _finish(folder: Path, plan: Plan, state: State) -> None:
    """Put the trained model into `folder`, say that it is finished, and drop what only training needs. Raises OSError."""
    save_model(folder, model_of(split_parameters(state.parameters)))
    save_config(folder, DEFAULT, {**asdict(plan), LOSS: state.mean_loss})
    _drop_state(folder)


def _drop_state(folder: Path) -> None:
    for path in (folder / STATE, folder / f".{STATE}.tmp"):
        if path.exists():  # where nothing may be written, unlink() fails for a file that is not there too
            path.unlink()


def _training(folder: Path) -> dict[str, Any]:
    """What `config.json` says of the training: a `Plan`'s fields, and `LOSS` where it is finished. Raises Unusable."""
    training = read_config(folder).get("training")
    if not isinstance(training, dict):
        raise Unusable(
            f"{folder / CONFIG}: it does not say how the model was trained; one that `train` wrote is needed"
        )
    return training


def _require_same(folder: Path, plan: Plan, training: dict[str, Any]) -> None:
    for key, value in asdict(plan).items():
        if training.get(key) != value:
            seen = f"{key} is {training.get(key)!r} there and {value!r} here"
            raise Unusable(f"{folder}: it holds another training: {seen}; take another folder, or the same options")


def _kept(folder: Path, plan: Plan, device: torch.device) -> State:
    path = folder / STATE
    if not path.exists():
        if (folder / WEIGHTS).exists():
            raise Unusable(f"{path}: it is gone, and without it training cannot go on; take another folder")
        return initial_state(plan.seed, device=device)  # ended before anything was kept
    read = read_tensors(path, {"losses": torch.float64, "step": torch.int64})
    step = int(read["step"]) if "step" in read and not read["step"].shape else 0
    vectors = dict.fromkeys(("parameters", "m", "v"), (PARAMETER_COUNT,))
    needed = {**vectors, "losses": (min(step, WINDOW),), "step": ()}
    seen = {name: tuple(tensor.shape) for name, tensor in read.items()}
    if seen != needed or not 0 < step < plan.steps or bool((read["v"] < 0).any()):
        raise Unusable(f"{path}: it does not hold a state of this training; the file that `train` wrote is needed")
    parameters, m, v = (read[name].to(device) for name in vectors)
    return State(step, parameters, m, v, tuple(read["losses"].tolist()))
