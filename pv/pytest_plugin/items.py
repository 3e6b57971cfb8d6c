"""Contracts and their falsification tests as nodes of pytest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pv.contract.model import Contract, FalsificationTest
from pv.contract.read import ContractFile
from pv.finding import PvError
from pv.pytest_plugin.bench import PytestBench, told
from pv.report.plain import findings_text
from pv.report.trial_formats import Selected
from pv.report.trials import result_text, trial_facts
from pv.root import BINDING
from pv.verdict import Verdict

SUFFIXES = (".yaml", ".yml")


class Judged(NamedTuple):
    """A contract file and what its tests are run with."""

    file: ContractFile
    bench: PytestBench


class Collection:
    """The part of the plugin that is there only where contracts are asked for."""

    def __init__(self, files: Mapping[Path, Judged]) -> None:
        self._files = files

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> ContractCollector | None:
        """The collector of a contract; None for any other file."""
        found = self._files.get(file_path.resolve()) if file_path.suffix in SUFFIXES else None
        return None if found is None else ContractCollector.from_parent(parent, path=file_path, contract=found)


class ContractCollector(pytest.File):
    """A contract file: a test or more for each of its falsification tests."""

    def __init__(self, *, contract: Judged, **rest: Any) -> None:
        super().__init__(**rest)
        self._contract = contract

    def collect(self) -> Iterator[pytest.Item]:
        """The items, in the order of the contract; what cannot be read is an error of the collection."""
        file, bench = self._contract
        bindings = bench.project.binding_file
        findings = [*file.findings, *(bindings.findings if bindings else ())]
        if file.contract is None or findings:
            raise self.CollectError(findings_text(findings))
        try:
            for test in file.contract.tests:
                yield from self._items(file.contract, test)
        except PvError as error:
            raise self.CollectError(told(error)) from error

    def _items(self, contract: Contract, test: FalsificationTest) -> Iterator[pytest.Item]:
        bench = self._contract.bench
        if bench.lacks_subject(contract, test):
            yield self._item(test.id, test, None)
        for trial, why in bench.trials(contract, test):
            item = self._item(trial.name, test, trial)
            if trial.slow:
                item.add_marker("slow")
            if why:  # the binding declares it, with the reason: nothing is left unmeasured
                item.add_marker(pytest.mark.skip(reason=f"not applicable: {why}"))
            yield item

    def _item(self, name: str, test: FalsificationTest, trial: Selected | None) -> TrialItem:
        item: TrialItem = TrialItem.from_parent(self, name=name, test=test, trial=trial, bench=self._contract.bench)
        item.extra_keyword_matches.update(test.binds_to)
        return item


class TrialItem(pytest.Item):
    """A falsification test on a subject (None: its equation is bound to no code); it passes when the trial held."""

    def __init__(self, *, test: FalsificationTest, trial: Selected | None, bench: PytestBench, **rest: Any) -> None:
        super().__init__(**rest)
        self._test = test
        self._trial = trial
        self._bench = bench

    def runtest(self) -> None:
        """Run the trial and keep what it showed as `pv falsify` does; what did not hold fails in its words."""
        try:
            result = self._bench.run(self._required())
        except PvError as error:
            pytest.fail(f"{self.name} not measured: {told(error)}", pytrace=False)
        result, problem = self._bench.keep(result)
        self.user_properties += trial_facts(result).items()
        broken = "" if result.finished.outcome.verdict is Verdict.HELD else result_text(result)
        if broken or problem:
            pytest.fail("\n".join(filter(None, [broken, problem])), pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the contract asks for it; the line counts from 0."""
        return self.path, self._test.place.line - 1, self.name

    def _required(self) -> Selected:
        if self._trial is None:
            hint = f"bind the equation to its function in {BINDING}"
            raise PvError(f"{self._test.equation} has no (default) subject", hint=hint)
        return self._trial
