"""docs/models.md shows what the commands print."""

from __future__ import annotations

import pytest
from screens import screen, screens, without_levels

SHOWN = dict(screens())


IN_EVERY_RUN = ("inspect microgpt --text maria", "trace microgpt")  # each starts pv, and most torch


@pytest.mark.parametrize("command", [
    pytest.param(command, marks=() if command in IN_EVERY_RUN else pytest.mark.slow) for command in SHOWN
])  # fmt: skip
def test_a_screen_is_what_a_fresh_run_prints(command: str) -> None:
    assert without_levels(SHOWN[command]) == without_levels(screen(command))


def test_the_page_shows_explain_and_trace() -> None:
    assert {command.split()[0] for command in SHOWN} >= {"explain", "trace"}


def test_a_level_is_all_that_may_differ() -> None:
    assert without_levels("softmax  NO EVIDENCE 10\n ────") == without_levels(
        "softmax   DISCHARGED 9 · FUNCTIONAL 1\n ──"
    )
    assert without_levels("heads 4") != without_levels("heads 5")
    assert without_levels("no contract") != without_levels("softmax LEVEL")
