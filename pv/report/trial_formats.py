"""What `pv falsify` answers, in each of its formats: a writer is told of a campaign as it goes, and gives lines to print.

A writer prints nothing and runs nothing. `text` and `ndjson` answer while trials run, the others all at once in `close`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pv.verdict import Kind

if TYPE_CHECKING:
    from pv.campaign.run import Finished, Signal
    from pv.falsify.work import Work
    from pv.finding import Finding, Place


@dataclass(frozen=True, slots=True, eq=False)
class Selected:
    """A trial that is asked for.

    `default` says whether its subject is the one meant when none is named, `slow` what its falsifier says of itself.
    """

    work: Work
    default: bool = True
    slow: bool = False

    @property
    def name(self) -> str:
        """`FALSIFY-MG-004`, `FALSIFY-MG-004[numpy]` on another subject, `FALSIFY-MG-004 oracle` of another kind."""
        subject = "" if self.default else f"[{self.work.binding.name}]"
        kind = "" if self.work.kind is Kind.ALGORITHM else f" {self.work.kind.value}"
        return f"{self.work.test.id}{subject}{kind}"


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """A trial that is done.

    `subject` is where its subject's code is (None: not found); `receipt` and `case` are the files in which its receipt and
    its counterexample are kept, relative to the project (empty: it is not).
    """

    trial: Selected
    finished: Finished
    subject: Place | None = None
    receipt: str = ""
    case: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """What a campaign came to.

    `results` has one row a trial, its last word, in the order of the contracts; `not_run` and `not_applicable` what else was
    selected, and why it was not begun (`the time budget was spent`) or does not apply; `fresh` how many needed no run.
    """

    results: tuple[Result, ...]
    not_run: tuple[tuple[Selected, str], ...] = ()
    not_applicable: tuple[tuple[Selected, str], ...] = ()
    fresh: int = 0
    findings: tuple[Finding, ...] = ()


class TrialWriter(Protocol):
    """Each method gives the lines to print now, none ending in a newline."""

    def begin(self, trials: Sequence[Selected], fresh: int) -> Iterator[str]:
        """Before the first trial: what is going to be run, and how many more need no run."""

    def progress(self, signal: Signal) -> Iterator[str]:
        """A sign of life of one trial."""

    def finish(self, result: Result) -> Iterator[str]:
        """A trial is done; where a campaign has several rounds, it may be told again."""

    def close(self, summary: Summary) -> Iterator[str]:
        """After the last trial, also where the campaign was interrupted."""


@dataclass(frozen=True, slots=True)
class AtEnd:
    """The writer of a format that is one document: nothing until all is done."""

    render: Callable[[Summary], str]

    def begin(self, trials: Sequence[Selected], fresh: int) -> Iterator[str]:
        """Nothing."""
        return iter(())

    def progress(self, signal: Signal) -> Iterator[str]:
        """Nothing."""
        return iter(())

    def finish(self, result: Result) -> Iterator[str]:
        """Nothing."""
        return iter(())

    def close(self, summary: Summary) -> Iterator[str]:
        """The document."""
        return iter((self.render(summary),))


def _text() -> TrialWriter:
    from pv.report.trial_text import TextWriter

    return TextWriter()


def _json() -> TrialWriter:
    from pv.report.trial_events import campaign_json

    return AtEnd(campaign_json)


def _ndjson() -> TrialWriter:
    from pv.report.trial_events import EventWriter

    return EventWriter()


def _junit() -> TrialWriter:
    from pv.report.trial_junit import campaign_junit

    return AtEnd(campaign_junit)


def _sarif() -> TrialWriter:
    from pv.report.trial_sarif import campaign_sarif

    return AtEnd(campaign_sarif)


def _github() -> TrialWriter:
    from pv.report.trial_github import campaign_github

    return AtEnd(campaign_github)


TRIAL_FORMATS: Mapping[str, Callable[[], TrialWriter]] = {
    "text": _text,
    "json": _json,
    "ndjson": _ndjson,
    "junit": _junit,
    "sarif": _sarif,
    "github": _github,
}
"""name → what makes its writer. Nothing else is imported until one is made."""
