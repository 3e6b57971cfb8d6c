"""A trial comes to the same whether one process runs its units or several, in whatever order they answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_project import FILES, write_project

from pv.campaign.order import Bench, Order
from pv.campaign.run import run_campaign
from pv.campaign.trial import Trial, judged
from pv.falsify.outcome import Nearest, Outcome, Unit, join
from pv.falsify.work import Plan, Site, Work
from pv.project import project_at
from pv.verdict import Verdict

SITE = Site(Path(), (), (), ("falsifiers.x", "f"), ())
WORK: Any = None  # nothing of it is looked at before there is a receipt


def unit(index: int, verdict: Verdict = Verdict.HELD) -> Unit:
    cases = tuple(f"{1000 * (index % 3) + case:016x}" for case in range(5 + index))
    return Unit(
        index, f"region {index // 2}", 5, verdict, verdict.value, cases, len(cases), False, 2 * len(cases), len(cases),
        f"{index:064x}", ((("e/i", "float32"), Nearest(index / 7, 1.0)),), ("float32",),
    )  # fmt: skip


@dataclass(frozen=True)
class Story:
    """What would happen to a trial: its units, the one in which its process dies, the one that tampers."""

    units: tuple[Unit, ...]
    dies: int | None
    tampers: int | None


@st.composite
def stories(draw: st.DrawFn) -> Story:
    count = draw(st.integers(1, 9))
    verdicts = draw(st.lists(st.sampled_from([Verdict.HELD] * 6 + list(Verdict)), min_size=count, max_size=count))
    units = tuple(unit(index, verdict) for index, verdict in enumerate(verdicts))
    place = st.none() | st.integers(0, count - 1)
    return Story(units, draw(place), draw(place))


def told(story: Story, parts: int, draw: st.DataObject) -> tuple[Outcome, list[str]]:
    """The outcome that `parts` processes come to, answering in an order that is drawn; and what was entered."""
    trial = Trial(Order(WORK, Plan(5), 60.0, parts), SITE, 0)
    running = [events(story, part, parts) for part in range(parts)]
    while any(running):
        at = draw.draw(st.sampled_from([part for part in range(parts) if running[part]]))
        part, kind, value = trial.parts[at], *running[at].pop(0)
        if kind == "unit":
            part.units.append(value)
        elif kind == "lost":
            part.lost = value
        else:
            part.answer = value
        outcome = judged(trial)
        if outcome is not None:
            return outcome, sorted({name for seen in trial.seen for _, name in seen["entered"]})
    raise AssertionError("every part has ended, and there is no outcome")


def events(story: Story, part: int, parts: int) -> list[tuple[str, Any]]:
    """What one process says, as pv.falsify.serve does: its units up to the first that does not hold, then its answer."""
    found: list[tuple[str, Any]] = []
    seen: dict[str, Any] = {"tampered": "", "entered": []}
    for one in story.units[part::parts]:
        if story.dies == one.index:
            return [*found, ("lost", "it crashed")]
        tampered = "it changed math.pi" if story.tampers == one.index or seen["tampered"] else ""
        seen = {"tampered": tampered, "entered": [*seen["entered"], ("k.py", f"f{one.index}")]}
        found.append(("unit", (one, seen if parts > 1 else {})))
        if one.verdict is not Verdict.HELD:
            break
    return [*found, ("answer", {**seen, "loaded": {}, "scope": {"python": ["3.11"]}})]


@settings(max_examples=300, deadline=None)
@given(stories(), st.integers(2, 4), st.data())
def test_parts_and_the_order_of_their_answers_change_nothing(story: Story, parts: int, data: st.DataObject) -> None:
    assert told(story, parts, data) == told(story, 1, data)


def test_the_first_unit_that_does_not_hold_decides_and_later_ones_are_not_waited_for() -> None:
    trial = Trial(Order(WORK, Plan(5), 60.0, 2), SITE, 0)
    seen = {"tampered": "", "entered": []}
    first, second = trial.parts
    second.units = [(unit(1), seen), (unit(3, Verdict.VACUOUS), seen)]
    second.answer = {**seen, "scope": {}, "loaded": {}}
    assert judged(trial) is None, "unit 2 may yet be falsified"
    first.units = [(unit(0), seen), (unit(2, Verdict.FALSIFIED), seen)]
    assert judged(trial) is None, "what it was run with is not known yet"
    first.answer = {**seen, "scope": {}, "loaded": {}}
    outcome = judged(trial)
    assert outcome is not None
    assert outcome.verdict is Verdict.FALSIFIED


@settings(max_examples=200, deadline=None)
@given(st.permutations(range(7)), st.sampled_from(list(Verdict)), st.integers(0, 6))
def test_join_does_not_depend_on_the_order_of_units(order: list[int], verdict: Verdict, at: int) -> None:
    units = [unit(index, verdict if index == at else Verdict.HELD) for index in range(7)]
    assert join([units[index] for index in order], Plan(5)) == join(units, Plan(5))


def test_join_does_depend_on_what_the_units_saw() -> None:
    units = [unit(index) for index in range(4)]
    other = [*units[:3], replace(units[3], digest="0" * 64)]
    assert join(units, Plan(5)) != join(other, Plan(5))


def test_units_of_a_region_may_have_seen_the_same_cases_and_each_is_counted_once() -> None:
    cases = tuple(f"{case:016x}" for case in range(5))
    units = [replace(unit(index), region="r", seen=cases, offered=5) for index in (0, 1)]
    outcome = join(units, Plan(10))
    assert (outcome.verdict, outcome.strata[0].distinct) == (Verdict.HELD, 5)
    short = join([units[0], replace(units[1], seen=cases[:4])], Plan(10))
    assert (short.verdict, short.reason) == (
        Verdict.NOT_MEASURED, "too few distinct cases: r 5; 10 are needed in each stratum"
    )  # fmt: skip


# --- the same by whole trials

WIDE = FILES["contracts/double-v1.yaml"].replace("max: 400", "max: 100000")
KERNEL = FILES["kernels/double.py"]
ENDINGS = {
    "holds": "",
    "falsified": "    if x > 99_990:\n        return 0\n",
    "raises": "    if x > 99_900:\n        raise KeyError(x)\n",
    "dies": "    if x > 99_000:\n        import os\n        os._exit(3)\n",
    "tampers": "    if x > 99_500:\n        import math\n        math.pi = 3\n",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_receipts_are_the_same_with_any_number_of_processes(ending: str, tmp_path: Path) -> None:
    kernel = KERNEL.replace("    return FACTOR * x", f"{ENDINGS[ending]}    return FACTOR * x")
    root = write_project(tmp_path, {"contracts/double-v1.yaml": WIDE, "kernels/double.py": kernel})
    project = project_at(root)
    [(contract, test)] = project.select([], [])
    binding = project.subject(contract, test)
    assert binding is not None
    receipts = []
    for jobs in (1, 2, 3):
        bench = Bench(project.root, project.sources, project.today, Plan(1700), jobs=jobs)
        receipts += [row.receipt for row in run_campaign([Work(contract, test, binding)], bench)]
    assert receipts[0] == receipts[1] == receipts[2]
    expected = {"holds": "held", "falsified": "falsified"}.get(ending, "errored")
    assert (receipts[0]["verdict"], len(receipts)) == (expected, 3)


REGIONS = """\
from hypothesis import strategies as st
from pv import Case, falsifier, fault

CONTRACT = "double-v1"
CASES = {"breaks": st.just(Case({"x": 1})), "hangs": st.just(Case({"x": 2}))}


@falsifier("FALSIFY-D-001", cases=CASES, because="one region breaks it and another one never ends")
def is_twice(subject, case, check):
    while case.x == 2:
        pass
    check.equal(subject(case.x), 3)


@fault("double/twice")
def one_more(output, case):
    return output + 1
"""


def test_a_part_that_no_longer_matters_is_ended_and_not_waited_for(tmp_path: Path) -> None:
    """With an hour to wait for it, this test would not end."""
    project = project_at(write_project(tmp_path, {"falsifiers/double.py": REGIONS}))
    [(contract, test)] = project.select([], [])
    binding = project.subject(contract, test)
    assert binding is not None
    receipts = []
    for jobs in (1, 2):
        bench = Bench(project.root, project.sources, project.today, Plan(2), jobs=jobs, timeout=3600.0)
        receipts += [row.receipt for row in run_campaign([Work(contract, test, binding)], bench)]
    assert receipts[0] == receipts[1]
    assert receipts[0]["verdict"] == "falsified"
