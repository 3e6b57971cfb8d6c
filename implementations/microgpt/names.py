"""The names to learn from: one a line, in lower case, a–z and nothing else."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass
from pathlib import Path

from implementations.microgpt.config import BLOCK_SIZE
from implementations.microgpt.files import Unusable

DEFAULT_NAMES = Path(__file__).with_name("names.txt")  # whose they are and why in this order: NOTICE


@dataclass(frozen=True, slots=True)
class Names:
    """Names in the order of their lines, at least one, each of a letter or more.

    `skipped` counts lines without a letter, `changed` those that lost something other than case and outer white space,
    `long` the names of more letters than a block: what is beyond it is not learnt.
    """

    names: tuple[str, ...]
    skipped: int
    changed: int
    long: int

    @property
    def sha256(self) -> str:
        """Of the names as they are learnt, each with a line feed: equal for files that differ in line ends or case."""
        return hashlib.sha256("".join(f"{name}\n" for name in self.names).encode("ascii")).hexdigest()

    @property
    def summary(self) -> str:
        """How many there are, and what of the file is not among them."""
        lost = {
            "lines without a letter a–z skipped": self.skipped,
            "with other characters left out": self.changed,
            f"cut to {BLOCK_SIZE} letters": self.long,
        }
        return ", ".join(
            [f"{len(self.names):,} names", *(f"{count:,} {what}" for what, count in lost.items() if count)]
        )


def read_names(path: Path) -> Names:
    """The names of a UTF-8 text file. Raises Unusable for what is no such file and for one without a letter."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe may never end
            raise Unusable(f"{path}: it is no regular file; a text of names, one a line, is needed")
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").split("\n")]
    except UnicodeDecodeError as error:
        raise Unusable(f"{path}: byte {error.start} is not UTF-8; a text of names, one a line, is needed") from None
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}; a text of names, one a line, is needed") from None
    if not lines[-1]:  # what comes after the last line feed is no line
        lines.pop()
    # In lower case only then: lower() makes ASCII letters of two others, U+0130 and U+212A.
    letters = ["".join(filter(_is_letter, line)).lower() for line in lines]
    names = tuple(name for name in letters if name)
    if not names:
        raise Unusable(f"{path}: none of its {len(lines)} lines holds a letter a–z; at least one name is needed")
    changed = sum(bool(name) and len(name) < len(line) for name, line in zip(letters, lines, strict=True))
    return Names(names, letters.count(""), changed, sum(len(name) > BLOCK_SIZE for name in names))


def _is_letter(character: str) -> bool:
    return character.isascii() and character.isalpha()
