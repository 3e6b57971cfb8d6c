"""PV201, PV202, PV204, PV205: what things are called, and that two of them are not one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pv.contract.document import Document
from pv.contract.quote import shorten
from pv.finding import Place
from pv.rules.registry import Judged, Report, rule
from pv.version import read_version

_MAJOR = re.compile(r"-v([0-9]+)\Z")
_FILLERS = frozenset(("a", "an", "the", "is", "are", "be", "it", "that", "of", "in", "to", "must", "shall", "will"))
_WORD = re.compile(r"\w+")


@rule("PV201")
def ids_are_unique(judged: Judged) -> Iterator[Report]:
    """Two tests, two claims, or two invariants of one equation have the same id.

    Evidence, faults and promotions are filed under the id: with two owners nobody can tell what was shown.
    Rename the second; an id that evidence refers to keeps its meaning.

        FAIL    - id: FALSIFY-MG-001 … - id: FALSIFY-MG-001
        PASS    - id: FALSIFY-MG-001 … - id: FALSIFY-MG-002
    """
    contract = judged.contract
    document = judged.file.document
    yield from twice(document, ("falsification_tests",), [test.id for test in contract.tests])
    yield from twice(document, ("claims",), [claim.id for claim in contract.claims])
    for equation in contract.equations:
        clauses = [clause.id for clause in equation.invariants]
        yield from twice(document, ("equations", equation.name, "invariants"), clauses)


def twice(document: Document, at: tuple[str, ...], ids: Sequence[str]) -> Iterator[Report]:
    """A report on each of `ids`, those of the list at `at`, that stands in it before; an empty one is none."""
    if len(set(ids)) == len(ids):
        return
    first: dict[str, int] = {}
    for i, name in enumerate(ids):
        if name and first.setdefault(name, i) != i:
            seen = f"id {shorten(name)} is taken, in line {document.place((*at, first[name], 'id')).line}"
            yield document.place((*at, i, "id")), seen, "give one of the two another id"


@rule("PV202")
def a_test_attacks_one_equation(judged: Judged) -> Iterator[Report]:
    """A falsification test binds to clauses of more than one equation.

    A falsifier is run against one subject, the code bound to one equation; clauses of another cannot be shown by it.
    Split the test, one for each equation.

        FAIL    binds_to: [one_hot/one_per_row, softmax/unit_sum]
        PASS    binds_to: [one_hot/one_per_row, one_hot/shape]
    """
    for i, test in enumerate(judged.contract.tests):
        for j, clause in enumerate(test.binds_to):
            if clause.partition("/")[0] != test.equation:
                seen = f"{test.id} binds to {clause!r} and to {test.binds_to[0]!r}: clauses of two equations"
                yield judged.at("falsification_tests", i, "binds_to", j), seen, "split the test, one per equation"
                break


@rule("PV204")
def version_matches_the_name(judged: Judged) -> Iterator[Report]:
    """`metadata.version` is not a semantic version, or its major is not the N of the file's `-vN`.

    Others depend on a contract by its name; the major in it says what they may rely on. Before the first release,
    0.y.z stands in a `-v1` file. Mend the version, or rename the file.

        FAIL    softmax-v1.yaml    version: 2.0.0
        FAIL    softmax-v1.yaml    version: 1.0
        PASS    softmax-v1.yaml    version: 1.4.0
        PASS    softmax-v1.yaml    version: 0.3.0
    """
    yield from version_against_name(judged.contract.version, judged.contract.name, judged.at("metadata", "version"))


def version_against_name(written: str, name: str, place: Place) -> Iterator[Report]:
    """What is wrong with the version `written` at `place`, in a file whose stem is `name`."""
    version, named = read_version(written), _MAJOR.search(name)
    if version is None:
        yield place, f"version {shorten(written)} is not semver", "write MAJOR.MINOR.PATCH, as in 1.4.0"
    if named is None:
        yield place, f"the file name {shorten(name)} ends in no -vN", f"rename it {name}-v1.yaml"
    elif version is not None and str(version.major) != named[1] and (version.major, named[1]) != (0, "1"):
        seen = f"version {written} in a file named -v{named[1]}"
        yield place, seen, f"write version {named[1]}.…, or name the file -v{max(version.major, 1)}"


@rule("PV205")
def prediction_says_more_than_the_rule(judged: Judged) -> Iterator[Report]:
    """The prediction of a test repeats its rule.

    A rule says what is claimed, a prediction what will be observed if it is so: on which input, in which numbers. One
    that says the same twice predicts nothing that could turn out false. Small words, case and signs do not count.

        FAIL    rule: Rows sum to one           prediction: The rows sum to one.
        PASS    rule: Rows sum to one           prediction: For 200 drawn matrices |Σ − 1| ≤ 1e-6 in every row
    """
    for i, test in enumerate(judged.contract.tests):
        if says_the_same(test.rule, test.prediction):
            seen = f"{test.id} predicts what its rule says: {shorten(test.prediction)}"
            yield (
                judged.at("falsification_tests", i, "prediction"),
                seen,
                "say what is observed: on which input, which numbers",
            )


def says_the_same(one: str, other: str) -> bool:
    """Whether the two texts differ in small words, case and signs only."""
    whole = other.casefold()
    for word in _WORD.findall(one.casefold()):
        if word not in whole and word not in _FILLERS:
            return False  # as most do, and in an early word
    return _words(one) == _words(other)


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.casefold()) if word not in _FILLERS]
