"""PV213, PV214, PV217: a falsification test could fail, and says how it is tried."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pv.contract.predecessor.model import COMMAND, IF_FAILS, Item
from pv.contract.quote import mentions, shorten
from pv.finding import Severity
from pv.rules.predecessor.judged import JudgedPredecessor, predecessor_rule, spoken_once
from pv.rules.registry import Report

_PARTS = re.compile(r"&&|\|\||[;|\n]")
_NOTHING = re.compile(r"(?:true|:|exit 0|/bin/true|echo\b.*|printf\b.*|)\Z")
_ALWAYS = re.compile(r"(?:\|\||;)\s*(?:true|:|exit 0)\s*\Z")
_ITSELF = re.compile(r"(?:\./|\S*/)?pv\s+(?:validate|lint|coverage|audit|score|check|status)\b(?P<rest>.*)")
_RESULT = re.compile(r"\(?\b(\d+)\s*/\s*\1\s+PASS(?:ED)?\b|(?:→|->|=>|—|:)\s*PASS(?:ED)?\s*\)?\s*\Z", re.IGNORECASE)
_LITERAL = re.compile(r"\A(?:deterministic|direct)[^:]*:\s*", re.IGNORECASE)
_CONSTANT = re.compile(r"(?:[\d\s.,+\-*/%()\[\]<>=!]|\b(?:and|or|mod|transpose)\b)+\Z")
_SIGNS = ("ignore", "skipped", "disabled", "not ", "pending", "unimplemented", "todo", "tbd")
_NOT_RUN = re.compile(
    r"\b(?:currently|still)\s+(?:ignored|skipped|disabled|not run)\b|#\[ignore\]|\bLIVE-PENDING\b"
    r"|\bnot (?:yet )?(?:implemented|run|written)\b|\bunimplemented!|\bTODO\b|\bTBD\b",
    re.IGNORECASE,
)


@predecessor_rule("PV213")
def a_test_is_not_its_own_answer(judged: JudgedPredecessor) -> Iterator[Report]:
    """A test cannot fail: what it would run says the answer itself.

    `true`, `exit 0`, a command that ends in `|| true`; the contract's checker run on the contract; a result typed into the
    command ("11/11 PASS"); a comparison of numbers with numbers, in which no code takes part. Name the test that calls the
    implementation.

        FAIL    test: "pv validate contracts/softmax-v1.yaml (11/11 PASS)"
        FAIL    test: "Deterministic: 28 * 128 == 3584"
        PASS    test: cargo test softmax_sums_to_one
    """
    for test in judged.contract.tests:
        command = test.text(*COMMAND).strip()
        if why := _own_answer(command, judged.contract.name):
            seen = f"{test.text('id')} is its own answer: {why} in {shorten(command)}"
            yield judged.at(test.key(*COMMAND)), seen, "name a test that calls the implementation"


def _own_answer(command: str, contract: str) -> str:
    """Why `command` is its own answer; empty when it is not, or says nothing."""
    if not command:
        return ""
    if "pass" in command.lower() and _RESULT.search(command):
        return "its result is typed"
    if command.endswith(("true", "0", ":")) and _ALWAYS.search(command):
        return "it succeeds whatever happens"
    if mentions(command, "<>=") and _CONSTANT.match(_LITERAL.sub("", command, count=1)):
        return "numbers are compared with numbers"
    if _NOTHING.match(command):
        return "nothing is run"
    itself = _ITSELF.match(command) if "pv" in command else None
    if itself and (".yaml" not in itself["rest"] or contract in itself["rest"]):
        others = [part for part in _PARTS.split(command) if not _NOTHING.match(part.strip())]
        if len(others) == 1:
            return "the checker reads contracts, and nothing else runs,"
    return ""


@predecessor_rule("PV214", Severity.WARNING)
def a_test_is_run(judged: JudgedPredecessor) -> Iterator[Report]:
    """A test says of itself that it is not run.

    Ignored, pending, to be written: nothing it claims has been tried, and it counts among the tests all the same.

        FAIL    test: requires a GPU, currently ignored
        PASS    test: cargo test --features gpu softmax_matches_cpu
    """
    for test in judged.contract.tests:
        command = test.text(*COMMAND)
        plain = command.lower()
        if mentions(plain, _SIGNS) and (found := _NOT_RUN.search(command)):
            seen = f"{test.text('id')} says that it is not run: {found.group()!r}"
            yield judged.at(test.key(*COMMAND)), seen, "run it, or take it out of the tests"


@predecessor_rule("PV217", Severity.WARNING)
def tests_say_how_they_are_tried(judged: JudgedPredecessor) -> Iterator[Report]:
    """Tests without `test`, or without `if_fails`.

    Without the first nobody knows how to try the prediction, without the second nobody knows what its failure means. Spoken
    once per contract.

        FAIL    {id: FALSIFY-SM-001, rule: …, prediction: …}
        PASS    {id: FALSIFY-SM-001, rule: …, prediction: …, test: cargo test unit_sum, if_fails: probabilities are biased}
    """
    tests = judged.contract.tests
    bare = ((test.text("id"), judged.at(test.at)) for test in tests if not _is_whole(test))
    yield from spoken_once(
        bare, len(tests), "tests lack `test` or `if_fails`", "say how it is tried, and what its failure means"
    )


def _is_whole(test: Item) -> bool:
    return bool((test.text(*COMMAND) or test.text("test_harness")) and test.text(*IF_FAILS))
