"""microGPT: train it on names, and let it write names that nobody gave it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from implementations.microgpt.config import NUM_STEPS, SEED, TEMPERATURE
from implementations.microgpt.files import Unusable
from implementations.microgpt.progress import drop, shown, tell

if TYPE_CHECKING:  # torch takes seconds to import; what needs none of it is answered before
    import torch

    from implementations.microgpt.training import State

COUNT, EVERY = 20, 1000
COOLEST, HOTTEST = 0.01, 100.0  # beyond them the letters are all but certain, or all but even
UNUSABLE, INTERRUPTED = 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what `arguments` say: 0, 2 for what cannot be used (one line on stderr), 130 when interrupted."""
    if sys.stderr is None:  # whoever called closed it
        sys.stderr = Path(os.devnull).open("w", errors="backslashreplace")  # noqa: SIM115  as long as the process
    try:
        options = _parser().parse_args(arguments)
        command: Callable[[argparse.Namespace], int] = options.command
        return command(options)
    except Unusable as error:
        _tell(str(error))
    except BrokenPipeError:  # whoever reads names has enough
        drop(sys.stdout)
        return 0
    except OSError as error:
        _tell(f"{error.filename or 'a file'}: {error.strerror or error}")
    except KeyboardInterrupt:
        _tell("interrupted")
        return INTERRUPTED
    return UNUSABLE


def train(options: argparse.Namespace) -> int:
    """Train in a folder, then write names as `sample` would."""
    from implementations.microgpt.names import DEFAULT_NAMES, read_names
    from implementations.microgpt.run import run

    names = read_names(options.names or DEFAULT_NAMES)

    def show(states: Iterator[State], first: int, steps: int) -> Iterator[State]:
        _tell(names.summary)
        return shown(states, first, steps)

    done, plan = run(
        options.output,
        names,
        steps=options.steps,
        seed=options.seed,
        resume=options.resume,
        device=_device(options.device),
        every=options.checkpoint_every,
        show=show,
    )
    if done < plan.steps:
        _tell(f"stopped after step {done} of {plan.steps}; {options.output} is kept, --resume goes on")
        return INTERRUPTED
    _tell(f"{options.output}: {plan.steps:,} steps")
    return _write_names(options.output, COUNT, plan.seed, TEMPERATURE)


def sample(options: argparse.Namespace) -> int:
    """Write names of a trained model, one a line."""
    return _write_names(options.model, options.count, options.seed, options.temperature)


def _write_names(folder: Path, count: int, seed: int, temperature: float) -> int:
    from implementations.microgpt.checkpoint import load_model
    from implementations.microgpt.sampling import sample_names
    from implementations.microgpt.training import one_thread

    model = load_model(folder, seed=seed)
    try:
        with one_thread():
            for name in sample_names(model, count, seed=seed, temperature=temperature):
                print(name)
    except ValueError as error:
        raise Unusable(f"{folder}: no names can be drawn from this model: {error}") from error
    print(end="", flush=True)  # as sys.stdout.flush(), and nothing where stdout was closed before
    return 0


def _device(name: str) -> torch.device:
    import torch

    try:
        probe = torch.zeros(1, device=name)
        probe.item()  # the device `meta` makes tensors that hold nothing
        return probe.device
    except (RuntimeError, AssertionError) as error:  # the second where torch was built without it
        raise Unusable(f"--device {name!r}: {str(error).splitlines()[0]}") from None


class _Parser(argparse.ArgumentParser):
    """As its base, and what is wrong is said in one line."""

    def error(self, message: str) -> NoReturn:
        raise Unusable(f"{message} ({self.prog} --help)")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m implementations.microgpt", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    training = commands.add_parser(
        "train", help="learn one name a step; Ctrl-C keeps what was learnt, --resume goes on"
    )
    training.set_defaults(command=train)
    training.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="gets config.json, model.safetensors"
    )
    training.add_argument("--names", type=Path, metavar="FILE", help="one name a line, UTF-8; default: US Census 1990")
    training.add_argument("--steps", type=_whole(1), help=f"default: {NUM_STEPS}, or with --resume as they were")
    training.add_argument("--seed", type=_whole(0), help=f"default: {SEED}, or with --resume as it was")
    training.add_argument("--device", default="cpu", help="of torch; default: cpu")
    training.add_argument("--resume", action="store_true", help="go on with the training that DIR holds unfinished")
    training.add_argument(
        "--checkpoint-every", type=_whole(1), default=EVERY, metavar="STEPS", help=f"default: {EVERY}"
    )
    writing = commands.add_parser("sample", help="write names of a trained model")
    writing.set_defaults(command=sample)
    writing.add_argument("model", type=Path, metavar="DIR", help="what train --output made")
    writing.add_argument("--count", type=_whole(1), default=COUNT, help=f"default: {COUNT}")
    writing.add_argument("--seed", type=_whole(0), default=SEED, help=f"default: {SEED}")
    writing.add_argument("--temperature", type=_temperature, default=TEMPERATURE, help=f"default: {TEMPERATURE}")
    return parser


def _whole(least: int) -> Callable[[str], int]:
    """A whole number from `least` on that fits into 63 bits."""

    def read(text: str) -> int:
        digits = text.lstrip("0")[:20] or text[-1:]  # 2**63 has 19; int() raises for thousands
        if not text.isascii() or not text.isdigit() or not least <= (number := int(digits)) < 2**63:
            raise argparse.ArgumentTypeError(f"{text!r}; a whole number of at least {least} is needed")
        return number

    return read


def _temperature(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not COOLEST <= value <= HOTTEST:
        raise argparse.ArgumentTypeError(f"{text!r}; a number from {COOLEST} to {HOTTEST} is needed")
    return value


def _tell(text: str) -> None:
    tell(f"microgpt: {text}")


if __name__ == "__main__":
    sys.exit(main())
