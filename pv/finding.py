"""What is wrong, where, and how to mend it; and the one exception `pv` raises when it cannot go on."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, IntEnum
from typing import NamedTuple


class Exit(IntEnum):
    """What the caller of a command has to do next; see DESIGN.md, "Exit codes"."""

    OK = 0
    MEND = 1
    ASK = 2
    RUN = 3
    BUG = 70
    INTERRUPTED = 130


_PRECEDENCE = (Exit.INTERRUPTED, Exit.BUG, Exit.ASK, Exit.MEND, Exit.RUN, Exit.OK)


def worst(exits: Iterable[Exit]) -> Exit:
    """The exit that decides when several apply; of none it is `Exit.OK`."""
    return min(exits, key=_PRECEDENCE.index, default=Exit.OK)


class Severity(Enum):
    """How a finding weighs: an error must be mended, an unmeasured thing must be run, the rest is for reading.

    >>> import pv
    >>> pv.Severity.UNMEASURED.exit
    <Exit.RUN: 3>
    """

    ERROR = "error"
    UNMEASURED = "unmeasured"
    WARNING = "warning"
    NOTE = "note"

    @property
    def exit(self) -> Exit:
        """The exit code a finding of this severity asks for."""
        return {Severity.ERROR: Exit.MEND, Severity.UNMEASURED: Exit.RUN}.get(self, Exit.OK)


class Place(NamedTuple):
    """A position in a text file; lines and columns count from 1, columns in characters; in the order of files and lines.

    A tuple: many thousands are made and sorted.
    """

    path: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


class Finding(NamedTuple):
    """One thing that is wrong (or worth knowing): its rule code, its place, and what to do about it.

    >>> import pv
    >>> from pathlib import Path
    >>> file = pv.read_contract(Path("tests/examples/bad/PV111-missing-key-v1.yaml"), "mine.yaml")
    >>> [(found.code, found.place.line, found.severity.value) for found in file.findings]
    [('PV111', 15, 'error')]
    """

    code: str
    severity: Severity
    place: Place
    message: str
    hint: str = ""


class PvError(Exception):
    """The run cannot go on. `exit` says whose turn it is, `hint` what to do next: no error ends without it.

    >>> import pv
    >>> try:
    ...     pv.open_project().contract("microgtp-v1")
    ... except pv.PvError as error:
    ...     print(error.hint)
    did you mean 'microgpt-v1'?
    """

    def __init__(self, message: str, *, exit: Exit = Exit.ASK, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.exit = exit
        self.hint = hint

    @property
    def told(self) -> str:
        """Both in one line, where there is room for one."""
        return "; ".join(filter(None, (self.message, self.hint)))
