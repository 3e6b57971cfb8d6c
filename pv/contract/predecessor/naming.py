"""Ids for what had none, and which clause a text names: by its name, or not at all."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

_WORD = re.compile(r"[^\W_]+")
_ASCII = re.compile(r"[a-z0-9]+")
_REMARK = re.compile(r"\(([^()]*[a-z]{3}[^()]*)\)\s*\Z")
_DROPPED = frozenset(
    ("a", "an", "the", "is", "are", "of", "in", "to", "for", "all", "with", "and", "at", "by", "any", "when", "if")
)
_SYMBOL = re.compile(r"[^\W\d_][\w']*")


def name_for(text: str, taken: Collection[str]) -> str:
    """An id made of the words of `text`, or of the remark in brackets it ends in, that is not among `taken`."""
    remark = _REMARK.search(text)
    for source in (remark[1] if remark else "", text):
        words = [word for word in _ASCII.findall(source.lower()) if word not in _DROPPED and len(word) > 1]
        if words:
            break
    name = "_".join(words[:5]) or "clause"
    return free(name if not name[0].isdigit() else f"clause_{name}", taken, "_")


def free(name: str, taken: Collection[str], separator: str, digits: int = 1) -> str:
    """`name`, or the first of name_2, name_3, … that is not among `taken`."""
    number, found = 2, name
    while found in taken:
        found, number = f"{name}{separator}{number:0{digits}}", number + 1
    return found


def plain(text: str) -> str:
    """Letters and digits only, small: what two spellings of one name have in common."""
    return "".join(_WORD.findall(text.lower()))


def remark_of(text: str) -> str:
    """What a clause is called in the brackets it ends in; empty when it has none."""
    found = _REMARK.search(text)
    return found[1] if found else ""


def stems(text: str) -> frozenset[str]:
    """The beginnings of the words of `text` that carry a meaning."""
    return frozenset(word[:6] for word in _WORD.findall(text.lower()) if word not in _DROPPED and len(word) > 1)


def symbol_of(formula: str) -> str:
    """What the left side of a formula is called: GELU of `GELU(x) = …`."""
    found = _SYMBOL.match(formula)
    return found.group() if found else ""


def nearest_equation(text: str, equations: Sequence[tuple[str, str, Iterable[str]]]) -> tuple[int, bool]:
    """Which of `equations` (name, formula, invariants) `text` speaks of, and whether it is told apart from the others."""
    words, squashed, symbols = stems(text), plain(text), set(_SYMBOL.findall(text))
    scores = []
    for name, formula, invariants in equations:
        said = any(len(plain(one)) > 5 and plain(one) in squashed for one in invariants)
        score = 4 * said + 3 * (symbol_of(formula) in symbols) + 2 * len(words & stems(name.replace("_", " ")))
        scores.append(score)
    best = max(scores)
    return scores.index(best), len(equations) == 1 or (best > 0 and scores.count(best) == 1)
