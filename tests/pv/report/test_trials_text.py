"""What `pv falsify` says of a trial: the counts, the smallest case as code, and what to do next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from receipts import strata, stratum, tooth
from trial_results import BINDING, BROKEN, KERNEL, OTHER, TEST, WIDE, WORK, done, falsified, residual, selected

from pv.contract.model import Binding
from pv.falsify.work import Work
from pv.report.trial_formats import TRIAL_FORMATS, Summary
from pv.report.trials import result_line, result_text, smallest_slack, summary_line


@pytest.mark.parametrize(("changes", "tail"), [
    ({}, "200 cases, 220 checks, 1 of 1 fault caught"),
    ({"cases": strata(stratum("a", 1, exhausted=True)), "checks": 1}, "1 case (all there are), 1 check, 1 of 1 fault caught"),
    ({"cases": strata(stratum("a", 1, exhausted=True), stratum("b", 9))}, "10 cases, 220 checks, 1 of 1 fault caught"),
    ({"residuals": [residual(0.5, 8.0), residual(0.0, 1.0)]}, "200 cases, 220 checks, 1 of 1 fault caught, slack 16"),
    ({"residuals": [residual(0.0, 1.0)]}, "200 cases, 220 checks, 1 of 1 fault caught"),
])  # fmt: skip
def test_a_line_says_what_was_counted(changes: dict[str, Any], tail: str) -> None:
    assert result_line(done(**changes)) == f"FALSIFY-D-001  held          {'double/twice':34}  {tail}"


def test_a_line_of_a_trial_that_did_not_hold_counts_what_there_was() -> None:
    vacuous = done("vacuous", reason="x", teeth=[tooth("double/twice", caught=False)])
    assert result_line(vacuous).split("  ")[1:2] == ["vacuous"]
    assert result_line(vacuous).endswith("220 checks, 0 of 1 fault caught")
    assert result_line(falsified(teeth=[], residuals=[residual(9.0, 1.0)])).endswith("200 cases, 220 checks")


def test_another_subject_than_the_default_one_is_named() -> None:
    assert result_line(done(work=OTHER)).startswith("FALSIFY-D-001[numpy]  held  ")
    assert result_text(falsified(OTHER)).splitlines()[0] == "FALSIFY-D-001[numpy] falsified: double/twice"
    assert result_text(falsified(OTHER)).endswith("pv falsify --id FALSIFY-D-001 --subject numpy")


def test_the_smallest_slack_is_over_all_dtypes_and_none_where_nothing_differed() -> None:
    assert smallest_slack([residual(0.5, 8.0), residual(0.25, 1.0, "float64"), residual(0.0, 1.0)]) == 4.0
    assert smallest_slack([residual(0.0, 1.0)]) is None
    assert smallest_slack([]) is None


def test_a_falsified_trial_is_told_in_full() -> None:
    result = replace(falsified(), subject=KERNEL, case=".pv/counterexamples/double-v1/FALSIFY-D-001/0.json")
    again = "pv falsify --id FALSIFY-D-001"
    assert result_text(result).splitlines() == [
        "FALSIFY-D-001 falsified: double/twice",
        "  contracts/double-v1.yaml:15:9: it is twice the argument",
        "  smallest case found (stratum x.ordinary):",
        "      x = 18",
        "      y = 0.5",
        "  observed 37, expected 36: differs",
        "  checked at falsifiers/double.py:9",
        "  if this fails: look at the factor",
        "  subject: kernels.double:double  kernels/double.py:5",
        "  case: .pv/counterexamples/double-v1/FALSIFY-D-001/0.json",
        f"  next: mend the subject, then {again}; pv replay FALSIFY-D-001 runs the case, pv pin FALSIFY-D-001 keeps it",
    ]


@pytest.mark.parametrize(("arguments", "lines"), [
    ({}, ["from kernels.double import double", "double()"]),
    (None, ["from pv import load_case", "from kernels.double import double",
            "case = load_case('.pv/counterexamples/double-v1/FALSIFY-D-001/0000000000000000.json')",
            "double(*case.values())"]),
])  # fmt: skip
def test_a_case_is_told_as_code_to_paste(arguments: Any, lines: list[str]) -> None:
    shown = result_text(done("falsified", counterexample={**BROKEN, "arguments": arguments})).splitlines()
    assert shown[3 : 3 + len(lines)] == [f"      {line}" for line in lines]


def test_a_case_without_arguments_of_a_command_is_told_to_have_none() -> None:
    command: Binding = BINDING._replace(target="", adapter="command", command=("./double",))
    broken = done("falsified", Work(WORK.contract, TEST, command), counterexample={**BROKEN, "arguments": {}})
    assert result_text(broken).splitlines()[3] == "      (no arguments)"


@pytest.mark.parametrize(("verdict", "changes", "next_"), [
    ("vacuous", {}, "write the falsifier so that it can fail, then pv falsify --id FALSIFY-D-001"),
    ("errored", {}, "mend the falsifier or what it calls, then pv falsify --id FALSIFY-D-001"),
    ("not_measured", {}, "widen the cases, or pv falsify --id FALSIFY-D-001 --examples 1000"),
    ("not_measured", {"cases": strata()}, "install what is missing, then pv falsify --id FALSIFY-D-001"),
])  # fmt: skip
def test_a_trial_that_shows_nothing_says_why_and_what_to_do(verdict: str, changes: dict[str, Any], next_: str) -> None:
    assert result_text(done(verdict, reason="the reason", **changes)).splitlines() == [
        f"FALSIFY-D-001 {verdict.replace('_', ' ')}: the reason",
        "  contracts/double-v1.yaml:15:9: it is twice the argument",
        "  subject: kernels.double:double",
        f"  next: {next_}",
    ]


def test_the_end_of_what_a_trial_printed_is_told_and_steers_no_terminal() -> None:
    printed = "".join(f"line {number}\n\n" for number in range(30)) + "\x1b[31mred\r\n"
    shown = result_text(done("errored", printed=printed, reason="a \x1b[2J reason")).splitlines()
    assert shown[0] == "FALSIFY-D-001 errored: a \ufffd[2J reason"
    assert shown[2:5] == ["  it printed:", "      line 21", "      line 22"]
    assert shown[12] == "      \ufffd[31mred"


def test_the_summary_has_its_denominator() -> None:
    rows = tuple(done(verdict) for verdict in ("errored", "held", "not_measured", "held"))
    left = ((selected(), "interrupted"), (selected(OTHER), "interrupted"))
    assert summary_line(Summary(rows)) == "4 tests run: 2 held, 1 errored, 1 not measured"
    assert summary_line(Summary(rows[:1], left, fresh=30)) == "3 tests run: 1 errored, 2 not run; 30 fresh already"
    assert summary_line(Summary((), fresh=31)) == "nothing to run; 31 fresh already"
    assert summary_line(Summary((), not_applicable=left[:1])) == "nothing to run; 1 not applicable"


def test_text_comes_as_it_happens_slow_ones_apart_and_closes_with_all_that_did_not_hold() -> None:
    writer = TRIAL_FORMATS["text"]()
    rows = (done(), falsified(OTHER), done("errored", reason="why", slow=True))
    assert list(writer.begin([row.trial for row in rows], 0)) == []
    assert list(writer.finish(rows[0])) == [result_line(rows[0])]
    assert list(writer.finish(rows[2])) == ["slow falsifiers:", result_line(rows[2])]
    assert list(writer.finish(rows[2])) == [result_line(rows[2])]
    assert list(writer.finish(rows[1])) == ["the others:", result_line(rows[1])]
    left = ((selected(), "the time budget was spent"), (selected(OTHER), "the time budget was spent"))
    assert list(writer.close(Summary(rows, left, ((selected(OTHER), "no dtype"),), 2, (WIDE,)))) == [
        f"\n{result_text(rows[1])}",
        f"\n{result_text(rows[2])}",
        "\ncontracts/double-v1.yaml:3:5: warning PV406 the tolerance is wide\n    tighten it",
        "not run: FALSIFY-D-001, FALSIFY-D-001[numpy]: the time budget was spent",
        "not applicable: FALSIFY-D-001[numpy]: no dtype",
        summary_line(Summary(rows, left, ((selected(OTHER), "no dtype"),), 2)),
    ]
