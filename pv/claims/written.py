"""How a value is written in a document, and whether a text is the value written so."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from string import Formatter

from pv.source.arithmetic import Value

DEFAULT = "{}"

# fill and align, sign, #, 0, width, thousands, precision, type: Python's format specification without the locale's "n"
_SPECIFICATION = re.compile(r"(?:.?[<>=^])?[+\- ]?z?#?0?\d{0,2}[,_]?(?P<precision>\.\d{1,2})?[bcdeEfFgGosxX%]?")
_NUMERAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)


def written(value: Value, form: str) -> str:
    """`value` in `form`: text around one `{}` with a format specification. Raises ValueError, saying why, when `form`
    is not that or does not fit the value."""
    try:
        holes = [
            (name, specification or "") for _, name, specification, _ in Formatter().parse(form) if name is not None
        ]
    except ValueError as error:
        raise ValueError(f"the form {form!r} is not a format: {error}") from None
    match = _SPECIFICATION.fullmatch(holes[0][1]) if len(holes) == 1 and holes[0][0] in ("", "0") else None
    if match is None:
        raise ValueError(f"the form {form!r} must hold one {{}}, with a plain format specification at most")
    if isinstance(value, str) and match["precision"]:
        raise ValueError(f"the form {form!r} cuts text off, so that a wrong value could pass")
    try:
        return form.format(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{value!r} cannot be written in the form {form!r}: {error}") from None


def says(text: str, value: Value, form: str) -> bool:
    """Whether `text` is `value` written in `form`; in the default form any decimal numeral of the same number is.

    Raises ValueError as `written` does.
    """
    if text == written(value, form):
        return True
    if form != DEFAULT or isinstance(value, bool) or not isinstance(value, int | float) or not _NUMERAL.fullmatch(text):
        return False
    if isinstance(value, float):
        return float(text) == value
    try:
        return Decimal(text) == value
    except InvalidOperation:
        return False
