"""The comment on a pull request: rendered by a Markdown reader, nothing of the branch becomes HTML, a link or a row."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from receipts import receipt

from pv.assess.freshness import Cause
from pv.assess.levels import Assessment
from pv.assess.policy import Scope
from pv.assess.since import Change, Turn
from pv.level import Level
from pv.report.markdown import code, status_markdown
from pv.report.since import Since, Told

PARTIAL = Level.PARTIAL_ALGORITHM_LEVEL
HOSTILE = "x` <img src=x onerror=alert(1)> | [a](http://b) @everyone\n</details>\n# heading `"


def row(test: str = "FALSIFY-D-001", level: Level = PARTIAL, *stale: Cause, subject: str = "plain") -> Assessment:
    return Assessment("double-v1", test, "double", subject, level, PARTIAL, stale, receipt("a" * 64), ())


def rendered(text: str) -> str:
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(text)


def test_what_changed_stands_first_then_the_totals_then_the_whole_table() -> None:
    stale = row("FALSIFY-D-002", Level.NO_EVIDENCE, Cause("subject", "kernels/double.py: double", "changed"))
    told = Told(Change(Turn.STALE, stale, PARTIAL), (("kernels/double.py", "Ann"),))
    text = status_markdown([row(), stale], ["policy cases = 5"], Since("origin/main", (told,)), Scope())
    assert text.splitlines()[:5] == [
        "### pv: 1 went stale since `origin/main`",
        "",
        "|  | test | subject | was | now | why |",
        "| --- | --- | --- | --- | --- | --- |",
        (
            "| ⏳ went stale | `FALSIFY-D-002` | `double, plain` | PARTIAL | NO EVIDENCE | `stale (was PARTIAL): "
            "subject changed (kernels/double.py: double); by Ann (kernels/double.py)` |"
        ),
    ]
    order = [text.index(part) for part in ("was | now", "- `double-v1`: PARTIAL 1", "2 tests selected", "<details>")]
    assert order == sorted(order)
    assert "- `policy cases = 5`" in text
    html = rendered(text)
    assert (html.count("<table>"), html.count("<tr>"), html.count("</details>")) == (2, 2 + 3, 1)


def test_nothing_of_a_branch_becomes_markup() -> None:
    hostile = row(HOSTILE, Level.NO_EVIDENCE, Cause("subject", HOSTILE, "changed"), subject=HOSTILE)
    told = Told(Change(Turn.STALE, hostile, PARTIAL), ((HOSTILE, HOSTILE),))
    plain = rendered(status_markdown([row(level=Level.NO_EVIDENCE)], ["n"], Since("r", (Told(told.change),)), Scope()))
    html = rendered(status_markdown([hostile], [HOSTILE], Since(HOSTILE, (told,)), Scope()))
    tags = r"<(/?[a-z0-9]+)"
    assert set(re.findall(tags, html)) <= set(re.findall(tags, plain)) | {"code", "/code"}
    assert (html.count("<tr>"), html.count("<h1"), html.count("<td")) == (2 + 2, 0, 6 + 5)
    outside = re.sub(r"<code>.*?</code>", "", html)
    assert "@everyone" not in outside
    assert "onerror" not in outside


def test_without_a_reference_there_are_totals_and_the_table() -> None:
    assert status_markdown([row()], [], None, Scope()).startswith("- `double-v1`: PARTIAL 1\n\n1 test selected")
    assert "no level changed since `main`" in status_markdown([row()], [], Since("main", ()), Scope())


def test_code_is_one_line_without_its_own_marks() -> None:
    assert code("a|b `c`\nd") == "`a\\|b 'c' d`"
    assert code(" ") == ""
