"""How a value is written in a document, and whether a text is the value written so."""

from __future__ import annotations

import re
from collections.abc import Mapping
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


def written_all(values: Mapping[str, Value], form: str) -> str:
    """`values` in the holes of `form` that have their names. Raises ValueError, saying why, as `written` does."""
    try:
        holes = [(name, spec or "") for _, name, spec, _ in Formatter().parse(form) if name is not None]
    except ValueError as error:
        raise ValueError(f"the form {form!r} is not a format: {error}") from None
    names = {name for name, _ in holes}
    if names != values.keys():
        odd = ", ".join(sorted(names ^ values.keys()))
        raise ValueError(
            f"the form {form!r} has holes for {sorted(names)}, and the sources are {sorted(values)}: {odd}"
        )
    parts = {name: written(values[name], "{:" + spec + "}" if spec else DEFAULT) for name, spec in holes}
    return "".join(
        literal + (parts[name] if name is not None else "") for literal, name, _, _ in Formatter().parse(form)
    )


def read_number(text: str, form: str) -> Decimal:
    """The number that `text` has in the hole of `form`. Raises ValueError when it is not written so."""
    before, after = _around(form)
    inner = text[len(before) : len(text) - len(after)] if text.startswith(before) and text.endswith(after) else ""
    plain = inner.strip().replace("\u2212", "-")
    grouped = re.fullmatch(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?", plain, re.ASCII)
    plain = plain.replace(",", "") if grouped else plain
    percent = "%}" in form and plain.endswith("%")
    plain = plain.removesuffix("%") if percent else plain
    if not _NUMERAL.fullmatch(plain):
        raise ValueError(f"{text!r} is no number in the form {form!r}")
    return Decimal(plain) / 100 if percent else Decimal(plain)


def _around(form: str) -> tuple[str, str]:
    """The literal text on both sides of the one hole of `form`. Raises ValueError when there is not one."""
    written(0, form)
    parts = list(Formatter().parse(form))
    at = next(place for place, part in enumerate(parts) if part[1] is not None)
    before = "".join(part[0] for part in parts[: at + 1])
    return before, "".join(part[0] for part in parts[at + 1 :])


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
