"""Every mutant of every subject, judged by the falsifiers of its equation: surveyed, shared out, judged, compared.

A function that several equations enter is mutated once, for the one that enters the fewest: it is the nearest to it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pv.campaign.depends import Dependencies
from pv.campaign.fate import Fate, Ground, State, Verdicts, fate_of
from pv.campaign.known import Known, entry_of, judgements, keep, keep_judgements
from pv.campaign.order import Bench
from pv.campaign.pool import Event, Pool
from pv.campaign.site import site_of
from pv.contract.equivalents import Waiver
from pv.falsify.work import Action, Functions, Site, Task
from pv.finding import PvError
from pv.ledger.receipt import Part

_LONG = 4  # functions of a subject that are worth a second process

Watch = Callable[[str, int], None]
"""Told of each ground's name and how many of its mutants were judged, as they are."""


def run_teeth(
    grounds: Sequence[Ground],
    bench: Bench,
    waivers: Sequence[Waiver] = (),
    known: Known | None = None,
    *,
    every: bool = False,
    watch: Watch = lambda name, judged: None,
    pulse: Callable[[], None] = lambda: None,
) -> Iterator[Verdicts]:
    """The verdicts on each of `grounds`, as soon as all of its mutants are judged.

    With `every`, each mutant is judged by each falsifier; otherwise the first kill ends it. What is `known` of unchanged code
    is not run again. `pulse` is called several times a second; what it raises ends everything.
    """
    yield from _Teeth(bench, waivers, {} if known is None else known, watch, pulse, every=every).run(grounds)


@dataclass(slots=True, eq=False)
class _Judging:
    """One ground under way. `rows` are what workers said of mutants so far; `alive` the one that is judged now, by part."""

    ground: Ground
    sites: tuple[Site, ...]
    survey: dict[str, Any] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    entered: Functions = ()
    functions: Functions = ()
    masked: dict[str, str] = field(default_factory=dict)
    mutants: list[dict[str, Any]] = field(default_factory=list)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    alike: dict[str, list[Any]] = field(default_factory=dict)
    problem: str = ""
    open: int = 0
    known: bool = False

    @property
    def unfit(self) -> dict[str, str]:
        """The tests whose falsifier fails on the subject itself, or on its code compiled anew, and what it says."""
        return {test: said for test, said in self.survey.get("controls", ()) if said} | self.masked


@dataclass(slots=True, eq=False)
class _Step:
    judging: _Judging
    task: Task
    alive: str = ""


class _Teeth:
    def __init__(
        self,
        bench: Bench,
        waivers: Sequence[Waiver],
        known: Known,
        watch: Watch,
        pulse: Callable[[], None],
        *,
        every: bool,
    ) -> None:
        self._pulse = pulse
        self._bench = bench
        self._waivers = waivers
        self._known = known
        self._watch = watch
        self._every = every
        self._depends = Dependencies(bench.root, bench.sources, bench.today)
        self._queue: deque[_Step] = deque()

    def run(self, grounds: Sequence[Ground]) -> Iterator[Verdicts]:
        judgings = [self._begun(ground) for ground in grounds]
        with Pool[_Step](self._bench.jobs) as pool:
            for judging in judgings:
                if not judging.problem and not judging.survey:
                    self._add(judging, Action.SURVEY)
            for _ in self._drain(pool):
                pass
            share_out(judgings)
            for judging in sorted(judgings, key=lambda one: -len(one.functions)):
                self._judge(judging)
            yield from (self._verdicts(judging) for judging in judgings if not judging.open)
            yield from (self._verdicts(judging) for judging in self._drain(pool))

    def _begun(self, ground: Ground) -> _Judging:
        bench = self._bench
        try:
            sites = tuple(site_of(work, bench.root, bench.sources, bench.today) for work in ground.works)
        except PvError as error:
            return _Judging(ground, (), problem=error.told)
        tops = tuple(sorted({top for site in sites for top in site.tops}))
        judging = _Judging(ground, tuple(replace(site, tops=tops) for site in sites))
        entry = entry_of(self._known, ground, bench.today)
        if entry:
            judging.survey, judging.known = entry["survey"], True
            judging.entered = tuple((module, path, name) for module, path, name in entry["functions"])
            judging.parts = tuple(Part(*part) for part in entry["subject"])
            judging.alike = dict(entry["alike"])
        return judging

    def _add(self, judging: _Judging, action: Action, **more: Any) -> None:
        """A task on all trials of a ground that are fit to judge."""
        pairs = [
            (work, site)
            for work, site in zip(judging.ground.works, judging.sites, strict=True)
            if work.test.id not in judging.unfit
        ]
        (work, site), *others = pairs
        limits = (self._bench.plan, self._bench.timeout, self._bench.memory)
        task = Task(action, work, site, *limits, others=tuple(others), every=self._every, **more)
        self._queue.append(_Step(judging, task))
        judging.open += 1

    def _drain(self, pool: Pool[_Step]) -> Iterator[_Judging]:
        """Run what is queued, and what that adds; each ground when nothing of it is open any more."""
        running = 0
        while self._queue or running:
            while self._queue and pool.free:
                step = self._queue.popleft()
                pool.submit(step, step.task)
                running += 1
            self._pulse()
            for event in pool.events():
                running -= event.ended
                self._happened(event)
                if event.ended and not event.key.judging.open:
                    yield event.key.judging

    def _happened(self, event: Event[_Step]) -> None:
        step, judging = event.key, event.key.judging
        if not event.ended:
            step.alive = event.message.get("alive", step.alive)
            if "mutants" in event.message:
                judging.mutants = event.message["mutants"]
                judging.masked |= dict(event.message["masked"])
            if "row" in event.message:
                row = event.message["row"]
                judging.rows[row["id"]], step.alive = row, ""
                self._watch(judging.ground.name, len(judging.rows))
            return
        judging.open -= 1
        answer = event.answer
        if answer is None:
            self._lost(step, event.lost)
        elif "failed" in answer or answer["tampered"]:
            judging.problem = answer["failed"]["reason"] if "failed" in answer else answer["tampered"]
        else:
            _ENDS[step.task.action](self, step, answer)

    def _lost(self, step: _Step, why: str) -> None:
        """The process is gone: the mutant it was at is noted, and another process goes on with the rest."""
        judging, names = step.judging, _names(step)
        if step.task.action is not Action.MUTATE or step.alive not in names:
            judging.problem = f"{step.alive or 'the subject'}: {why}"
            return
        state = State.TIMEOUT if "did not finish" in why else State.CRASHED
        judging.rows[step.alive] = {"id": step.alive, "state": state.value, "by": [], "why": why}
        rest = tuple(name for name in names if name not in judging.rows)
        if rest:
            self._add(judging, Action.MUTATE, functions=step.task.functions, mutants=rest)
        elif not judging.open:
            self._compare(judging)

    def _surveyed(self, step: _Step, answer: Mapping[str, Any]) -> None:
        judging = step.judging
        judging.survey = {key: answer[key] for key in ("controls", "lines", "canaries")}
        depends, problem = self._depends.of(step.task.work, [answer], held=False)
        judging.problem, judging.parts = problem, depends.get("subject", ())
        judging.entered = self._depends.functions([answer])

    def _judge(self, judging: _Judging) -> None:
        """Queue what is not known yet of the ground's mutants."""
        if judging.problem:
            return
        if len(judging.unfit) == len(judging.ground.works):
            judging.problem = "no falsifier holds of the subject itself: run pv falsify"
            return
        kept = judgements(self._known, judging.ground, self._bench.today, judging.functions, every=self._every)
        if kept is not None:
            judging.mutants, judging.rows = kept["mutants"], {row["id"]: row for row in kept["rows"]}
            judging.masked = dict(kept["masked"])
            self._compare(judging)
            return
        judging.known = False
        parts = min(self._bench.jobs, 1 + len(judging.functions) // _LONG)
        for part in range(parts):
            self._add(judging, Action.MUTATE, functions=judging.functions, part=part, parts=parts)

    def _judged(self, step: _Step, answer: Mapping[str, Any]) -> None:
        if not step.judging.open:
            self._compare(step.judging)

    def _compare(self, judging: _Judging) -> None:
        """Queue the waived survivors that were not yet held against the subject."""
        digests = {mutant["id"]: mutant["digest"] for mutant in judging.mutants}
        names = [
            waiver.mutant
            for waiver in self._waivers
            if _about(waiver, judging.ground)
            and judging.rows.get(waiver.mutant, {}).get("state") == State.SURVIVED.value
            and digests[waiver.mutant].startswith(waiver.digest)
            and digests[waiver.mutant] not in judging.alike
        ]
        if names:
            self._add(judging, Action.COMPARE, functions=judging.functions, mutants=tuple(names))

    def _compared(self, step: _Step, answer: Mapping[str, Any]) -> None:
        digests = {mutant["id"]: mutant["digest"] for mutant in step.judging.mutants}
        step.judging.alike |= {digests[name]: [inputs, refuted] for name, inputs, refuted in answer["alike"]}

    def _verdicts(self, judging: _Judging) -> Verdicts:
        ground = judging.ground
        if judging.problem:
            return Verdicts(ground, problem=judging.problem, unfit=tuple(judging.unfit.items()))
        self._keep(judging)
        mine = [waiver for waiver in self._waivers if _about(waiver, ground)]
        by_id = {waiver.mutant: waiver for waiver in mine}
        lines = {(path, line) for path, line in judging.survey["lines"]}
        fates = [
            _waived(fate_of(mutant, judging.rows[mutant["id"]], lines), by_id.get(mutant["id"]), judging.alike)
            for mutant in judging.mutants
            if mutant["id"] in judging.rows
        ]
        used = {fate.waiver for fate in fates}
        return Verdicts(
            ground,
            tuple(fates),
            unfit=tuple(judging.unfit.items()),
            canaries=tuple((test, canary) for test, canary in judging.survey["canaries"]),
            lapsed=tuple(waiver for waiver in mine if waiver not in used),
            every=self._every,
            known=judging.known,
        )

    def _keep(self, judging: _Judging) -> None:
        today = self._bench.today
        entry = keep(self._known, judging.ground, today, judging.entered, judging.parts, judging.survey)
        entry["alike"] |= judging.alike
        lost = {State.TIMEOUT.value, State.CRASHED.value}
        if not judging.known and not any(row["state"] in lost for row in judging.rows.values()):
            judged = {"mutants": judging.mutants, "rows": list(judging.rows.values()), "masked": judging.masked}
            keep_judgements(entry, judging.functions, judged, every=self._every)


def share_out(judgings: Sequence[_Judging]) -> None:
    """Give each function to the ground of its contract and subject that enters the fewest."""
    owners: dict[tuple[str, str, tuple[str, str, str]], _Judging] = {}
    for judging in sorted(judgings, key=lambda one: len(one.entered)):
        for function in judging.entered:
            ground = judging.ground
            owners.setdefault((ground.contract.name, ground.binding.name, function), judging)
    for judging in judgings:
        names = (judging.ground.contract.name, judging.ground.binding.name)
        judging.functions = tuple(function for function in judging.entered if owners[*names, function] is judging)


def _names(step: _Step) -> tuple[str, ...]:
    """The mutants that a task is to judge."""
    every = tuple(mutant["id"] for mutant in step.judging.mutants)
    return step.task.mutants or every[step.task.part :: step.task.parts]


def _about(waiver: Waiver, ground: Ground) -> bool:
    binding = ground.binding
    return (waiver.contract, waiver.equation, waiver.subject) == (binding.contract, binding.equation, binding.name)


def _waived(fate: Fate, waiver: Waiver | None, alike: Mapping[str, Sequence[Any]]) -> Fate:
    """A survivor that is waived, once enough inputs have not told it from the subject."""
    if waiver is None or not fate.digest.startswith(waiver.digest):
        return fate
    if fate.state is not State.SURVIVED or fate.digest not in alike:
        return fate  # the waiver is not needed: it is reported as lapsed
    inputs, refuted = alike[fate.digest]
    state = fate.state if refuted else State.WAIVED
    return replace(fate, state=state, waiver=waiver, inputs=inputs, refuted=refuted)


_ENDS: Mapping[Action, Callable[[_Teeth, _Step, Mapping[str, Any]], None]] = {
    Action.SURVEY: _Teeth._surveyed,
    Action.MUTATE: _Teeth._judged,
    Action.COMPARE: _Teeth._compared,
}
