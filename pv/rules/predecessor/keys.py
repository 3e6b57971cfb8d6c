"""PV110, PV211, PV216: keys that the dialect drops in silence, and keys that have no meaning where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

from pv.contract.predecessor.model import ALIASES, Item, Pointer
from pv.contract.schema import load_schema
from pv.finding import Severity
from pv.rules.predecessor.judged import JudgedPredecessor, also, predecessor_rule, spoken_once
from pv.rules.registry import Report

_NEAR = 0.87
"""Share of letters in common that makes a typing error of a key; `kernel` and `kernel_structure` share 0.55."""

_LOST = {
    "falsification": "falsification_tests",
    "falsifiers": "falsification_tests",
    "obligations": "proof_obligations",
}
"""Spellings that hundreds of real contracts had, and whose whole lists were dropped."""


@also("PV110")
def keys_are_spelt_right(judged: JudgedPredecessor) -> Iterator[Report]:
    """Where a key that is not known is nearly one that is, or belongs into the metadata."""
    for at, known in _unknown(judged):
        key = str(at[-1])
        if meant := _meant(key, known, top=len(at) == 1):
            where = "/".join(map(str, at[:-1])) or "the file"
            yield (
                judged.key_at(at),
                f"unknown key {key!r} in {where}",
                f"did you mean {meant!r}? It is dropped as it is",
            )


@predecessor_rule("PV211", Severity.WARNING)
def keys_are_read(judged: JudgedPredecessor) -> Iterator[Report]:
    """Keys that nothing reads.

    The dialect is open: its reader drops what it does not know and says nothing, so what stands there binds nobody.
    Spoken once per contract. Keys that begin with `x-` say of themselves that they are free.

        FAIL    qa_owner: the kernels team
        PASS    x-qa-owner: the kernels team
    """
    unread = [at for at, known in _unknown(judged) if not _meant(str(at[-1]), known, top=len(at) == 1)]
    if unread:
        places = (("/".join(map(str, at)), judged.key_at(at)) for at in unread)
        total = sum(len(body) for body in _bodies(judged))
        yield from spoken_once(places, total, "keys are read by nothing", "name it x-…, or put it where it is read")


@lru_cache(maxsize=1024)
def _meant(key: str, known: frozenset[str], *, top: bool) -> str | None:
    """The known key that `key` is a misspelling of."""
    if top and key == "kind":
        return "metadata: {kind: …}"
    if top and key in _LOST:
        return _LOST[key]
    from difflib import SequenceMatcher

    plain = _plain(key)
    for name in sorted(known):
        near = abs(len(key) - len(name)) < 4 and SequenceMatcher(None, key, name).ratio() >= _NEAR
        if near or plain == _plain(name):
            return name
    return None


def _plain(key: str) -> str:
    """A key without case, separators and plural: what the predecessor's own check compares."""
    return key.lower().replace("_", "").replace("-", "").removesuffix("s").removesuffix("e")


def _unknown(judged: JudgedPredecessor) -> Iterator[tuple[Pointer, frozenset[str]]]:
    """Every key that the schema does not name, and those it names there."""
    known = _known()
    value, contract = judged.document.value, judged.contract
    yield from _strange((), value, known["contract"])
    yield from _strange(("metadata",), value["metadata"], known["metadata"])
    yield from _strange(("qa_gate",), contract.gate.body, known["qa_gate"])
    yield from _strange(("verification_summary",), value.get("verification_summary", {}), known["verification_summary"])
    for name, items in _groups(judged):
        names = known[name]
        for item in items:
            if not names.issuperset(item.body):
                yield from _strange(item.at, item.body, names)


def _groups(judged: JudgedPredecessor) -> tuple[tuple[str, tuple[Item, ...]], ...]:
    contract = judged.contract
    return (
        ("equation", tuple(contract.equations.values())),
        ("obligation", contract.obligations),
        ("test", contract.tests),
        ("harness", contract.harnesses),
        ("enforcement", contract.enforcement),
    )


def _bodies(judged: JudgedPredecessor) -> Iterator[Mapping[str, Any]]:
    value = judged.document.value
    yield from (value, value["metadata"], judged.contract.gate.body, value.get("verification_summary", {}))
    yield from (item.body for _, items in _groups(judged) for item in items)


def _strange(at: Pointer, body: Mapping[str, Any], known: frozenset[str]) -> Iterator[tuple[Pointer, frozenset[str]]]:
    if not body.keys() <= known:
        yield from (((*at, key), known) for key in body if key not in known and not key.startswith("x-"))


@cache
def _known() -> dict[str, frozenset[str]]:
    """The keys of each mapping, from the schema, which alone says what is read."""
    schema = load_schema("pv/predecessor-contract-v1")
    top = schema["properties"]
    bodies = {"contract": schema, **schema["$defs"]}
    bodies.update({name: top[name] for name in ("metadata", "qa_gate", "verification_summary")})
    return {name: frozenset(body["properties"]) for name, body in bodies.items()}


_TIED = frozenset(("requires", "applies_to_phase", "parent_contract", "na_reason", "na_owner"))
_SECOND = frozenset(second for pairs in ALIASES.values() for _, second in pairs)


@predecessor_rule("PV216")
def keys_have_a_meaning_where_they_stand(judged: JudgedPredecessor) -> Iterator[Report]:
    """A key of an obligation has no meaning beside its `type` or `applies_to`, or stands there under two names.

    `requires` belongs to a postcondition, `applies_to_phase` to a loop obligation, `parent_contract` to a subcontract;
    `na_reason` and `na_owner` belong to `applies_to: not_applicable`, which in turn needs both. Of `property` and
    `statement`, `test` and `command` and so on one is dropped.

        FAIL    {type: invariant, requires: SM-PRE-001}
        PASS    {type: postcondition, requires: SM-PRE-001}
    """
    for item in judged.contract.obligations:
        body = item.body
        if _TIED.isdisjoint(body) and body.get("applies_to") != "not_applicable":
            continue
        kind = str(body.get("type", "invariant"))
        for key, fits in (
            ("requires", kind == "postcondition"),
            ("applies_to_phase", kind.startswith("loop_")),
            ("parent_contract", kind == "subcontract"),
            ("na_reason", body.get("applies_to") == "not_applicable"),
            ("na_owner", body.get("applies_to") == "not_applicable"),
        ):
            if body.get(key) and not fits:
                seen = f"{key!r} has no meaning on an obligation of type {kind!r} that applies to {body.get('applies_to')!r}"
                yield judged.key_at((*item.at, key)), seen, "remove it, or correct what stands beside it"
        if body.get("applies_to") == "not_applicable":
            for key in ("na_reason", "na_owner"):
                if not body.get(key):
                    yield judged.at((*item.at, "applies_to")), f"not_applicable without {key!r}", f"add `{key}:`"
    for name, items in _groups(judged):
        for item in items:
            if not _SECOND.isdisjoint(item.body):
                for first, second in ALIASES.get(name, ()):
                    if first in item.body and second in item.body:
                        seen = f"{second!r} is another name of {first!r}, which is there already"
                        yield judged.key_at((*item.at, second)), seen, "keep one of the two"
