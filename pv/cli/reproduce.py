"""`pv gate --reproduce`: run again what receipts record, and see whether it comes out the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pv.cli.about import About
from pv.finding import Finding, Place, Severity
from pv.ledger.receipt import Receipt
from pv.root import LEDGER, SHELF
from pv.verdict import Kind

if TYPE_CHECKING:
    from pv.campaign.order import Bench, Order
    from pv.falsify.work import Work
    from pv.project import Project


@dataclass(frozen=True, slots=True)
class Reproduction:
    """How many receipts were looked at, how many of them came out the same, and what there is to say of the others."""

    receipts: int
    same: int
    findings: tuple[Finding, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Looked at, reproduced, self-reported, different."""
        reported = sum(1 for finding in self.findings if finding.code == "PV611")
        return {
            "receipts": self.receipts,
            "reproduced": self.same,
            "self_reported": reported,
            "different": len(self.findings) - reported,
        }

    @property
    def text(self) -> str:
        """One line for people."""
        from pv.report.plain import plural

        rest = ", ".join(
            f"{count:,} {name.replace('_', '-')}" for name, count in self.counts.items() if name != "receipts"
        )
        return f"reproducing {plural(self.receipts, 'receipt')}: {rest}"


def reproduce(project: Project, against: str | None) -> Reproduction:
    """Run again the receipts that were added since the git reference `against`; without one, all that speak or are cited.

    Writes nothing. PV610 for what comes out otherwise, PV611 for what cannot be run again here.
    Raises PvError when git does not know the reference, or what runs trials is not installed.
    """
    cited = {name for made in project.promotions for promise in made.promises for name in promise.receipts}
    about = About(project)
    works: dict[Work, Receipt] = {}
    findings: list[Finding] = []
    for receipt in _chosen(project, against):
        found = _work(project, receipt, about)
        if not isinstance(found, str):
            works[found] = receipt
        elif against is not None or receipt.name in cited:
            findings.append(_self_reported(project, receipt, found))
    results = list(_run(project, works))
    return Reproduction(
        receipts=len(findings) + len(results),
        same=results.count(None),
        findings=(*findings, *(finding for finding in results if finding is not None)),
    )


def _chosen(project: Project, against: str | None) -> list[Receipt]:
    """Receipts of the ledger, and of the shelf where somebody gave that to git: a checkout believes them as well."""
    from pv.ledger.receipt import read_receipts
    from pv.source.git import files_at, tracked

    shelf = tracked(project.root, f"{SHELF}/receipts")
    before = {} if against is None else files_at(project.root, against, [f"{LEDGER}/receipts", f"{SHELF}/receipts"])
    found: dict[str, Receipt] = {}
    for home in (LEDGER, SHELF):
        for row in read_receipts(project.root / home / "receipts"):
            path = project.shown(row.path)
            if isinstance(row, Receipt) and path not in before and (home == LEDGER or path in shelf):
                found.setdefault(row.name, row)
    return list(found.values())


def _work(project: Project, receipt: Receipt, about: About) -> Work | str:
    """The trial that `receipt` records, or why it cannot be run again."""
    from pv.falsify.work import Work

    found, why_not = about.of(receipt), about.why_not(receipt)
    if found is None or why_not:
        return why_not
    contract, test, binding = found
    reference = project.reference(contract, test) if receipt.kind is Kind.ORACLE else None
    return Work(contract, test, binding, receipt.kind, reference)


def _run(project: Project, works: dict[Work, Receipt]) -> Iterator[Finding | None]:
    """For each of `works` what differs from its receipt; None when nothing does."""
    if not works:
        return
    from pv.assess.reproduce import compare
    from pv.campaign.budget import Budget
    from pv.campaign.order import Bench
    from pv.campaign.run import run_orders
    from pv.cli.attack import require_libraries
    from pv.cli.interrupt import interruptible
    from pv.cli.live import live
    from pv.ledger.store import read

    require_libraries("torch", "hypothesis")
    bench = Bench(project.root, project.sources, project.today)
    with interruptible() as check, live(len(works)) as display:
        budget = Budget(_orders(works, bench), jobs=bench.jobs)
        with closing(run_orders(budget, bench, display.show, check)) as campaign:
            for finished in campaign:
                display.done(finished.work)
                receipt = works[finished.work]
                seen = compare(read(receipt.path).value, finished.receipt)
                if seen.differs:
                    yield _different(project, receipt, seen.differs)
                else:
                    yield _self_reported(project, receipt, seen.elsewhere) if seen.elsewhere else None
        check()


def _orders(works: dict[Work, Receipt], bench: Bench) -> Sequence[Order]:
    """Each trial with the seed and the cases that its receipt records."""
    from pv.campaign.order import orders_of
    from pv.falsify.work import Plan

    orders = orders_of(list(works), bench)
    return [replace(order, plan=Plan(works[order.work].requested, works[order.work].seed)) for order in orders]


def _different(project: Project, receipt: Receipt, differs: Sequence[str]) -> Finding:
    said = f"does not reproduce: {receipt.test} ({receipt.subject}) run again comes to other {'; other '.join(differs)}"
    citing = [row for row in project.promotions_made if any(receipt.name in made.receipts for made in row.promises)]
    paths = " ".join(project.shown(path) for path in (receipt.path, *(row.path for row in citing)))
    hint = f"git rm {paths}, then pv falsify --id {receipt.test}, then pv ledger promote {receipt.contract}"
    return Finding("PV610", Severity.ERROR, Place(project.shown(receipt.path)), said, hint)


def _self_reported(project: Project, receipt: Receipt, why: str) -> Finding:
    said = f"is self-reported: {receipt.test} ({receipt.subject}) could not be run again here: {why}"
    hint = "believe whoever wrote it, or run it where it can be run"
    return Finding("PV611", Severity.WARNING, Place(project.shown(receipt.path)), said, hint)
