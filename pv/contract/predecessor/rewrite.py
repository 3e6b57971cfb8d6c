"""A contract of the predecessor rewritten as ours: the value to write, what moved where, and what could not be carried."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pv.contract.predecessor.bind import Clause, bind_tests
from pv.contract.predecessor.model import COMMAND, FORMAL, PROPERTY, Item, Pointer, PredecessorContract
from pv.contract.predecessor.naming import free, name_for, nearest_equation
from pv.contract.read import CONTRACT
from pv.version import read_version

NOT_STATED = "not stated"
_STEM = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*-v[0-9]+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EXACT = re.compile(r"\bexact(?:ly)?\b|\bbit.?(?:wise|identical)\b|\bidentical bits\b", re.IGNORECASE)
_DTYPES = {"f16": "float16", "bf16": "bfloat16", "f32": "float32", "f64": "float64"}
_DTYPE = re.compile(r"\b(?:(b?f)(?:loat)?(16|32|64))\b", re.IGNORECASE)


@dataclass(slots=True)
class Rewriting:
    """A rewriting under way. `moved` says for what stood at a pointer where it stands now; `notes` is for the reader."""

    contract: PredecessorContract
    source: Mapping[str, Any]
    value: dict[str, Any] = field(default_factory=dict)
    moved: list[tuple[Pointer, Pointer]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    clauses: list[Clause] = field(default_factory=list)


def rewrite(contract: PredecessorContract, source: Mapping[str, Any]) -> Rewriting:
    """`contract`, whose document holds `source`, as a value that satisfies our own schema.

    It must have an equation. Nothing is made up: what the original leaves open is left out, or says that it is not stated.
    """
    work = Rewriting(contract, source)
    work.value["schema"] = CONTRACT
    work.value["metadata"] = _metadata(work)
    work.value["equations"] = _equations(work)
    _obligations(work)
    work.value["falsification_tests"] = bind_tests(work)
    carried = {"metadata", "equations", "proof_obligations", "falsification_tests"}
    for key, body in source.items():
        if key not in carried:
            _carry(work, work.value, (), key, body, ())
    rest = [key for key in source if key not in carried]
    if rest:
        work.notes.append(f"carried as they were, under x-, and read by nothing: {', '.join(rest)}")
    return work


def _carry(work: Rewriting, into: dict[str, Any], at: Pointer, key: str, body: Any, out: Pointer) -> None:
    """Keep what has no place in our format as a free key."""
    name = key if key.startswith("x-") else free(f"x-{key}", into.keys(), "-")
    into[name] = body
    work.moved.append(((*at, key), (*out, name)))


def _metadata(work: Rewriting) -> dict[str, Any]:
    source: Mapping[str, Any] = work.source["metadata"]
    out: dict[str, Any] = {}
    fits: dict[str, Callable[[Any], bool]] = {
        "version": _is_text,
        "description": _is_text,
        "author": _is_text,
        "created": lambda value: isinstance(value, str) and bool(_DATE.fullmatch(value)),
        "references": lambda value: bool(value) and all(value),
        "depends_on": lambda value: len(set(value)) == len(value) and all(map(_STEM.fullmatch, value)),
    }
    for key, value in source.items():
        if key in fits and fits[key](value):
            out[key] = value
            work.moved.append((("metadata", key), ("metadata", key)))
        elif value is not None:
            _carry(work, out, ("metadata",), key, value, ("metadata",))
            work.notes.append(f"metadata.{key} has no counterpart: carried as x-{key}")
    work.moved.append((("metadata",), ("metadata",)))
    if read_version(work.contract.version) is None:
        work.notes.append(f"version {work.contract.version!r} is kept, and is not semver")
    return out


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _equations(work: Rewriting) -> dict[str, Any]:
    out: dict[str, Any] = {}
    bare = []
    for old, item in work.contract.equations.items():
        name = free(re.sub(r"\W", "_", old, flags=re.ASCII), out.keys(), "_")
        name = name if not name[:1].isdigit() else f"equation_{name}"
        at = ("equations", name)
        body: dict[str, Any] = {key: item.text(key) or NOT_STATED for key in ("formula", "domain", "codomain")}
        bare += [f"{key} of {name}" for key in body if not item.text(key).strip()]
        body = {key: value if value.strip() else NOT_STATED for key, value in body.items()}
        work.moved += [(item.at, at), *(((*item.at, key), (*at, key)) for key in body)]
        body["invariants"] = _invariants(work, item, name)
        work.moved.append(((*item.at, "invariants"), (*at, "invariants")))
        for key, value in item.body.items():
            if key not in body and key != "id" and value is not None:
                _carry(work, body, item.at, key, value, at)
        out[name] = body
    work.moved.append((("equations",), ("equations",)))
    if bare:
        work.notes.append(f"not stated in the original, and said so: {', '.join(bare)}")
    work.notes.append("arguments and returns are not stated in structure: write them, or no case can be drawn")
    return out


def _invariants(work: Rewriting, item: Item, equation: str) -> list[Any]:
    out: list[Any] = []
    taken: set[str] = set()
    for i, statement in enumerate(item.body.get("invariants", ())):
        if statement.strip():
            id_ = name_for(statement, taken)
            taken.add(id_)
            work.moved.append(((*item.at, "invariants", i), ("equations", equation, "invariants", len(out))))
            work.clauses.append(Clause(equation, id_, statement, ""))
            out.append({"id": id_, "statement": statement, "holds": "exact" if _EXACT.search(statement) else "real"})
    return out


def _obligations(work: Rewriting) -> None:
    """Each becomes an invariant of the equation it speaks of."""
    names = list(work.value["equations"])
    known = [
        (name, body["formula"], [row["statement"] for row in body["invariants"]])
        for name, body in work.value["equations"].items()
    ]
    old_names = dict(zip(work.contract.equations, names, strict=True))
    guessed = []
    for item in work.contract.obligations:
        said = f"{item.text(*PROPERTY)} {item.text(*FORMAL)}"
        index, sure = nearest_equation(said, known)
        name = old_names.get(item.text("applies_to"), names[index])
        id_ = _place(work, item, name)
        if not sure and item.text("applies_to") not in old_names:
            guessed.append(f"{name}/{id_}")
    if guessed:
        work.notes.append(f"obligations that do not say which equation they are about: placed as {', '.join(guessed)}")
    for name, body in work.value["equations"].items():
        if not body["invariants"]:
            statement = f"its values are those of the formula: {body['formula']}"
            body["invariants"].append({"id": "formula", "statement": statement, "holds": "real"})
            work.clauses.append(Clause(name, "formula", statement, ""))
            work.notes.append(f"{name} had no invariant: its formula was made one, {name}/formula")


def _place(work: Rewriting, item: Item, equation: str) -> str:
    """Add the obligation to the invariants of `equation`; its id there."""
    rows = work.value["equations"][equation]["invariants"]
    at = ("equations", equation, "invariants", len(rows))
    taken = {row["id"] for row in rows}
    own = re.sub(r"\W", "_", item.text("id"), flags=re.ASCII)
    named = own and not own[0].isdigit()
    id_ = free(own, taken, "_") if named else name_for(item.text(*PROPERTY), taken)
    statement = ": ".join(part for part in (item.text(*PROPERTY), item.text(*FORMAL)) if part)
    body: dict[str, Any] = {"id": id_, "statement": statement, "holds": "real"}
    body.update(_closeness(item, statement))
    work.moved.append((item.at, at))
    work.moved += [((*item.at, key), (*at, "statement")) for key in (*PROPERTY, *FORMAL) if key in item.body]
    for key, value in item.body.items():
        usual = (key, value) in (("type", "invariant"), ("applies_to", "all"), ("applies_to", equation))
        if key not in ("id", "tolerance", *PROPERTY, *FORMAL) and not usual and value is not None:
            _carry(work, body, item.at, key, value, at)
    if "x-tolerance" in body:
        work.moved.append(((*item.at, "tolerance"), (*at, "x-tolerance")))
        work.notes.append(f"{equation}/{id_}: tolerance {item.tolerance} names no dtype, carried as x-tolerance")
    rows.append(body)
    work.clauses.append(Clause(equation, id_, item.text(*PROPERTY), item.text(*FORMAL), item.text("id")))
    return id_


def _closeness(item: Item, statement: str) -> dict[str, Any]:
    """In what sense the obligation holds of floats: only what it says itself."""
    tolerance = item.tolerance
    dtype = _DTYPE.search(statement)
    if tolerance is None:
        return {"holds": "exact"} if _EXACT.search(statement) else {}
    if not tolerance:
        return {"holds": "exact"}
    if dtype and "ulp" not in statement.lower():
        return {"holds": "bounded", "tolerance": {_DTYPES[f"{dtype[1]}{dtype[2]}".lower()]: tolerance}}
    return {"holds": "bounded", "x-tolerance": tolerance}


def test_extras(item: Item) -> Iterator[tuple[str, Any]]:
    """What a falsification test says that ours has no key for."""
    command = next((name for name in COMMAND if item.body.get(name)), "")
    for key, value in item.body.items():
        if key == command:
            yield "test", value
        elif (
            key not in ("id", "rule", "description", "prediction", "expected", "if_fails", "fails_if")
            and value is not None
        ):
            yield key, value
