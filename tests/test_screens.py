"""docs/models.md shows what the commands print."""

from __future__ import annotations

import pytest
from screens import screen, screens, without_levels

SHOWN = dict(screens())


@pytest.mark.parametrize("command", SHOWN)
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
