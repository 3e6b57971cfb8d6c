"""How a change weighs: asking more or promising less is major, promising more is minor, prose is patch.

Where DESIGN.md and the survey it rests on (reference/evidence.md, E.8) leave room, this table decides:

- **Formula and statement** are the promise itself. Reworded, they are major as E.8 has it, not merely "at least minor":
  pv cannot show two texts equivalent, asking too much costs a number, and asking too little breaks a caller. For the same
  reason they are part of a clause's digest. Only white space and canonically equal Unicode (NFC) are seen through; NFKC
  would make x² of x2.
- **Other words** that may hold a condition (domain, codomain, rule, prediction) are at least minor, and said to be unread.
- **Strata** and `normal` are no assumption: what may be supplied is in type, dtype, shape and range, and a stratum only says
  where a test must look. So they weigh as a test does: minor, dropped ones too, with the evidence stale.
- **Claims and documents** are held against the source and change nothing of it: no caller relies on them, no evidence ages.
- **A name** is what others cite: renamed is removed and added. Arguments and returned values are met by position and number,
  so one more of them breaks a caller as one less does.
"""

from __future__ import annotations

from enum import Enum, IntEnum


class Step(IntEnum):
    """How far a version must move."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3

    @property
    def word(self) -> str:
        """As messages say it."""
        return self.name.lower()


class Role(Enum):
    """What a part of a contract is to those who rely on it."""

    ASKED = "what a caller must supply"
    PROMISED = "what a caller gets"
    FORM = "how a caller supplies and gets it"
    EFFORT = "how hard a test tries"
    DOCUMENTS = "what documents are held to"
    WORDS = "words that may hold a condition"
    PROSE = "prose"


class Move(Enum):
    """What happened to it."""

    ADDED = "added"
    REMOVED = "removed"
    REORDERED = "reordered"
    RENAMED = "renamed"
    WIDENED = "widened"
    NARROWED = "narrowed"
    LOOSENED = "loosened"
    TIGHTENED = "tightened"
    RAISED = "raised"
    LOWERED = "lowered"
    UNGUARDED = "unguarded"
    CHANGED = "changed"
    REWORDED = "reworded"
    RESPELLED = "respelled"


_WEIGHTS: dict[tuple[Role, Move], tuple[Step, str]] = {
    (Role.ASKED, Move.WIDENED): (Step.MINOR, "asks less: what was refused may now be supplied"),
    (Role.ASKED, Move.NARROWED): (Step.MAJOR, "asks more: what could be supplied is now refused"),
    (Role.ASKED, Move.CHANGED): (Step.MAJOR, "asks for something else: what could be supplied is now refused"),
    (Role.PROMISED, Move.ADDED): (Step.MINOR, "promises more"),
    (Role.PROMISED, Move.REMOVED): (Step.MAJOR, "promises less: what was relied on is no longer said"),
    (Role.PROMISED, Move.TIGHTENED): (Step.MINOR, "promises more: what was let pass is now a failure"),
    (Role.PROMISED, Move.LOOSENED): (Step.MAJOR, "promises less: what was a failure now passes"),
    (Role.PROMISED, Move.CHANGED): (Step.MAJOR, "promises something else: some of what was a failure now passes"),
    (Role.PROMISED, Move.RAISED): (Step.MINOR, "promises more"),
    (Role.PROMISED, Move.LOWERED): (Step.MAJOR, "promises less"),
    (Role.PROMISED, Move.RENAMED): (Step.MAJOR, "others rely on it by its name"),
    (Role.PROMISED, Move.UNGUARDED): (Step.MAJOR, "promises less: no falsification test attacks it any more"),
    (Role.PROMISED, Move.REWORDED): (Step.MAJOR, "the promise is in these words, and pv cannot show them equivalent"),
    (Role.FORM, Move.ADDED): (Step.MAJOR, "the form of the call changes for every caller"),
    (Role.FORM, Move.REMOVED): (Step.MAJOR, "the form of the call changes for every caller"),
    (Role.FORM, Move.REORDERED): (Step.MAJOR, "callers go by position"),
    (Role.EFFORT, Move.ADDED): (Step.MINOR, "tests try harder"),
    (Role.EFFORT, Move.REMOVED): (Step.MINOR, "tests try less; evidence is stale"),
    (Role.EFFORT, Move.CHANGED): (Step.MINOR, "tests try otherwise; evidence is stale"),
    (Role.DOCUMENTS, Move.ADDED): (Step.PATCH, "documents are held to more; what is promised is the same"),
    (Role.DOCUMENTS, Move.REMOVED): (Step.PATCH, "documents are held to less; what is promised is the same"),
    (Role.DOCUMENTS, Move.CHANGED): (Step.PATCH, "documents are held to something else; what is promised is the same"),
    (Role.WORDS, Move.ADDED): (Step.MINOR, "pv cannot tell whether it asks or promises more"),
    (Role.WORDS, Move.REMOVED): (Step.MINOR, "pv cannot tell whether it asks or promises less"),
    (Role.WORDS, Move.REWORDED): (Step.MINOR, "pv cannot read words: read both"),
}
_PROSE = (Step.PATCH, "nobody relies on how it is told")
_UNREAD = frozenset(((Role.PROMISED, Move.REWORDED), *((Role.WORDS, move) for move in Move)))


def weigh(role: Role, move: Move) -> tuple[Step, str]:
    """The step that a change asks for, and why. A part respelled without a change of meaning is prose in every role."""
    if role is Role.PROSE or move is Move.RESPELLED:
        return _PROSE
    return _WEIGHTS[role, move]


def is_certain(role: Role, move: Move) -> bool:
    """Whether the meaning was compared; else the step is the least that the change may ask for, or the most."""
    return (role, move) not in _UNREAD


def move_between(role: Role, *, old_only: bool, new_only: bool) -> Move:
    """How a set of admitted values moved that had something the new lacks, or has something that the old lacked."""
    if old_only and new_only:
        return Move.CHANGED
    if role is Role.ASKED:
        return Move.WIDENED if new_only else Move.NARROWED
    if role is Role.PROMISED:
        return Move.LOOSENED if new_only else Move.TIGHTENED
    raise ValueError(f"{role} admits no values")
