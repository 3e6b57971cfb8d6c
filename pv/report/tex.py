r"""Formulas and sentences of a contract as LaTeX: words stay text, the rest becomes mathematics.

Contracts write `rms_norm(x)[k] = x[k] / √(mean(x[k]²) + ε)` and `x in ℝ^(n × E), finite`, one as mixed as the other.
What is no word, or is a name that is called or indexed, is set between dollars; a sign that the table does not have is
kept in \text{}. What comes out needs amsmath and amssymb.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pv.report.signs import ESCAPES, FUNCTIONS, MATH, SUBSCRIPT, SUPERSCRIPT, TEXT

_TOKEN = re.compile(
    r" |[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?(?:[eE][+\-−]?[0-9]+)?|[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*"
    f"|[{''.join(SUPERSCRIPT)}]+|[{''.join(SUBSCRIPT)}]+|."
)
_NUMBER = re.compile(r"(?P<mantissa>[0-9][0-9,.]*)(?:[eE](?P<exponent>[+\-−]?[0-9]+))?")
_OPEN, _CLOSE = "([{", ")]}"
_MAX_DEPTH = 16  # groups within groups; deeper ones are set as they are written


@dataclass(frozen=True, slots=True)
class _Item:
    """A piece of LaTeX. `mode` is math, text or space; `script` is ^ or _ when it attaches to what precedes it.

    `ends` holds the scripts that its last atom already carries: TeX refuses a second one of a kind.
    """

    mode: str
    tex: str
    script: str = ""
    ends: str = ""


def tex(text: str) -> str:
    """`text` as LaTeX in text mode, with its mathematics between dollars."""
    parsed = _Parsed(" ".join(text.split()))
    return _mixed(parsed.items(0, len(parsed.tokens), 0))


def escape(text: str) -> str:
    """`text` as LaTeX in text mode, letter by letter: for names."""
    return "".join(_escaped(character) for character in " ".join(text.split()))


def _escaped(character: str) -> str:
    if character in ESCAPES:
        return ESCAPES[character]
    return character if character.isascii() and character.isprintable() else _foreign(character)


class _Parsed:
    """The tokens of a text, and where each bracket is closed; groups are read by recursion over ranges of tokens."""

    def __init__(self, text: str) -> None:
        self.tokens = _TOKEN.findall(text)
        self.closed_at: dict[int, int] = {}
        self.prose: set[int] = set()  # round brackets around words
        opened: list[int] = []
        for at, token in enumerate(self.tokens):
            if token in _OPEN:
                opened.append(at)
            elif token in _CLOSE and opened:
                self.closed_at[opened.pop()] = at

    def items(self, start: int, end: int, depth: int) -> list[_Item]:
        """The tokens from `start` to `end` as items."""
        found: list[_Item] = []
        at, brackets = start, 0
        while at < end:
            token = self.tokens[at]
            at, item = self._item(at, end, depth, inside=depth > 0 or brackets > 0)
            found.append(item)
            if item.mode == "math":
                brackets = max(0, brackets + (token in _OPEN) - (token in _CLOSE))
        return found

    def _item(self, at: int, end: int, depth: int, *, inside: bool) -> tuple[int, _Item]:
        token = self.tokens[at]
        if token in "^_√" and depth < _MAX_DEPTH:
            stop, inner = self._operand(at + 1, end, depth)
            if stop > at + 1 and token == "√":
                return stop, _Item("math", rf"\sqrt{{{inner}}}")
            if stop > at + 1:
                return stop, _Item("math", f"{token}{{{inner}}}", script=token)
        if token[0].isascii() and token[0].isalpha():
            return at + 1, self._word(at, end)
        if token in "()" and self._is_prose(at, end):
            return at + 1, _Item("text", token)
        if token in ",;:." and inside:
            return at + 1, _Item("math", "{:}" if token == ":" else token)
        if token == "-" and self._is_hyphen(at, end):
            return at + 1, _Item("text", "-")
        return at + 1, _sign(token)

    def _operand(self, at: int, end: int, depth: int) -> tuple[int, str]:
        """What √, ^ or _ applies to: a bracketed group without its brackets, a sign and what follows, one token."""
        if at >= end or self.tokens[at] == " ":
            return at, ""
        close = self.closed_at.get(at, end)
        if self.tokens[at] in "({" and close < end:
            return close + 1, _grouped(self.items(at + 1, close, depth + 1))
        signed = self.tokens[at] in "+-−" and at + 1 < end and self.tokens[at + 1] != " "
        stop, item = self._item(at + 1 if signed else at, end, depth + 1, inside=True)
        return stop, ("-" if signed and self.tokens[at] != "+" else "+" if signed else "") + _grouped([item])

    def _word(self, at: int, end: int) -> _Item:
        word, after = self.tokens[at], self.tokens[at + 1] if at + 1 < end else ""
        base, _, below = word.partition("_")
        if word == "a" and after == " " and at + 2 < end and _is_long(self.tokens[at + 2]):
            return _Item("text", word)  # the article
        if at > 0 and self.tokens[at - 1] == "'":
            return _Item("text", word)
        if len(word) == 1:
            return _Item("math", word)
        if len(base) == 1 and below and "_" not in below:
            index = below if len(below) == 1 else rf"\mathrm{{{below}}}"
            return _Item("math", f"{base}_{{{index}}}", ends="_")
        if word in FUNCTIONS:
            return _Item("math", rf"\{word} ")
        name = word.replace("_", r"\_")
        if after and after in "([":
            return _Item("math", rf"\operatorname{{{name}}}")
        called = "_" in word or any(character.isdigit() for character in word) or (after and after[0] in _ATTACHED)
        return _Item("math", rf"\mathrm{{{name}}}") if called else _Item("text", word)

    def _is_prose(self, at: int, end: int) -> bool:
        """Whether the round bracket is one of a pair that stands by itself and begins with a word."""
        close = self.closed_at.get(at, end)
        if close < end and at + 1 < close and (at == 0 or self.tokens[at - 1] == " "):
            first = self.tokens[at + 1]
            if first[0].isascii() and first[0].isalpha() and self._word(at + 1, end).mode == "text":
                self.prose.add(close)
                return True
        return at in self.prose

    def _is_hyphen(self, at: int, end: int) -> bool:
        """Whether the - stands between two words, and not between two variables."""
        around = [self.tokens[other] for other in (at - 1, at + 1) if 0 <= other < end]
        return len(around) == 2 and all(token.isalpha() and len(token) > 1 for token in around)


def _is_long(token: str) -> bool:
    return len(token) > 1 or token.isdigit()


_ATTACHED = frozenset("^_") | SUPERSCRIPT.keys() | SUBSCRIPT.keys()


def _sign(token: str) -> _Item:
    """A space, a number, a run of raised or lowered signs, or one sign."""
    if token == " ":
        return _Item("space", " ")
    if number := _NUMBER.fullmatch(token):
        return _number(number["mantissa"], number["exponent"])
    for script, table in (("^", SUPERSCRIPT), ("_", SUBSCRIPT)):
        if token[0] in table:
            return _Item("math", f"{script}{{{''.join(table[sign] for sign in token)}}}", script=script)
    if token in MATH:
        return _Item("math", MATH[token])
    return _Item("text", TEXT.get(token) or _foreign(token))


def _number(mantissa: str, exponent: str | None) -> _Item:
    plain = mantissa.replace(",", "{,}")
    if exponent is None:
        return _Item("math", plain)
    power = f"10^{{{int(exponent.replace('−', '-'))}}}"
    return _Item("math", power if plain == "1" else rf"{plain} \times {power}", ends="^")


def _foreign(sign: str) -> str:
    r"""A sign without a row in the table, in \text{}; one that cannot be printed by its number."""
    return rf"\text{{{sign}}}" if sign.isprintable() else rf"\text{{U+{ord(sign):04X}}}"


def _mixed(items: Sequence[_Item]) -> str:
    """Items in text mode: runs of mathematics between dollars, spaces inside a run where more of it follows."""
    out: list[str] = []
    run: list[_Item] = []
    spaces = False
    for item in items:
        if item.mode == "space":
            spaces = True
            continue
        if item.mode == "text" and run:
            out.append(f"${_attached(run)}$")
            run = []
        if spaces and run:
            run.append(_Item("space", " "))
        elif spaces:
            out.append(" ")
        spaces = False
        if item.mode == "math":
            run.append(item)
        else:
            out.append(item.tex)
    return "".join([*out, f"${_attached(run)}$" if run else ""])


def _grouped(items: Sequence[_Item]) -> str:
    r"""Items inside mathematics: words in \text{}, spaces beside them kept."""
    found = []
    for at, item in enumerate(items):
        beside = [items[other].mode for other in (at - 1, at + 1) if 0 <= other < len(items)]
        if item.mode == "text":
            found.append(_Item("math", item.tex if item.tex.startswith(r"\text{") else rf"\text{{{item.tex}}}"))
        elif item.mode == "space" and "text" in beside:
            found.append(_Item("math", r"\ "))
        else:
            found.append(item)
    return _attached(found)


def _attached(items: Sequence[_Item]) -> str:
    """The LaTeX of items in mathematics; a second script of a kind gets an empty atom to stand on."""
    out, carried = [], ""
    for item in items:
        if item.mode == "space":
            out.append(" ")
            continue
        if item.script:
            out.append("{}" if item.script in carried or not out else "")
            carried = item.script if item.script in carried else carried + item.script
        else:
            carried = item.ends
        out.append(item.tex)
    return re.sub(r"(?<!\\) (?=[ }_^)])", "", "".join(out)).strip()
