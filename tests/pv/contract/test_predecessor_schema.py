"""The predecessor's schemas, and what every schema of ours is to the reference implementation: the same."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from test_contract_schema import Reference

from pv.contract.document import parse_document
from pv.contract.predecessor.read import predecessor_of
from pv.contract.schema import load_schema

CORPUS = Path(__file__).resolve().parents[3].parent / "shared" / "corpus" / "contracts"
OLD = ("pv/predecessor-contract-v1", "pv/predecessor-family-v1", "pv/predecessor-binding-v1")
EVERY = (*OLD, "pv/contract-v1", "pv/binding-v1")
BATCH = 64
ROUNDS = 330  # × BATCH: at least 20,000 documents


def properties(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every property of a schema, at any depth."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict) and "type" in schema:
            yield from schema["properties"].items()
        for key, body in schema.items():
            if key != "examples":
                yield from properties(body)
    elif isinstance(schema, list):
        for body in schema:
            yield from properties(body)


@pytest.mark.parametrize("name", OLD)
def test_every_property_has_a_title_a_description_and_an_example_that_satisfies_it(name: str) -> None:
    schema = load_schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    found = list(properties(schema))
    assert len(found) >= 8
    assert [key for key, body in found if not {"title", "description", "examples"} <= body.keys()] == []
    assert schema["$id"] == name


def test_every_corpus_file_satisfies_the_schema() -> None:
    if not CORPUS.is_dir():
        pytest.skip("the corpus of real contracts is not beside this checkout")
    files = {
        path.name: predecessor_of(parse_document(path.read_bytes(), path.name), path.stem) for path in CORPUS.iterdir()
    }
    assert len(files) >= 50
    assert {name for name, file in files.items() if file is None or file.findings or file.contract is None} == set()


def test_the_samples_below_are_accepted_so_that_a_mutation_can_be_refused() -> None:
    assert {name: [len(list(fast(name).iter_errors(value))) for value in samples(name)] for name in EVERY} == {
        name: [0] * len(samples(name)) for name in EVERY
    }


@cache
def samples(name: str) -> tuple[Any, ...]:
    """Documents of the format: each key of the schema with its example, few at a time to keep them small."""
    schema = load_schema(name)
    if name in ("pv/contract-v1", "pv/binding-v1"):
        example = Path(__file__).resolve().parents[2] / "examples/good/PV303-PV304-PV306-everything-named/contracts"
        file = "softmax-v1.yaml" if name == "pv/contract-v1" else "binding.yaml"
        return (parse_document((example / file).read_bytes(), file).value,)
    keys = [key for key in schema["properties"] if key not in schema["required"]]
    base = {key: sample(schema["properties"][key], schema) for key in schema["required"]}
    return tuple(
        {**base, **{key: sample(schema["properties"][key], schema) for key in keys[i : i + 3]}}
        for i in range(0, max(1, len(keys)), 3)
    )


def sample(rules: dict[str, Any], root: dict[str, Any]) -> Any:
    """A value that satisfies `rules`, with every key that they name."""
    rules = {**root["$defs"][rules["$ref"].rpartition("/")[2]], **rules} if "$ref" in rules else rules
    types = rules.get("type", ())
    if "object" in types and (rules.get("properties") or isinstance(rules.get("additionalProperties"), dict)):
        value = {key: sample(body, root) for key, body in rules.get("properties", {}).items()}
        more = rules.get("additionalProperties")
        return {**value, "name": sample(more, root)} if isinstance(more, dict) else value
    if "array" in types and "string" not in types:
        return [sample(rules["items"], root)]
    return rules["examples"][0] if "examples" in rules else "text"


@cache
def fast(name: str) -> Any:
    return jsonschema_rs.Draft202012Validator(load_schema(name))


@cache
def reference(name: str) -> Any:
    return Reference(load_schema(name))


REPLACEMENTS: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.0, 1.5, 1e300, 10**63, "", " ", "x\n", "kernel", "FALSIFY-X-1", "é", [], [None], [1, 1],
    ["a", "a"], {}, {"x-y": 1}, {"min": 1}, {"name": "n"}, {"id": "a", "formula": None}, [{"id": 1}], [[]],
)  # fmt: skip
Mutation = tuple[int, int, int]


def mutated(value: Any, mutation: Mutation) -> Any:
    """`value` with one thing replaced, removed, doubled, renamed or added; which of them the numbers say."""
    where, how, what = mutation
    root = [copy.deepcopy(value)]
    places: list[tuple[Any, Any]] = [(root, 0)]
    for holder, key in places:  # grows while it is walked
        inner = holder[key]
        places += (
            [(inner, k) for k in (inner if isinstance(inner, dict) else range(len(inner)))]
            if isinstance(inner, (dict, list))
            else []
        )
    holder, key = places[where % len(places)]
    new = copy.deepcopy(REPLACEMENTS[what % len(REPLACEMENTS)])
    if how % 5 == 0 or holder is root:
        holder[key] = new
    elif how % 5 == 1:
        del holder[key]
    elif how % 5 == 2 and isinstance(holder, dict):
        holder[f"{key}s"] = holder.pop(key)
    elif isinstance(holder, list):
        holder.append(new if how % 5 == 3 else copy.deepcopy(holder[key]))
    else:
        holder["extra" if how % 5 == 3 else "x-free"] = new
    return root[0]


mutations = st.tuples(st.integers(0, 400), st.integers(0, 4), st.integers(0, len(REPLACEMENTS) - 1))


def compare(name: str, which: int, batch: list[list[Mutation]], counts: dict[str, int]) -> None:
    known = samples(name)
    for steps in batch:
        value = known[which % len(known)]
        for step in steps:
            value = mutated(value, step)
        expected = {(tuple(error.absolute_path), error.validator) for error in reference(name).iter_errors(value)}
        found = {(tuple(error.instance_path), error.kind.name) for error in fast(name).iter_errors(value)}
        assert found == expected, json.dumps(value)
        assert fast(name).is_valid(value) == (not expected)
        counts["documents"] += 1
        counts["refused"] += bool(expected)


@pytest.mark.parametrize("rounds", [ROUNDS // 10, pytest.param(ROUNDS, marks=pytest.mark.slow)])
def test_both_validators_agree_on_thousands_of_mutated_documents(rounds: int) -> None:
    counts = {"documents": 0, "refused": 0}
    batches = st.lists(st.lists(mutations, min_size=1, max_size=2), min_size=BATCH, max_size=BATCH)

    @settings(
        max_examples=rounds,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    @given(st.sampled_from(EVERY), st.integers(0, 20), batches)
    def every(name: str, which: int, batch: list[list[Mutation]]) -> None:
        compare(name, which, batch, counts)

    every()
    assert counts["documents"] >= 20_000 * rounds // ROUNDS
    assert counts["documents"] * 0.3 < counts["refused"] < counts["documents"] * 0.95
