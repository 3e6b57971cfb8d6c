"""A campaign for people: a line a trial as it is done; then everything that did not hold, what was left out, and the counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pv.report.plain import findings_text
from pv.report.trial_formats import Result, Selected, Summary
from pv.report.trials import result_line, result_text, summary_line
from pv.verdict import Verdict

if TYPE_CHECKING:
    from pv.campaign.run import Signal

SLOW = "slow falsifiers:"


class TextWriter:
    """`--format text`."""

    def __init__(self) -> None:
        self._apart = False

    def begin(self, trials: Sequence[Selected], fresh: int) -> Iterator[str]:
        """Nothing."""
        return iter(())

    def progress(self, signal: Signal) -> Iterator[str]:
        """Nothing: a terminal shows it another way, and elsewhere nobody waits."""
        return iter(())

    def finish(self, result: Result) -> Iterator[str]:
        """Its line; those of slow falsifiers come under a heading."""
        if result.trial.slow is not self._apart:
            self._apart = result.trial.slow
            yield SLOW if self._apart else "the others:"
        yield result_line(result)

    def close(self, summary: Summary) -> Iterator[str]:
        """What did not hold, in the order of the contracts; what was left out, and why; the counts."""
        for result in summary.results:
            if result.finished.outcome.verdict is not Verdict.HELD:
                yield "\n" + result_text(result)
        if summary.findings:
            yield "\n" + findings_text(summary.findings)
        yield from _left_out("not run", summary.not_run)
        yield from _left_out("not applicable", summary.not_applicable)
        yield summary_line(summary)


def _left_out(what: str, rows: Iterable[tuple[Selected, str]]) -> Iterator[str]:
    by_reason: dict[str, list[str]] = {}
    for trial, why in rows:
        by_reason.setdefault(why, []).append(trial.name)
    for why, names in by_reason.items():
        yield f"{what}: {', '.join(names)}: {why}"
