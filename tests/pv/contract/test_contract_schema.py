"""The schemas: closed, explained, and the same to both validators."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import pytest

from pv.contract.document import parse_document
from pv.contract.schema import check_schema, load_schema
from pv.finding import Exit, PvError

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = ("pv/contract-v1", "pv/binding-v1")
DATA = ("pv/family-v1", "pv/stages-v1")
CONTRACT = (EXAMPLES / "good" / "PV102-same-key-in-two-mappings-v1.yaml").read_text(encoding="utf-8")


def properties(schema: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Every property below `schema` whose value is described, not only forbidden or matched by a condition."""
    if isinstance(schema, dict):
        for name, body in schema.get("properties", {}).items():
            yield f"{pointer}/{name}", body
        for key, body in schema.items():
            if key not in ("if", "then", "else", "allOf", "examples"):
                yield from properties(body, f"{pointer}/{key}")


def described(name: str) -> list[tuple[str, Any]]:
    return [(pointer, body) for pointer, body in properties(load_schema(name)) if not pointer.endswith("/properties")]


@pytest.mark.parametrize("name", NAMES + DATA)
def test_every_property_has_a_title_a_description_and_an_example(name: str) -> None:
    found = [(pointer, body) for pointer, body in described(name) if isinstance(body, dict)]
    assert len(found) >= 7
    assert [pointer for pointer, body in found if not {"title", "description", "examples"} <= body.keys()] == []


@pytest.mark.parametrize("name", NAMES + DATA)
def test_the_schema_is_one_of_draft_2020_12_and_closed_everywhere(name: str) -> None:
    schema = load_schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    objects = [body for body in _all(schema) if isinstance(body.get("properties"), dict) and "type" in body]
    assert len(objects) >= 2
    assert all(body["additionalProperties"] is False and "^x-" in body["patternProperties"] for body in objects)


def _all(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
    for body in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _all(body)


def _ecma_pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[jsonschema.ValidationError]:
    """`pattern` as JSON Schema means it (ECMA-262): Python's `$` would also match before a final line break."""
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


Reference = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": _ecma_pattern})  # type: ignore[no-untyped-call] # so in the stubs


def mutants(value: Any) -> Iterator[Any]:
    """`value` with one thing in it replaced, removed or added, at every place."""
    yield from (None, True, -1, 1.5, 10**63, "", " ", "x\n", [], {}, [1], {"x-y": 1}, {"min": 1, "max": 2})
    if isinstance(value, dict):
        for key, body in value.items():
            yield {name: inner for name, inner in value.items() if name != key}
            yield {**value, f"{key}s": body}
            yield from ({**value, key: mutant} for mutant in mutants(body))
        yield {**value, "like": "x"}
        yield {**value, "x-free": [None]}
    elif isinstance(value, list):
        yield value + value
        for i, body in enumerate(value):
            yield from ([*value[:i], mutant, *value[i + 1 :]] for mutant in mutants(body))


@pytest.mark.parametrize("name", NAMES)
def test_both_validators_accept_the_same_and_name_the_same_places(name: str) -> None:
    fast, reference = jsonschema_rs.Draft202012Validator(load_schema(name)), Reference(load_schema(name))
    documents = [parse_document(path.read_bytes(), path.name) for path in sorted(EXAMPLES.rglob("*.yaml"))]
    whole = [document.value for document in documents if not document.findings]
    kind = "bindings" if name == "pv/binding-v1" else "equations"
    like = next(value for value in whole if isinstance(value, dict) and kind in value)
    rejected = 0
    for value in (*whole, *mutants(like)):
        expected = {(tuple(error.absolute_path), error.validator) for error in reference.iter_errors(value)}
        found = {(tuple(error.instance_path), error.kind.name) for error in fast.iter_errors(value)}
        assert found == expected, value
        assert fast.is_valid(value) == (not expected)
        rejected += bool(expected)
    assert rejected > 50


def found(text: str) -> list[tuple[str, str, str, str]]:
    findings = check_schema(parse_document(text.encode(), "a.yaml"), "pv/contract-v1")
    return [(item.code, f"{item.place.line}:{item.place.column}", item.message, item.hint) for item in findings]


def changed(before: str, after: str) -> list[tuple[str, str, str, str]]:
    assert before in CONTRACT
    return found(CONTRACT.replace(before, after, 1))


def test_a_contract_that_satisfies_the_schema_has_no_finding() -> None:
    assert found(CONTRACT) == []


def test_an_unknown_key_is_found_at_the_key_with_the_nearest_known_one() -> None:
    (finding,) = changed("    domain: x", "    domains: 1\n    domain: x")
    assert finding == (
        "PV110",
        "7:5",
        "unknown key 'domains' in equations/softmax",
        "did you mean 'domain'? (keys that begin with x- are free)",
    )


def test_a_missing_key_is_found_at_what_lacks_it_and_says_what_it_is_for() -> None:
    (finding,) = changed("    formula: softmax(x)[i] = exp(x[i]) / Σ exp(x)\n", "")
    assert finding == (
        "PV111",
        "5:3",
        "equations/softmax has no 'formula'",
        "add `formula:`: What is computed, in mathematical notation.",
    )


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("0.1.0", "1.0", "metadata/version is 1.0; expected text"),
        ("0.1.0", "''", "metadata/version is ''; expected text that is not blank"),
        ("holds: bounded", "holds: on", "softmax/invariants/0/holds is 'on'; expected one of exact, bounded, real"),
        ("1e-6", "-1", "tolerance/float32 is -1; expected at least 0"),
        ("E: 8", "E: 1.5", "dimensions/E is 1.5; expected a whole number or a mapping"),
        ("[n, E]", "[n, n-1]", "shape/1 is 'n-1'; expected text that matches ^[A-Za-z_]"),
        ("[softmax/unit_sum]", "[]", "binds_to is a list of 0; expected at least 1 of length"),
        ("[float32]", "[float32, float32]", "dtype is a list of 2; expected a list without repetition"),
        ("like: x,", "like: x, dtype: [float32],", "key 'dtype' has no meaning here"),
    ],
)
def test_a_wrong_value_is_described_by_what_was_seen_and_what_is_expected(
    before: str, after: str, message: str
) -> None:
    ((code, _, seen, hint),) = changed(before, after)
    assert (code, bool(hint)) == ("PV112", True)
    assert message in seen


def test_no_message_quotes_a_whole_value() -> None:
    seen = [message for _, _, message, _ in changed("0.1.0, description: Rows", f"{'a' * 5000}, {'b' * 1000}: Rows")]
    assert [message[:20] for message in seen] == ["metadata has no 'des", "unknown key 'bbbbbbb"]
    assert all(len(message) < 150 for message in seen)


def test_a_schema_that_does_not_exist_is_a_fault_of_the_installation() -> None:
    with pytest.raises(PvError) as raised:
        load_schema("pv/nothing-v1")
    assert raised.value.exit is Exit.BUG


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_file_is_what_it_is_named(name: str) -> None:
    schema = load_schema(name)
    assert (schema["$id"], schema["properties"]["schema"]["const"]) == (name, name)
    assert json.dumps(schema)
