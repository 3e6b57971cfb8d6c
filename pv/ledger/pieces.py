"""Canonical JSON in pieces: what thousands of files repeat word for word is decoded and checked once.

`{A,"k":V,B}` is canonical, and has its layout, when `{A}`, `V` and `{B}` are and have theirs, and the keys of `{A}` come before
`k` and those of `{B}` after it. A schema that knows nothing across keys says that of each piece; see `validators`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from pv.contract.schema import load_schema

# Of what these read, `canonical` has nothing to make plain: so it can be written again without it, several times as fast.
# A number that is no integer is text in canonical form; here it becomes what is written otherwise.
_DECODER = json.JSONDecoder(parse_float=lambda text: None, parse_constant=lambda text: None)
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def decode(text: str) -> tuple[Any, bool]:
    """The value of JSON, and whether `text` is its canonical form. Raises ValueError or RecursionError for what is no JSON."""
    value = _DECODER.decode(text)
    return value, _ENCODER.encode(value) == text


def cut(text: str, keys: Iterable[str]) -> list[str]:
    """`text` without each `,"key":` of `keys`, cut there; empty when one is not found.

    A cut may be at an equal key further inside, or in something else that looks alike: then a piece is no JSON.
    """
    found = []
    for key in keys:
        before, mark, text = text.partition(f',"{key}":')
        if not mark:
            return []
        found.append(before)
    return [*found, text]


def piece(text: str, validator: Any) -> Any:
    """The value of `text`, if that is its canonical form and satisfies `validator`.

    None where not, for whatever reason: then only the whole can say what is wrong.
    """
    try:
        value, end = _DECODER.raw_decode(text)
        same = end == len(text) and _ENCODER.encode(value) == text
    except (ValueError, RecursionError):
        return None
    return value if same and validator.is_valid(value) else None


@cache
def validators(layout: str, at: str) -> tuple[Any, dict[str, Any], Any]:
    """Of the schema `layout`: for the keys before `at` together, for each key of the object `at`, for the keys after it.

    Raises ValueError for a schema that knows more of either object than which keys there are: it cannot be checked in pieces.
    """
    schema = load_schema(layout)
    inner = schema["properties"][at]
    for rules in (schema, inner):
        asked = rules.keys() - {"$schema", "$id", "$defs", "title", "description", "required", "properties"}
        if asked != {"type", "additionalProperties"} or rules["additionalProperties"] is not False:
            raise ValueError(f"{layout} has rules across its keys: {sorted(asked)}")
    known = schema["properties"]
    return (
        _validator(schema, {key: known[key] for key in known if key < at}),
        {key: _compiled({"$defs": schema["$defs"], **rules}) for key, rules in inner["properties"].items()},
        _validator(schema, {key: known[key] for key in known if key > at}),
    )


def _validator(schema: dict[str, Any], own: dict[str, Any]) -> Any:
    needed = [key for key in schema["required"] if key in own]
    return _compiled({**schema, "properties": own, "required": needed})


def _compiled(schema: dict[str, Any]) -> Any:
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(schema)
