"""PV314 to PV317: how a falsifier attacks, as far as its text shows; what it does is judged when it runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pv.rules.registry import Judged, ProjectFacts, Report, project_rule

if TYPE_CHECKING:
    from pv.source.falsifiers import Attack, FalsifierEntry


@project_rule("PV314")
def floats_are_compared_by_check(judged: Judged, project: ProjectFacts) -> Iterator[Report]:
    """A falsifier compares floats with a tolerance of its own.

    How closely a clause must hold is for the contract to say. `allclose`, `isclose`, `abs(a - b) <`, rounding first, or a
    slack beside a limit let pass what the clause does not, and no residual is recorded. Seen too in functions of the
    falsifiers folder that it uses. Exact comparisons, and conditions on what was drawn, are not meant.

        FAIL    check.that(torch.allclose(subject(case.x), expected), "differs")
        FAIL    check.that((subject(case.x) - expected).abs().max().item() < 1e-5, "differs")
        PASS    check.close(subject(case.x), expected)
        PASS    check.at_most(subject(case.x).abs(), 30.0)
    """
    hint = "check.close, check.at_most and check.at_least take the tolerance of the clause"
    seen = {seen for _, attack in _attacks(judged, project) for seen in attack.comparisons}
    yield from ((one.place, f"{one.function} {one.what}", hint) for one in seen)


@project_rule("PV315")
def only_check_asserts(judged: Judged, project: ProjectFacts) -> Iterator[Report]:
    """A falsifier asserts by itself.

    An `assert` is no check: where it fails, the trial is errored and not falsified, with `python -O` it is gone, and what it
    showed counts for nothing. In functions that a falsifier uses, one about what the subject gave is meant.

        FAIL    assert subject(case.x).shape == case.x.shape
        PASS    check.shape(subject(case.x), case.x.shape)
    """
    seen = {seen for _, attack in _attacks(judged, project) for seen in attack.asserts}
    yield from ((one.place, f"{one.function} {one.what}, which is no check", "write check.that(…)") for one in seen)


@project_rule("PV316")
def own_cases_have_a_reason(judged: Judged, project: ProjectFacts) -> Iterator[Report]:
    """A falsifier brings cases of its own and does not say why.

    Cases that are derived from the equation's arguments visit every stratum that the contract declares. Cases of a
    falsifier's own visit what its author thought of: say what the arguments cannot give.

        FAIL    @falsifier("FALSIFY-MG-003", cases=INDICES)
        PASS    @falsifier("FALSIFY-MG-003", cases=INDICES, because="an index outside the classes is outside the domain")
        PASS    @falsifier("FALSIFY-MG-001")
    """
    for entry, attack in _attacks(judged, project):
        if attack.unexplained is not None:
            seen = f"{entry.function} brings cases of its own and no reason"
            yield attack.unexplained, seen, 'say why the equation\'s arguments cannot give them: because="…"'


@project_rule("PV317")
def the_subject_is_checked(judged: Judged, project: ProjectFacts) -> Iterator[Report]:
    """A falsifier never calls its subject, or never checks anything.

    It holds whatever the subject does. To pass either on to a function is to use it, unless that function does nothing
    with it; what no run can come to (after a `return`, below `if False`) does not count.

        FAIL    def nothing_leaves_the_cap(subject, case, check): subject(case.x)
        FAIL    def nothing_leaves_the_cap(subject, case, check): check.at_most(case.x.clamp(-30, 30), 30.0)
        PASS    def nothing_leaves_the_cap(subject, case, check): check.at_most(subject(case.x), 30.0)
    """
    said = {"subject": "never calls its subject", "check": "checks nothing"}
    for entry, attack in _attacks(judged, project):
        if attack.unused:
            seen = f"{entry.function} {' and '.join(said[role] for role in attack.unused)}"
            yield entry.place, seen, "check what the subject gives: check.equal(subject(*case), …)"


def _attacks(judged: Judged, project: ProjectFacts) -> Iterator[tuple[FalsifierEntry, Attack]]:
    """Every falsifier of the contract's tests."""
    for test in judged.contract.tests:
        for entry in project.falsifiers.falsifiers_of(judged.contract.name, test.id):
            yield entry, project.attack(entry)
