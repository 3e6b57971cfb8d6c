"""One value, one text: canonical JSON and the digests made of it."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pv.digest import canonical, digest, hex_float, sha256

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(("value", "text"), [
    ({"b": 1, "a": [True, None]}, b'{"a":[true,null],"b":1}'),
    ((1, 2), b"[1,2]"),
    ("é\n\u2028", b'"\\u00e9\\n\\u2028"'),
    (0.1, b'"0x1.999999999999ap-4"'),
    (1.0, b'"0x1.0000000000000p+0"'),
    (-0.0, b'"-0x0.0p+0"'),
    (5e-324, b'"0x0.0000000000001p-1022"'),
    ([math.inf, -math.inf, math.nan], b'["inf","-inf","nan"]'),
    (2**80, b"1208925819614629174706176"),
])  # fmt: skip
def test_the_canonical_form_is_fixed(value: Any, text: bytes) -> None:
    """Golden: names of files in ledgers are made of these bytes."""
    assert canonical(value) == text


def test_the_digest_is_of_the_canonical_form() -> None:
    """Golden: computed with `printf '{"a":1}' | sha256sum`."""
    assert digest({"a": 1}) == sha256(b'{"a":1}')
    assert digest({"a": 1}) == "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_the_order_of_keys_does_not_matter(value: dict[str, Any]) -> None:
    assert canonical(dict(reversed(value.items()))) == canonical(value)


@given(VALUES)
def test_it_is_json_in_ascii_and_its_own_canonical_form(value: Any) -> None:
    text = canonical(value)
    assert text.isascii()
    assert canonical(json.loads(text)) == text


@given(st.floats(allow_nan=False))
def test_a_float_reads_back_exactly(value: float) -> None:
    assert float.fromhex(hex_float(value)).hex() == value.hex()


def test_values_of_other_types_have_other_digests() -> None:
    values: list[Any] = [0, 0.0, -0.0, False, None, "0", [], {}, [0], "", [[]], {"": 0}]
    assert len({digest(value) for value in values}) == len(values)


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, object(), {1: 2}, {"a": {None: 1}}, 1j], ids=range(6))
def test_what_cannot_be_written_the_same_everywhere_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="canonical JSON"):
        canonical(value)
