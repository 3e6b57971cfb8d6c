"""The digests are those written down in tests/golden/digests.json, on every Python; `tests/golden/digests.py` adds to them."""

from __future__ import annotations

import ast
import runpy
import sys
from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace

import pytest

from pv.source.code import module_parts
from pv.source.syntax import FIELDS, walk

SCRIPT = Path(__file__).resolve().parents[2] / "golden/digests.py"
golden = SimpleNamespace(**runpy.run_path(str(SCRIPT)))
VECTORS = golden.load()
CODE = {name: row["source"] for name, row in VECTORS["code"]["vectors"].items() if golden.runs_here(row)}

# What no digest of a module reaches: other modes of the parser, type comments, and what only says how a name is used.
NOT_OF_A_MODULE = {"Interactive", "Expression", "FunctionType", "TypeIgnore", "Load", "Store", "Del"}
LATER = {"TypeAlias": 12, "TypeVar": 12, "ParamSpec": 12, "TypeVarTuple": 12, "Interpolation": 14, "TemplateStr": 14}
LATER_FIELDS = {"type_params": 12, "default_value": 13}


def test_every_vector_has_the_digest_written_down() -> None:
    found = list(golden.differences(golden.load()))
    assert found == [], f"a digest is the format: see {SCRIPT.name} for what to do where a change is meant"


def test_a_changed_digest_source_or_tag_is_told_and_adding_mends_none_of_it() -> None:
    changed = deepcopy(VECTORS)
    changed["code"]["tag"] = "pv-code-0"
    changed["code"]["vectors"]["if"]["digest"] = "0" * 64
    changed["code"]["vectors"]["while"]["source"] += "a\n"
    changed["clauses"]["vectors"]["a tensor within bounds"]["digest"]["scale"] = ""
    told = [
        "code: the tag is pv-code-1, written down is pv-code-0",
        "code: if: has another digest",
        "code: while: has another digest",
        "clauses: a tensor within bounds: has another digest",
    ]
    assert list(golden.differences(changed)) == told
    assert list(golden.differences(golden.completed(changed))) == told


def test_a_vector_without_a_digest_is_told_until_it_is_added() -> None:
    new = deepcopy(VECTORS)
    new["code"]["vectors"]["new"] = {"source": "a = 1\n"}
    assert list(golden.differences(new)) == ["code: new: has no digest yet"]
    assert list(golden.differences(golden.completed(new))) == []


def test_no_two_vectors_share_a_digest_but_where_one_adds_only_what_has_no_meaning() -> None:
    named: dict[str, list[str]] = {}
    for name, source in CODE.items():
        named.setdefault(module_parts(source).whole_digest(), []).append(name)
    assert [names for names in named.values() if len(names) > 1] == [["nothing", "docstring alone"]]


def test_the_vectors_hold_every_node_and_every_field_of_this_python() -> None:
    assert _missing(CODE.values()) == set()


def test_that_test_can_fail() -> None:
    assert _missing(source for name, source in CODE.items() if name != "try, star") == {"TryStar"}
    assert "ClassDef.bases" in _missing(source for name, source in CODE.items() if name != "class, all of it")


@pytest.mark.parametrize("name", CODE)
def test_comments_blank_lines_and_layout_change_no_digest(name: str) -> None:
    source = CODE[name]
    before = module_parts(source).whole_digest()
    spaced = (
        "# a comment\n\n" + source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n") + "\n\n# another\n"
    )
    assert module_parts(spaced).whole_digest() == before
    if "__doc__" not in source:  # unparse writes docstrings its own way
        assert module_parts(ast.unparse(ast.parse(source.removeprefix("\ufeff")))).whole_digest() == before


def _missing(sources: Iterable[str]) -> set[str]:
    """Node classes, and fields of those, that occur in none of `sources` although this Python parses them."""
    seen: dict[str, set[str]] = {}
    for source in sources:
        for node in walk(ast.parse(source.removeprefix("\ufeff"))):
            held = {field for field in FIELDS[type(node).__name__] if getattr(node, field, None) not in (None, [])}
            seen.setdefault(type(node).__name__, set()).update(held)
    parsed = {name for name in FIELDS if name not in NOT_OF_A_MODULE and LATER.get(name, 11) <= sys.version_info.minor}
    fields = {
        f"{name}.{field}"
        for name in parsed & set(seen)
        for field in set(FIELDS[name]) - seen[name]
        if LATER_FIELDS.get(field, 11) <= sys.version_info.minor
    }
    return (parsed - set(seen)) | fields
