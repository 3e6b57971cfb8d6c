"""One file of the ledger in full, for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pv.report.plain import plural


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A receipt, promotion, retraction, waiver or release: `value` is its JSON.

    `today` says what it comes to now, a line each; `cited` are the files that name it.
    """

    path: str
    value: Mapping[str, Any]
    today: tuple[str, ...]
    cited: tuple[str, ...]

    @property
    def sort(self) -> str:
        """`receipt`, `promotion`, …"""
        return str(self.value["format"]).removeprefix("pv/").rpartition("-")[0]


def record_text(record: Record) -> str:
    """What `pv show DIGEST` prints."""
    lines = [f"{record.sort}  {record.path}", *_SAYS[record.sort](record.value)]
    lines += [_line("today", row) for row in record.today]
    lines += [_line("cited by", path) for path in record.cited] or [_line("cited by", "nothing")]
    return "\n".join(lines)


def record_value(record: Record) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "path": record.path,
        "sort": record.sort,
        "today": list(record.today),
        "cited_by": list(record.cited),
        "value": record.value,
    }


def _receipt(value: Mapping[str, Any]) -> Iterable[str]:
    test, subject, cases = value["test"], value["subject"], value["cases"]
    yield _line(
        "about", f"{test['id']} of {test['contract']}: {subject['equation']}, {subject['name']} ({subject['target']})"
    )
    reason = f": {value['reason']}" if value["reason"] else ""
    yield _line("verdict", f"{value['verdict'].replace('_', ' ')}, of the kind {value['kind']}{reason}")
    yield _line("made by", _pairs(value["tool"]))
    yield _line("scope", _pairs({key: ", ".join(values) for key, values in value["scope"].items() if values}))
    counts = f"{plural(cases['valid'], 'case')} of {cases['requested']:,} asked for, seed {cases['seed']}"
    yield _line("cases", f"{counts}, {plural(value['checks'], 'check')}, digest {cases['digest'][:12]}…")
    for row in cases["strata"]:
        yield _line("stratum", f"{row['name']} {row['distinct']:,}{' (all there are)' if row['exhausted'] else ''}")
    for row in value["residuals"]:
        residual, bound = float.fromhex(row["residual"]), float.fromhex(row["bound"])
        yield _line("residual", f"{row['invariant']} {row['dtype']}: {residual:.3g} of {bound:.3g}")
    for row in value["teeth"]:
        caught = "caught" if row["caught"] else "not caught"
        yield _line("fault", f"{row['invariant']}: {row['fault']} {caught} under {plural(row['seeds'], 'seed')}")
    if value.get("mutants"):
        mutants = value["mutants"]
        yield _line(
            "mutants", f"{mutants['tried']} tried, {mutants['past']} past the smoke check, killed: {mutants['killed']}"
        )
    if value["counterexample"]:
        found = value["counterexample"]
        yield _line("broken", f"{found['invariant']}: observed {found['observed']}, expected {found['expected']}")
    for cause, parts in value["depends"].items():
        for part in parts:
            what = ": ".join(text for text in (part["path"], part["name"]) if text)
            yield _line(cause, f"{what}  {part['digest'][:12]}…")


def _promotion(value: Mapping[str, Any]) -> Iterable[str]:
    yield _line("promises", f"{value['level']} of {value['contract']}")
    yield from _tests(value)


def _retraction(value: Mapping[str, Any]) -> Iterable[str]:
    tests = ", ".join(value["tests"]) or "all of it"
    yield _line("takes back", f"{tests} of the promotion {value['target'][:12]}… of {value['contract']}")
    yield _line("reason", value["reason"])


def _waiver(value: Mapping[str, Any]) -> Iterable[str]:
    yield _line("excuses", f"until {value['until']}, of the promotion {value['target'][:12]}… of {value['contract']}")
    yield _line("reason", value["reason"])
    for row in value["tests"]:
        causes = "; ".join(row["causes"]) or "no cause"
        yield _line("test", f"{row['id']} ({row['equation']}, {row['subject']}) at {row['level']}: {causes}")


def _release(value: Mapping[str, Any]) -> Iterable[str]:
    after = f", after {value['previous']}" if value["previous"] else ", the first"
    yield _line("releases", f"{value['contract']} {value['version']}{after}")
    for name, digest in value["clauses"].items():
        yield _line("clause", f"{name}  {digest[:12]}…")
    yield from _tests(value)


def _tests(value: Mapping[str, Any]) -> Iterable[str]:
    for row in value["tests"]:
        level = f" at {row['level']}" if "level" in row else ""
        names = ", ".join(f"{name[:12]}…" for name in row["receipts"])
        yield _line("test", f"{row['id']} ({row['equation']}, {row['subject']}){level} on {names}")


_SAYS = {
    "receipt": _receipt,
    "promotion": _promotion,
    "retraction": _retraction,
    "waiver": _waiver,
    "release": _release,
}


def _line(name: str, text: object) -> str:
    return f"  {name:<10} {text}"


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items()) or "not recorded"
