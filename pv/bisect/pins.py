"""The stage that diverged as a case of its equation's falsification tests: what it was given, kept beside the falsifiers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pv.contract.model import Binding, Contract, Equation, FalsificationTest, Holds, ValueSpec
from pv.falsify.casefile import captured_case, write_case
from pv.falsify.encode import encode, fingerprint
from pv.root import PINS
from pv.source.attack import brings_cases
from pv.source.falsifiers import FalsifierIndex
from pv.tensors.place import Place

if TYPE_CHECKING:
    from torch import Tensor

    from pv.stages.map import Stage

_EXACT = ("float32", "float64")


@dataclass(frozen=True, slots=True)
class Given:
    """What the stage at `place` was given: `values` in the order of the map's inputs and weights, and `options`.

    `axes` are the names of the axes of each tensor (`token`, `head`), () where they have none; `worst` is where, by those
    names, the added error was largest.
    """

    place: Place
    stage: Stage
    values: tuple[Any, ...]
    axes: tuple[tuple[str, ...], ...]
    worst: Mapping[str, int]
    options: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Home:
    """Where cases are pinned: a project's root, its contracts, what is bound, and its falsifiers."""

    root: Path
    contracts: Sequence[Contract]
    bindings: Sequence[Binding]
    index: FalsifierIndex


@dataclass(frozen=True, slots=True)
class Pin:
    """A case of `test` in the file `path` (relative to the root), or why there is none in `said`; `new` if it was not there."""

    place: Place
    test: str = ""
    path: str = ""
    new: bool = False
    said: str = ""


def pin(given: Given, home: Home) -> tuple[Pin, ...]:
    """Pin what the stage was given for the tests that compare values of its equation; what cannot be pinned says why.

    A case larger than the equation's domain is cut down around the worst element. Raises PvError where a file cannot be
    written.
    """
    stage, place = given.stage, given.place
    if not stage.contract:
        return (Pin(place, said=f"the stage map names no contract of {stage.name}"),)
    contract = next((row for row in home.contracts if row.name == stage.contract), None)
    equation = contract.equation(stage.equation) if contract else None
    if contract is None or equation is None:
        return (
            Pin(place, said=f"{stage.contract} § {stage.equation}, which the stage map names, is not in this project"),
        )
    if not any(
        (row.contract, row.equation, row.role) == (contract.name, equation.name, "subject") for row in home.bindings
    ):
        return (Pin(place, said=f"{contract.name} § {equation.name} is bound to no subject in this project"),)
    tests = _comparing(contract, equation, home.index)
    if not tests:
        return (Pin(place, said=f"no falsification test compares values of {contract.name} § {equation.name}"),)
    arguments, why = _arguments(equation, given)
    if why:
        return (Pin(place, said=f"no case of {contract.name} § {equation.name}: {why}"),)
    return tuple(_pinned(place, contract, equation, test, arguments, home.root) for test in tests)


def _comparing(contract: Contract, equation: Equation, index: FalsifierIndex) -> tuple[FalsificationTest, ...]:
    """The tests that hold results against a tolerance, or where there are none those about exact values; both on cases of the
    equation, not of their own."""
    found = [test for test in contract.tests if test.equation == equation.name and _takes(contract, test, index)]
    clauses = {test.id: [contract.invariant(name) for name in test.binds_to] for test in found}
    bounded = [test for test in found if any(row and row.holds is Holds.BOUNDED for row in clauses[test.id])]
    return tuple(bounded or found)


def _takes(contract: Contract, test: FalsificationTest, index: FalsifierIndex) -> bool:
    entries = index.falsifiers_of(contract.name, test.id)
    abouts = {row.about for name in test.binds_to if (row := contract.invariant(name)) is not None}
    return len(entries) == 1 and not brings_cases(index, entries[0]) and abouts == {"value"}


def _arguments(equation: Equation, given: Given) -> tuple[dict[str, Any], str]:
    """The values by the names of the equation's arguments, within its domain; or why they are not."""
    from pv.falsify.domain import why_outside

    specs, values, axes = equation.arguments, given.values, given.axes
    if len(specs) == len(values) + len(given.options):  # else what the map says in numbers is part of the formula
        values, axes = (*values, *given.options), (*axes, *(() for _ in given.options))
    if len(specs) != len(values):
        takes = ", ".join(spec.name for spec in specs)
        return {}, f"its arguments are {takes}, the stage is computed from {len(values)}"
    limits = {row.name: row.max for row in equation.dimensions}
    rows = list(zip(specs, values, axes, strict=True))
    windows: dict[str, slice] = {}
    found = {spec.name: _fitted(spec, value, names, given.worst, limits, windows) for spec, value, names in rows}
    return found, why_outside(equation, found)


def _fitted(
    spec: ValueSpec,
    value: Any,
    axes: Sequence[str],
    worst: Mapping[str, int],
    limits: Mapping[str, int],
    windows: dict[str, slice],
) -> Any:
    """`value` with as many axes as `spec` has, and no more along a letter than it may: cut around the worst element."""
    import torch

    if not isinstance(value, torch.Tensor):
        return value
    extra = max(0, value.ndim - len(spec.shape))
    part = value.detach().cpu()[tuple(worst.get(axis, 0) for axis in axes[:extra])]
    for at, (letter, axis) in enumerate(zip(spec.shape, axes[extra:], strict=False)):
        size, most = part.shape[at], limits.get(letter, part.shape[at]) if isinstance(letter, str) else part.shape[at]
        if size > most:
            start = min(max(0, worst.get(axis, 0) - most // 2), size - most)
            part = part.narrow(at, *_bounds(windows.setdefault(str(letter), slice(start, start + most)), size))
    return _as_declared(spec, part.clone(memory_format=torch.contiguous_format))


def _bounds(window: slice, size: int) -> tuple[int, int]:
    return min(window.start, size), max(0, min(window.stop, size) - min(window.start, size))


def _as_declared(spec: ValueSpec, value: Tensor) -> Tensor:
    """`value` in the first dtype of `spec` that holds it exactly; as it is where none does."""
    import torch

    own = str(value.dtype).removeprefix("torch.")
    for name in (own, *_EXACT) if own not in spec.dtypes else ():
        wider = getattr(torch, name)
        if name in spec.dtypes and torch.equal(value.to(wider).to(value.dtype), value):
            return value.to(wider)
    return value


def _pinned(
    place: Place,
    contract: Contract,
    equation: Equation,
    test: FalsificationTest,
    arguments: Mapping[str, Any],
    root: Path,
) -> Pin:
    encoded = {name: encode(value) for name, value in arguments.items()}
    seen = captured_case(contract.name, equation.name, "", fingerprint(arguments).hex(), encoded)
    case = {**seen, "test": test.id, "subject": None}  # it broke a stage of a model, not yet a subject of the test
    folder = root / PINS / test.id
    before = set(_names(folder))
    path = write_case(folder, case)
    return Pin(place, test.id, path.relative_to(root).as_posix(), path.name not in before)


def _names(folder: Path) -> Iterator[str]:
    yield from (path.name for path in folder.glob("*.json")) if folder.is_dir() else ()
