"""Formulas of the book: LaTeX between dollars in its Markdown, MathML in its pages, so that no script draws them.

MkDocs runs this file as a hook (`hooks:` in mkdocs.yml). It knows the LaTeX that `pv equations --format latex` writes, and
stops the build at anything else.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from xml.etree.ElementTree import Element, tostring

from pv.report.signs import FUNCTIONS, MATH

_MARKED = re.compile(r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<tex>.*?)\\[)\]]</(?P=tag)>', re.DOTALL)
_SIGNS = {tex.strip(): sign for sign, tex in MATH.items() if tex.startswith("\\")} | {r"\prime": "′"}
_NUMBER = re.compile(r"[0-9]+(?:\{,\}[0-9]{3})*(?:\.[0-9]+)?")
_COMMAND = re.compile(r"\\(?:[A-Za-z]+|.)")
_NAMES = {r"\operatorname": "mi", r"\mathrm": "mi", r"\text": "mtext"}


def on_page_content(html: str, **_: Any) -> str:
    """MkDocs' event: the HTML of one page, in which arithmatex has marked what stood between dollars."""
    return _MARKED.sub(lambda found: mathml(unescape(found["tex"]), block=found["tag"] == "div"), html)


def mathml(tex: str, *, block: bool = False) -> str:
    """A formula as a `<math>` element. Raises ValueError for LaTeX that the book does not use."""
    root = Element("math", {"display": "block"} if block else {})
    root.append(_row(_Reader(tex).atoms("")))
    return tostring(root, encoding="unicode")


class _Reader:
    """The atoms of a formula, from the left."""

    def __init__(self, tex: str) -> None:
        self.tex = tex
        self.at = 0

    def atoms(self, end: str) -> list[Element]:
        """Everything up to `end`, which is passed; scripts are set on the atom before them."""
        found: list[Element] = []
        while self.at < len(self.tex):
            if end and self.tex[self.at] == end:
                self.at += 1
                return found
            if self.tex[self.at].isspace():
                self.at += 1
            elif self.tex[self.at] in "^_":
                _script(found, self._sign(), self._atom())
            else:
                found.append(self._atom())
        if end:
            raise ValueError(f"{end!r} is missing, in {self.tex!r}")
        return found

    def _sign(self) -> str:
        if self.at == len(self.tex):
            raise ValueError(f"something is missing at the end, in {self.tex!r}")
        self.at += 1
        return self.tex[self.at - 1]

    def _atom(self) -> Element:
        if number := _NUMBER.match(self.tex, self.at):
            self.at = number.end()
            return _leaf("mn", number[0].replace("{,}", ","))
        if self.tex.startswith("\\", self.at):
            return self._command()
        sign = self._sign()
        if sign == "{":
            return _row(self.atoms("}"))
        return _leaf("mi" if sign.isalpha() else "mo", {"-": "−"}.get(sign, sign))

    def _command(self) -> Element:
        found = _COMMAND.match(self.tex, self.at)
        name = found[0] if found else "\\"
        self.at += len(name)
        if name == r"\ ":
            return _leaf("mtext", "\u00a0")
        if name == r"\sqrt":
            root = Element("msqrt")
            root.append(self._atom())
            return root
        if name in _NAMES or name == r"\mathbb":
            group = self._group()
            return _leaf(_NAMES.get(name, "mi"), _SIGNS.get(f"{name}{{{group}}}", group.replace(r"\_", "_")))
        if name[1:] in FUNCTIONS:
            return _leaf("mi", name[1:])
        if name in _SIGNS:
            return _leaf("mi" if _SIGNS[name].isalpha() else "mo", _SIGNS[name])
        raise ValueError(f"{name} is not known to the book, in {self.tex!r}")

    def _group(self) -> str:
        end = self.tex.find("}", self.at)
        if not self.tex.startswith("{", self.at) or end < 0:
            raise ValueError(f"a group in braces is missing, in {self.tex!r}")
        group, self.at = self.tex[self.at + 1 : end], end + 1
        return group


def _script(found: list[Element], sign: str, raised: Element) -> None:
    """Set `raised` on the last atom: above or below it, beside a script that it has already."""
    base = found.pop() if found else _row([])
    other = {"^": "msub", "_": "msup"}[sign]
    if base.tag == other:
        first, second = (base[1], raised) if sign == "^" else (raised, base[1])
        both = Element("msubsup")
        both.extend([base[0], first, second])
        found.append(both)
        return
    single = Element({"^": "msup", "_": "msub"}[sign])
    single.extend([base, raised])
    found.append(single)


def _row(atoms: list[Element]) -> Element:
    if len(atoms) == 1:
        return atoms[0]
    row = Element("mrow")
    row.extend(atoms)
    return row


def _leaf(tag: str, text: str) -> Element:
    leaf = Element(tag)
    leaf.text = text
    return leaf
