"""PV3xx: names lead somewhere, from test to invariant, falsifier, fault and code, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pv.contract.model import Binding
from pv.contract.quote import nearest
from pv.finding import Place, Severity
from pv.rules.registry import Judged, ProjectFacts, Report, project_rule, rule


@rule("PV300", Severity.NOTE)
def references_need_a_project(judged: Judged) -> Iterator[Report]:
    """References were not resolved: the contract is in no project.

    Whether a test has a falsifier, an equation code, an invariant a fault can be told only inside a project: the
    nearest folder above with `[tool.pv]` in its pyproject.toml, or with contracts/binding.yaml.

        FAIL    pv validate /tmp/softmax-v1.yaml
        PASS    pv validate contracts/softmax-v1.yaml
    """
    if judged.project is None:
        yield judged.at(), "references were not resolved: no project", "`pv init` makes a project of a folder"


@rule("PV301")
def tests_bind_to_invariants(judged: Judged) -> Iterator[Report]:
    """`binds_to` names no invariant of the contract.

    The test then attacks nothing, and whatever it shows counts for nothing. Clauses are written `equation/invariant`.

        FAIL    binds_to: [one_hot/one_per_rwo]
        PASS    binds_to: [one_hot/one_per_row]
    """
    known = [clause.name for clause in judged.contract.invariants()]
    for i, test in enumerate(judged.contract.tests):
        for j, name in enumerate(test.binds_to):
            if name not in known:
                seen = f"{test.id} binds to {name!r}, which is no invariant of this contract"
                yield judged.at("falsification_tests", i, "binds_to", j), seen, nearest(name, known)


@rule("PV302")
def invariants_are_bound(judged: Judged) -> Iterator[Report]:
    """Invariants that no falsification test binds to.

    What nothing attacks is only asserted. Add a test, name the clause in `binds_to` of one that attacks it already,
    or remove it. Spoken once per contract.

        FAIL    invariants: [{id: a}, {id: b}]    binds_to: [f/a]
        PASS    invariants: [{id: a}, {id: b}]    binds_to: [f/a, f/b]
    """
    bound = _bound(judged)
    clauses = list(judged.contract.invariants())
    unbound = [(clause.name, clause.place) for clause in clauses if clause.name not in bound]
    yield from spoken_once(unbound, f"{len(clauses)} invariants are bound by no test", "add a test that binds to it")


@project_rule("PV303")
def tests_have_falsifiers(judged: Judged, project: ProjectFacts) -> Iterator[Report]:
    """Falsification tests that no falsifier attacks.

    A test without code is prose: nothing was tried, so nothing is shown. Falsifiers are found by their decorator, in
    any file of the project's falsifiers folder. Spoken once per contract.

        FAIL    id: FALSIFY-MG-003    and nowhere @falsifier("FALSIFY-MG-003")
        PASS    id: FALSIFY-MG-003    falsifiers/microgpt.py: @falsifier("FALSIFY-MG-003")
    """
    name, tests = judged.contract.name, judged.contract.tests
    without = [(test.id, test.place) for test in tests if not project.falsifiers.falsifiers_of(name, test.id)]
    hint = f'write @falsifier("{without[0][0]}") in falsifiers/' if without else ""
    yield from spoken_once(without, f"{len(tests)} falsification tests have no falsifier", hint)


@project_rule("PV304")
def equations_have_subjects(judged: Judged, project: ProjectFacts) -> Iterator[Report]:
    """Equations that no code is bound to as their subject.

    Without a subject there is nothing to attack. Name the function in the bindings, with `role: subject` (the
    default). Spoken once per contract.

        FAIL    equations: {one_hot: …}    and no binding of one_hot
        PASS    {contract: microgpt-v1, equation: one_hot, name: torch, target: "kernels:one_hot"}
    """
    equations = judged.contract.equations
    bound = {binding.equation for binding in _bindings(judged, project) if binding.role == "subject"}
    without = [(equation.name, equation.place) for equation in equations if equation.name not in bound]
    hint = f"bind its code in {project.binding_path}"
    yield from spoken_once(without, f"{len(equations)} equations have no subject", hint)


@project_rule("PV305")
def bindings_lead_to_code(judged: Judged, project: ProjectFacts) -> Iterator[Report]:
    """A binding's target or factory does not exist, or its equation is not in the contract.

    Both are looked up by parsing the project's files, without importing; re-exports and base classes inside the
    project are followed. The files of a `command` are looked for when it is run.

        FAIL    target: implementations.microgpt.kernels:onehot
        PASS    target: implementations.microgpt.kernels:one_hot
    """
    equations = [equation.name for equation in judged.contract.equations]
    for binding in _bindings(judged, project):
        if binding.equation not in equations:
            seen = f"{judged.contract.name} has no equation {binding.equation!r}"
            yield binding.place, seen, nearest(binding.equation, equations)
        for target in filter(None, (binding.target, binding.factory)):
            found = project.find_target(target)
            if found.problem:
                yield binding.place, f"target {target!r}: {found.problem}", found.hint


@project_rule("PV306")
def bound_invariants_have_faults(judged: Judged, project: ProjectFacts) -> Iterator[Report]:
    """Invariants that a test binds to and that no fault violates.

    A falsifier counts only after it has caught a violation of the clause it is bound to: without a fault it cannot show
    that it is able to fail. Spoken once per contract.

        FAIL    binds_to: [one_hot/one_per_row]    and nowhere @fault("one_hot/one_per_row")
        PASS    @fault("one_hot/one_per_row")    def two_ones_in_a_row(encoded, case): …
    """
    bound = _bound(judged)
    clauses = [clause for clause in judged.contract.invariants() if clause.name in bound]
    known = {fault.invariant for fault in project.falsifiers.faults_of(judged.contract.name)}
    without = [(clause.name, clause.place) for clause in clauses if clause.name not in known]
    hint = f'write @fault("{without[0][0]}") beside its falsifier' if without else ""
    yield from spoken_once(without, f"{len(clauses)} bound invariants have no fault", hint)


@project_rule("PV307")
def one_subject_is_the_default(judged: Judged, project: ProjectFacts) -> Iterator[Report]:
    """An equation has several subjects, or several references, and not exactly one of them is the default.

    `pv falsify` and the level of a test speak of the default subject, compared with the default reference: with none or two,
    of nobody knows which.

        FAIL    {name: eager}    {name: compiled}
        PASS    {name: eager, default: true}    {name: compiled}
    """
    bound = _bindings(judged, project)
    for equation, role in dict.fromkeys((binding.equation, binding.role) for binding in bound):
        several = [binding for binding in bound if (binding.equation, binding.role) == (equation, role)]
        defaults = [binding for binding in several if binding.default]
        if len(several) > 1 and len(defaults) != 1:
            names = ", ".join(binding.name for binding in defaults) or "none"
            seen = f"{equation} has {len(several)} {role}s; default: {names}; expected exactly one"
            yield (defaults[1] if defaults else several[0]).place, seen, "mark one of them `default: true`"


@project_rule("PV308")
def falsifiers_name_what_exists(judged: Judged, project: ProjectFacts) -> Iterator[Report]:
    """A falsifier or fault of this contract names a test or an invariant that it does not have.

    It runs for nothing, and what it was meant for goes without. It is this contract's when its module says
    `CONTRACT = "…"`.

        FAIL    @falsifier("FALSIFY-MG-03")
        PASS    @falsifier("FALSIFY-MG-003")
    """
    contract, index = judged.contract, project.falsifiers
    tests = [test.id for test in contract.tests]
    clauses = [clause.name for clause in contract.invariants()]
    for entry in index.falsifiers:
        if entry.contract == contract.name and entry.id not in tests:
            seen = f"{entry.function} attacks {entry.id!r}, which is no test of {contract.name}"
            yield entry.place, seen, nearest(entry.id, tests)
    for fault in index.faults:
        if fault.contract == contract.name and fault.invariant not in clauses:
            seen = f"{fault.function} violates {fault.invariant!r}, which is no invariant of {contract.name}"
            yield fault.place, seen, nearest(fault.invariant, clauses)


@project_rule("PV309")
def bindings_have_names_of_their_own(judged: Judged, project: ProjectFacts) -> Iterator[Report]:
    """Two bindings of one equation have the same name.

    Receipts are filed under contract, equation and name: evidence of the one would count for the other.

        FAIL    {equation: one_hot, name: torch, target: "a:f"}    {equation: one_hot, name: torch, target: "b:f"}
        PASS    {equation: one_hot, name: eager, target: "a:f"}    {equation: one_hot, name: compiled, target: "b:f"}
    """
    first: dict[tuple[str, str], Place] = {}
    for binding in _bindings(judged, project):
        key = (binding.equation, binding.name)
        if key in first:
            seen = f"{binding.equation} has a binding {binding.name!r} already, in line {first[key].line}"
            yield binding.place, seen, "give one of the two another name"
        first.setdefault(key, binding.place)


@project_rule("PV311")
def a_test_has_one_falsifier(judged: Judged, project: ProjectFacts) -> Iterator[Report]:
    """A falsification test has several falsifiers.

    A verdict speaks of one: with two, which of them held is not told. Join them, or give the second a test of its own.

        FAIL    @falsifier("FALSIFY-MG-003") twice
        PASS    @falsifier("FALSIFY-MG-003") once
    """
    for test in judged.contract.tests:
        first, *more = project.falsifiers.falsifiers_of(judged.contract.name, test.id) or (None,)
        for entry in more:
            if first is not None and entry is not None:
                seen = f"{test.id} has a falsifier already, {first.function} in {first.path}:{first.line}"
                yield entry.place, seen, "join the two, or write another falsification test"


def _bindings(judged: Judged, project: ProjectFacts) -> list[Binding]:
    return [binding for binding in project.bindings if binding.contract == judged.contract.name]


def _bound(judged: Judged) -> set[str]:
    return {name for test in judged.contract.tests for name in test.binds_to}


def spoken_once(without: Sequence[tuple[str, Place]], what: str, hint: str) -> Iterator[Report]:
    """One report, at the first place, on all of `without`: how many of how many, and the first three."""
    if without:
        listed: Iterable[str] = (f"{name} (line {place.line})" for name, place in without[:3])
        more = f" and {len(without) - 3} more" if len(without) > 3 else ""
        yield without[0][1], f"{len(without)} of {what}: {', '.join(listed)}{more}", hint
