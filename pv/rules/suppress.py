"""PV190, PV191: findings that a contract's author has answered in place, `# pv: ignore[PV203] reason`; PV192 in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

from pv.contract.document import split_lines
from pv.contract.quote import nearest, shorten
from pv.finding import Finding, Place, Severity
from pv.rules.config import UNANSWERABLE
from pv.rules.registry import explained

MARK = b"pv:"
_IGNORE = re.compile(r"(?:^|(?<=[ \t]))#[ \t]*pv:[ \t]*ignore\b[ \t]*(?:\[(?P<codes>[^\]]*)\])?(?P<reason>.*)")

explained(
    "PV190",
    """A `# pv: ignore[…]` matches nothing.

    What it answered was mended, or moved: left behind, it would hide the next finding of this kind unseen. It speaks of
    its own line or, alone on a line, of the next one.

        FAIL    version: "1.0.0"  # pv: ignore[PV203] measured on paper      PV203 finds nothing in this line
        PASS    version: "1.0.0"
    """,
    Severity.WARNING,
)
explained(
    "PV191",
    """A `# pv: ignore` does not say what it ignores, or why, or must not ignore it.

    It hides nothing until it names rules by their codes and gives a reason. What is wrong with a document itself (PV1xx)
    cannot be ignored: nothing of the file was judged.

        FAIL    holds: bounded  # pv: ignore
        PASS    holds: bounded  # pv: ignore[PV203] integers only; the dtype list is being widened
    """,
)
explained(
    "PV192",
    """A baseline lists findings that are no longer there.

    A baseline keeps known findings of an old project quiet, and only shrinks. An entry that stays after its finding was
    mended would hide the same finding when it comes back.

        FAIL    baseline.json lists PV205 of softmax-v1.yaml, and its prediction was written anew
        PASS    pv validate --baseline baseline.json --update-baseline
    """,
)


class Ignore(NamedTuple):
    """One comment: where it stands, the line it speaks of, the codes it names, and why."""

    place: Place
    line: int
    codes: tuple[str, ...]
    reason: str


def read_ignores(data: bytes, shown: str) -> tuple[Ignore, ...]:
    """The `# pv: ignore` comments of a YAML file; what stands inside a scalar is text and no comment."""
    if MARK not in data:
        return ()
    lines = split_lines(data.decode("utf-8", "replace").removeprefix("\ufeff"))
    found = [(number, match) for number, line in enumerate(lines, 1) if (match := _IGNORE.search(line))]
    inside = _scalars(data) if found else ()
    found = [pair for pair in found if not any(a <= (pair[0], pair[1].start() + 1) < b for a, b in inside)]
    alone = {number for number, match in found if not lines[number - 1][: match.start()].strip()}
    ignores = []
    for number, match in found:
        line = number
        while line in alone:
            line += 1
        codes = tuple(code.strip().upper() for code in (match["codes"] or "").split(",") if code.strip())
        ignores.append(Ignore(Place(shown, number, match.start() + 1), line, codes, match["reason"].strip()))
    return tuple(ignores)


def _scalars(data: bytes) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Where each scalar that may hold a `#` begins and ends, lines and columns from 1; as far as the text parses."""
    import yaml  # few files have such a comment

    spans = []
    try:
        for event in yaml.parse(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(event, yaml.ScalarEvent) and "#" in event.value:
                start, end = cast(Any, event.start_mark), cast(Any, event.end_mark)  # the stubs admit None
                spans.append(((start.line + 1, start.column + 1), (end.line + 1, end.column + 1)))
    except yaml.YAMLError:
        pass  # the reader has said so
    return spans


def answered(
    findings: Iterable[Finding], ignores: Mapping[str, Sequence[Ignore]]
) -> tuple[list[Finding], frozenset[Ignore]]:
    """The findings that no comment in their file answers, and the comments that answer one."""
    by_line = {
        (path, ignore.line, code): ignore
        for path, listed in ignores.items()
        for ignore in listed
        if ignore.reason
        for code in ignore.codes
        if not code.startswith(UNANSWERABLE)
    }
    kept, used = [], []
    for finding in findings:
        ignore = by_line.get((finding.place.path, finding.place.line, finding.code))
        if ignore is None:
            kept.append(finding)
        else:
            used.append(ignore)
    return kept, frozenset(used)


def idle(
    ignores: Iterable[Ignore],
    used: Collection[Ignore],
    codes: Collection[str],
    was_judged: Callable[[str], bool],
) -> Iterator[Finding]:
    """PV190 and PV191: comments that do nothing. `was_judged` says whether the rule of a code could have found anything."""
    for ignore in ignores:
        problem, hint = _problem(ignore, codes)
        if problem:
            yield Finding("PV191", Severity.ERROR, ignore.place, problem, hint)
        elif ignore not in used and all(map(was_judged, ignore.codes)):
            seen = f"ignore[{', '.join(ignore.codes)}] matches nothing in line {ignore.line}"
            yield Finding("PV190", Severity.WARNING, ignore.place, seen, "remove the comment")


def _problem(ignore: Ignore, codes: Collection[str]) -> tuple[str, str]:
    form = "# pv: ignore[PV203] reason"
    if not ignore.codes:
        return "ignore names no rule", f"write {form}"
    for code in ignore.codes:
        if code not in codes:
            return f"ignore[{shorten(code)[1:-1]}]: there is no such rule", nearest(code, sorted(codes))
        if code.startswith(UNANSWERABLE):
            seen = f"ignore[{code}]: what is wrong with a document itself, or promised above its support, cannot be ignored"
            return seen, "mend the document; earn the level or lower the promise"
    return ("", "") if ignore.reason else (f"ignore[{', '.join(ignore.codes)}] gives no reason", f"write {form}")
