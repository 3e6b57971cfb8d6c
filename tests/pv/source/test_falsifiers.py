"""Falsifiers and faults are found in the text of a project, and nothing of it is run."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pv.finding import Place
from pv.source.falsifiers import (
    FalsifierEntry,
    FalsifierIndex,
    FaultEntry,
    StratumEntry,
    index_falsifiers,
    is_about_others,
)

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


BEGINNINGS = (
    'CONTRACT = "b-v1"',
    'CONTRACT = "a-v1"',
    'CONTRACT: str = "b-v1"  # and no other',
    'CONTRACT = "b-v1"; CONTRACT = "a-v1"',
    'CONTRACT = ("a" "-v1")',
    'CONTRACT = "a" \\\n"-v1"',
    'CONTRACT = name = "b-v1"',
    'CONTRACT = "b-v1" if True else "a-v1"',
    'CONTRACTS = "b-v1"',
    '"""\nCONTRACT = "b-v1"\n"""',
    '(\n"""\nCONTRACT = "b-v1"\n""")',
    '"""\nCONTRACT = "b-v1"\n"""\nCONTRACT = "a-v1"',
    "if True:\n    CONTRACT = 'a-v1'",
    "import pv",
    "é = 1",
    "this is no Python",
)
MARKS = (
    '@falsifier("FALSIFY-A-001")\ndef attack(subject, case, check): ...',
    '@falsifier("FALSIFY-A-002", contract="a-v1")\ndef attack(subject, case, check): ...',
    '@falsifier("FALSIFY-A-003", contract # so\n = "a-v1")\ndef attack(subject, case, check): ...',
    '@falsifier("FALSIFY-A-004", contract \\\n = "a-v1")\ndef attack(subject, case, check): ...',
    '@falsifier("FALSIFY-A-005", \uff43ontract="a-v1")\ndef attack(subject, case, check): ...',
    '@fault("e/i", contract="a-v1")\ndef broken(y, case): ...',
    '@fault("e/i")\ndef broken(y, case): ...',
    '@stratum("tensor", "checkerboard")\ndef made(draw): ...',
    '"""The contract of whoever reads this."""',
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(
    st.lists(st.sampled_from(BEGINNINGS), max_size=3),
    st.lists(st.sampled_from(MARKS), max_size=3),
    st.integers(0, 10**9),
)
def test_what_is_left_out_for_one_contract_is_nothing_of_it(
    tmp_path: Path, beginnings: list[str], marks: list[str], number: int
) -> None:
    folder = tmp_path / f"{number}"
    text = "\n\n\n".join([*beginnings, *marks])
    whole, part = (index_falsifiers(folder, write(folder, a=text), names) for names in (None, {"a-v1"}))
    wanted = [entry for entry in whole.falsifiers if entry.contract in (None, "a-v1")]
    assert [entry for entry in part.falsifiers if entry.contract in (None, "a-v1")] == wanted
    assert part.faults_of("a-v1") == whole.faults_of("a-v1")
    assert part.strata == whole.strata


def test_a_module_of_another_contract_is_left_out_unread() -> None:
    other = '"""Falsifiers of b."""\n\nCONTRACT = "b-v1"\n\n\n' + MARKS[0]
    assert is_about_others(other, {"a-v1"})
    assert not is_about_others(other, {"a-v1", "b-v1"})
    assert not is_about_others(f"{other}\n\n\n{MARKS[1]}", {"a-v1"})
