"""`# pv: ignore[…]` in place: what it hides, what it does not, and that it cannot be left behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Ran, edit
from projects import CONTRACT, softmax_project

from pv.rules.suppress import read_ignores

Pv = Callable[..., Ran]

STATEMENT = "        statement: every row sums to 1\n"
STRICT = "        statement: every entry is strictly between 0 and 1"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose one finding is PV208, a warning in the line of the statement."""
    softmax_project(tmp_path)
    edit(tmp_path / CONTRACT, STATEMENT, f"{STRICT}\n")
    return tmp_path


def codes(ran: Ran) -> list[str]:
    """The codes found, of an answer in JSON."""
    return [finding["code"] for finding in json.loads(ran.out)["findings"]]


def test_the_control_is_found(project: Path, pv: Pv) -> None:
    assert codes(pv("validate", "--format", "json", cwd=project)) == ["PV208"]


@pytest.mark.parametrize(
    "answered",
    [
        f"{STRICT}  # pv: ignore[PV208] of real numbers, until 2.0\n",
        f"        # pv: ignore[PV208] of real numbers, until 2.0\n{STRICT}\n",
        f"        #pv:ignore[ pv208 ] of real numbers\n{STRICT}\n",
    ],
)
def test_a_comment_on_the_line_or_alone_above_it_answers_a_finding(answered: str, project: Path, pv: Pv) -> None:
    edit(project / CONTRACT, f"{STRICT}\n", answered)
    ran = pv("validate", "--format", "json", cwd=project)
    assert (codes(ran), json.loads(ran.out)["hidden"]) == ([], {"ignored": 1})
    assert "; 1 ignored" in pv("validate", cwd=project).out


def test_an_ignore_that_matches_nothing_is_a_finding(project: Path, pv: Pv) -> None:
    edit(project / CONTRACT, f"{STRICT}\n", f"{STATEMENT.rstrip()}  # pv: ignore[PV208] of real numbers\n")
    ran = pv("validate", cwd=project)
    assert (ran.exit, "warning PV190 ignore[PV208] matches nothing in line 16" in ran.out) == (0, True)


@pytest.mark.parametrize(
    ("comment", "says"),
    [
        ("# pv: ignore", "ignore names no rule"),
        ("# pv: ignore[] because", "ignore names no rule"),
        ("# pv: ignore[PV208]", "ignore[PV208] gives no reason"),
        ("# pv: ignore[PV2088] because", "ignore[PV2088]: there is no such rule"),
        ("# pv: ignore[PV110] because", "cannot be ignored"),
    ],
)
def test_an_ignore_that_is_no_answer_is_a_finding_and_hides_nothing(
    comment: str, says: str, project: Path, pv: Pv
) -> None:
    edit(project / CONTRACT, f"{STRICT}\n", f"{STRICT}  {comment}\n")
    ran = pv("validate", cwd=project)
    assert ran.exit == 1
    assert "warning PV208" in ran.out
    assert f"error PV191 {says}" in ran.out or says in ran.out


def test_a_comment_speaks_of_no_other_line(project: Path, pv: Pv) -> None:
    edit(project / CONTRACT, "        holds: ", "        # pv: ignore[PV208] too late\n        holds: ")
    assert sorted(codes(pv("validate", "--format", "json", cwd=project))) == ["PV190", "PV208"]


def test_a_trailing_comment_does_not_reach_the_next_line(project: Path, pv: Pv) -> None:
    edit(project / CONTRACT, "      - id: unit_sum\n", "      - id: unit_sum  # pv: ignore[PV208] too early\n")
    assert sorted(codes(pv("validate", "--format", "json", cwd=project))) == ["PV190", "PV208"]


def test_what_stands_inside_a_scalar_is_text_and_no_comment() -> None:
    text = (
        "a: 'x # pv: ignore[PV203] no'\n"
        "b: |\n  line\n  # pv: ignore[PV203] no\n"
        "# pv: ignore[PV203] yes\n"
        "c: >-\n  folded # pv: ignore[PV203] no\nd: plain # pv: ignore[PV203] yes\n"
    )
    found = read_ignores(text.encode(), "a.yaml")
    assert [(ignore.place.line, ignore.reason) for ignore in found] == [(5, "yes"), (8, "yes")]


def test_a_finding_in_the_binding_file_is_answered_there(project: Path, pv: Pv) -> None:
    binding = project / "contracts/binding.yaml"
    edit(binding, "kernels:softmax", "kernels:sotfmax")
    assert sorted(codes(pv("validate", "--format", "json", cwd=project))) == ["PV208", "PV305"]
    text = binding.read_text(encoding="utf-8").rstrip("\n")
    binding.write_text(text + "  # pv: ignore[PV305] comes with 2.0\n", encoding="utf-8")
    assert codes(pv("validate", "--format", "json", cwd=project)) == ["PV208"]
    assert codes(pv("validate", CONTRACT, "--format", "json", cwd=project)) == ["PV208"]
    assert codes(pv("validate", "contracts/binding.yaml", "--format", "json", cwd=project)) == ["PV100"], "not judged"


def test_where_a_rule_could_not_look_its_ignore_is_not_idle(
    project: Path, pv: Pv, tmp_path_factory: pytest.TempPathFactory
) -> None:
    edit(project / CONTRACT, "softmax:\n", "softmax:  # pv: ignore[PV304] its kernel comes with 2.0\n")
    assert "PV190" in codes(pv("validate", "--format", "json", cwd=project)), (
        "the control: inside the project it is idle"
    )
    alone = tmp_path_factory.mktemp("alone") / "softmax-v1.yaml"
    alone.write_bytes((project / CONTRACT).read_bytes())
    assert codes(pv("validate", alone, "--format", "json")) == ["PV300", "PV208"]
