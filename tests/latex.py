"""A reader of LaTeX for tests: what would stop TeX, or print something else than was meant, in the body of a document."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise

_TOKEN = re.compile(r"\\(?:[A-Za-z]+\*?|.)|\s+|.", re.DOTALL)
_TEXT = frozenset((r"\texttt", r"\text", r"\section*", r"\subsection*"))
_NAMES = r"\leq \geq \sqrt \sum \operatorname \mathrm \mathbb \varepsilon \times \cdot \infty \in \surd \to"
_MATH = frozenset(_NAMES.split())
_ENVIRONMENT = re.compile(r"\\(begin|end)\{(\w+)\}")


@dataclass(slots=True)
class _Group:
    """An open brace: the token before it, whether it holds mathematics, the scripts its last atom carries."""

    opener: str
    math: bool
    carried: set[str] = field(default_factory=set)


def problems(body: str) -> list[str]:
    """What is wrong with `body`: braces, environments, dollars, raw specials, double scripts, signs TeX may not know."""
    lines = "\n".join(line for line in body.split("\n") if not line.startswith("%"))
    return [*_environments(lines), *_Reader(_ENVIRONMENT.sub(" ", lines)).found]


def _environments(body: str) -> list[str]:
    found, opened = [], []
    for kind, name in _ENVIRONMENT.findall(body):
        if kind == "begin":
            opened.append(name)
        elif not opened or opened.pop() != name:
            found.append(f"{name} is ended where it was not begun")
    return found + [f"{name} is not ended" for name in opened]


class _Reader:
    """One pass over the tokens."""

    def __init__(self, body: str) -> None:
        self.found: list[str] = []
        self.groups = [_Group("", math=False)]
        tokens = _TOKEN.findall(body)
        before = ""
        for token, after in pairwise([*tokens, ""]):
            self._token(token, before, after)
            before = before if token.isspace() else token
        if len(self.groups) > 1:
            self.found.append("a brace is left open")
        if self.groups[-1].math and len(self.groups) == 1:
            self.found.append("a dollar is left open")

    def _token(self, token: str, before: str, after: str) -> None:
        group = self.groups[-1]
        if token == "{":
            if before not in ("^", "_"):
                group.carried.clear()
            self.groups.append(_Group(before, group.math and before not in _TEXT))
        elif token == "}":
            if len(self.groups) == 1:
                self.found.append("a brace is closed that was not opened")
            else:
                self.groups.pop()
        elif token == "$":
            if after == "$" and not group.math:
                self.found.append("display mathematics")
            group.math = not group.math
            group.carried.clear()
        elif token in ("^", "_"):
            self._script(token, after, group)
        elif not token.isspace():
            group.carried.clear()
            self._sign(token, group)

    def _script(self, token: str, after: str, group: _Group) -> None:
        if not group.math:
            self.found.append(f"a raw {token}")
        if after != "{":
            self.found.append(f"{token} without a group")
        if token in group.carried:
            self.found.append(f"a second {token} on one atom")
        group.carried.add(token)

    def _sign(self, token: str, group: _Group) -> None:
        if token in "&#%~":
            self.found.append(f"a raw {token}")
        if (token in _MATH or token in "<>|") and not group.math:
            self.found.append(f"{token} outside of mathematics")
        if not token.isascii() and group.opener != r"\text":
            self.found.append(f"a raw {token}")
