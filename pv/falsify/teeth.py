"""Whether a falsifier can fail: each fault of each invariant it is bound to must make its own check fail, under every seed.

The cases are drawn once for each seed and serve every fault and mutant, so that judging one costs no more than its calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from pv.contract.model import SMOKE_ABOUT, Invariant
from pv.falsify.cases import Case, Region
from pv.falsify.check import Check, Falsified
from pv.falsify.declare import Fault
from pv.falsify.explore import Unsatisfiable, UnsatisfiedAssumption, explore, within
from pv.falsify.judge import SilentCase, Tally, Trial, attempt, copied, why
from pv.falsify.outcome import Outcome
from pv.falsify.subject import GrossFault, Subject, of_fault
from pv.falsify.trial import attack, seed_of
from pv.falsify.work import Plan
from pv.ledger.receipt import Tooth
from pv.verdict import Verdict

TEETH_FEW, TEETH_EXAMPLES = 24, 200
TEETH_SEEDS = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """What a falsifier made of an altered subject.

    `invariant` is the clause whose check failed; `gross` why the alteration proves nothing; `error` what else went wrong.
    `judged` counts the cases it needed.
    """

    invariant: str = ""
    gross: str = ""
    error: str = ""
    judged: int = 0

    @property
    def decided(self) -> bool:
        """Whether there is any answer at all."""
        return bool(self.invariant or self.gross or self.error)


def run_trial(trial: Trial, plan: Plan) -> Outcome:
    """Attack the subject; when every case holds, try the faults. What comes out: see `attack`."""
    outcome = attack(trial, plan)
    if outcome.verdict is not Verdict.HELD:
        return outcome
    if trial.falsifier.slow:
        trial.remember()
    verdict, reason, teeth = bite(trial, Corpus(trial))
    return replace(outcome, verdict=verdict, reason=reason, teeth=teeth)


Pile = dict[tuple[str, int, int], tuple[Case, ...]]


class Corpus:
    """The cases that faults and mutants are tried on, drawn when first asked for: for each seed a few, then all.

    Falsifiers of one equation that bring no cases of their own are tried on the same ones: given one `pile`, they share it.
    """

    def __init__(self, trial: Trial, pile: Pile | None = None) -> None:
        self._trial = trial
        self._name = trial.test if trial.falsifier.cases else trial.equation.name
        self._drawn: Pile = {} if pile is None else pile

    @property
    def most(self) -> int:
        """How many cases judge one altered subject at most: under each seed a few and then all, and a few the smoke check."""
        few, every = self._capped(TEETH_FEW), self._capped(TEETH_EXAMPLES)
        return TEETH_SEEDS * (few + every) + few

    def cases(self, seed: int, examples: int) -> tuple[Case, ...]:
        """About so many cases: the simplest of every region first, then the others in turn.

        No more than the falsifier says that it needs: what it is judged by, its teeth are shown on.
        """
        examples = self._capped(examples)
        if (self._name, seed, examples) not in self._drawn:
            columns = [self._column(region, seed, examples) for region in self._trial.regions()]
            longest = max(map(len, columns), default=0)
            mixed = (cases[place] for place in range(longest) for cases in columns if place < len(cases))
            self._drawn[self._name, seed, examples] = tuple(mixed)
        return self._drawn[self._name, seed, examples]

    def domain(self) -> Corpus:
        """Cases of the equation itself, also where the falsifier brings its own."""
        falsifier = replace(self._trial.falsifier, cases=())
        return Corpus(replace(self._trial, falsifier=falsifier), self._drawn)

    def ask_few(self, subject: Subject, seed: int) -> Answer:
        """What the falsifier says of `subject` on a few cases of `seed`."""
        return ask(self._trial, subject, self.cases(seed, TEETH_FEW))

    def ask(self, subject: Subject, seed: int) -> Answer:
        """What the falsifier says of `subject` on a few cases of `seed`, and if that decides nothing, on all."""
        for examples in (TEETH_FEW, TEETH_EXAMPLES):
            answer = ask(self._trial, subject, self.cases(seed, examples))
            if answer.decided:
                break
        return answer

    def _capped(self, examples: int) -> int:
        return min(examples, self._trial.falsifier.examples or examples)

    def _column(self, region: Region, seed: int, examples: int) -> list[Case]:
        found: list[Case] = []

        def keep(case: Case) -> None:
            if region.holds(case):
                found.append(case)

        share = -(-examples // len(self._trial.regions()))
        with suppress(Unsatisfiable):
            explore(region, keep, examples=share, seed=seed_of(self._name, region.name, seed, 0, 0), shrink=False)
        return found


def bite(trial: Trial, corpus: Corpus) -> tuple[Verdict, str, tuple[Tooth, ...]]:
    """Held if each bound invariant has a fault and each fault was caught, else vacuous and why."""
    teeth: list[Tooth] = []
    control = corpus.ask_few(trial.subject.altered(lambda plain, again, case: again()), 0)
    if control.decided:
        reason = f"it fails on the subject itself when that is wrapped: {_shown(control)}"
        return Verdict.VACUOUS, reason, ()
    for invariant in trial.invariants:
        faults = [fault for fault in trial.faults if fault.invariant == invariant.name]
        if not faults:
            reason = f"no fault of {invariant.name} is written: nothing shows that this check can fail"
            return Verdict.VACUOUS, reason, tuple(teeth)
        for fault in faults:
            answers = [corpus.ask(_faulted(trial, fault, invariant), seed) for seed in range(TEETH_SEEDS)]
            spoilt = next((answer for answer in answers if answer.gross or answer.error), None)
            if spoilt is not None:
                reason = f"the fault {fault.name} of {invariant.name} proves nothing: {spoilt.gross or spoilt.error}"
                return Verdict.VACUOUS, reason, tuple(teeth)
            # A reference catches what is against any clause, and tells it of the first.
            caught = all(
                answer.invariant and (trial.oracle or answer.invariant == invariant.name) for answer in answers
            )
            teeth.append(Tooth(invariant.name, fault.name, caught, len(answers)))
    missed = [tooth for tooth in teeth if not tooth.caught]
    if missed:
        reason = f"it does not catch the fault {missed[0].fault} of {missed[0].invariant}"
        return Verdict.VACUOUS, reason, tuple(teeth)
    return Verdict.HELD, "", tuple(teeth)


def _faulted(trial: Trial, fault: Fault, invariant: Invariant) -> Subject:
    return trial.subject.altered(of_fault(fault), smoke=invariant.about not in SMOKE_ABOUT, about=invariant.about)


def _shown(answer: Answer) -> str:
    return answer.gross or answer.error or f"a check of {answer.invariant} failed"


def ask(trial: Trial, subject: Subject, cases: Sequence[Case]) -> Answer:
    """As `ask_inside`, to be called anywhere."""
    found: list[Answer] = []
    within(lambda: found.append(ask_inside(trial, subject, cases)))
    return found[0]


def ask_inside(trial: Trial, subject: Subject, cases: Sequence[Case]) -> Answer:
    """What the falsifier says of `subject` on `cases`, up to the first that decides. To be called inside of Hypothesis.

    Every case is copied: what one subject does to its arguments must not reach the next.
    """
    tally = Tally(Check(trial.invariants))
    judged = 0
    for judged, case in enumerate(cases, 1):
        try:
            attempt(trial, subject, copied(case), tally)
        except UnsatisfiedAssumption:
            continue
        except SilentCase:
            continue  # a case that no check looked at proves nothing either way
        except Falsified:
            assert tally.last is not None, "a check failed, so the case was kept"
            return Answer(
                invariant="" if subject.gross else tally.last[1].invariant, gross=subject.gross, judged=judged
            )
        except GrossFault as gross:
            return Answer(gross=str(gross), judged=judged)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return Answer(error=why(error), judged=judged)
    return Answer(judged=judged)
