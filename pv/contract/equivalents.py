"""Mutants that are waived because they compute what the subject computes: falsifiers/equivalent.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pv.contract.document import read_document
from pv.contract.read import findings_of
from pv.finding import Finding, Place

FORMAT = "pv/equivalents-v1"


@dataclass(frozen=True, slots=True)
class Waiver:
    """One mutant said to be equivalent. `digest` begins that of the mutated function, so that it lapses with the code."""

    contract: str
    equation: str
    subject: str
    mutant: str
    digest: str
    reason: str
    place: Place


def read_waivers(path: Path, shown: str) -> tuple[tuple[Waiver, ...], tuple[Finding, ...]]:
    """The waivers in the file at `path`, called `shown` in findings; none where there are findings. No file: none of both."""
    if not path.is_file():
        return (), ()
    document = read_document(path, shown)
    findings = findings_of(document, FORMAT)
    if findings:
        return (), findings
    rows = enumerate(document.value["equivalent"])
    return tuple(Waiver(**_named(row), place=document.place(("equivalent", at))) for at, row in rows), ()


def _named(row: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in row.items() if not key.startswith("x-")}
