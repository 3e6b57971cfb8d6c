"""PV302, PV303: every obligation is attacked and every test is run; judged inside a project only, once per contract."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pv.contract.predecessor.model import PROPERTY, Item
from pv.contract.quote import shorten
from pv.rules.predecessor.judged import JudgedPredecessor, also, spoken_once
from pv.rules.registry import Report

_WORD = re.compile(r"[^\W\d_]{4,}")
_ANY_TYPE = frozenset(("invariant", "bound", "equivalence", "precondition", "postcondition"))


@also("PV302")
def obligations_are_attacked(judged: JudgedPredecessor) -> Iterator[Report]:
    """Obligations that no test mentions: by id, by type, or by a third of the words of their property."""
    obligations, tests = judged.contract.obligations, judged.contract.tests
    if judged.project is None or not (tests or judged.contract.kind == "kernel"):
        return  # only a kernel contract owes tests
    texts = [told(test) for test in tests]
    alone = (
        (shorten(item.text(*PROPERTY), 40), judged.at(item.at)) for item in obligations if not mentioned(item, texts)
    )
    yield from spoken_once(
        alone, len(obligations), "obligations are mentioned by no test", "add a test that attacks it"
    )


@also("PV303")
def tests_have_falsifiers(judged: JudgedPredecessor) -> Iterator[Report]:
    """As in our own format: `test:` is prose, and nothing runs it."""
    if judged.project is None:
        return
    name, tests, index = judged.contract.name, judged.contract.tests, judged.project.falsifiers
    ids = ((item.text("id"), item.at) for item in tests)
    without = [(id_, judged.at(at)) for id_, at in ids if not index.falsifiers_of(name, id_)]
    hint = f'write @falsifier("{without[0][0]}") in falsifiers/' if without else ""
    yield from spoken_once(without, len(tests), "falsification tests have no falsifier", hint)


def mentioned(obligation: Item, texts: Sequence[str]) -> bool:
    """Whether one of `texts` names the obligation or its type, or has a third of the words of its property."""
    names = [obligation.text("id").lower()]
    if obligation.text("type") not in _ANY_TYPE:
        names.append(obligation.text("type")[:6])
    stems = {word[:5] for word in _WORD.findall(obligation.text(*PROPERTY).lower())}
    if any(name and name in text for name in names for text in texts):
        return True
    return not stems or any(3 * sum(stem in text for stem in stems) >= len(stems) for text in texts)


def told(test: Item) -> str:
    """All that a test says, in small letters."""
    listed = test.body.get("binds_to")
    bound = map(str, listed) if isinstance(listed, list) else ()
    return " ".join([*(value for value in test.body.values() if type(value) is str), *bound]).lower()
