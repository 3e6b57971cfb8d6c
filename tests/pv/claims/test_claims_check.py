"""Claims against the source: right ones pass, every kind of wrong one is found where it is."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pv.claims.check import check_claims as check
from pv.claims.written import says, written
from pv.contract.model import Claim, Constant, Phrase, Source, TableCell
from pv.finding import Finding, Place, Severity
from pv.source.constants import Folded, Unfolded, fold_constant

README = """\
# microGPT

It has 4,192 parameters, and 16 is also the block size.

## Architecture

| constant | value | note |
|----------|-------|------|
| parameters | **4,192** | 16 of them never move |
| `N_EMBD` | 16 | not 4 |
| epsilon  | `1e-5` | inside the root |

## Training

| constant | value |
|----------|-------|
| rate     | 0.01  |
"""
CONFIG = """\
VOCAB_SIZE, N_EMBD = 27, 16
N_PARAMS = 2 * VOCAB_SIZE * N_EMBD + 16 * N_EMBD + 12 * N_EMBD**2
EPSILON = 0.00001
RATE = 1e-2
NAME = "Adam"
"""
PLACE = Place("contracts/microgpt-v1.yaml", 90, 5)


def _claim(row: str, name: str, form: str = "{}", **changes: str) -> Claim:
    place = Place(PLACE.path, PLACE.line + len(row), PLACE.column)
    cell = TableCell(changes.get("section", "Architecture"), row, changes.get("column", "value"))
    source = changes.get("source", "config.py")
    return Claim(f"{row}-claim", place, changes.get("document", "README.md"), cell, Constant(source, name), form)


def check_claims(root: Path, claims: Iterable[Claim], shown: Callable[[str], str] = str) -> list[Finding]:
    """The findings, of claims whose sources are constants."""

    def value(source: Source) -> Folded | Unfolded:
        assert isinstance(source, Constant)
        return fold_constant(root, source.path, source.name)

    return check(root, claims, value, shown)


CLAIMS = (
    _claim("parameters", "N_PARAMS", "{:,}"),
    _claim("N_EMBD", "N_EMBD"),
    _claim("epsilon", "EPSILON"),
    _claim("rate", "RATE", "{:.2f}", section="Training"),
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    _write(root, "README.md", README)
    _write(root, "config.py", CONFIG)
    return root


def test_claims_that_hold_have_no_findings(project: Path) -> None:
    assert check_claims(project, CLAIMS) == []


def test_a_wrong_claim_shows_both_values_and_both_places(project: Path) -> None:
    _write(project, "config.py", CONFIG.replace("27, 16", "27, 32"))
    assert check_claims(project, CLAIMS[1:], lambda path: f"../{path}") == [
        Finding(
            "PV501",
            Severity.ERROR,
            Place("../README.md", 10, 14),
            "claim 'N_EMBD-claim' is wrong: the document says '16', N_EMBD is 32 at ../config.py:1:1",
            "write '32' here, or mend N_EMBD at ../config.py:1:1",
        )
    ]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("**4,192**", "**4192**", [("PV501", 9, 16)]),
        ("**4,192**", "**4,193**", [("PV501", 9, 16)]),
        ("**4,192**", "4<br>,192", [("PV501", 9, 16)]),
        ("**4,192**", "`4,192`", []),
        ("**4,192**", "  4,192", []),
        ("| **4,192** | 16", "| | 4,192", [("PV501", 9, 16)]),
        ("| 16 | not 4", "| 4 | not 16", [("PV501", 10, 14)]),
        ("| 16 | not 4", "|16|", []),
        ("| 16 | not 4", "| 16.0 | not 4", []),
        ("| 16 | not 4", "| 1,6 | not 4", [("PV501", 10, 14)]),
        ("| 16 | not 4", "| \\|16 | not 4", [("PV501", 10, 14)]),
        ("| 16 | not 4", "| `1|6` | not 4", [("PV501", 10, 14)]),
        ("| 16 | not 4", "| ١٦ | not 4", [("PV501", 10, 14)]),
        ("| 16 | not 4", "| 16² | not 4", [("PV501", 10, 14)]),
        ("| 16 | not 4", "| −16 | not 4", [("PV501", 10, 14)]),
        ("| 16 | not 4", "| 1_6 | not 4", [("PV501", 10, 14)]),
        ("| 16 | not 4", "| 16e99999999 | not 4", [("PV501", 10, 14)]),
        ("`1e-5`", "1e-05", []),
        ("`1e-5`", "0.00001", []),
        ("`1e-5`", "`1e-6`", [("PV501", 11, 14)]),
        ("| 0.01 ", "| 1e-2 ", [("PV501", 17, 14)]),
        ("| `N_EMBD` |", "| wide \\| `N_EMBD` | 16 |\n| `N_EMBD` |", []),
    ],
)
def test_the_cell_itself_must_say_the_value(
    project: Path, old: str, new: str, found: list[tuple[str, int, int]]
) -> None:
    assert old in README
    _write(project, "README.md", README.replace(old, new))
    findings = check_claims(project, CLAIMS)
    assert [(finding.code, finding.place.line, finding.place.column) for finding in findings] == found


@pytest.mark.parametrize(
    ("claim", "message", "hint"),
    [
        (
            _claim("rate", "RATE", document="READ.md"),
            "there is no document 'READ.md'",
            "name a Markdown or SVG file of the project, relative to its root; known are 'README.md'",
        ),
        (
            _claim("rate", "RATE", section="Trainings"),
            "README.md has no section 'Trainings'",
            "known are 'Training'",
        ),
        (
            _claim("rate", "RATE", section="microGPT"),
            "section 'microGPT' of README.md has no table of its own",
            "tables are in 'Architecture', 'Training'",
        ),
        (
            _claim("N_EMBED", "N_EMBD"),
            "no row of section 'Architecture' of README.md begins with 'N_EMBED'",
            "known are 'N_EMBD'",
        ),
        (
            _claim("N_EMBD", "N_EMBD", column="values"),
            "the table with row 'N_EMBD' in section 'Architecture' has no column 'values'",
            "known are 'value'",
        ),
    ],
)
def test_a_claim_that_matches_nowhere_says_what_is_there(project: Path, claim: Claim, message: str, hint: str) -> None:
    expected = f"claim {claim.id!r} matches nowhere: {message}"
    assert check_claims(project, [claim]) == [Finding("PV502", Severity.ERROR, claim.place, expected, hint)]


@pytest.mark.parametrize(
    "document", ["../README.md", "/etc/hostname", "docs/../README.md", "linked.md", "folder/inner.md", ""]
)
def test_a_document_outside_the_project_is_refused(project: Path, document: str) -> None:
    _write(project, "../README.md", README)
    _write(project, "../outside/inner.md", README)
    (project / "linked.md").symlink_to(project.parent / "README.md")
    (project / "folder").symlink_to(project.parent / "outside")
    [finding] = check_claims(project, [_claim("N_EMBD", "N_EMBD", document=document)])
    assert (finding.code, "leads out of the project" in finding.message) == ("PV502", True)


def test_a_document_linked_inside_the_project_is_read(project: Path) -> None:
    (project / "linked.md").symlink_to("README.md")
    assert check_claims(project, [_claim("N_EMBD", "N_EMBD", document="linked.md")]) == []


def test_a_document_that_is_not_utf_8_is_a_finding(project: Path) -> None:
    (project / "README.md").write_bytes(README.encode() + b"\xff")
    [finding] = check_claims(project, CLAIMS[:1])
    assert (finding.code, finding.hint) == ("PV502", "save it as UTF-8")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("## Training", "## Architecture"),  # a second section of that name, with a table of its own
        ("| `N_EMBD` | 16 | not 4 |", "| `N_EMBD` | 16 | not 4 |\n| N_EMBD | 16 | again |"),
        ("| constant | value | note |", "| constant | value | value |"),
    ],
)
def test_a_claim_that_matches_twice_names_both_cells(project: Path, old: str, new: str) -> None:
    _write(project, "README.md", README.replace(old, new).replace("| rate     | 0.01  |", "| `N_EMBD` | 16 |"))
    [finding] = check_claims(project, CLAIMS[1:2])
    assert (finding.code, finding.place) == ("PV503", CLAIMS[1].place)
    assert finding.message.startswith("claim 'N_EMBD-claim' matches 2 cells: README.md:10:14, README.md:1")


def test_a_second_section_without_the_row_is_no_second_match(project: Path) -> None:
    _write(project, "README.md", README.replace("## Training", "## Architecture"))
    assert check_claims(project, CLAIMS[:3]) == []


def test_the_columns_of_another_table_do_not_count(project: Path) -> None:
    text = README.replace("## Training", "### Training").replace("| rate     | 0.01  |", "| N_EMBD | 99 |")
    _write(project, "README.md", text)
    assert check_claims(project, CLAIMS[:3]) == []


@pytest.mark.parametrize(
    ("claim", "place", "reason"),
    [
        (_claim("N_EMBD", "N_EMBED"), None, "config.py has no constant 'N_EMBED'"),
        (_claim("N_EMBD", "N_EMBD", source="gone.py"), None, "there is no file 'gone.py'"),
        (_claim("N_EMBD", "N_EMBD", source="../config.py"), None, "'../config.py' leads out of the project"),
        (_claim("N_EMBD", "X", source="twice.py"), Place("shown/twice.py", 2, 1), "X is bound more than once"),
        (_claim("N_EMBD", "X", source="broken.py"), Place("shown/broken.py", 1, 3), "this is not Python"),
        (_claim("N_EMBD", "N_EMBD", "sixteen"), None, "the form 'sixteen' must hold one {}"),
        (_claim("N_EMBD", "N_EMBD", "{0.real}"), None, "the form '{0.real}' must hold one {}"),
        (_claim("N_EMBD", "N_EMBD", "{:>999999999}"), None, "the form '{:>999999999}' must hold one {}"),
        (_claim("N_EMBD", "N_EMBD", "{"), None, "the form '{' is not a format"),
        (_claim("N_EMBD", "NAME", "{:.0}"), None, "the form '{:.0}' cuts text off"),
        (_claim("N_EMBD", "NAME", "{:,}"), None, "'Adam' cannot be written in the form '{:,}'"),
    ],
)
def test_a_source_that_gives_no_value_is_a_finding(project: Path, claim: Claim, place: Place, reason: str) -> None:
    _write(project, "twice.py", "X = 1\nX = 2\n")
    _write(project, "broken.py", "X X\n")
    [finding] = check_claims(project, [claim], lambda path: f"shown/{path}")
    assert (finding.code, finding.place) == ("PV504", place or claim.place)
    assert reason in finding.message


def test_two_claims_about_one_cell_are_a_finding(project: Path) -> None:
    (project / "docs").mkdir()
    second = _claim("N_EMBD", "N_EMBD", document="./README.md")
    [finding] = check_claims(project, [CLAIMS[1], second])
    assert (finding.code, finding.place) == ("PV505", second.place)
    assert "README.md:10:14" in finding.message


def test_findings_come_for_all_claims_in_their_order(project: Path) -> None:
    _write(project, "config.py", CONFIG.replace("27, 16", "27, 32").replace("0.00001", "f()"))
    findings = check_claims(project, [*CLAIMS, _claim("gone", "RATE")])
    assert [finding.code for finding in findings] == ["PV501", "PV501", "PV504", "PV502"]


def test_windows_line_ends_change_nothing(project: Path) -> None:
    _write(project, "README.md", README.replace("\n", "\r\n"))
    _write(project, "config.py", CONFIG.replace("\n", "\r\n"))
    assert check_claims(project, CLAIMS) == []
    _write(project, "README.md", README.replace("\n", "\r\n").replace("| 16 |", "| 17 |"))
    assert [finding.place for finding in check_claims(project, CLAIMS)] == [Place("README.md", 10, 14)]


def test_a_huge_table_is_searched_in_seconds(project: Path) -> None:
    rows = "".join(f"| row {number} | {number} |\n" for number in range(4000))
    _write(project, "README.md", f"# Numbers\n\n| name | value |\n|---|---|\n{rows}")
    _write(project, "config.py", "".join(f"X{number} = {number}\n" for number in range(0, 4000, 400)))
    claims = [_claim(f"row {number}", f"X{number}", section="Numbers") for number in range(0, 4000, 400)]
    begun = time.monotonic()
    assert check_claims(project, claims) == []
    assert time.monotonic() - begun < 20
    _write(project, "README.md", f"# Numbers\n\n| name | value |\n|---|---|\n{rows.replace('| 3600 |', '| 3601 |')}")
    assert [finding.place.line for finding in check_claims(project, claims)] == [3605]


PHRASES = """\
# Levels

Of all of them, 29 tests are at DISCHARGED, 6 at
  FUNCTIONAL. Version 1.0.0 of *the* contract says
so.

- In a list: a batch of 16 rows.

> Quoted: a batch of 17 rows.

## Other

A batch of 18 rows; 29 tests are at DISCHARGED.
"""


def _phrase(text: str, name: str = "N", section: str = "Levels") -> Claim:
    before, _, after = text.partition("{value}")
    return Claim("PHRASE", PLACE, "README.md", Phrase(section, before, after), Constant("config.py", name))


@pytest.mark.parametrize(
    ("text", "value", "place"),
    [
        ("of them, {value} tests are", "29", (3, 17)),
        ("DISCHARGED, {value} at FUNCTIONAL", "6", (3, 45)),
        ("FUNCTIONAL. Version {value} of", "'1.0.0'", (4, 23)),
        ("a batch of {value} rows", "16", (7, 25)),
    ],
)
def test_the_hole_of_a_phrase_must_say_the_value(project: Path, text: str, value: str, place: tuple[int, int]) -> None:
    _write(project, "README.md", PHRASES)
    _write(project, "config.py", f"N = {value}\nOTHER = 2\n")
    assert check_claims(project, [_phrase(text)]) == []
    [finding] = check_claims(project, [_phrase(text, "OTHER")])
    assert (finding.code, finding.place) == ("PV501", Place("README.md", *place))


@pytest.mark.parametrize(
    ("text", "section", "code", "message"),
    [
        ("a batch of {value} columns", "Levels", "PV502", "nothing in section 'Levels' of README.md reads"),
        ("a batch of {value} rows", "Level", "PV502", "README.md has no section 'Level'"),
        ("1.0.0 {value} the contract", "Levels", "PV502", "matches nowhere"),
        ("Version {value} the contract", "Levels", "PV502", "is not written there in these words"),
        ("a{value}t", "Levels", "PV503", "matches"),
    ],
)
def test_a_phrase_that_is_not_written_once_is_a_finding(
    project: Path, text: str, section: str, code: str, message: str
) -> None:
    _write(project, "README.md", PHRASES)
    _write(project, "config.py", "N = 1\n")
    [finding] = check_claims(project, [_phrase(text, section=section)])
    assert (finding.code, message in finding.message) == (code, True), finding


def test_a_phrase_written_twice_names_both_places(project: Path) -> None:
    _write(project, "README.md", PHRASES.replace("## Other\n", ""))
    _write(project, "config.py", "N = 29\n")
    [finding] = check_claims(project, [_phrase("{value} tests are at DISCHARGED")])
    assert (finding.code, "README.md:3:1, README.md:12:1" in finding.message) == ("PV503", True), finding


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("0", False), ("True", 1), ("none", None), ("16", "16.0"), ("16,000", 16000), ("", "x"), ("1.0e", 1)],
)
def test_what_only_looks_like_the_value_is_not_it(text: str, value: object) -> None:
    assert not says(text, value, "{}")  # type: ignore[arg-type]  # parametrised over the types of values


@given(st.one_of(st.booleans(), st.integers(), st.floats(), st.text(), st.none(), st.tuples(st.integers(), st.text())))
def test_every_value_is_what_it_is_written_as(value: bool | int | float | str | tuple[int, str] | None) -> None:
    assert says(written(value, "{}"), value, "{}")


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False), st.integers() | st.floats(allow_nan=False))
def test_two_numbers_are_written_alike_only_when_they_are_equal(one: float, other: float) -> None:
    read = float(one) if isinstance(other, float) else one
    assert says(f"{one!r}", other, "{}") == (read == other)


def test_nothing_heavy_is_imported_before_a_document_is_read(project: Path) -> None:
    heavy = {"torch", "hypothesis", "numpy", "jinja2", "rich", "markdown_it"}
    begin = f"import sys; from pathlib import Path; import pv.claims.check; heavy = {heavy!r}\n"
    assert _printed(begin + "print(sorted(heavy & set(sys.modules)))") == "[]\n"
    reading = f"from pv.claims.markdown import read_markdown; read_markdown({README!r}, 'README.md')\n"
    assert _printed(begin + reading + "print(sorted(heavy & set(sys.modules)))") == "['markdown_it']\n"


def _printed(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout


def _write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(text.encode())
