"""Every fault planted in this project's own documents is found on its line; what is no fault is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from document_faults import KINDS, PLANTS, Plant
from planted_documents import copied, found, table


def test_every_fault_is_found_on_its_line_and_nothing_in_an_untouched_copy(capsys: pytest.CaptureFixture[str]) -> None:
    missed = table()
    told = capsys.readouterr().out
    assert missed == 0, "\n".join(line for line in told.splitlines() if " NO " in line or line.startswith(" "))
    assert told.endswith("untouched: exit 0\n")


def test_there_are_many_of_every_sort() -> None:
    assert len({(plant.file, plant.old, plant.new) for plant in PLANTS}) == len(PLANTS) >= 60
    assert {plant.code for plant in PLANTS} == {
        *(f"PV50{number}" for number in (1, 2, 3, 7)),
        *(f"PV7{number:02}" for number in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17)),
    }


@pytest.mark.parametrize(
    "wrong",
    [
        Plant("no fault at all", KINDS, "## Live\n", "## Live\n\nWords.\n", "PV701"),
        Plant("found as something else", KINDS, "## Live\n", "#### Live\n", "PV702"),
        Plant("found on another line", KINDS, "## Live\n", "#### Live\n", "PV701", "# Kinds"),
        Plant("found with something beside it", KINDS, "## Live\n", "#### Live\n\n[x]()\n", "PV701"),
    ],
    ids=lambda plant: plant.what,
)
def test_a_plant_counts_only_when_its_own_finding_is_told(wrong: Plant, tmp_path: Path) -> None:
    assert not found(copied(tmp_path), wrong).right
