"""PV401 and PV408: what a contract promises is no more than what runs support, today."""

from __future__ import annotations

from collections.abc import Iterator

from pv.finding import Severity
from pv.rules.registry import Judged, ProjectFacts, Report, project_rule


@project_rule("PV401")
def status_is_supported(judged: Judged, project: ProjectFacts) -> Iterator[Report]:
    """A test's `status:` is above the level that fresh evidence supports.

    A level is computed from recorded runs; a typed one is a promise, and somebody relies on it. Earn it by running, or
    lower it. Best remove it: `pv ledger promote` records the same promise with its evidence.

        FAIL    status: DISCHARGED    no receipt compares with a reference
        PASS    status: PARTIAL_ALGORITHM_LEVEL    held on generated cases, and fresh
    """
    for i, test in enumerate(judged.contract.tests):
        if test.status is None:
            continue
        support = project.support(test)
        if support.level < test.status and support.was < test.status:
            seen = f"{test.id} promises {test.status.name}; its evidence supports {support.level.name}"
            hint = f"`pv falsify --id {test.id}` earns it, `pv ledger promote {test.id}` records what is supported"
            yield judged.at("falsification_tests", i, "status"), seen, hint


@project_rule("PV408", Severity.UNMEASURED)
def status_is_current(judged: Judged, project: ProjectFacts) -> Iterator[Report]:
    """A test's `status:` was supported, and what supports it is stale.

    Something that the evidence depends on has changed since: `pv status` names it. Nothing has to be mended, only run.

        FAIL    status: PARTIAL_ALGORITHM_LEVEL    held, before the kernel was edited
        PASS    pv falsify --stale     after every change
    """
    for i, test in enumerate(judged.contract.tests):
        if test.status is None:
            continue
        support = project.support(test)
        if support.level < test.status <= support.was:
            seen = f"{test.id} promises {test.status.name}; its evidence supported that and is stale"
            hint = f"`pv falsify --id {test.id}`, as every promise has to be shown again after a change"
            yield judged.at("falsification_tests", i, "status"), seen, hint
