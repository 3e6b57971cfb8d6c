"""Claims about the texts of an SVG drawing: found, compared and mended where they stand, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from pv.claims.check import check_claims
from pv.claims.fix import fix_claims
from pv.contract.model import Claim, Constant, DrawnText, Source, TableCell, Where
from pv.finding import Place
from pv.source.constants import Folded

SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" width="16">
  <!-- N = 16 -->
  <title>N = 16</title>
  <desc>größer als N = 16</desc>
  <text x="16" y="1">N = 16</text><text x="16">of 16 wide</text>
  <text>
    M =
    16
  </text>
</svg>
"""


def about(text: str, document: str = "a.svg") -> Claim:
    before, _, after = text.partition("{value}")
    return Claim("C", Place("contracts/a-v1.yaml", 1, 1), document, DrawnText(before, after), Constant("a.py", "N"))


def sixteen(source: Source) -> Folded:
    return Folded(16, Place("a.py"))


def found(root: Path, text: str, drawing: str = SVG) -> list[tuple[str, int, int]]:
    (root / "a.svg").write_text(drawing, encoding="utf-8")
    findings = check_claims(root, [about(text)], sixteen)
    return [(finding.code, finding.place.line, finding.place.column) for finding in findings]


@pytest.mark.parametrize("text", ["N = {value}", "of {value} wide", "M = {value}"])
def test_a_text_that_says_the_value_is_right(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, text) == []


def test_a_wrong_text_is_told_where_it_stands(tmp_path: Path) -> None:
    assert found(tmp_path, "N = {value}", SVG.replace(">N = 16</text>", ">N = 17</text>")) == [("PV501", 5, 26)]


def test_a_title_a_comment_and_an_attribute_are_no_texts(tmp_path: Path) -> None:
    assert found(tmp_path, "N = {value}", SVG.replace('<text x="16" y="1">N = 16', '<text x="16">K = 16')) == [
        ("PV502", 1, 1)
    ]


@pytest.mark.parametrize("again", ["<text>N = 16</text>", "<text>N\n = <tspan>16</tspan></text>"])
def test_a_text_that_is_there_twice_is_an_error(tmp_path: Path, again: str) -> None:
    assert found(tmp_path, "N = {value}", SVG.replace("</svg>", f"{again}</svg>")) == [("PV503", 1, 1)]


@pytest.mark.parametrize("written", ["N &#61; 16", "N = 1<tspan>6</tspan>", "N <tspan>= 16</tspan>", "N = &#49;6"])
def test_what_is_not_written_in_these_words_is_not_guessed(tmp_path: Path, written: str) -> None:
    assert found(tmp_path, "N = {value}", SVG.replace(">N = 16</text>", f">{written}</text>")) == [("PV502", 1, 1)]


@pytest.mark.parametrize(
    "broken",
    [
        "<svg",
        "",
        '<?xml version="1.0" encoding="UTF-16"?>' + SVG,
        '<!DOCTYPE svg [<!ENTITY n "16">]><svg><text>N = &n;</text></svg>',
    ],
)
def test_a_drawing_that_cannot_be_read_is_told(tmp_path: Path, broken: str) -> None:
    assert found(tmp_path, "N = {value}", broken) == [("PV502", 1, 1)]


def test_a_cell_is_in_no_drawing_and_a_text_of_a_drawing_in_no_markdown(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text(SVG, encoding="utf-8")
    (tmp_path / "a.md").write_text("# N = 16\n", encoding="utf-8")
    cell: Where = TableCell("A", "N", "Value")
    claims = [about("N = {value}")._replace(where=cell), about("N = {value}", "a.md")._replace(id="D")]
    assert [finding.code for finding in check_claims(tmp_path, claims, sixteen)] == ["PV502", "PV502"]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_only_the_value_is_written_anew(tmp_path: Path, ends: str) -> None:
    drawing = "\ufeff" + SVG.replace(">N = 16</text>", ">N = 4,192</text>").replace("\n", ends)
    (tmp_path / "a.svg").write_bytes(drawing.encode())
    fixed = fix_claims(tmp_path, [about("N = {value}")], sixteen)
    assert ([row.new for row in fixed.changes], fixed.refused) == (["16"], ())
    assert (tmp_path / "a.svg").read_bytes() == drawing.replace("4,192", "16").encode()


def test_a_value_that_an_attribute_has_too_is_left_to_people(tmp_path: Path) -> None:
    drawing = SVG.replace('<text x="16">of 16 wide', '<text aria-label="of 17 wide">of &#49;7 wide')
    assert found(tmp_path, "of {value} wide", drawing) == [("PV502", 1, 1)]
    assert fix_claims(tmp_path, [about("of {value} wide")], sixteen).changes == ()
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == drawing


def test_a_text_of_blanks_takes_no_longer_for_being_long(tmp_path: Path) -> None:
    """Backtracking over them would take minutes."""
    drawing = SVG.replace(">N = 16</text>", f">N = 1{' ' * 200_000}></text>")
    assert found(tmp_path, "N = {value}", drawing) == [("PV502", 1, 1)]


@pytest.mark.parametrize(("value", "written"), [("a_b", True), ("a&b", False), ("a<b", False)])
def test_what_may_be_written_into_a_drawing_is_what_means_nothing_in_xml(
    tmp_path: Path, value: str, written: bool
) -> None:
    (tmp_path / "a.svg").write_text(SVG.replace(">N = 16</text>", ">called x</text>"), encoding="utf-8")
    fixed = fix_claims(tmp_path, [about("called {value}")], lambda source: Folded(value, Place("m.py", 1, 1)))
    assert [row.new for row in fixed.changes] == ([value] if written else [])
    assert bool(fixed.refused) != written
