"""Whether a document has the layout its `schema:` names, with the place of everything that has not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from pv.contract.bounds import MAX_FINDINGS
from pv.contract.document import Document
from pv.contract.quote import nearest, shorten
from pv.finding import Exit, Finding, PvError, Severity

_KINDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a mapping",
    "string": "text",
}


@cache
def load_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of `name` (`pv/contract-v1`): beside the package in a wheel, in `schemas/` of a checkout."""
    for home in _homes(name):
        if home.is_file():
            schema: dict[str, Any] = json.loads(home.read_bytes())
            return schema
    raise PvError(f"this pv has no schema {name!r}", exit=Exit.BUG, hint="install pv-contracts again")


def has_schema(name: str) -> bool:
    """Whether `name` is a format of ours."""
    plain = name.removeprefix("pv/").replace("-", "").isalnum()
    return plain and any(home.is_file() for home in _homes(name))


def _homes(name: str) -> tuple[Path, Path]:
    file = f"{name.removeprefix('pv/')}.json"
    package = Path(__file__).resolve().parent.parent
    return package / "schemas" / file, package.parent / "schemas" / file


def check_schema(document: Document, name: str) -> Iterator[Finding]:
    """Everything in which `document` departs from the schema `name`, in the order of the file."""
    validator = _validator(name)
    if validator.is_valid(document.value):
        return
    errors = islice(validator.iter_errors(document.value), MAX_FINDINGS + 1)
    found = [finding for error in errors for finding in _findings(error, document, load_schema(name))]
    yield from sorted(found, key=lambda finding: finding.place)


@cache
def _validator(name: str) -> Any:
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(load_schema(name))


def _findings(error: Any, document: Document, schema: dict[str, Any]) -> Iterator[Finding]:
    pointer = tuple(error.instance_path)
    within = "/".join(map(str, pointer)) or "the file"
    kind = type(error.kind).__name__
    if kind == "AdditionalProperties":
        rules = _at(schema, error.schema_path[:-1])
        for key in error.kind.unexpected:
            yield _unknown_key(key, within, rules, document, pointer)
    elif kind == "Required":
        key = error.kind.property
        hint = f"add `{key}:`{_purpose(_at(schema, error.schema_path[:-1]), key)}"
        place = document.place(pointer, key=True)
        yield Finding("PV111", Severity.ERROR, place, f"{within} has no {key!r}", hint)
    elif kind == "Not":
        seen = f"key {pointer[-1]!r} has no meaning here, given the other keys of {'/'.join(map(str, pointer[:-1]))}"
        yield Finding("PV112", Severity.ERROR, document.place(pointer, key=True), seen, "remove it")
    else:
        seen = f"{within} is {shorten(_value(document, pointer))}; expected {_expected(error.kind, kind)}"
        hint = _purpose(_at(schema, error.schema_path[:-1])).removeprefix(": ")
        yield Finding("PV112", Severity.ERROR, document.place(pointer), seen, hint)


def _unknown_key(key: str, within: str, rules: Any, document: Document, pointer: Sequence[str | int]) -> Finding:
    known = sorted(rules.get("properties", ()))
    names = [pattern for pattern in rules.get("patternProperties", ()) if pattern != "^x-"]
    if names:
        seen, hint = f"{shorten(key)} is no name: {within} holds names", f"a name matches {names[0]}"
    else:
        seen = f"unknown key {shorten(key)} in {within}"
        hint = f"{nearest(key, known)} (keys that begin with x- are free)"
    return Finding("PV110", Severity.ERROR, document.place((*pointer, key), key=True), seen, hint)


def _at(schema: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        schema = schema[step]
    return schema


def _value(document: Document, pointer: Sequence[str | int]) -> Any:
    value = document.value
    for step in pointer:
        value = value[step]
    return value


def _purpose(rules: Any, key: str | None = None) -> str:
    """What the schema says a value is for, after a colon; nothing when it does not say."""
    if key is not None:
        rules = rules.get("properties", {}).get(key, {})
    description = rules.get("description", "") if isinstance(rules, dict) else ""
    return f": {description}" if description else ""


def _expected(error: Any, kind: str) -> str:
    """What the schema asks for, from the error's typed parts; never a value of the file."""
    match kind:
        case "Type":
            return " or ".join(_KINDS.get(name, name) for name in error.types)
        case "Enum":
            return f"one of {', '.join(map(str, error.options))}"
        case "Constant":
            return repr(error.expected_value)
        case "Pattern":
            blank = error.pattern == "[^ \\t\\r\\n]"
            return "text that is not blank" if blank else f"text that matches {error.pattern}"
        case "MinLength" | "MinItems" | "MinProperties":
            return f"at least {error.limit} of length"
        case "MaxLength" | "MaxItems" | "MaxProperties":
            return f"at most {error.limit} of length"
        case "Minimum" | "ExclusiveMinimum":
            return f"{'at least' if kind == 'Minimum' else 'more than'} {error.limit}"
        case "UniqueItems":
            return "a list without repetition"
    return f"what the schema's {error.name} admits"
