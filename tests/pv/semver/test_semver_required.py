"""Which version a change requires, and how versions are ordered."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pv.semver.polarity import Step
from pv.semver.required import moved_enough, required_version, spell
from pv.version import Version, precedence, read_version


def version(text: str) -> Version:
    found = read_version(text)
    assert found is not None
    return found


REQUIRED = """
    1.4.2 none 1.4.2, 1.4.2 patch 1.4.3, 1.4.2 minor 1.5.0, 1.4.2 major 2.0.0,
    0.4.2 patch 0.4.3, 0.4.2 minor 0.5.0, 0.4.2 major 0.5.0, 0.0.3 major 0.1.0,
    2.0.0-rc.1 patch 2.0.0, 2.0.0-rc.1 major 2.0.0, 2.1.0-rc.1 minor 2.1.0, 2.1.0-rc.1 major 3.0.0,
    2.1.1-rc.1 minor 2.2.0, 0.2.0-rc.1 major 0.2.0, 2.0.0-rc.1 none 2.0.0-rc.1
"""
ENOUGH = """
    1.4.0 none 1.4.0, 1.4.0 none 1.9.0, 1.4.0 patch 1.4.1, 1.4.0 patch 1.5.0, 1.4.0 minor 2.0.0, 1.4.0 major 2.0.0,
    1.4.0 major 2.0.0-rc.1, 1.4.0 major 3.1.4, 0.4.0 major 0.5.0, 0.4.0 major 1.0.0, 2.0.0-rc.1 major 2.0.0-rc.2
"""
TOO_LITTLE = """
    1.4.0 none 1.3.9, 1.4.0 patch 1.4.0, 1.4.0 patch 1.4.0+build, 1.4.0 minor 1.4.9, 1.4.0 major 1.9.0,
    2.0.0-rc.2 major 2.0.0-rc.1, 2.0.0-rc.1 patch 2.0.0-rc.1, 1.4.0 patch 1.4.0-rc.1
"""


def rows(table: str) -> list[tuple[str, Step, str]]:
    """`OLD STEP NEW, …`"""
    words = (row.split() for row in table.split(","))
    return [(old, Step[step.upper()], new) for old, step, new in words]


@pytest.mark.parametrize(("old", "step", "required"), rows(REQUIRED))
def test_a_step_requires_the_least_release_that_announces_it(old: str, step: Step, required: str) -> None:
    assert spell(required_version(version(old), step)) == required


@pytest.mark.parametrize(("old", "step", "new"), rows(ENOUGH))
def test_a_later_version_that_announces_the_step_is_enough(old: str, step: Step, new: str) -> None:
    assert moved_enough(version(old), version(new), step)


@pytest.mark.parametrize(("old", "step", "new"), rows(TOO_LITTLE))
def test_an_earlier_version_or_one_that_announces_less_is_not_enough(old: str, step: Step, new: str) -> None:
    assert not moved_enough(version(old), version(new), step)


def test_precedence_is_that_of_the_example_in_item_11() -> None:
    tags = ["-alpha", "-alpha.1", "-alpha.beta", "-beta", "-beta.2", "-beta.11", "-rc.1", ""]
    order = [precedence(version(f"1.0.0{tag}")) for tag in tags]
    assert all(earlier < later for earlier, later in pairwise(order))
