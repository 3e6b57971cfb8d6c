"""Which signs of a document are numbers that a claim has to bind."""

from __future__ import annotations

import pytest

from pv.claims.numbers import unbound


@pytest.mark.parametrize(
    "text",
    [
        "16",
        "4,192",
        "1e-5",
        "0.85",
        "3.11.",
        "(7)",
        "50%",
        "10x",
        "250ms",
        "5 GB",
        "16GiB",
        "7B,",
        "32-",
        "60s",
        "10K",
        "5GHz",
        "5\u00b5s",
        "5\u03bcs",
        "3fps",
        "20G",
        "8bits",
        "4kg",
    ],
)
def test_a_number_is_one_with_its_unit_too(text: str) -> None:
    assert [found.place.column for found in unbound(f"about {text} more", [], [], "a.md")] == [7 + text.startswith("(")]


@pytest.mark.parametrize(
    "text",
    [
        "PV203",
        "v1.2",
        "sha256",
        "2f9b",
        "#12",
        "x1",
        "3D",
        "0BSD",
        "32-bit",
        "a/2/b",
        "1st",
        "`fp16`",
        "10xy",
        "UTF-8",
        "10-20",
    ],
)
def test_a_number_that_is_part_of_a_name_is_none(text: str) -> None:
    assert list(unbound(f"about {text} more", [], [], "a.md")) == []
