"""Rows added to bindings: every layout reads back as before and more, and what surrounds them stays byte for byte."""

from __future__ import annotations

import pytest

from pv.contract.append import with_rows
from pv.contract.document import parse_document

ROWS = [
    '{contract: a-v1, equation: f, name: torch, target: "m:f"}',
    '{contract: a-v1, equation: g, name: torch, target: "m:g"}',
]
OLD = '{contract: b-v1, equation: f, name: torch, target: "m:f"}'
LAYOUTS = {
    "block": f"schema: pv/binding-v1\nbindings:\n  - {OLD} # why\n",
    "no final newline": f"schema: pv/binding-v1\nbindings:\n- {OLD}",
    "block items, comments and a key after": (
        "bindings: # all\n  - contract: b-v1\n    equation: f\n    name: torch\n    target: m:f\n\n  # end\n\nx-a: 1\n"
        "schema: pv/binding-v1\n"
    ),
    "line ends of Windows": f"schema: pv/binding-v1\r\nbindings:\r\n  - {OLD}\r\n",
    "byte order mark": f"\ufeffschema: pv/binding-v1\nbindings:\n  - {OLD}\n",
    "empty": "schema: pv/binding-v1\nbindings: [] # none yet\n",
    "flow": f"schema: pv/binding-v1\nbindings: [{OLD}]\n",
    "flow with a comma at the end": f"schema: pv/binding-v1\nbindings: [\n  {OLD}, # why\n]\n",
    "all in one line": f"{{schema: pv/binding-v1, bindings: [{OLD}]}}\n",
    "empty, all in one line": "{schema: pv/binding-v1, bindings: []}\n",
    "a sign of three bytes before": f"x-note: 漢字 🙂\nschema: pv/binding-v1\nbindings:\n  - {OLD}\n",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_rows_are_added_at_the_end_and_nothing_else_changes(layout: str) -> None:
    text = LAYOUTS[layout]
    added = with_rows(text, ROWS)
    assert added is not None
    before, after = (parse_document(part.encode(), "").value for part in (text, added))
    assert after["bindings"] == before["bindings"] + [parse_document(row.encode(), "").value for row in ROWS]
    assert {**after, "bindings": None} == {**before, "bindings": None}
    rest = iter(added)
    assert layout.startswith("empty") or all(sign in rest for sign in text), "the old text is what is left without them"
    commented = [line for line in text.splitlines() if "#" in line]
    assert layout == "empty" or [line for line in added.splitlines() if "#" in line] == commented


def test_where_adding_would_change_a_value_nothing_is_given() -> None:
    text = f"schema: pv/binding-v1\nbindings:\n  - {OLD[:-1]}, x-note: 1}}\n  - x-note: |\n      # a\n"
    assert with_rows(text, ROWS) is None, "the last row is not valid, so no candidate is"
    tricky = (
        "schema: pv/binding-v1\nbindings:\n  - contract: b-v1\n    equation: f\n    name: t\n    target: m:f\n"
        "    x-note: |\n      a\n      # b\n"
    )
    added = with_rows(tricky, ROWS)
    assert added is None or parse_document(added.encode(), "").value["bindings"][0]["x-note"] == "a\n# b\n"


def test_a_row_that_is_no_binding_is_not_added() -> None:
    assert with_rows(LAYOUTS["block"], ["{contract: A B}"]) is None
