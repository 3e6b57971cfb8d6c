"""`pv falsify`: run falsification tests and keep what they showed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from pv.cli import complete
from pv.cli.amounts import size, span
from pv.cli.group import SUBJECT
from pv.finding import Exit, PvError, worst
from pv.report.trial_formats import TRIAL_FORMATS

if TYPE_CHECKING:
    from pv.campaign.budget import Budget
    from pv.campaign.order import Bench, Order
    from pv.cli.attack import Chosen
    from pv.project import Project
    from pv.report.trial_formats import Selected, Summary


@click.command()
@click.argument("contracts", nargs=-1, shell_complete=complete.contracts)
@click.option(
    "--id",
    "ids",
    shell_complete=complete.ids,
    multiple=True,
    metavar="ID",
    help="Only this test; an ending (FALSIFY-009) selects every id with it.",
)
@click.option("--stale", is_flag=True, help="Only what is not shown by fresh evidence.")
@SUBJECT
@click.option(
    "--kind",
    type=click.Choice(["algorithm", "live", "oracle", "all"]),
    default="all",
    show_default=True,
    help="On generated cases, on the calls of the shipped command, against a reference; all that are bound.",
)
@click.option("--skip-slow", is_flag=True, help="Leave out falsifiers that say slow=True: they count as not run.")
@click.option(
    "--examples",
    type=click.IntRange(1, 10**7),
    help="Cases per test, over all its strata; without it what its falsifier says, or 200 (what the policy asks for, if more).",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Another seed draws other cases.")
@click.option(
    "--timeout",
    type=span,
    metavar="S",
    help="Seconds for a trial's cases, and again for each step of its proof; without it what its falsifier says, or 60.",
)
@click.option(
    "--memory", type=size, default="4G", show_default=True, metavar="SIZE", help="What a trial may take beyond torch."
)
@click.option("--jobs", type=click.IntRange(1, 1024), help="Processes at a time; without it one for each core.")
@click.option(
    "--time-budget",
    type=span,
    metavar="TIME",
    help="Begin nothing after 10m, say: what needs it most first, then more cases while there is time.",
)
@click.option("--until-falsified", is_flag=True, help="New cases, round after round, until something is falsified.")
@click.option(
    "--format", "form", type=click.Choice(list(TRIAL_FORMATS)), default="text", show_default=True,
    help="For people, for programs, or for a service.",
)  # fmt: skip
def falsify(contracts: tuple[str, ...], ids: tuple[str, ...], form: str, **options: Any) -> Exit:
    """Attack the implementation on behalf of each falsification test; keep a receipt of every run.

    CONTRACTS are names or files; without any, all of the project. A test holds only when no case broke it, every declared
    stratum was visited, and its falsifier caught the faults of the clauses it is bound to. Each runs in processes of its
    own, and what it does to them is its own error. Slow ones run last. Ctrl-C and SIGTERM keep what is done (130).

    \b
      pv falsify                         everything
      pv falsify --stale                 what changed since it was last shown
      pv falsify --id FALSIFY-MG-009     one test
      pv falsify --kind live             what holds of the calls that the shipped command makes
      pv falsify --time-budget 10m       as much as can be shown in ten minutes

    A test is run once for each kind of evidence that its binding allows: `live` runs the binding's command and judges the
    calls it makes, `oracle` holds every call against a reference (docs/kinds.md).

    Receipts go to .pv/ (not for git); `pv ledger promote` copies what is relied on into ledger/.
    """
    from pv.cli.attack import Session, choose
    from pv.project import open_project

    project = open_project()
    tests = project.select(ids, contracts)
    chosen = choose(
        project, tests, options["subject"], **{name: options[name] for name in ("kind", "stale", "skip_slow")}
    )
    if not tests and not chosen.findings:
        raise PvError("there is no falsification test to run", exit=Exit.RUN, hint="write one in contracts/")
    _explain(
        chosen, set(ids) - {test.id for _, test in tests}, [test.id for _, test in tests], options["subject"], form
    )
    bench = bench_of(project, options)
    budget = budget_of(project, chosen.trials, bench, options)
    return exit_of(Session(project, chosen, TRIAL_FORMATS[form]()).run(budget, bench))


def bench_of(project: Project, options: dict[str, Any]) -> Bench:
    """What the trials are run with."""
    from pv.campaign.order import TIMEOUT, Bench, cores, plan_of

    return Bench(
        project.root,
        project.sources,
        project.today,
        plan_of(project.policy, options["examples"], options["seed"]),
        jobs=options["jobs"] or cores(),
        timeout=options["timeout"] or TIMEOUT,
        memory=options["memory"],
        insisted=frozenset(name for name in ("examples", "timeout") if options[name] is not None),
    )


def budget_of(project: Project, trials: Sequence[Selected], bench: Bench, options: dict[str, Any]) -> Budget:
    """What is run when. Where time is short, what needs it most comes first, of the slow ones too."""
    from pv.assess.need import need_of
    from pv.campaign.budget import Budget, Rounds
    from pv.campaign.order import orders_of

    seconds, until = options["time_budget"], options["until_falsified"]
    orders: Iterable[Order] = orders_of([trial.work for trial in trials], bench)
    if seconds is not None or until:
        rows = {
            trial.work: project.assess(trial.work.contract, trial.work.test, trial.work.binding) for trial in trials
        }
        orders = sorted(orders, key=lambda order: (order.slow, need_of(rows[order.work])))
    rounds = Rounds.UNTIL_FALSIFIED if until else Rounds.ONE if seconds is None else Rounds.MORE
    return Budget(list(orders), rounds=rounds, seconds=math.inf if seconds is None else seconds, jobs=bench.jobs)


def exit_of(summary: Summary) -> Exit:
    """Mend what did not hold, run what was not run; nothing at all is no pass either."""
    exits = [result.finished.outcome.verdict.exit for result in summary.results]
    exits += [finding.severity.exit for finding in summary.findings]
    nothing = not (summary.results or summary.fresh)
    return worst([*exits, *([Exit.RUN] if summary.not_run or nothing else [])])


def _explain(chosen: Chosen, asked: set[str], ids: Sequence[str], subject: str, form: str) -> None:
    """Which ids an ending meant, and which tests have no such subject."""
    if asked and form == "text":
        click.echo(f"{', '.join(sorted(asked))}: {', '.join(ids)}")
    if chosen.without:
        from pv.report.plain import plural

        click.echo(
            f"{plural(len(chosen.without), 'test')} without a subject {subject!r}: {', '.join(chosen.without)}",
            err=True,
        )
