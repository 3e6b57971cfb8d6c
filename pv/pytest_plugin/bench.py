"""A project as pytest runs it: its trials, one at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pv.campaign.order import Bench, plan_of
from pv.campaign.run import run_campaign
from pv.cli.attack import kept, require_libraries, selected
from pv.contract.model import Contract, FalsificationTest
from pv.finding import PvError
from pv.project import Project
from pv.report.trial_formats import Result, Selected


class PytestBench:
    """A project and what its trials are run with."""

    def __init__(self, project: Project, config: pytest.Config) -> None:
        self.project = project
        self._option = config.option

    def trials(self, contract: Contract, test: FalsificationTest) -> Iterator[tuple[Selected, str]]:
        """`test` on each subject that is meant, and why it cannot be put to that one (empty: it can).

        Raises PvError where no subject of the project is called as the option says.
        """
        subjects = self.project.subjects(contract, test, self._option.pv_subject)
        for binding, why in [*((row, "") for row in subjects.applicable), *subjects.not_applicable]:
            yield selected(self.project, contract, test, binding), why

    def lacks_subject(self, contract: Contract, test: FalsificationTest) -> bool:
        """Whether the default subject is meant, and there is none."""
        return self._option.pv_subject in ("", "all") and self.project.subject(contract, test) is None

    def run(self, trial: Selected) -> Result:
        """Run `trial` in processes of its own; raises PvError where that is not possible here."""
        require_libraries("torch", "hypothesis")
        [finished] = run_campaign([trial.work], self._bench())
        return Result(trial, finished, self.project.subject_place(trial.work.binding))

    def keep(self, result: Result) -> tuple[Result, str]:
        """`result` with the files it is kept in, and why it is not (empty: it is): that must not cost the verdict."""
        try:
            return kept(self.project, result), ""
        except PvError as error:
            return result, f"{result.trial.name} not kept: {told(error)}"

    def _bench(self) -> Bench:
        option, project = self._option, self.project
        insisted = frozenset(["examples"] if option.pv_examples else [])
        plan = plan_of(project.policy, option.pv_examples or None, option.pv_seed)
        return Bench(project.root, project.sources, project.today, plan, jobs=1, insisted=insisted)


def told(error: PvError) -> str:
    """What stopped it and what to do next."""
    return f"{error.message}\n  next: {error.hint}" if error.hint else error.message
