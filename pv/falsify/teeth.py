"""Whether a falsifier can fail: each fault of each invariant it is bound to must make its own check fail, under every seed."""

from __future__ import annotations

from dataclasses import replace

from pv.contract.model import Invariant
from pv.falsify.check import Check, Falsified
from pv.falsify.declare import Fault
from pv.falsify.explore import Flaky, Unsatisfiable, explore
from pv.falsify.subject import GrossFault, faulted
from pv.falsify.trial import ForeignError, Outcome, Plan, Tally, Trial, attack, judge_of, seed_of, why
from pv.ledger.receipt import Tooth
from pv.verdict import Verdict

TEETH_EXAMPLES = 200
TEETH_SEEDS = 3


def run_trial(trial: Trial, plan: Plan) -> Outcome:
    """Attack the subject; when every case holds, try the faults. What comes out: see `attack`."""
    outcome = attack(trial, plan)
    return _with_teeth(trial, outcome) if outcome.verdict is Verdict.HELD else outcome


def _with_teeth(trial: Trial, outcome: Outcome) -> Outcome:
    """The outcome of a trial whose every case held: held if each bound invariant has a fault and each fault was caught."""
    teeth: list[Tooth] = []
    for invariant in trial.invariants:
        faults = [fault for fault in trial.faults if fault.invariant == invariant.name]
        if not faults:
            reason = f"no fault of {invariant.name} is written: nothing shows that this check can fail"
            return replace(outcome, verdict=Verdict.VACUOUS, reason=reason, teeth=tuple(teeth))
        for fault in faults:
            try:
                caught = sum(_catches(trial, fault, invariant, seed) for seed in range(TEETH_SEEDS))
            except (GrossFault, ForeignError) as error:
                reason = f"the fault {fault.name} of {invariant.name} proves nothing: {error}"
                return replace(outcome, verdict=Verdict.VACUOUS, reason=reason, teeth=tuple(teeth))
            teeth.append(Tooth(invariant.name, fault.name, caught == TEETH_SEEDS, TEETH_SEEDS))
    missed = [tooth for tooth in teeth if not tooth.caught]
    if missed:
        reason = f"it does not catch the fault {missed[0].fault} of {missed[0].invariant}"
        return replace(outcome, verdict=Verdict.VACUOUS, reason=reason, teeth=tuple(teeth))
    return replace(outcome, teeth=tuple(teeth))


def _catches(trial: Trial, fault: Fault, invariant: Invariant, seed: int) -> bool:
    """Whether the falsifier's own check of `invariant` fails on the subject with `fault` in it."""
    tally = Tally(Check(trial.invariants))
    found = trial.regions()
    share = -(-TEETH_EXAMPLES // len(found))
    gross: list[str] = []
    subject = faulted(trial.subject, fault, invariant, gross)
    for region in found:
        tally.seen[region.name] = set()
        body = judge_of(trial, region, tally, subject)
        try:
            explore(region, body, examples=share, seed=seed_of(trial.test, region.name, seed, 0), shrink=False)
        except (Unsatisfiable, Flaky):
            continue
        except Falsified:
            if gross:
                raise GrossFault(gross[0]) from None
            return tally.last is not None and tally.last[2].invariant == invariant.name
        except (GrossFault, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise ForeignError(why(error)) from error
    return False
