"""Every pair of `tests/examples/diff`: what changed from `before.yaml` to `after.yaml` is what `after.yaml` says, and no more.

Its first lines say it: `# expect: STEP MOVE WHAT | WITNESS` for each change, or `# expect: nothing`, and `# required: VERSION`.
The version itself is the same on both sides, so that every pair with a change is one whose version moved too little.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pv.contract.document import parse_document
from pv.contract.read import ContractFile, contract_of, read_contract
from pv.report.diff import witness_text
from pv.semver.change import Change
from pv.semver.diff import Moved, diff
from pv.semver.polarity import Move, Role, Step

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "diff"
CASES = sorted(EXAMPLES.iterdir())


def read(path: Path) -> ContractFile:
    """A contract of the examples; all of them are valid."""
    file = read_contract(path, path.name)
    assert file.findings == ()
    return file


def said(change: Change) -> str:
    """A change as the examples write it."""
    witness = f" | {witness_text(change.witness)}" if change.witness else ""
    return f"{change.step.word} {change.move.value} {change.what}{witness}"


def expected_in(text: str, key: str) -> list[str]:
    """What the comments at the head of `after.yaml` say."""
    head = text.partition("schema:")[0].splitlines()
    return [line.removeprefix(f"# {key}: ") for line in head if line.startswith(f"# {key}: ")]


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_a_pair_shows_the_changes_it_says_and_no_others(case: Path) -> None:
    text = (case / "after.yaml").read_text(encoding="utf-8")
    found = diff(read(case / "before.yaml"), read(case / "after.yaml"))
    expected = expected_in(text, "expect")
    assert sorted(said(change) for change in found.changes) == sorted([] if expected == ["nothing"] else expected)
    assert [found.required] == expected_in(text, "required")
    assert found.moved is (Moved.TOO_LITTLE if found.changes else Moved.ENOUGH)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_every_change_is_placed_inside_both_files_and_explained(case: Path) -> None:
    for change in diff(read(case / "before.yaml"), read(case / "after.yaml")).changes:
        assert (change.old_place.path, change.new_place.path) == ("before.yaml", "after.yaml")
        assert change.why
        for place in (change.old_place, change.new_place):
            lines = (case / place.path).read_text(encoding="utf-8").splitlines()
            assert place.column <= len(lines[place.line - 1])


def test_the_examples_are_many_and_reach_every_step_role_and_move() -> None:
    changes = [
        change for case in CASES for change in diff(read(case / "before.yaml"), read(case / "after.yaml")).changes
    ]
    assert len(CASES) >= 40
    assert {change.step for change in changes} == {Step.PATCH, Step.MINOR, Step.MAJOR}
    assert {change.role for change in changes} == set(Role)
    assert {change.move for change in changes} == set(Move) - {Move.RENAMED}, "only a file of another name is renamed"


def test_an_example_whose_change_is_undone_is_noticed() -> None:
    case = EXAMPLES / "tolerance-loosened"
    mended = (case / "after.yaml").read_bytes().replace(b"float32: 1e-5", b"float32: 1e-6")
    after = contract_of(parse_document(mended, "after.yaml"), "after")
    assert expected_in(mended.decode(), "expect") != [] == list(diff(read(case / "before.yaml"), after).changes)
