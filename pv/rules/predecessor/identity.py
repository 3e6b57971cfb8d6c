"""PV111, PV201, PV204, PV205, PV210, PV212: what a contract must say, and what it says of itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pv.contract.predecessor.model import PREDICTION, PROPERTY, RULE, Item
from pv.contract.quote import shorten
from pv.rules.identity import says_the_same, twice, version_against_name
from pv.rules.predecessor.judged import JudgedPredecessor, also, predecessor_rule
from pv.rules.registry import Report


@also("PV111")
def every_entry_says_something(judged: JudgedPredecessor) -> Iterator[Report]:
    """The property of an obligation, rule and prediction of a test, under either name; the formula of a kernel's equation."""
    contract = judged.contract
    asked: list[tuple[tuple[Item, ...], tuple[str, ...]]] = [
        (contract.obligations, PROPERTY),
        (contract.tests, RULE),
        (contract.tests, PREDICTION),
    ]
    if contract.kind == "kernel":
        asked.append((tuple(contract.equations.values()), ("formula",)))
    for items, names in asked:
        own, other = names[0], names[-1]
        for item in items:
            body = item.body
            if not (body.get(own) or body.get(other)):
                name = item.text("id") or "/".join(map(str, item.at))
                yield judged.key_at(item.at), f"{name} has no {names[0]!r}", f"add `{names[0]}:`"
    if not judged.document.value["metadata"].get("references"):
        yield judged.key_at(("metadata",)), "metadata has no 'references'", "say what it was written from"


@also("PV201")
def ids_are_unique(judged: JudgedPredecessor) -> Iterator[Report]:
    """Of obligations, tests, harnesses, and of equations in the form of a list."""
    contract, value = judged.contract, judged.document.value
    for key, items in (
        ("proof_obligations", contract.obligations),
        ("falsification_tests", contract.tests),
        ("kani_harnesses", contract.harnesses),
    ):
        yield from twice(judged.document, (key,), [item.body.get("id", "") for item in items])
    if isinstance(value.get("equations"), list):
        yield from twice(judged.document, ("equations",), [body.get("id", "") for body in value["equations"]])


@also("PV204")
def version_matches_the_name(judged: JudgedPredecessor) -> Iterator[Report]:
    """As in our own format."""
    contract = judged.contract
    if not contract.version.startswith("1.") or not contract.name.endswith("-v1") or contract.version.count(".") != 2:
        yield from version_against_name(contract.version, contract.name, judged.at(("metadata", "version")))


@also("PV205")
def prediction_says_more_than_the_rule(judged: JudgedPredecessor) -> Iterator[Report]:
    """As in our own format."""
    for test in judged.contract.tests:
        rule, prediction = test.text(*RULE), test.text(*PREDICTION)
        if rule.strip() and says_the_same(rule, prediction):
            seen = f"{test.text('id')} predicts what its rule says: {shorten(prediction)}"
            yield judged.at(test.key(*PREDICTION)), seen, "say what is observed: on which input, which numbers"


@predecessor_rule("PV210")
def a_kernel_contract_can_be_false(judged: JudgedPredecessor) -> Iterator[Report]:
    """A kernel contract has no equation, no proof obligation or no falsification test.

    Without an equation it is about nothing, without an obligation it promises nothing, without a test nothing in it could
    turn out false. A file of another kind says so: `metadata: {kind: registry}`, and is then not asked for them.

        FAIL    metadata: {…}    tensors: {…}
        PASS    metadata: {kind: schema, …}    tensors: {…}
    """
    contract = judged.contract
    parts = {
        "equations": contract.equations,
        "proof_obligations": contract.obligations,
        "falsification_tests": contract.tests,
    }
    missing = [name for name, part in parts.items() if not part]
    if missing and contract.kind == "kernel":
        hint = "write them; where it is no kernel contract, say which kind it is: `metadata: {kind: …}`"
        yield judged.at(()), f"a kernel contract without {', '.join(missing)}", hint


_ALL_TESTS = re.compile(r"\ball (\d+) falsification tests?\b", re.IGNORECASE)


@predecessor_rule("PV212")
def counts_equal_the_lists(judged: JudgedPredecessor) -> Iterator[Report]:
    """A count typed into the contract is not what its lists come to.

    Totals of `verification_summary`, and "All N falsification tests" of the gate's `pass_criteria`. Typed numbers drift:
    the gate then asks for tests that are not there, or passes without some that are. Leave them out.

        FAIL    total_obligations: 7     and six proof obligations
        PASS    total_obligations: 6     and six proof obligations
    """
    for key, written, least, most, of in _counts(judged):
        if not least <= written <= most:
            expected = f"{most}" if least == most else f"at most {most}"
            yield judged.at(key), f"{key[-1]} says {written}; {of} come to {expected}", "correct it, or leave it out"


def _counts(judged: JudgedPredecessor) -> Iterator[tuple[tuple[str, str], int, int, int, str]]:
    """Each typed count: where, what it says, the least and the greatest it may be, and of what."""
    contract = judged.contract
    summary = judged.document.value.get("verification_summary", {})
    claimed = _ALL_TESTS.search(contract.gate.text("pass_criteria"))
    if not summary and not claimed:
        return
    total = len(contract.obligations)
    lean = [row.body["lean"].get("status", "sorry") for row in contract.obligations if "lean" in row.body]
    bounds = {
        "total_obligations": (total, total, "proof obligations"),
        "l2_property_tested": (0, total, "proof obligations"),
        "l3_kani_proved": (0, min(total, len(contract.harnesses)), "obligations with a harness"),
        "l4_lean_proved": (lean.count("proved"), lean.count("proved"), "obligations proved in Lean"),
        "l4_sorry_count": (lean.count("sorry"), lean.count("sorry"), "obligations with a Lean proof that says sorry"),
        "l4_not_applicable": (0, total, "proof obligations"),
    }
    for key, (least, most, of) in bounds.items():
        if key in summary:
            yield ("verification_summary", key), int(summary[key]), least, most, of
    if claimed:
        tests = len(contract.tests)
        yield ("qa_gate", "pass_criteria"), int(claimed[1]), tests, tests, "falsification tests"
