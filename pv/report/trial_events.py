"""A campaign for programs: one JSON document at its end, or an event a line while it goes (schemas/falsify-events-v1.json)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pv.report.plain import finding_value, json_text
from pv.report.trial_formats import Result, Selected, Summary

if TYPE_CHECKING:
    from pv.campaign.run import Signal
    from pv.falsify.work import Work

SCHEMA = "pv/falsify-events-v1"


def campaign_json(summary: Summary) -> str:
    """`--format json`: the receipts, what was left out, and the findings."""
    return json_text(
        {**_counts(summary), "receipts": [row.finished.receipt for row in summary.results], **_rest(summary)}
    )


class EventWriter:
    """`--format ndjson`: started, progress and finished as they happen, and summary last."""

    def begin(self, trials: Sequence[Selected], fresh: int) -> Iterator[str]:
        """What is going to be run, under the name of the schema of all these lines."""
        rows = [{**_trial(trial.work), "slow": trial.slow} for trial in trials]
        yield _line("started", {"schema": SCHEMA, "trials": rows, "fresh": fresh})

    def progress(self, signal: Signal) -> Iterator[str]:
        """How many cases a trial has judged so far, in which stage."""
        yield _line("progress", {**_trial(signal.work), "stage": signal.doing, "cases": signal.cases})

    def finish(self, result: Result) -> Iterator[str]:
        """The receipt, where it and the case are kept, and what was printed."""
        receipt = result.finished.receipt
        kept = {"receipt": receipt, "receipt_file": result.receipt, "case_file": result.case}
        value = {**_trial(result.trial.work), "verdict": receipt["verdict"], **kept, "printed": result.finished.printed}
        yield _line("finished", value)

    def close(self, summary: Summary) -> Iterator[str]:
        """The counts, what was left out, and the findings."""
        yield _line("summary", {**_counts(summary), "verdicts": _verdicts(summary), **_rest(summary)})


def _line(event: str, value: Mapping[str, Any]) -> str:
    return json.dumps({"event": event, **value}, ensure_ascii=False, separators=(",", ":"))


def _trial(work: Work) -> dict[str, Any]:
    return {"contract": work.contract.name, "test": work.test.id, "subject": work.binding.name, "kind": work.kind.value}


def _counts(summary: Summary) -> dict[str, int]:
    return {"fresh": summary.fresh, "selected": len(summary.results) + len(summary.not_run)}


def _verdicts(summary: Summary) -> list[dict[str, Any]]:
    """The last word on each trial: a campaign of several rounds has told of it more than once."""
    return [{**_trial(row.trial.work), "verdict": row.finished.receipt["verdict"]} for row in summary.results]


def _rest(summary: Summary) -> dict[str, Any]:
    return {
        "not_run": _reasons(summary.not_run),
        "not_applicable": _reasons(summary.not_applicable),
        "findings": [finding_value(finding) for finding in summary.findings],
    }


def _reasons(rows: Iterable[tuple[Selected, str]]) -> list[dict[str, Any]]:
    return [{**_trial(trial.work), "reason": why} for trial, why in rows]
