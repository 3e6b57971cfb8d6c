"""`--baseline`: known findings are quiet, new ones are not, mended ones must leave, and nothing is ever added."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Ran, edit
from projects import CONTRACT, softmax_project

Pv = Callable[..., Ran]
GOOD = "prediction: For 200 drawn matrices every row's sum differs from 1 by at most 1e-6"
COPIED = "prediction: Rows sum to one"
KNOWN = ("--baseline", "known.json")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with PV205, an error, and PV208, a warning."""
    softmax_project(tmp_path)
    edit(tmp_path / CONTRACT, "every row sums to 1", "every entry is strictly between 0 and 1")
    edit(tmp_path / CONTRACT, GOOD, COPIED)
    return tmp_path


def listed(project: Path) -> list[str]:
    """The codes in the baseline."""
    return [row["code"] for row in json.loads((project / "known.json").read_text(encoding="utf-8"))["findings"]]


def codes(ran: Ran) -> list[str]:
    """The codes found, of an answer in JSON."""
    return [finding["code"] for finding in json.loads(ran.out)["findings"]]


def test_a_baseline_takes_stock_once_and_keeps_what_is_known_quiet(project: Path, pv: Pv) -> None:
    assert pv("validate", cwd=project).exit == 1, "the control"
    first = pv("validate", *KNOWN, "--update-baseline", cwd=project)
    assert (first.exit, listed(project)) == (0, ["PV205", "PV208"])
    later = pv("validate", *KNOWN, cwd=project)
    assert (later.exit, "; 0 errors, 0 warnings; 2 in the baseline" in later.out) == (0, True)


def test_a_finding_stays_known_when_its_line_moves_or_its_file_is_asked_for_from_elsewhere(
    project: Path, pv: Pv
) -> None:
    pv("validate", *KNOWN, "--update-baseline", cwd=project)
    edit(project / CONTRACT, "equations:\n", "\n# moved\n\nequations:\n")
    assert pv("validate", *KNOWN, cwd=project).exit == 0
    assert pv("validate", ".", "--baseline", "../known.json", cwd=project / "contracts").exit == 0
    assert pv("validate", project / "contracts", "--baseline", project / "known.json").exit == 0


def test_a_new_finding_is_reported_and_never_added(project: Path, pv: Pv) -> None:
    edit(project / CONTRACT, COPIED, GOOD)
    pv("validate", *KNOWN, "--update-baseline", cwd=project)
    edit(project / CONTRACT, GOOD, COPIED)
    for options in (KNOWN, (*KNOWN, "--update-baseline")):
        ran = pv("validate", *options, "--format", "json", cwd=project)
        assert (ran.exit, codes(ran), listed(project)) == (1, ["PV205"], ["PV208"])


def test_a_second_finding_like_a_known_one_is_new(project: Path, pv: Pv) -> None:
    pv("validate", *KNOWN, "--update-baseline", cwd=project)
    text = (project / CONTRACT).read_text(encoding="utf-8")
    test = text.partition("falsification_tests:\n")[2]
    (project / CONTRACT).write_text(text + test.replace("-001", "-002"), encoding="utf-8")
    assert "PV205" in codes(pv("validate", *KNOWN, "--format", "json", cwd=project))


def test_what_is_mended_must_leave_the_baseline(project: Path, pv: Pv) -> None:
    pv("validate", *KNOWN, "--update-baseline", cwd=project)
    edit(project / CONTRACT, COPIED, GOOD)
    ran = pv("validate", *KNOWN, cwd=project)
    assert (ran.exit, "PV192 1 of the findings listed are mended: PV205 contracts/softmax-v1.yaml" in ran.out) == (
        1,
        True,
    )
    assert (pv("validate", *KNOWN, "--update-baseline", cwd=project).exit, listed(project)) == (0, ["PV208"])
    assert pv("validate", *KNOWN, cwd=project).exit == 0
    edit(project / CONTRACT, GOOD, COPIED)
    assert pv("validate", *KNOWN, cwd=project).exit == 1, "what came back is new"


def test_what_was_not_looked_at_is_not_mended(project: Path, pv: Pv) -> None:
    pv("validate", *KNOWN, "--update-baseline", cwd=project)
    other = project / "contracts/other-v1.yaml"
    other.write_bytes((project / CONTRACT).read_bytes())
    assert codes(pv("validate", CONTRACT, "--select", "PV3", *KNOWN, "--format", "json", cwd=project)) == []
    assert "PV192" not in codes(pv("validate", other, *KNOWN, "--format", "json", cwd=project))
    (project / CONTRACT).unlink()
    assert "PV192" in codes(pv("validate", *KNOWN, "--format", "json", cwd=project)), "a file that is gone is mended"


def test_a_file_that_could_not_be_read_is_in_no_baseline(project: Path, pv: Pv) -> None:
    (project / CONTRACT).write_text("schema: pv/contract-v1\n\tx: 1\n", encoding="utf-8")
    ran = pv("validate", CONTRACT, *KNOWN, "--update-baseline", "--format", "json", cwd=project)
    assert (ran.exit, codes(ran), listed(project)) == (1, ["PV101"], [])


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "pv/baseline-v1", "findings": [1]}', '{"format": "x", "findings": []}']
)
def test_a_file_that_is_no_baseline_is_asked_for_differently(text: str, project: Path, pv: Pv) -> None:
    (project / "known.json").write_text(text, encoding="utf-8")
    ran = pv("validate", *KNOWN, cwd=project)
    assert (ran.exit, "known.json is no baseline" in ran.err) == (2, True)


def test_a_baseline_that_is_not_there_is_asked_for_differently(project: Path, pv: Pv) -> None:
    assert pv("validate", *KNOWN, cwd=project).exit == 2
    assert pv("validate", "--update-baseline", cwd=project).exit == 2
    assert not (project / "known.json").exists()
