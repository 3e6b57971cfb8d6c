"""Falsifiers and faults are found in the text of a project, and nothing of it is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from pv.finding import Place
from pv.source.falsifiers import FalsifierEntry, FalsifierIndex, FaultEntry, StratumEntry, index_falsifiers

MODULE = '''\
"""é"""
import pv
from pv import falsifier, fault

raise RuntimeError("imported")

CONTRACT: str = "softmax-v1"


@falsifier("FALSIFY-SM-001", cases=None)
@pv.fault("softmax/é")
def both(subject, check): ...


@fault(invariant="softmax/unit_sum")
@fault("softmax/other", contract="other-v1")
async def twice(y, case): ...


@staticmethod
def unmarked(): ...


@falsifier
def uncalled(subject, check): ...
'''


def write(root: Path, **files: str) -> Path:
    folder = root / "falsifiers"
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_marks_are_found_with_their_places_and_the_contract_they_serve(tmp_path: Path) -> None:
    index = index_falsifiers(tmp_path, write(tmp_path, kernels__softmax=MODULE))
    path = "falsifiers/kernels/softmax.py"
    assert index == FalsifierIndex(
        (FalsifierEntry("FALSIFY-SM-001", path, 10, 12, "both", "softmax-v1"),),
        (
            FaultEntry("softmax/é", path, 11, 11, "both", "softmax-v1"),
            FaultEntry("softmax/unit_sum", path, 15, 18, "twice", "softmax-v1"),
            FaultEntry("softmax/other", path, 16, 8, "twice", "other-v1"),
        ),
    )


def test_duplicates_are_kept_in_the_order_of_paths(tmp_path: Path) -> None:
    marked = '@falsifier("FALSIFY-A-1")\ndef f(subject, check): ...\n'
    index = index_falsifiers(tmp_path, write(tmp_path, b=marked, a=marked + marked))
    assert [(entry.path, entry.line, entry.contract) for entry in index.falsifiers] == [
        ("falsifiers/a.py", 1, None),
        ("falsifiers/a.py", 3, None),
        ("falsifiers/b.py", 1, None),
    ]


def test_a_file_that_hides_its_falsifiers_is_a_finding_and_the_others_are_read(tmp_path: Path) -> None:
    good = '@falsifier("FALSIFY-A-1")\ndef f(subject, check): ...\n'
    folder = write(
        tmp_path, a="def f(:\n", b=good, c="ID = 1\n@falsifier(ID)\ndef f(subject, check): ...\n", d=good + "\0"
    )
    (folder / "e.py").write_bytes(b"# \xff\n")
    (folder / "f.py").write_text("x = " + "(" * 100_000)
    index = index_falsifiers(tmp_path, folder)
    assert [entry.path for entry in index.falsifiers] == ["falsifiers/b.py"]
    assert {finding.code for finding in index.findings} == {"PV310"}
    assert [finding.place.path[-4:] for finding in index.findings] == ["a.py", "c.py", "d.py", "e.py", "f.py"]
    assert index.findings[1].place == Place("falsifiers/c.py", 2, 12)


def test_caches_hidden_folders_and_loops_are_not_entered(tmp_path: Path) -> None:
    marked = '@falsifier("FALSIFY-A-1")\ndef f(subject, check): ...\n'
    folder = write(tmp_path, __pycache____a=marked, **{".hidden__a": marked, "a": marked})
    (folder / "loop").symlink_to(folder)
    (folder / "gone.py").symlink_to(folder / "nowhere")
    assert [entry.path for entry in index_falsifiers(tmp_path, folder).falsifiers] == ["falsifiers/a.py"]


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert index_falsifiers(tmp_path, tmp_path / "none") == FalsifierIndex()


def test_falsifiers_and_faults_are_those_of_the_contract_or_of_none() -> None:
    def entry(contract: str | None) -> FalsifierEntry:
        return FalsifierEntry("FALSIFY-A-1", "f.py", 1, 1, "f", contract)

    def fault(contract: str | None) -> FaultEntry:
        return FaultEntry("a/b", "f.py", 1, 1, "f", contract)

    names = ("a-v1", "b-v1", None)
    index = FalsifierIndex(tuple(map(entry, names)), tuple(map(fault, names)))
    assert [found.contract for found in index.falsifiers_of("a-v1", "FALSIFY-A-1")] == ["a-v1", None]
    assert index.falsifiers_of("a-v1", "FALSIFY-A-2") == ()
    assert [found.contract for found in index.faults_of("b-v1")] == ["b-v1", None]


def test_a_falsifiers_own_budget_is_read(tmp_path: Path) -> None:
    text = (
        '@falsifier("FALSIFY-A-1", examples=500, timeout=2, slow=True)\ndef f(subject, check): ...\n'
        '@falsifier("FALSIFY-A-2", slow=None)\ndef g(subject, check): ...\n'
    )
    index = index_falsifiers(tmp_path, write(tmp_path, a=text))
    assert [(entry.examples, entry.timeout, entry.slow) for entry in index.falsifiers] == [
        (500, 2.0, True),
        (None, None, False),
    ]
    assert index.findings == ()


@pytest.mark.parametrize("said", [
    "examples=MANY", "examples=0", "examples=-5", "examples=2.5", "examples=True", "timeout=60 * 2", "timeout='1m'", "slow=1",
    "slow=not QUICK",
])  # fmt: skip
def test_a_budget_that_cannot_be_read_is_a_finding_and_the_falsifier_counts(tmp_path: Path, said: str) -> None:
    text = f'@falsifier("FALSIFY-A-1", {said})\ndef f(subject, check): ...\n'
    index = index_falsifiers(tmp_path, write(tmp_path, a=text))
    assert [(entry.examples, entry.timeout, entry.slow) for entry in index.falsifiers] == [(None, None, False)]
    name = said.partition("=")[0]
    (finding,) = index.findings
    assert finding.message == f"{name} of f is nothing that can be read without running it"
    assert finding.place == Place("falsifiers/a.py", 1, text.index(said) + len(name) + 2)


def test_strata_are_found_by_type_and_name(tmp_path: Path) -> None:
    text = (
        'import pv\n@pv.stratum("tensor", "checkerboard", holds=alternates)\ndef one(draw, spec, drawn): ...\n'
        '@stratum(name="even", type="integer", holds=is_even)\ndef two(draw, spec, drawn): ...\n'
        '@stratum("text", NAME, holds=is_long)\ndef three(draw, spec, drawn): ...\n'
    )
    index = index_falsifiers(tmp_path, write(tmp_path, strata=text))
    one = StratumEntry("tensor", "checkerboard", "falsifiers/strata.py", 2, 13, "one")
    two = StratumEntry("integer", "even", "falsifiers/strata.py", 4, 28, "two")
    assert index.strata == (one, two)
    assert [(finding.code, finding.place.line) for finding in index.findings] == [("PV310", 6)]
    assert index.strata_of({("integer", "even"), ("tensor", "even"), ("tensor", "huge")}) == (two,)
    assert str(one.place) == "falsifiers/strata.py:2:13"
