"""The help of a command teaches by an example that can be typed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from conftest import Ran

Pv = Callable[..., Ran]


@pytest.mark.parametrize("name", ["rule", "graph", "coverage", "equations", "scaffold", "init", "pin", "replay"])
def test_help_shows_an_example(name: str, pv: Pv) -> None:
    ran = pv(name, "--help")
    assert (ran.exit, re.search(rf"^    pv {name} ?", ran.out, re.MULTILINE) is not None) == (0, True), ran.out


def test_the_check_can_fail(pv: Pv) -> None:
    assert not re.search(r"^    pv graph", pv("rule", "--help").out, re.MULTILINE)
