"""What changed between two states of a contract."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pv.contract.model import Claim, Contract, FalsificationTest
from pv.contract.read import ContractFile
from pv.semver.change import Both, Change, keyed
from pv.semver.equations import compare_equation
from pv.semver.polarity import Move, Role


def compare(old: ContractFile, new: ContractFile) -> tuple[Change, ...]:
    """Every change from `old` to `new`, in the order of the file; that of the version itself is not one.

    Comments, layout and the order of what has names are no change. Both files must hold a contract.
    """
    assert old.contract is not None, "only contracts that could be read are compared"
    assert new.contract is not None, "only contracts that could be read are compared"
    both = Both(old.document, new.document)
    return tuple(_changes(both, old.contract, new.contract))


def _changes(both: Both, old: Contract, new: Contract) -> Iterator[Change]:
    yield from _metadata(both.down("metadata"), both.old.value["metadata"], both.new.value["metadata"])
    yield from _equations(both.down("equations"), old, new)
    yield from _unguarded(both, old, new)
    yield from _tests(both, old, new)
    yield from _claims(both, old, new)
    yield from _documents(both, old, new)
    yield from _free(both, both.old.value, both.new.value)


def _metadata(both: Both, old: Any, new: Any) -> Iterator[Change]:
    for key in ("description", "author", "created"):
        was, now = old.get(key, ""), new.get(key, "")
        if was != now:
            move = Move.REWORDED if was and now else Move.ADDED if now else Move.REMOVED
            yield both.down(key, name=f"metadata: {key}").change(Role.PROSE, move, was, now)
    for key, role in (("references", Role.PROSE), ("depends_on", Role.WORDS)):
        yield from _lists(both.down(key, name=f"metadata: {key}"), role, old.get(key, []), new.get(key, []))


def _lists(both: Both, role: Role, old: list[str], new: list[str]) -> Iterator[Change]:
    """Entries of one side only; each once."""
    for index, entry in enumerate(old):
        if entry not in new and entry not in old[:index]:
            yield both.down_to((index,), ()).change(role, Move.REMOVED, entry)
    for index, entry in enumerate(new):
        if entry not in old and entry not in new[:index]:
            yield both.down_to((), (index,)).change(role, Move.ADDED, new=entry)


def _equations(both: Both, old: Contract, new: Contract) -> Iterator[Change]:
    before = {equation.name: equation for equation in old.equations}
    after = {equation.name: equation for equation in new.equations}
    for name in [*before, *(name for name in after if name not in before)]:
        here = both.down(name, name=name)
        if name not in after:
            yield here.change(Role.PROMISED, Move.REMOVED, before[name].formula)
        elif name not in before:
            yield here.change(Role.PROMISED, Move.ADDED, new=after[name].formula)
        else:
            yield from compare_equation(here, before[name], after[name])


def _unguarded(both: Both, old: Contract, new: Contract) -> Iterator[Change]:
    """Invariants that some test attacked and none does now."""
    before = {name for test in old.tests for name in test.binds_to}
    after = {name for test in new.tests for name in test.binds_to}
    for equation in old.equations:
        indices = {key: index for key, (index, _) in keyed(_clauses(new, equation.name)).items()}
        for key, (index, invariant) in keyed(equation.invariants).items():
            if invariant.name in before - after and key in indices:
                at = ("equations", equation.name, "invariants")
                here = both.down_to((*at, index), (*at, indices[key]), invariant.name)
                lost = [test.id for test in old.tests if invariant.name in test.binds_to]
                yield here.change(Role.PROMISED, Move.UNGUARDED, ", ".join(lost))


def _clauses(contract: Contract, name: str) -> tuple[Any, ...]:
    equation = contract.equation(name)
    return () if equation is None else equation.invariants


def _tests(both: Both, old: Contract, new: Contract) -> Iterator[Change]:
    before, after = keyed(old.tests), keyed(new.tests)
    for key in [*before, *(key for key in after if key not in before)]:
        old_index, was = before.get(key, (len(before), None))
        new_index, now = after.get(key, (len(after), None))
        here = both.down_to(("falsification_tests", old_index), ("falsification_tests", new_index), key[0])
        if was is not None and now is not None:
            yield from _test(here, was, now)
        elif was is not None:
            yield here.change(Role.EFFORT, Move.REMOVED, was.rule)
        elif now is not None:
            yield here.change(Role.EFFORT, Move.ADDED, new=now.rule)
        yield from _status(here, was, now)


def _test(both: Both, old: FalsificationTest, new: FalsificationTest) -> Iterator[Change]:
    name = new.id
    if {*old.binds_to} != {*new.binds_to}:
        here = both.down("binds_to", name=f"{name}: binds_to")
        yield here.change(Role.EFFORT, Move.CHANGED, ", ".join(old.binds_to), ", ".join(new.binds_to))
    yield from both.down("rule", name=f"{name}: rule").text(Role.WORDS, old.rule, new.rule)
    yield from both.down("prediction", name=f"{name}: prediction").text(Role.WORDS, old.prediction, new.prediction)
    yield from both.down("if_fails", name=f"{name}: if_fails").text(Role.PROSE, old.if_fails, new.if_fails)
    before, after = dict(old.not_applicable), dict(new.not_applicable)
    for kind in ("live", "oracle"):
        was, now = before.get(kind, ""), after.get(kind, "")
        here = both.down(kind, name=f"{name}: {kind} not applicable")
        if was and now:
            yield from here.text(Role.PROSE, was, now)
        elif was or now:  # what is not applicable is not tried
            yield here.change(Role.EFFORT, Move.REMOVED if now else Move.ADDED, was, now)


def _status(both: Both, old: FalsificationTest | None, new: FalsificationTest | None) -> Iterator[Change]:
    """The level promised; dropping the sentence, or the test with it, promises less."""
    was, now = (None if test is None else test.status for test in (old, new))
    if was != now:
        move = Move.RAISED if was is None or (now is not None and now > was) else Move.LOWERED
        before, after = ("" if level is None else level.name for level in (was, now))
        yield both.down("status", name=f"{both.name}: status").change(Role.PROMISED, move, before, after)


def _claims(both: Both, old: Contract, new: Contract) -> Iterator[Change]:
    """A claim is a check of a document: what the contract promises is the same with it and without."""
    before, after = keyed(old.claims), keyed(new.claims)
    for key in [*before, *(key for key in after if key not in before)]:
        old_index, was = before.get(key, (len(before), None))
        new_index, now = after.get(key, (len(after), None))
        here = both.down_to(("claims", old_index), ("claims", new_index), key[0])
        told, tells = ("" if claim is None else _claim(claim) for claim in (was, now))
        if told != tells:
            move = Move.ADDED if was is None else Move.REMOVED if now is None else Move.CHANGED
            yield here.change(Role.DOCUMENTS, move, told, tells)


def _claim(claim: Claim) -> str:
    where, source = (
        ", ".join(f"{key} {value!r}" for key, value in one._asdict().items()) for one in (claim.where, claim.source)
    )
    several = "".join(f", {name}: {tuple(one)}" for name, one in claim.sources)
    bounds = f", {claim.holds} ±{claim.absolute:g} ±{claim.relative:g}" if claim.holds != "equal" else ""
    return f"{claim.document}, {where} = {source}{several} as {claim.form!r}{bounds}"


def _documents(both: Both, old: Contract, new: Contract) -> Iterator[Change]:
    """Which documents are held against the rules: as claims, they are checks of documents."""
    before, after = ({row.files: row for row in contract.documents} for contract in (old, new))
    for files in dict.fromkeys([*before, *after]):
        was, now = before.get(files), after.get(files)
        told, tells = ("" if row is None else f"{row.files}: {row[2:]}" for row in (was, now))
        if told != tells:
            at = [list(rows).index(files) if files in rows else len(rows) for rows in (before, after)]
            move = Move.ADDED if was is None else Move.REMOVED if now is None else Move.CHANGED
            yield both.down_to(("documents", at[0]), ("documents", at[1]), files).change(
                Role.DOCUMENTS, move, told, tells
            )


def _free(both: Both, old: Any, new: Any) -> Iterator[Change]:
    """The author's own `x-…` keys, wherever both sides have the mapping that holds them."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            here = both.down(key, name=f"{both.name}, {key}" if both.name else key)
            if not key.startswith("x-"):
                if key in old and key in new:
                    yield from _free(here, old[key], new[key])
            elif key not in old or key not in new or old[key] != new[key]:
                move = Move.ADDED if key not in old else Move.REMOVED if key not in new else Move.CHANGED
                yield here.change(Role.PROSE, move)
    elif isinstance(old, list) and isinstance(new, list):
        where = {_id(item): index for index, item in reversed(list(enumerate(new)))}
        for index, item in enumerate(old):
            if isinstance(item, dict) and _id(item) in where:
                there = where[_id(item)]
                yield from _free(both.down_to((index,), (there,), f"{both.name}, {_id(item)}"), item, new[there])


def _id(item: Any) -> Any:
    return item.get("id") if isinstance(item, dict) else None
