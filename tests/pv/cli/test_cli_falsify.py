"""`pv falsify`: each of its options, what it tells and keeps, and how it ends."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from conftest import Ran, edit
from small_project import FILES, write_project

from pv.report.trial_formats import TRIAL_FORMATS

Pv = Callable[..., Ran]

CONTRACT, BINDING, FALSIFIER = "contracts/double-v1.yaml", "contracts/binding.yaml", "falsifiers/double.py"
KERNEL = "kernels/double.py"
SECOND = """\
  - id: FALSIFY-D-002
    rule: as the first
    prediction: as the first
    binds_to: [double/twice]
    if_fails: look at the first
"""


def project(root: Path, **changes: str) -> Path:
    """The small project with `changes` of (file, with _ for /) its text."""
    return write_project(root, {name.replace("__", "/"): text for name, text in changes.items()})


def two_tests(root: Path, second: str = "is_twice(subject, case, check)", *, mark: str = "") -> Path:
    """A second falsification test, whose falsifier does `second`."""
    text = f'\n\n@falsifier("FALSIFY-D-002"{mark})\ndef other(subject, case, check):\n    {second}\n'
    return write_project(root, {CONTRACT: FILES[CONTRACT] + SECOND, FALSIFIER: FILES[FALSIFIER] + text})


def receipts(root: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_bytes()) for path in (root / ".pv/receipts").rglob("*.json")]


# --- how hard it tries


def test_the_policy_says_how_many_cases_unless_the_caller_does(tmp_path: Path, pv: Pv) -> None:
    write_project(tmp_path, {"pyproject.toml": "[tool.pv]\n[tool.pv.policy]\ncases = 260\n"})
    assert pv("falsify", cwd=tmp_path).exit == 0
    assert pv("falsify", "--examples", "40", "--seed", "3", cwd=tmp_path).exit == 0
    asked = sorted((row["cases"]["requested"], row["cases"]["seed"]) for row in receipts(tmp_path))
    assert asked == [(40, 3), (260, 0)]


def test_a_policy_below_the_usual_number_lowers_nothing(tmp_path: Path, pv: Pv) -> None:
    write_project(tmp_path, {"pyproject.toml": "[tool.pv]\n[tool.pv.policy]\ncases = 20\n"})
    assert pv("falsify", cwd=tmp_path).exit == 0
    assert [row["cases"]["requested"] for row in receipts(tmp_path)] == [200]


def test_a_run_as_usual_satisfies_a_policy_that_asks_for_more_in_each_stratum(tmp_path: Path, pv: Pv) -> None:
    policy = "[tool.pv]\n[tool.pv.policy]\nstratum = 150\n"
    strata = FILES[CONTRACT].replace("strata: [ordinary]", "strata: [ordinary, edges]")
    write_project(tmp_path, {"pyproject.toml": policy, CONTRACT: strata})
    assert pv("falsify", "--examples", "200", cwd=tmp_path).exit == 0
    ran = pv("gate", cwd=tmp_path)
    assert (
        "not PARTIAL: more cases: x.ordinary 100; 150 in each stratum\n    pv falsify --id FALSIFY-D-001 --examples 300"
        in ran.out
    )
    assert pv("falsify", cwd=tmp_path).exit == 0
    assert sorted(row["cases"]["requested"] for row in receipts(tmp_path)) == [200, 300]
    assert "PV404" not in pv("gate", cwd=tmp_path).out
    assert pv("ledger", "promote", "double-v1", cwd=tmp_path).exit == 0
    ran = pv("gate", "--reproduce", cwd=tmp_path)
    assert (ran.exit, "1 reproduced" in ran.out) == (0, True), "the receipt says how many cases its run was asked for"


def test_a_falsifier_that_asks_for_fewer_cases_than_the_policy_is_told_the_command_that_is_enough(
    tmp_path: Path, pv: Pv
) -> None:
    falsifier = FILES[FALSIFIER].replace('@falsifier("FALSIFY-D-001")', '@falsifier("FALSIFY-D-001", examples=50)')
    write_project(tmp_path, {FALSIFIER: falsifier})
    assert pv("falsify", cwd=tmp_path).exit == 0
    ran = pv("gate", "--falsify", "stale", cwd=tmp_path)
    command = "pv falsify --id FALSIFY-D-001 --examples 200"
    assert (ran.exit, f"    {command}\n" in ran.out) == (3, True)
    assert pv(*command.split()[1:], cwd=tmp_path).exit == 0
    assert "PV404" not in pv("gate", cwd=tmp_path).out


def test_a_trial_that_takes_too_long_is_its_own_error(tmp_path: Path, pv: Pv) -> None:
    root = two_tests(tmp_path, "while True: pass")
    ran = pv("falsify", "--timeout", "5", cwd=root)
    assert ran.exit == 1
    assert "FALSIFY-D-002 errored: it did not finish within 5 s" in ran.out
    assert ran.out.endswith("2 tests run: 1 held, 1 errored\n")


def test_a_trial_that_takes_too_much_memory_is_its_own_error(tmp_path: Path, pv: Pv) -> None:
    root = two_tests(tmp_path, "import torch; is_twice(subject, case, check); torch.empty(10**9, dtype=torch.uint8)")
    assert pv("falsify", "--id", "FALSIFY-D-002", cwd=root).exit == 0
    ran = pv("falsify", "--id", "FALSIFY-D-002", "--memory", "512M", cwd=root)
    assert (ran.exit, "FALSIFY-D-002 errored: RuntimeError: " in ran.out, "memory" in ran.out) == (1, True, True)


@pytest.mark.parametrize(("option", "value", "said"), [
    ("--memory", "3X", "'3X' is no amount of memory above 0: write 4G, 512M or a number of bytes"),
    ("--timeout", "soon", "'soon' is no time above 0: write 90, 90s, 10m or 1h30m"),
    ("--time-budget", "0", "'0' is no time above 0"),
    ("--jobs", "0", "0 is not in the range"),
    ("--examples", "-1", "-1 is not in the range"),
    ("--subject", "plane", "did you mean 'plain'?"),
    ("--format", "yaml", "'yaml' is not one of"),
])  # fmt: skip
def test_what_cannot_be_meant_is_misuse(option: str, value: str, said: str, tmp_path: Path, pv: Pv) -> None:
    ran = pv("falsify", option, value, cwd=write_project(tmp_path))
    assert (ran.exit, said in ran.err) == (2, True), ran.err
    assert not (tmp_path / ".pv").exists()


# --- what it runs

OTHER = """\
  - {contract: double-v1, equation: double, name: other, role: subject, target: "kernels.double:triple"}
"""


def test_the_default_subject_another_or_all(tmp_path: Path, pv: Pv) -> None:
    root = write_project(tmp_path, {BINDING: FILES[BINDING] + OTHER})
    assert pv("falsify", cwd=root).exit == 0
    one = pv("falsify", "--subject", "other", cwd=root)
    assert (one.exit, one.out.startswith("FALSIFY-D-001[other]  falsified")) == (1, True)
    both = pv("falsify", "--subject", "all", cwd=root)
    assert (both.exit, both.out.endswith("2 tests run: 1 held, 1 falsified\n")) == (1, True)
    assert {row["subject"]["name"] for row in receipts(root)} == {"plain", "other"}


def test_what_does_not_apply_to_a_subject_is_shown_and_counted_and_not_run(tmp_path: Path, pv: Pv) -> None:
    other = OTHER.replace('triple"', 'triple", not_applicable: {gradient: it has no gradient}')
    contract = FILES[CONTRACT].replace("holds: exact", "holds: exact, about: gradient")
    root = write_project(tmp_path, {BINDING: FILES[BINDING] + other, CONTRACT: contract})
    ran = pv("falsify", "--subject", "all", cwd=root)
    assert "not applicable: FALSIFY-D-001[other]: it has no gradient\n" in ran.out
    assert (ran.exit, ran.out.endswith("1 test run: 1 held; 1 not applicable\n")) == (0, True)
    alone = pv("falsify", "--subject", "other", cwd=root)
    assert (alone.exit, alone.out.endswith("nothing to run; 1 not applicable\n")) == (3, True)


def test_slow_falsifiers_come_last_under_a_heading_and_can_be_left_out(tmp_path: Path, pv: Pv) -> None:
    root = two_tests(tmp_path)
    edit(root / FALSIFIER, '@falsifier("FALSIFY-D-001")', '@falsifier("FALSIFY-D-001", slow=True)')
    ran = pv("falsify", "--jobs", "1", cwd=root)
    first, heading, second, *_ = ran.out.splitlines()
    assert (ran.exit, first[:13], heading, second[:13]) == (0, "FALSIFY-D-002", "slow falsifiers:", "FALSIFY-D-001")
    without = pv("falsify", "--skip-slow", cwd=root)
    assert without.exit == 3, "what was not run is no pass"
    assert "not run: FALSIFY-D-001: slow, and --skip-slow was given\n2 tests run: 1 held, 1 not run\n" in without.out


def test_while_all_is_fresh_no_worker_is_started(tmp_path: Path, pv: Pv) -> None:
    root = write_project(tmp_path)
    probe = (
        "import sys; from multiprocessing import forkserver; from pv.cli import main\n"
        "main(sys.argv[1:]); print(forkserver._forkserver._forkserver_pid is not None)\n"
    )

    def started(*arguments: str) -> str:
        command = [sys.executable, "-c", probe, "falsify", *arguments]
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout

    assert started().endswith("True\n")
    assert started("--stale") == "nothing to run; 1 fresh already\nFalse\n"


# --- a budget


def test_nothing_is_begun_when_the_time_is_over_and_that_is_no_pass(tmp_path: Path, pv: Pv) -> None:
    ran = pv("falsify", "--time-budget", "0.000001s", cwd=two_tests(tmp_path))
    assert ran.exit == 3
    assert "not run: FALSIFY-D-001, FALSIFY-D-002: the time budget was spent\n2 tests run: 2 not run\n" in ran.out
    assert not (tmp_path / ".pv").exists()


def test_the_time_left_goes_to_more_cases_and_every_receipt_is_kept(tmp_path: Path, pv: Pv) -> None:
    ran = pv("falsify", "--time-budget", "5m", cwd=write_project(tmp_path))
    assert ran.exit == 0
    found = {row["cases"]["requested"]: row["cases"]["seed"] for row in receipts(tmp_path)}
    assert found == {200: 0, 400: 1, 800: 2}, "then it has seen all there are"
    assert ran.out.endswith("1 test run: 1 held\n")


@pytest.mark.parametrize("option", [["--time-budget=1s"], ["--until-falsified", "--time-budget=1s"]])
def test_what_needs_it_most_comes_first(option: list[str], tmp_path: Path, pv: Pv) -> None:
    root = two_tests(tmp_path)
    assert pv("falsify", "--id", "FALSIFY-D-001", cwd=root).exit == 0
    lines = pv("falsify", *option, "--jobs", "1", "--format", "ndjson", cwd=root).out.splitlines()
    first = next(value for line in lines if (value := json.loads(line))["event"] == "progress")
    assert first["test"] == "FALSIFY-D-002"


RARE = FILES[KERNEL].replace("    return FACTOR * x", "    return FACTOR * x + (x == 211)")


def test_until_falsified_tries_other_cases_until_one_breaks_it(tmp_path: Path, pv: Pv) -> None:
    root = write_project(tmp_path, {KERNEL: RARE})
    assert pv("falsify", "--examples", "20", cwd=root).exit == 0, "the first round does not see it"
    ran = pv("falsify", "--examples", "20", "--until-falsified", cwd=root)
    assert ran.exit == 1
    assert ran.out.count("  held  ") >= 1
    assert ran.out.endswith("1 test run: 1 falsified\n")
    assert "x = 211" in ran.out


# --- what it tells and keeps


def test_a_case_that_broke_it_is_kept_named_and_runs_again(tmp_path: Path, pv: Pv) -> None:
    root = write_project(tmp_path, {KERNEL: RARE.replace("== 211", "> 9")})
    ran = pv("falsify", cwd=root)
    [kept] = (root / ".pv/counterexamples/double-v1/FALSIFY-D-001").glob("*.json")
    assert f".pv/counterexamples/double-v1/FALSIFY-D-001/{kept.name}" in ran.out
    for command in ("pv replay FALSIFY-D-001", "pv pin FALSIFY-D-001"):
        assert command in ran.out
    again = pv("replay", "FALSIFY-D-001", cwd=root)
    assert (again.exit, "STILL FAILS" in again.out) == (1, True)
    edit(root / KERNEL, "(x > 9)", "0")
    assert (pv("replay", "FALSIFY-D-001", cwd=root).exit, pv("falsify", cwd=root).exit) == (0, 0)


def test_what_a_trial_printed_is_shown_where_it_did_not_hold(tmp_path: Path, pv: Pv) -> None:
    root = two_tests(tmp_path, "print('all is well'); is_twice(subject, case, check)")
    assert "all is well" not in pv("falsify", cwd=root).out
    edit(root / FALSIFIER, "print('all is well'); is_twice(subject, case, check)", "print('so far'); raise KeyError(7)")
    out = pv("falsify", cwd=root).out
    assert "FALSIFY-D-002 errored: KeyError: 7" in out
    assert "it printed:" in out
    assert "so far" in out


TENSOR = (
    FILES[CONTRACT]
    .replace("x: {type: integer, range: {min: 0, max: 400}, strata: [ordinary]}",
             "x: {type: tensor, dtype: [float32], shape: [3], strata: [ordinary]}")
    .replace("y: {type: integer}", "y: {type: tensor, like: x, shape: [3]}")
    .replace("holds: exact", "holds: bounded, tolerance: {float32: {absolute: 1e-30, relative: 1e-3}}")
)  # fmt: skip
CLOSE = FILES[FALSIFIER].replace("check.equal(subject(case.x), twice(case.x))",
                                 "check.close(subject(case.x), twice(case.x.double()))")  # fmt: skip
ROUGH = FILES[KERNEL].replace("FACTOR * x", "FACTOR * (x * 1.000001)")


def test_a_tolerance_far_above_what_was_seen_is_a_warning_with_the_one_that_would_do(tmp_path: Path, pv: Pv) -> None:
    root = write_project(tmp_path, {CONTRACT: TENSOR, FALSIFIER: CLOSE, KERNEL: ROUGH})
    ran = pv("falsify", cwd=root)
    assert (ran.exit, "warning PV406 double/twice: the tolerance for float32 is " in ran.out) == (0, True), ran.out
    assert "relative 2e-05 would do" in ran.out
    value = json.loads(pv("falsify", "--format", "json", cwd=root).out)
    assert [finding["code"] for finding in value["findings"]] == ["PV406"]
    narrow = TENSOR.replace("relative: 1e-3", "relative: 2e-5")
    assert "PV406" not in pv("falsify", cwd=write_project(root, {CONTRACT: narrow})).said


def test_the_summary_is_in_the_order_of_the_contract_whatever_was_done_first(tmp_path: Path, pv: Pv) -> None:
    root = two_tests(tmp_path, "raise KeyError(2)")
    edit(root / FALSIFIER, "    check.equal(subject(case.x), twice(case.x))", "    raise KeyError(1)")
    out = pv("falsify", cwd=root).out
    assert 0 < out.index("FALSIFY-D-001 errored: KeyError: 1") < out.index("FALSIFY-D-002 errored: KeyError: 2")


def test_every_format_is_what_it_says(tmp_path: Path, pv: Pv) -> None:
    root = two_tests(tmp_path, "raise KeyError(2)")
    said = {form: pv("falsify", "--format", form, cwd=root) for form in TRIAL_FORMATS}
    assert {form: ran.exit for form, ran in said.items()} == dict.fromkeys(TRIAL_FORMATS, 1)
    assert [row["verdict"] for row in json.loads(said["json"].out)["receipts"]] == ["held", "errored"]
    assert json.loads(said["ndjson"].out.splitlines()[-1])["event"] == "summary"
    assert len(Xml.fromstring(said["junit"].out).findall(".//error")) == 1
    assert json.loads(said["sarif"].out)["version"] == "2.1.0"
    assert "::error file=contracts/double-v1.yaml" in said["github"].out


# --- on a terminal, and how it ends


def start(root: Path, *arguments: str, stdout: int = subprocess.PIPE, stderr: int = subprocess.PIPE) -> Any:
    command = [sys.executable, "-u", "-m", "pv", "falsify", *arguments]
    return subprocess.Popen(command, cwd=root, stdout=stdout, stderr=stderr, text=True)


def shown_by(terminal: int) -> str:
    """All that is written to a pseudo-terminal until its other side is closed."""
    found = b""
    while True:
        try:
            data = os.read(terminal, 1 << 16)
        except OSError:  # how Linux reports that end
            data = b""
        if not data:
            os.close(terminal)
            return found.decode()
        found += data


def test_a_terminal_shows_what_is_under_way_and_a_pipe_gets_results_alone(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = start(write_project(tmp_path), "--jobs", "1", stderr=theirs)
    os.close(theirs)
    shown = shown_by(ours)
    out, _ = process.communicate(timeout=60)
    assert [line.split()[0] for line in out.splitlines()] == ["FALSIFY-D-001", "1"]
    for word in ("FALSIFY-D-001 plain", "attack", "cases", "examples/s", "falsifying", "0/1"):
        assert word in shown, word
    assert "  held  " not in shown


def test_on_one_terminal_results_stand_on_lines_of_their_own(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = start(two_tests(tmp_path), "--jobs", "1", stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = shown_by(ours)
    assert process.wait(timeout=60) == 0
    held = re.findall(r"(?:\n|\x1b\[2K)(FALSIFY-D-00\d  held  .*?)\r\n", shown)
    assert [line[:13] for line in held] == ["FALSIFY-D-001", "FALSIFY-D-002"]


def test_no_terminal_shows_no_progress(tmp_path: Path, pv: Pv) -> None:
    ran = pv("falsify", cwd=write_project(tmp_path))
    assert (ran.exit, ran.err) == (0, "")


ENDLESS = "import time; time.sleep(100)"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_what_was_done_and_what_was_not(number: signal.Signals, tmp_path: Path) -> None:
    root = two_tests(tmp_path, ENDLESS)
    process = start(root, "--jobs", "1")
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in err) == (130, False), err
    assert first.startswith("FALSIFY-D-001  held")
    assert "not run: FALSIFY-D-002: interrupted\n2 tests run: 1 held, 1 not run\n" in out
    assert [row["verdict"] for row in receipts(root)] == ["held"]


def test_it_ends_quietly_when_nobody_listens_any_more(tmp_path: Path) -> None:
    process = start(two_tests(tmp_path), "--jobs", "1")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("FALSIFY-D-001  held")
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read()
    assert (said, process.wait(timeout=60)) == ("", 1)
