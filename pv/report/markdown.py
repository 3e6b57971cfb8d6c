"""Levels as a comment on a pull request: what changed first, then the totals, and the whole table folded away.

Ids, paths and names come from the branch under review: each is shown as code, in which neither HTML nor a link nor a mention
means anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pv.assess.levels import Assessment
from pv.assess.policy import Scope
from pv.assess.since import Turn
from pv.report.plain import plural
from pv.report.since import Since, by, counts_text, why
from pv.report.status import counts_text as totals_text
from pv.report.status import freshness, summary_counts, vectors

_SIGNS = {Turn.FELL: "⬇", Turn.STALE: "⏳", Turn.WENT: "✖", Turn.CAME: "✚", Turn.ROSE: "⬆"}


def status_markdown(rows: Sequence[Assessment], notes: Iterable[str], since: Since | None, scope: Scope) -> str:
    """The comment; `notes` are lines for people that stand below the totals."""
    parts = [] if since is None else _changed(since, scope)
    parts += ["\n".join(f"- {code(name)}: {vector}" for name, vector in vectors(rows).items())]
    parts += [totals_text(summary_counts(rows))]
    parts += ["\n".join(f"- {code(note)}" for note in notes)]
    parts += _folded(rows, scope)
    return "\n\n".join(part for part in parts if part) + "\n"


def code(text: str) -> str:
    """`text` as code in a cell of a table or elsewhere: on one line, its own back quotes and bars made harmless."""
    plain = " ".join(text.split()).replace("`", "'").replace("|", "\\|")
    return f"`{plain}`" if plain else ""


def _changed(since: Since, scope: Scope) -> list[str]:
    heading = f"### pv: {counts_text(since.told)} since {code(since.reference)}"
    if not since.told:
        return [heading]
    lines = [_row("", "test", "subject", "was", "now", "why"), _row(*["---"] * 6)]
    for told in since.told:
        row, turn = told.change.row, told.change.turn
        because = "; ".join(part for part in (why(told.change, scope), by(told)) if part)
        what = f"{row.equation}, {row.subject}"
        lines.append(
            _row(f"{_SIGNS[turn]} {turn.value}", code(row.test), code(what), told.was, told.now, code(because))
        )
    return [heading, "\n".join(lines)]


def _folded(rows: Sequence[Assessment], scope: Scope) -> list[str]:
    if not rows:
        return []
    lines = [_row("contract", "test", "subject", "level", "freshness"), _row(*["---"] * 5)]
    for row in rows:
        what = code(f"{row.equation}, {row.subject}")
        lines.append(_row(code(row.contract), code(row.test), what, row.level.short, code(freshness(row, scope))))
    table = "\n".join(lines)
    return [f"<details><summary>{plural(len(rows), 'row')}: every test on every subject</summary>", table, "</details>"]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
