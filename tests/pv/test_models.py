"""`[tool.pv.models]`: closed, and said what is wrong with it."""

from __future__ import annotations

import pytest

from pv.finding import PvError
from pv.models import NamedModel, find_model, read_models


def test_a_model_is_read_and_found_by_its_family() -> None:
    models = read_models({"models": {"tiny": {"family": "microgpt", "load": "a.b:load", "tokenizer": "a.c"}}})
    assert models == (NamedModel("tiny", "microgpt", "a.b:load", tokenizer="a.c"),)
    assert find_model(models, "microgpt") == models[0]
    assert find_model(models, "llama") is None
    assert read_models({}) == ()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"family": "llama"}, "has no 'load'"),
        ({"load": "a:b"}, "has no 'family'"),
        ({"family": "llama", "load": "a.b"}, "does not name module:function"),
        ({"family": "llama", "load": "a:b", "tokenizer": "a:b"}, "does not name a module"),
        ({"family": "llama", "load": "a:b", "tokeniser": "a"}, "unknown key 'tokeniser'"),
        ({"family": "llama", "load": 1}, "is no text"),
        (3, "must be a table"),
    ],
)
def test_a_table_with_one_thing_wrong_is_refused(row: object, said: str) -> None:
    with pytest.raises(PvError, match=said):
        read_models({"models": {"tiny": row}})
