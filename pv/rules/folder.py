"""PV305, PV312, PV325 to PV327: what shows only when the contracts of one folder are seen together, of either dialect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pv.contract.links import Links, Mark
from pv.contract.quote import nearest
from pv.finding import Finding, Place, Severity
from pv.rules.registry import explained

explained(
    "PV325",
    """`depends_on` names a contract that is not in the folder.

    What the contract builds upon is then promised by nobody. The name is that of the file, without `.yaml`. Judged where a
    folder is checked; a contract that is there and cannot be read is not missing.

        FAIL    depends_on: [sofmax-v1]    the folder holds softmax-v1.yaml
        PASS    depends_on: [softmax-v1]
    """,
)
explained(
    "PV326",
    """Contracts depend on each other in a circle.

    Each then rests on a promise that rests on itself, and none of them can be shown first. Spoken once per circle, at its
    first contract.

        FAIL    a-v1: depends_on [b-v1]    b-v1: depends_on [a-v1]
        PASS    a-v1: depends_on [b-v1]    b-v1: depends_on []
    """,
)
explained(
    "PV327",
    """Falsification tests of two contracts have the same id.

    The dialect names tests by id alone (`check: contract_tests::FALSIFY-RM-001`): nobody can tell which of the two is meant,
    and evidence for the one counts for the other. Spoken once per contract, at the later one.

        FAIL    roofline-v1: FALSIFY-RM-001    metrics-v1: FALSIFY-RM-001
        PASS    roofline-v1: FALSIFY-RF-001    metrics-v1: FALSIFY-RM-001
    """,
    Severity.WARNING,
)


def check_folder(files: Mapping[str, Links]) -> Iterator[Finding]:
    """Findings on the files of one folder together, by what they are called in findings."""
    contracts = {row.name: (path, row) for path, row in files.items() if row.contract}
    yield from _missing(files, contracts)
    yield from _cycles(contracts)
    yield from _same_ids(files)
    for path, row in files.items():
        for contract, equation, line, column in row.bindings:
            yield from _bound(Place(path, line, column), _stem(contract), equation, contracts)


Contracts = Mapping[str, tuple[str, Links]]


def _missing(files: Mapping[str, Links], contracts: Contracts) -> Iterator[Finding]:
    hints: dict[str, str] = {}
    alike = _alike(contracts)
    for path, row in files.items():
        for name, line, column in row.depends_on:
            if _stem(name) not in contracts:
                seen = f"depends on {name!r}, which is not among the {len(contracts)} contracts here"
                hints[name] = hints.get(name) or _near(name, contracts, alike)
                yield Finding("PV325", Severity.ERROR, Place(path, line, column), seen, hints[name])


def _alike(names: Iterable[str]) -> dict[str, list[str]]:
    """The names by how they begin and by how they end."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(f"{name[:4]}*", []).append(name)
        found.setdefault(f"*{_end(name)}", []).append(name)
    return found


def _near(name: str, contracts: Iterable[str], alike: Mapping[str, Sequence[str]]) -> str:
    """A misspelling is named; otherwise the nearest of many contracts would only mislead.

    One that differs at both ends is not looked for: comparing with all of 2,400 contracts takes 7 ms.
    """
    from difflib import get_close_matches

    begin, end = name[:4], _end(name)
    if len(end) < 4:  # a longer one may end with it
        known = [other for other in contracts if other.startswith(begin) or _end(other).endswith(end)]
    else:
        known = [*alike.get(f"{begin}*", ()), *alike.get(f"*{end}", ())]
    near = get_close_matches(name, known, n=1, cutoff=0.87)
    return f"did you mean {near[0]!r}?" if near else "bring the contract, or take the dependency out"


def _end(name: str) -> str:
    return name.rpartition("-v")[0][-4:]


def _cycles(contracts: Contracts) -> Iterator[Finding]:
    """One finding a circle: a walk along the dependencies that meets its own path."""
    done: set[str] = set()
    for start in contracts:
        path: list[str] = []
        waiting = [(start, False)]
        while waiting:
            name, leaving = waiting.pop()
            if leaving:
                done.add(path.pop())
            elif name in path:
                yield _circle(path[path.index(name) :], contracts)
            elif name not in done and name in contracts:
                path.append(name)
                waiting.append((name, True))
                waiting += [(_stem(other), False) for other, _, _ in contracts[name][1].depends_on]


def _circle(names: Sequence[str], contracts: Contracts) -> Finding:
    path, first = contracts[names[0]]
    following = names[1] if len(names) > 1 else names[0]
    _, line, column = next(mark for mark in first.depends_on if _stem(mark[0]) == following)
    seen = f"depends on itself: {' → '.join((*names, names[0]))}"
    return Finding("PV326", Severity.ERROR, Place(path, line, column), seen, "take one of the dependencies out")


def _same_ids(files: Mapping[str, Links]) -> Iterator[Finding]:
    owner: dict[str, str] = {}
    for path, row in files.items():
        taken: dict[str, list[Mark]] = {}
        for mark in row.tests:
            other = owner.setdefault(mark[0], path)
            if other != path:
                taken.setdefault(other, []).append(mark)
        for other, marks in taken.items():
            listed = ", ".join(mark[0] for mark in marks[:3]) + (f" and {len(marks) - 3} more" if marks[3:] else "")
            place = Place(path, marks[0][1], marks[0][2])
            yield Finding(
                "PV327", Severity.WARNING, place, f"tests of {other} have the same id: {listed}", "rename them"
            )


def _bound(place: Place, contract: str, equation: str, contracts: Contracts) -> Iterator[Finding]:
    if contract not in contracts:
        seen = f"binds the contract {contract!r}, which is not there"
        yield Finding("PV312", Severity.ERROR, place, seen, nearest(contract, contracts))
        return
    row = contracts[contract][1]
    if row.read and equation not in row.equations:
        seen = f"{contract} has no equation {equation!r}"
        yield Finding("PV305", Severity.ERROR, place, seen, nearest(equation, row.equations))


def _stem(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(".yaml").removesuffix(".yml")
