"""PV401: what a contract promises is no more than what runs support."""

from __future__ import annotations

from collections.abc import Iterator

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
        if support < test.status:
            seen = f"{test.id} promises {test.status.name}; its evidence supports {support.name}"
            hint = f"`pv falsify --id {test.id}` earns it, `pv ledger promote {test.id}` records what is supported"
            yield judged.at("falsification_tests", i, "status"), seen, hint
