"""One difference between two contracts, and the pair of places it is found at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from pv.contract.document import Document
from pv.finding import Place
from pv.semver.polarity import Move, Role, Step, is_certain, move_between, weigh

Pointer = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Witness:
    """A value that one side admits and the other does not: `(("expected", 0.0), ("residual", 5e-6))`.

    `side` is "old" or "new": the side that admits it.
    """

    side: str
    values: tuple[tuple[str, float | int | str], ...]


@dataclass(frozen=True, slots=True)
class Apart:
    """What tells two sets of admitted values apart: a witness of each side, where there is one."""

    old: Witness | None = None
    new: Witness | None = None

    def __or__(self, other: Apart) -> Apart:
        """Apart in either way."""
        return Apart(self.old or other.old, self.new or other.new)

    def __bool__(self) -> bool:
        return self.old is not None or self.new is not None


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: what moved, how far the version must move for it, and why.

    What only one side has is placed on the other at its nearest ancestor there, and its text is empty. `certain` is false
    where pv could not compare meanings, and `step` is then set by the table's rule for such text.
    """

    what: str
    role: Role
    move: Move
    step: Step
    why: str
    certain: bool
    old_place: Place
    new_place: Place
    old_text: str = ""
    new_text: str = ""
    witness: Witness | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Both:
    """One part of a contract on both sides: what to call it, and where it stands in each document."""

    old: Document
    new: Document
    name: str = ""
    old_at: Pointer = ()
    new_at: Pointer = ()

    def down(self, *steps: str | int, name: str | None = None) -> Both:
        """The part below it that has the same pointer on both sides."""
        return self.down_to(steps, steps, name)

    def down_to(self, old: Sequence[str | int], new: Sequence[str | int], name: str | None = None) -> Both:
        """The part below it that has moved within a list."""
        named = self.name if name is None else name
        return replace(self, name=named, old_at=(*self.old_at, *old), new_at=(*self.new_at, *new))

    def change(self, role: Role, move: Move, old: str = "", new: str = "", witness: Witness | None = None) -> Change:
        """A change of this part."""
        step, why = weigh(role, move)
        places = self.old.place(self.old_at), self.new.place(self.new_at)
        return Change(self.name, role, move, step, why, is_certain(role, move), *places, old, new, witness)

    def moved(self, role: Role, apart: Apart, old: str, new: str) -> Iterator[Change]:
        """The change of a set of admitted values; written otherwise, with the same values, it is respelled."""
        if apart:
            move = move_between(role, old_only=apart.old is not None, new_only=apart.new is not None)
            breaking, other = (apart.old, apart.new) if role is Role.ASKED else (apart.new, apart.old)
            yield self.change(role, move, old, new, breaking or other)
        elif old != new:
            yield self.change(role, Move.RESPELLED, old, new)

    def text(self, role: Role, old: str, new: str) -> Iterator[Change]:
        """The change of a text, if its words changed."""
        if old != new:
            yield self.change(role, Move.RESPELLED if _words(old) == _words(new) else Move.REWORDED, old, new)


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


Item = TypeVar("Item", bound=_Identified)


def keyed(items: Iterable[Item]) -> dict[tuple[str, int], tuple[int, Item]]:
    """Each item with its index, under its id; the second of an id that stands twice (PV201) under (id, 1)."""
    found: dict[tuple[str, int], tuple[int, Item]] = {}
    seen: dict[str, int] = {}
    for index, item in enumerate(items):
        nth = seen.get(item.id, 0)
        seen[item.id] = nth + 1
        found[item.id, nth] = index, item
    return found


def _words(text: str) -> list[str]:
    """The text without what carries no meaning: white space, and which of two canonically equal spellings is used."""
    if not text.isascii():
        from unicodedata import normalize

        text = normalize("NFC", text)
    return text.split()
