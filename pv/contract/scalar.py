"""What a plain YAML scalar means: the core schema of YAML 1.2.2, section 10.3.2, in ASCII."""

from __future__ import annotations

import re

CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
NUMERIC_START = frozenset("0123456789+-.")
MAX_NUMBER = 64
"""Longer digits stay text: converting them takes time that grows with the square of their length."""

_NUMBER = re.compile(
    r"(?P<integer>[-+]?[0-9]+)|(?P<octal>0o[0-7]+)|(?P<hexadecimal>0x[0-9a-fA-F]+)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<infinity>[-+]?\.(?:inf|Inf|INF))|(?P<nan>\.(?:nan|NaN|NAN))"
)


def value_of(text: str) -> str | int | float | bool | None:
    """The value of the plain scalar `text`; infinity and NaN included, which a contract has no place for."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    match = _NUMBER.fullmatch(text) if len(text) <= MAX_NUMBER else None
    if match is None:
        return text
    kind = match.lastgroup
    if kind == "integer":
        return int(text)
    if kind == "octal":
        return int(text[2:], 8)
    if kind == "hexadecimal":
        return int(text[2:], 16)
    return float(text.replace(".", "") if kind in ("infinity", "nan") else text)
