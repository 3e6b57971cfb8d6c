"""From what is asked for on the command line to trials, and from trials to what is kept and told of them."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import click

from pv.finding import Exit, Finding, PvError, Severity
from pv.verdict import Kind, Verdict

if TYPE_CHECKING:
    from pv.campaign.budget import Budget
    from pv.campaign.order import Bench
    from pv.campaign.run import Finished, Signal
    from pv.cli.live import Display
    from pv.contract.model import Binding, Contract, FalsificationTest
    from pv.project import Project
    from pv.report.trial_formats import Result, Selected, Summary, TrialWriter

ALL = "all"


@dataclass(slots=True, eq=False)
class Chosen:
    """What was asked for: `trials` to run, and what else it comes to, with the reasons."""

    trials: list[Selected] = field(default_factory=list)
    not_run: list[tuple[Selected, str]] = field(default_factory=list)
    not_applicable: list[tuple[Selected, str]] = field(default_factory=list)
    fresh: int = 0
    findings: list[Finding] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    """Ids of tests whose equation has no subject of the name asked for."""


def choose(
    project: Project,
    tests: Sequence[tuple[Contract, FalsificationTest]],
    subject: str,
    *,
    kind: str = ALL,
    stale: bool,
    skip_slow: bool,
) -> Chosen:
    """The trials of `tests` on `subject` (a name, `all`, or empty: the default one), in the order of the contracts.

    `kind` is one of the kinds of evidence, or `all` that there can be.
    """
    chosen = Chosen(findings=_unreadable(project))
    for contract, test in tests:
        found = project.subjects(contract, test, subject)
        for binding, why in found.not_applicable:
            chosen.not_applicable.append((selected(project, contract, test, binding), why))
        if not found.applicable and not found.not_applicable:
            _without_subject(chosen, test, subject)
        for trial in (
            row for binding in found.applicable for row in _kinds(chosen, project, contract, test, binding, kind)
        ):
            if stale and trial.work.kind in project.assess(contract, test, trial.work.binding).shown:
                chosen.fresh += 1
            elif skip_slow and trial.slow:
                chosen.not_run.append((trial, "slow, and --skip-slow was given"))
            else:
                chosen.trials.append(trial)
    return chosen


def _kinds(
    chosen: Chosen, project: Project, contract: Contract, test: FalsificationTest, binding: Binding, asked: str
) -> Iterator[Selected]:
    """A trial for each kind asked for that there can be; of the others `chosen` says why."""
    from pv.assess.kinds import LADDER, declared_away, kinds_of, unbound

    reference = project.reference(contract, test)
    there = kinds_of(contract, test, binding, reference)
    for kind in (kind for kind, _ in LADDER if asked in (ALL, kind.value)):
        trial = selected(project, contract, test, binding, kind)
        if kind in there:
            yield trial
        elif reason := declared_away(test, kind):
            chosen.not_applicable.append((trial, reason))
        elif asked != ALL:
            lacking = unbound(kind, contract, test, binding, reference)
            why = f"it needs {lacking}" if lacking else "the subject is a command: its algorithm runs are live ones"
            chosen.not_run.append((trial, why))


def selected(
    project: Project,
    contract: Contract,
    test: FalsificationTest,
    binding: Binding,
    kind: Kind = Kind.ALGORITHM,
) -> Selected:
    """The trial of `test` on the subject of `binding`, for evidence of `kind`."""
    from pv.campaign.order import is_slow
    from pv.falsify.work import Work
    from pv.report.trial_formats import Selected

    reference = project.reference(contract, test) if kind is Kind.ORACLE else None
    work = Work(contract, test, binding, kind, reference)
    return Selected(work, binding == project.subject(contract, test), is_slow(work, project.today))


def _without_subject(chosen: Chosen, test: FalsificationTest, subject: str) -> None:
    from pv.project import BINDING

    if subject not in ("", "all"):
        chosen.without.append(test.id)
        return
    seen = f"{test.id}: {test.equation} has no (default) subject"
    hint = f"bind the equation to its function in {BINDING}"
    chosen.findings.append(Finding("PV304", Severity.ERROR, test.place, seen, hint))


def _unreadable(project: Project) -> list[Finding]:
    """Contracts of the project that could not be read: their tests cannot be run, and that is no pass."""
    return [finding for file in project.contract_files for finding in file.findings]


class Session:
    """A campaign as it is run from the command line: every receipt is kept, every event told to `writer`."""

    def __init__(self, project: Project, chosen: Chosen, writer: TrialWriter) -> None:
        self._project = project
        self._chosen = chosen
        self._writer = writer
        self._trials = {trial.work: trial for trial in chosen.trials}
        self._results: dict[Selected, Result] = {}

    def run(self, budget: Budget, bench: Bench) -> Summary:
        """Run what `budget` gives. Whatever ends it, what was done is told, and what was not run."""
        why = ""
        try:
            say(self._writer.begin(self._chosen.trials, self._chosen.fresh))
            self._attack(budget, bench)
            why = budget.why_not
        except BrokenPipeError:  # nobody listens any more
            raise
        except PvError as error:
            self._close(error.message)
            raise
        except BaseException:
            self._close("interrupted")
            raise
        return self._close(why)

    def _attack(self, budget: Budget, bench: Bench) -> None:
        if not self._chosen.trials:
            return
        require_libraries("torch", "hypothesis")
        from pv.campaign.run import run_orders
        from pv.cli.interrupt import interruptible
        from pv.cli.live import live

        with interruptible() as check, live(len(self._chosen.trials)) as display:

            def watch(sign: Signal) -> None:
                display.show(sign)
                say(self._writer.progress(sign), display)

            with closing(run_orders(budget, bench, watch, check)) as campaign:
                for finished in campaign:
                    display.done(finished.work)
                    self._keep(finished, display)
            check()

    def _keep(self, finished: Finished, display: Display) -> None:
        from pv.report.trial_formats import Result

        trial = self._trials[finished.work]
        result = Result(trial, finished, self._project.subject_place(finished.work.binding))
        self._results[trial] = result  # also where it cannot be kept
        result = self._results[trial] = kept(self._project, result)
        say(self._writer.finish(result), display)

    def _close(self, why_not: str) -> Summary:
        from pv.report.trial_formats import Summary

        chosen = self._chosen
        results = tuple(self._results[trial] for trial in chosen.trials if trial in self._results)
        left = [(trial, why_not) for trial in chosen.trials if trial not in self._results]
        findings = (*chosen.findings, *_wide(results))
        not_applicable = tuple(chosen.not_applicable)
        summary = Summary(results, (*left, *chosen.not_run), not_applicable, chosen.fresh, findings)
        say(self._writer.close(summary))
        return summary


def say(lines: Iterable[str], display: Display | None = None) -> None:
    """Print `lines`, above what `display` shows."""
    text = "\n".join(lines)
    if text:
        with display.aside() if display else nullcontext():
            click.echo(text)


def require_libraries(*names: str) -> None:
    """Raise PvError for the first of `names` that is not installed: what needs it cannot be measured here."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            hint = "pip install 'pv-contracts[torch]'"
            raise PvError(f"falsifying needs {name}, which is not installed here", exit=Exit.RUN, hint=hint)


def kept(project: Project, result: Result) -> Result:
    """`result`, once its receipt and its counterexample are on the shelf; raises PvError where the receipt cannot be."""
    receipt = project.keep(result.finished.receipt)
    _keep_captured(project, result.finished)
    return replace(result, receipt=project.shown(receipt), case=_case(project, result.finished))


def _keep_captured(project: Project, finished: Finished) -> None:
    """The captured cases of a live trial, each once; one that is too large is told of and left out."""
    from pv.falsify.casefile import captured_case, case_name, write_case
    from pv.root import CAPTURES

    work = finished.work
    name = f"{work.binding.equation}-{work.binding.name}"
    folder = project.root / CAPTURES / work.contract.name / name
    for digest, arguments in finished.captured:
        if (folder / f"{case_name(digest)}.json").exists():
            continue
        try:
            write_case(
                folder, captured_case(work.contract.name, work.binding.equation, work.binding.name, digest, arguments)
            )
        except PvError as error:
            click.echo(f"pv: {error.message}", err=True)


def _case(project: Project, finished: Finished) -> str:
    """Where the case that broke it is kept; empty when there is none, or it is too large."""
    from pv.falsify.casefile import keep_counterexample
    from pv.root import COUNTEREXAMPLES

    work, found = finished.work, finished.outcome.counterexample
    if found is None:
        return ""
    folder, value = project.root / COUNTEREXAMPLES, finished.receipt["counterexample"]
    try:
        path = keep_counterexample(folder, work.contract.name, work.test.id, work.binding.name, value, found.arguments)
    except PvError as error:
        click.echo(f"pv: {error.message}", err=True)
        return ""
    return project.shown(path)


def _wide(results: Iterable[Result]) -> Iterator[Finding]:
    """PV406 over all that held: of each clause and dtype, what came nearest to its bound in any of the trials."""
    from pv.assess.slack import wide_tolerances
    from pv.ledger.receipt import Residual

    nearest: dict[str, dict[tuple[str, str], Residual]] = {}
    contracts = {result.trial.work.contract.name: result.trial.work.contract for result in results}
    for result in results:
        outcome = result.finished.outcome
        rows = nearest.setdefault(result.trial.work.contract.name, {})
        for key, near in outcome.nearest if outcome.verdict is Verdict.HELD else ():
            row = Residual(*key, near.residual, near.bound)
            rows[key] = min(rows.get(key, row), row, key=lambda row: row.slack)
    for name, found in nearest.items():
        yield from wide_tolerances(contracts[name], found.values())
