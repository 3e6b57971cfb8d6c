"""The falsification tests of a rewritten contract: each bound to the clauses it names, and none left that nothing attacks."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from pv.contract.predecessor.model import COMMAND, IF_FAILS, PREDICTION, RULE, Item
from pv.contract.predecessor.naming import free, name_for, nearest_equation, plain, remark_of, stems

if TYPE_CHECKING:
    from pv.contract.predecessor.rewrite import Rewriting

_NUMBERED = re.compile(r"(.*)-([0-9]+)")


class Clause(NamedTuple):
    """An invariant of the rewritten contract, and what the original called it."""

    equation: str
    id: str
    title: str
    formal: str
    old: str = ""

    @property
    def name(self) -> str:
        """As `binds_to` spells it."""
        return f"{self.equation}/{self.id}"


def bind_tests(work: Rewriting) -> list[Any]:
    """The tests to write: those of the original, and one for the clauses of each equation that none of them names."""
    out: list[Any] = []
    taken: list[str] = []
    for i, item in enumerate(work.contract.tests):
        id_ = _id(item.text("id"), taken)
        taken.append(id_)
        bound = _named(work, item)
        if not bound:
            name, sure = _own_clause(work, item)
            bound = [name]
            guess = "" if sure else " (it does not say which equation it is about)"
            work.notes.append(f"{id_} names no clause: bound to its own prediction, {name}{guess}")
        out.append(_test(work, item, id_, bound, i))
    attacked = {name for test in out for name in test["binds_to"]}
    for equation in work.value["equations"]:
        left = [clause.name for clause in work.clauses if clause.equation == equation and clause.name not in attacked]
        if left:
            id_ = _next_id(work, taken)
            taken.append(id_)
            out.append(_missing(equation, id_, left))
            work.notes.append(
                f"{len(left)} clauses of {equation} are named by no test: {id_} is to be written for them"
            )
    work.moved.append((("falsification_tests",), ("falsification_tests",)))
    return out


def _id(old: str, taken: list[str]) -> str:
    name = re.sub(r"[^A-Z0-9]+", "-", old.upper()).strip("-")
    name = name if name.startswith("FALSIFY-") else f"FALSIFY-{name}"
    return free(name, taken, "-", 2)


def _next_id(work: Rewriting, taken: list[str]) -> str:
    """The next number after those of the original's usual prefix."""
    split = [found for name in taken if (found := _NUMBERED.fullmatch(name))]
    if not split:
        name = re.sub(r"[^A-Z0-9]+", "-", work.contract.name.upper()).strip("-")
        return free(f"FALSIFY-{name}-001", taken, "-", 2)
    prefix = Counter(found[1] for found in split).most_common(1)[0][0]
    number = max(int(found[2]) for found in split if found[1] == prefix) + 1
    return free(f"{prefix}-{number:03}", taken, "-", 2)


def _test(work: Rewriting, item: Item, id_: str, bound: list[str], index: int) -> dict[str, Any]:
    from pv.contract.predecessor.rewrite import NOT_STATED, test_extras

    at = ("falsification_tests", index)
    body: dict[str, Any] = {
        "id": id_,
        "binds_to": bound,
        "rule": item.text(*RULE),
        "prediction": item.text(*PREDICTION),
        "if_fails": (item.text(*IF_FAILS).strip() and item.text(*IF_FAILS)) or NOT_STATED,
    }
    work.moved.append((item.at, at))
    for names, key in ((RULE, "rule"), (PREDICTION, "prediction"), (IF_FAILS, "if_fails"), (("id",), "id")):
        work.moved += [((*item.at, name), (*at, key)) for name in names if name in item.body]
    for key, value in test_extras(item):
        name = key if key.startswith("x-") else f"x-{key}"
        body[name] = value
        source = next((old for old in (key, *COMMAND) if old in item.body), key)
        work.moved.append(((*item.at, source), (*at, name)))
        if key not in ("test", "test_harness", "name") and not key.startswith("x-"):
            work.notes.append(f"{id_}: {key} has no counterpart, carried as {name}")
    return body


def _named(work: Rewriting, item: Item) -> list[str]:
    """The clauses that the test names, all of one equation; none when it names none, or cannot be told which."""
    listed = item.body.get("binds_to")
    known = {name: clause for clause in work.clauses for name in (clause.name, clause.old) if name}
    if isinstance(listed, list) and listed and all(name in known for name in map(str, listed)):
        chosen = [known[str(name)] for name in listed]
        return _of_one_equation(chosen)
    said = " ".join((item.text(*RULE), item.text(*PREDICTION), item.text(*COMMAND)))
    by_id = [clause for clause in work.clauses if clause.old and re.search(rf"\b{re.escape(clause.old)}\b", said)]
    rule, prediction = plain(item.text(*RULE)), plain(item.text(*PREDICTION))
    same = [
        clause
        for clause in work.clauses
        if rule in (plain(clause.title), plain(remark_of(clause.title)))
        or prediction in (plain(clause.formal), plain(clause.title))
    ]
    return _of_one_equation(by_id) or _of_one_equation(same) or _of_one_equation(_alike(work, item), alone=True)


def _alike(work: Rewriting, item: Item) -> list[Clause]:
    """The clauses whose title has all words of the rule, or the other way round."""
    rule = stems(item.text(*RULE))
    titles = [(clause, stems(remark_of(clause.title) or clause.title)) for clause in work.clauses]
    return [
        clause for clause, title in titles if rule and title and (rule <= title or (title <= rule and len(title) > 1))
    ]


def _of_one_equation(clauses: list[Clause], *, alone: bool = False) -> list[str]:
    if len({clause.equation for clause in clauses}) != 1 or (alone and len(clauses) != 1):
        return []
    return list(dict.fromkeys(clause.name for clause in clauses))


def _own_clause(work: Rewriting, item: Item) -> tuple[str, bool]:
    """A clause that states the test's prediction, under the equation it speaks of; its name, and whether that is told."""
    known = [
        (name, body["formula"], [row["statement"] for row in body["invariants"]])
        for name, body in work.value["equations"].items()
    ]
    index, sure = nearest_equation(f"{item.text(*RULE)} {item.text(*PREDICTION)}", known)
    equation = known[index][0]
    rows = work.value["equations"][equation]["invariants"]
    id_ = name_for(item.text(*RULE), {row["id"] for row in rows})
    rows.append({"id": id_, "statement": item.text(*PREDICTION), "holds": "real"})
    clause = Clause(equation, id_, item.text(*RULE), item.text(*PREDICTION))
    work.clauses.append(clause)
    return clause.name, sure


def _missing(equation: str, id_: str, left: list[str]) -> dict[str, Any]:
    return {
        "id": id_,
        "binds_to": left,
        "rule": f"The clauses of {equation} that no test of the original names",
        "prediction": "For every case drawn from the domain each clause in binds_to holds",
        "if_fails": "The clause that the counterexample violates is false of the code",
        "x-origin": "pv import: the original attacks these clauses with no test; no falsifier exists yet",
    }
