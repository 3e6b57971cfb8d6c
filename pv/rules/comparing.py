"""PV318 and PV319: what a subject is compared with is a second opinion, and the distance between them is stated."""

from __future__ import annotations

from collections.abc import Iterator

from pv.contract.model import Holds
from pv.contract.quote import nearest
from pv.rules.registry import Judged, ProjectFacts, Report, project_rule


@project_rule("PV318")
def references_stand_apart(judged: Judged, project: ProjectFacts) -> Iterator[Report]:
    """A reference may import code of a subject that it is compared with.

    What is compared with itself always agrees. By their import statements the two may share no module of the project, but for
    packages that hold nothing but their docstring; `pv falsify` also sees what is imported otherwise.

        FAIL    references/kernels.py: from kernels import softmax
        PASS    references/kernels.py: import math
    """
    bindings = [binding for binding in project.bindings if binding.contract == judged.contract.name]
    for reference in bindings:
        for subject in bindings:
            if (reference.role, subject.role, reference.equation) != ("reference", "subject", subject.equation):
                continue
            shared = project.shared(subject, reference)
            if shared:
                seen = f"the reference {reference.name} of {reference.equation} and {subject.name} share {shared[0]}"
                yield reference.place, seen, "write it from the formula, importing nothing of what it judges"


@project_rule("PV319")
def bounds_of_a_reference_are_bounds(judged: Judged, project: ProjectFacts) -> Iterator[Report]:
    """`within` names no bounded invariant about values of the reference's equation.

    The tolerance of such an invariant is how far a subject may be from the reference. One that holds exactly, or is about
    gradients, states no such distance.

        FAIL    {equation: softmax, role: reference, within: [unit_interval], …}
        PASS    {equation: softmax, role: reference, within: [formula], …}
    """
    for binding in project.bindings:
        equation = judged.contract.equation(binding.equation) if binding.contract == judged.contract.name else None
        if equation is None:
            continue
        bounds = [row.id for row in equation.invariants if row.holds is Holds.BOUNDED and row.about == "value"]
        for name in binding.within:
            if name not in bounds:
                seen = f"{binding.name} is `within` {name!r}, no bounded invariant about values of {equation.name}"
                yield binding.place, seen, nearest(name, bounds)
