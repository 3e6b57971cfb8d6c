"""The chapters about microGPT that are taken from its contract and from the ledger."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path

from pages.text import cell, code, notice, paragraph, prose
from pv.assess.promises import Key, strongest
from pv.contract.model import Contract, FalsificationTest
from pv.ledger.promotion import Promise
from pv.ledger.receipt import Receipt
from pv.project import Project, project_at
from pv.report.equations import facts
from pv.report.signs import TEXT
from pv.report.tex import tex

CONTRACT = "microgpt-v1"
_SIGNS = {tex: sign for sign, tex in TEXT.items() if len(tex) > 1}
_SIGN = re.compile(
    "|".join(re.escape(tex) for tex in sorted(_SIGNS, key=len, reverse=True)) + r"|\\text\{(?P<foreign>.)\}"
)
_CONTRACT_LEAD = """What every kernel, and the model of them, must do: the equations of `contracts/microgpt-v1.yaml`, set by
`pv equations`. *exact* is bit for bit, *bounded* within the tolerance, *real* only of real numbers. How each clause is attacked
and what that showed: [Its evidence](evidence.md)."""
_EVIDENCE_LEAD = """Every falsification test of `microgpt-v1`, and what the ledger promises of it. Cases and checks are those of
the receipts that the promise cites, one for each kind of evidence; slack is how many times the bound exceeds the largest
residual. What is true of today's code says `pv status microgpt-v1`: a promise whose evidence went stale shuts the gate."""


def contract_page(root: Path) -> str:
    """The equations, with their formulas as mathematics."""
    contract = project_at(root).contract(CONTRACT)
    lead = f"Version {contract.version}. {in_markdown(contract.description)}"
    parts = [notice("contracts/microgpt-v1.yaml"), "# The contract of microGPT", lead, _CONTRACT_LEAD]
    for equation in contract.equations:
        parts.append(f"## {equation.name}")
        for head, rows in facts(equation):
            said = [f"- {code(name)}: {in_markdown(text)}" for name, text in rows if name]
            first = "" if said else f" {in_markdown(rows[0][1])}"
            parts.append("\n".join([f"**{head.capitalize()}.**{first}", *([""] if said else []), *said]))
    return "\n\n".join(parts) + "\n"


def evidence_page(root: Path) -> str:
    """The promises of the ledger, test by test."""
    project = project_at(root)
    contract = project.contract(CONTRACT)
    made = {key: promise for key, promise in strongest(project.promotions).items() if promise.contract == CONTRACT}
    cited = {receipt.name: receipt for receipt in project.shelves.cited if isinstance(receipt, Receipt)}
    parts = [notice("the ledger"), "# The evidence of microGPT", _EVIDENCE_LEAD, _counts(project, contract, made)]
    for equation, tests in groupby(contract.tests, key=lambda test: test.equation):
        rows = [_row(project, contract, test, made, cited) for test in tests]
        head = ["| Test | Rule | Level | Others | Cases | Checks | Slack |", "|---|---|---|---|---:|---:|---:|"]
        parts.append("\n".join([f"## {equation}", "", *head, *rows]))
    return "\n\n".join(parts) + "\n"


def in_markdown(text: str) -> str:
    """A sentence of a contract: its mathematics between dollars, its words as they are."""
    pieces = re.split(r"(?<!\\)\$", tex(text))
    return "".join(f"${piece}$" if at % 2 else prose(_words(piece)) for at, piece in enumerate(pieces))


def _words(piece: str) -> str:
    plain = _SIGN.sub(lambda found: found["foreign"] or _SIGNS[found[0]], piece)
    if re.search(r"\\[A-Za-z]", plain):
        raise ValueError(f"{piece!r} has LaTeX that the book does not know")
    return plain


def _counts(project: Project, contract: Contract, made: Mapping[Key, Promise]) -> str:
    subjects = {(test.id, project.subject(contract, test)) for test in contract.tests}
    default = [made.get((CONTRACT, test, bound.equation, bound.name)) for test, bound in subjects if bound]
    levels = sorted({promise.level for promise in default if promise}, reverse=True)
    said = [
        f"{level.short} {sum(promise is not None and promise.level == level for promise in default)}"
        for level in levels
    ]
    return (
        f"{len(contract.tests)} tests of the default subjects: {', '.join(said)}, not promised {default.count(None)}."
    )


def _row(
    project: Project,
    contract: Contract,
    test: FalsificationTest,
    made: Mapping[Key, Promise],
    cited: Mapping[str, Receipt],
) -> str:
    own = project.subject(contract, test)
    promise = made.get((CONTRACT, test.id, test.equation, own.name)) if own else None
    others = "; ".join(_others(project, contract, test, made))
    receipts = [cited[name] for name in promise.receipts if name in cited] if promise else []
    slack = min((receipt.slack for receipt in receipts if receipt.slack is not None), default=None)
    level = promise.level.short if promise else "not promised"
    figures = [f"{sum(receipt.cases for receipt in receipts):,}", f"{sum(receipt.checks for receipt in receipts):,}"]
    row = [test.id, cell(test.rule), level, others, *figures, "" if slack is None else f"{slack:.3g}"]
    return f"| {' | '.join(row)} |"


def _others(
    project: Project, contract: Contract, test: FalsificationTest, made: Mapping[Key, Promise]
) -> Iterator[str]:
    """What is promised of other subjects than the default one."""
    for binding in project.subjects_of(contract, test)[1:]:
        if promise := made.get((CONTRACT, test.id, test.equation, binding.name)):
            yield f"{paragraph(binding.name)} {promise.level.short}"
