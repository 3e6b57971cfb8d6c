"""PV300, PV320 to PV324: names lead somewhere inside the contract."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pv.contract.predecessor.model import PROPERTY, RULE, Item
from pv.contract.quote import nearest, shorten
from pv.finding import Severity
from pv.rules.predecessor.judged import JudgedPredecessor, also, predecessor_rule, spoken_once
from pv.rules.registry import Report

_TARGETS = frozenset(("all", "scalar", "simd", "converter", "not_applicable"))
_RESTS = frozenset(("requires", "applies_to_phase", "parent_contract"))
_ID = re.compile(r"\b(?:FALSIFY|KANI)(?:-[A-Z0-9]+)*-\d+\b")
_WORD = re.compile(r"[^\W_]+")


@also("PV300")
def references_need_a_project(judged: JudgedPredecessor) -> Iterator[Report]:
    """Whether tests are run and obligations tested can be told only inside a project."""
    if judged.project is None:
        seen = "whether its tests have falsifiers was not judged: no project"
        yield judged.at(()), seen, "`pv init` makes a project of a folder"


@predecessor_rule("PV320")
def obligations_apply_to_something(judged: JudgedPredecessor) -> Iterator[Report]:
    """`applies_to` names no equation and no function of the contract.

    The words that are always known: all, scalar, simd, converter, not_applicable. Anything else is a name; one that leads
    nowhere makes the obligation apply to nothing.

        FAIL    equations: {softmax: …}    applies_to: sofmax
        PASS    equations: {softmax: …}    applies_to: softmax
    """
    contract = judged.contract
    for item in contract.obligations:
        name = item.text("applies_to")
        if name and name not in _TARGETS and name not in contract.equations:
            functions = _functions(judged)
            if name not in functions:
                seen = f"applies_to names {name!r}, which is no equation and no function of {contract.name}"
                yield judged.at((*item.at, "applies_to")), seen, nearest(name, [*contract.equations, *functions])


def _functions(judged: JudgedPredecessor) -> list[str]:
    dispatch = judged.document.value.get("simd_dispatch", {})
    named = [name for row in dispatch.values() for name in row.values() if name]
    return [*dispatch, *named, *(item.text("harness") for item in judged.contract.harnesses if item.text("harness"))]


@predecessor_rule("PV321")
def obligations_rest_on_what_exists(judged: JudgedPredecessor) -> Iterator[Report]:
    """`requires`, `applies_to_phase`, `parent_contract`, `from_contract` or `from_equation` names nothing that is there.

    A postcondition then rests on no precondition, a loop obligation is about no phase, and what another contract is said to
    guarantee is guaranteed by none: it must stand in `metadata.depends_on`.

        FAIL    requires: SM-PRE-01
        PASS    requires: SM-PRE-001     and an obligation {id: SM-PRE-001, type: precondition}
    """
    contract = judged.contract
    resting = [item for item in contract.obligations if not _RESTS.isdisjoint(item.body)]
    ids = [item.text("id") for item in contract.obligations if item.text("id")] if resting else []
    phases = [item.text("name") for item in contract.phases]
    for item in resting:
        required = item.body.get("requires") or ()
        for name in [required] if isinstance(required, str) else required:
            if name not in ids:
                yield (
                    judged.at((*item.at, "requires")),
                    f"requires {name!r}, which is no obligation",
                    nearest(name, ids),
                )
        phase, parent = item.text("applies_to_phase"), item.text("parent_contract")
        if phase and phase not in phases:
            yield judged.at((*item.at, "applies_to_phase")), f"{phase!r} is no phase", nearest(phase, phases)
        if parent and _stem(parent) not in contract.depends_on:
            seen = f"parent_contract {parent!r} is not in metadata.depends_on"
            yield judged.at((*item.at, "parent_contract")), seen, nearest(parent, contract.depends_on)
    yield from _shapes(judged)


def _shapes(judged: JudgedPredecessor) -> Iterator[Report]:
    contract = judged.contract
    for equation in contract.equations.values():
        for side in ("assumes", "guarantees"):
            body = equation.body.get(side)
            if not body:
                continue
            other, name = body.get("from_contract") or "", body.get("from_equation") or ""
            at = (*equation.at, side)
            if other and _stem(other) not in (*contract.depends_on, contract.name):
                seen = f"from_contract {other!r} is not in metadata.depends_on"
                yield judged.at((*at, "from_contract")), seen, nearest(other, contract.depends_on)
            elif name and _stem(other) in ("", contract.name) and name not in contract.equations:
                seen = f"from_equation {name!r} is no equation of {contract.name}"
                yield judged.at((*at, "from_equation")), seen, nearest(name, contract.equations)


def _stem(name: str) -> str:
    return name.rpartition("/")[2].removesuffix(".yaml").removesuffix(".yml")


@predecessor_rule("PV322")
def harnesses_prove_an_obligation(judged: JudgedPredecessor) -> Iterator[Report]:
    """A Kani harness names an obligation that is not there.

    It then proves nothing of the contract, however often it runs. Most often the obligations have no ids at all, and the
    harness names one by a convention that nothing checks: give them ids.

        FAIL    obligation: SM-INV-001    proof_obligations: [{property: …}]
        PASS    obligation: SM-INV-001    proof_obligations: [{id: SM-INV-001, property: …}]
    """
    contract = judged.contract
    ids = [item.text("id") for item in contract.obligations if "id" in item.body] if contract.harnesses else []
    lost = [item for item in contract.harnesses if item.body["obligation"] not in ids]
    properties = {item.text(*PROPERTY) for item in contract.obligations} if lost else ()
    for item in lost:
        name = item.body["obligation"]
        if name not in properties:
            hint = nearest(name, ids) if ids else f"no obligation has an id: add `id: {name}` to the one it proves"
            yield (
                judged.at((*item.at, "obligation")),
                f"{item.text('id')} proves {name!r}, which is no obligation",
                hint,
            )


@predecessor_rule("PV323")
def checks_name_what_exists(judged: JudgedPredecessor) -> Iterator[Report]:
    """A check of the gate or of the enforcement names a test or a harness that is not there.

    The gate then waits for something that nobody can run. Correct the id.

        FAIL    check: "contract_tests::FALSIFY-SM-009"    falsification_tests: [FALSIFY-SM-001, FALSIFY-SM-002]
        PASS    check: "contract_tests::FALSIFY-SM-002"
    """
    contract = judged.contract
    named = [(at, name) for at, check in contract.checks for name in _ids(check)]
    ids = {item.text("id") for item in (*contract.tests, *contract.harnesses)} if named else ()
    for at, name in named:
        if name not in ids:
            seen = f"{name!r} is no test and no harness of {contract.name}"
            yield judged.at(at), seen, nearest(name, sorted(ids))


@predecessor_rule("PV324", Severity.WARNING)
def checks_can_be_followed(judged: JudgedPredecessor) -> Iterator[Report]:
    """Checks of the gate or of the enforcement in which nothing of the contract can be recognised.

    A check counts as recognised when it names a test or harness, or when one equation, obligation, test, harness, phase or
    rule of the contract has half of its words. The others are prose: nobody can say whether they passed. Spoken once per
    contract.

        FAIL    checks: [numerical_soundness]    and nothing of that name
        PASS    checks: [unit_sum]               and a test with the rule "Unit sum"
    """
    checks = [(at, check, _stems(check)) for at, check in judged.contract.checks if not _ids(check)]
    names = _names(judged) if checks else []
    every = "\n".join(names)
    lost = [row for row in checks if not _recognised(row[2], names, every)]
    if lost:  # most are named plainly; all the contract says is looked at for the rest only
        texts = _texts(judged)
        all_texts = "\n".join(texts)
        rules = [_plain(f"{item.at[-1]} {item.text('description')}") for item in judged.contract.enforcement]
        rows = (
            (shorten(check, 40), judged.at(at))
            for at, check, stems in lost
            if not _recognised(stems, texts, all_texts)
            and not (at[0] == "qa_gate" and _recognised(stems, rules, "\n".join(rules)))
        )
        total = len(judged.contract.checks)
        yield from spoken_once(rows, total, "checks name nothing of the contract", "name the tests that must pass")


def _ids(check: str) -> list[str]:
    """The ids of tests and harnesses that `check` names."""
    return _ID.findall(check) if "FALSIFY" in check or "KANI" in check else []


def _stems(check: str) -> set[str]:
    """The beginnings of the words of `check`."""
    return {word[:5] for word in _WORD.findall(_plain(check))}


def _recognised(stems: set[str], texts: list[str], every: str) -> bool:
    """Whether one text has half of `stems`; `every` is all of them, which is asked first."""
    found = [stem for stem in stems if stem in every]
    if 2 * len(found) < len(stems):
        return False
    for text in texts:
        count = 0
        for stem in found:  # `sum` over a generator would take twice as long
            count += stem in text
        if 2 * count >= len(stems):
            return True
    return False


def _names(judged: JudgedPredecessor) -> list[str]:
    """What the parts of the contract are called."""
    contract = judged.contract
    titles = [*(item.text(*PROPERTY) for item in contract.obligations), *(item.text(*RULE) for item in contract.tests)]
    return [_plain(name) for name in (*contract.equations, *titles)]


def _texts(judged: JudgedPredecessor) -> list[str]:
    """What a check may mean: a text for each part of the contract."""
    contract = judged.contract
    parts = (*contract.obligations, *contract.tests, *contract.harnesses, *contract.phases)
    return [
        *(_plain(f"{name} {_told(item)}") for name, item in contract.equations.items()),
        *map(_plain, map(_told, parts)),
    ]


def _plain(text: str) -> str:
    return text.lower().replace("-", "")


def _told(item: Item) -> str:
    """All it says."""
    return " ".join([value for value in item.body.values() if type(value) is str])
