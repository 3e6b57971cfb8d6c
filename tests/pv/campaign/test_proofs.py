"""After a trial held: a mutant that ends its process costs no more than itself, and of a slow subject a call is made once."""

from __future__ import annotations

from pathlib import Path

from small_project import FILES, run_at, write_project

from pv.campaign.run import Bench, Signal, run_campaign
from pv.falsify.outcome import Outcome
from pv.falsify.work import Work
from pv.project import project_at
from pv.verdict import Verdict

# It is outside of the project: what is written there is not held against the trial.
NOTED = "import os\nfrom pathlib import Path\n\nLOG = Path(__file__).parents[2] / 'log'\n"
HARMLESS = NOTED + "\n\ndef double(x):\n    return x + x\n"
LETHAL = (
    NOTED
    + """

def double(x):
    if x < 0 or x > 1000:
        LOG.with_name("ends").open("a").write(".")
        os._exit(3)
    return x + x
"""
)
CALLS = NOTED + "\n\ndef double(x):\n    with LOG.open('a') as log:\n        log.write('.')\n    return x + x\n"
FAULT = """
    from pathlib import Path
    with (Path(__file__).parents[2] / "log").open("a") as log:
        log.write(".")
    return output + 1
"""
FALSIFIER = FILES["falsifiers/double.py"]
COUNTED = FALSIFIER.replace("    return output + 1\n", FAULT.removeprefix("\n"))
SLOW = FALSIFIER.replace('"FALSIFY-D-001"', '"FALSIFY-D-001", slow=True')


def proved(root: Path, kernel: str, falsifier: str) -> tuple[Outcome, int]:
    """The outcome of a trial, and how many dots it wrote."""
    (root / "log").unlink(missing_ok=True)
    project = write_project(root / "project", {"kernels/double.py": kernel, "falsifiers/double.py": falsifier})
    outcome = run_at(project).outcome
    return outcome, len((root / "log").read_text(encoding="ascii"))


def test_a_proof_goes_on_after_the_mutants_that_ended_its_process(tmp_path: Path) -> None:
    plain, faults = proved(tmp_path, HARMLESS, COUNTED)
    lethal, again = proved(tmp_path, LETHAL, COUNTED)

    assert len((tmp_path / "ends").read_text(encoding="ascii")) > 1, "mutants of it end their process"
    assert again == faults > 0, "each fault is tried once, however many processes were lost"
    for outcome in (plain, lethal):
        assert outcome.verdict is Verdict.HELD
        assert outcome.mutants is not None
        assert outcome.mutants["killed"]
        assert [(tooth.fault, tooth.caught) for tooth in outcome.teeth] == [("one_more", True)]


def test_a_slow_subject_is_called_once_for_equal_arguments_and_its_teeth_are_the_same(tmp_path: Path) -> None:
    quick, calls = proved(tmp_path, CALLS, FALSIFIER)
    slow, fewer = proved(tmp_path, CALLS, SLOW)

    assert (slow.verdict, slow.teeth, slow.mutants) == (quick.verdict, quick.teeth, quick.mutants)
    assert slow.verdict is Verdict.HELD
    assert slow.valid == quick.valid
    assert fewer < calls


def test_a_slow_falsifier_that_cannot_fail_is_vacuous_all_the_same(tmp_path: Path) -> None:
    toothless = SLOW.replace("twice(case.x))", "subject(case.x))")
    outcome, _ = proved(tmp_path, CALLS, toothless)
    assert outcome.verdict is Verdict.VACUOUS


def test_a_subject_that_refuses_the_cases_of_its_equation_is_judged_by_those_of_its_falsifier(tmp_path: Path) -> None:
    refusing = CALLS.replace("    return x", "    if x < 1000:\n        raise ValueError(x)\n    return x")
    beyond = FALSIFIER.replace(
        '"FALSIFY-D-001"',
        '"FALSIFY-D-001", cases=st.integers(1000, 2000).map(lambda x: Case(x=x)), because="of its cases"',
    ).replace("from pv import", "from hypothesis import strategies as st\nfrom pv import Case,")
    seeing, _ = proved(tmp_path, refusing, beyond)
    blind, _ = proved(
        tmp_path,
        refusing,
        beyond.replace(
            "check.equal(subject(case.x), twice(case.x))",
            "check.that(subject(case.x) != twice(case.x) + 1, 'one more')",
        ),
    )

    assert (seeing.verdict, seeing.reason) == (Verdict.HELD, "")
    assert blind.verdict is Verdict.VACUOUS
    assert "it killed none of the" in blind.reason


def test_which_mutant_a_proof_is_at_is_told(tmp_path: Path) -> None:
    project = project_at(write_project(tmp_path))
    bench = Bench(project.root, project.sources, project.today, jobs=1)
    [(contract, test)] = project.select([], [])
    work = Work(contract, test, project.bindings[0])
    signals: list[Signal] = []
    [finished] = run_campaign([work], bench, signals.append)

    assert finished.outcome.mutants is not None
    assert {signal.mutant for signal in signals if signal.doing == "attack"} == {0}
    assert max(signal.mutant for signal in signals) == finished.outcome.mutants["tried"] > 0
