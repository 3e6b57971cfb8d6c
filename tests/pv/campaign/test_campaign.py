"""From a project to receipts: the right code is run, what it depended on is listed, and a broken trial ends nothing."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ledger_project import falsified_project
from small_project import FILES, run, run_at, subject_parts, write_project

from pv.ledger.formats import problem_of
from pv.level import Level
from pv.project import project_at
from pv.verdict import Verdict

KERNEL = FILES["kernels/double.py"]
FALSIFIER = FILES["falsifiers/double.py"]


@pytest.fixture(autouse=True)
def modules_as_before() -> Iterator[None]:
    """The projects below import `kernels` and `falsifiers`: leave no trace of them for other tests."""
    before = dict(sys.modules)
    yield
    for name in set(sys.modules) - set(before):
        if name.partition(".")[0] in ("kernels", "falsifiers", "lazy"):
            del sys.modules[name]
    sys.modules.update(before)


def stale(root: Path) -> list[str]:
    """The causes of staleness that status would name now; empty when all is fresh."""
    [row] = project_at(root).assessments().values()
    assert row.receipt is not None
    return [str(cause) for cause in row.stale]


def change(root: Path, name: str, find: str, replace: str) -> None:
    text = (root / name).read_text(encoding="utf-8")
    assert find in text
    (root / name).write_text(text.replace(find, replace), encoding="utf-8")


# --- one run


def test_a_run_that_holds_becomes_a_receipt_that_supports_a_level(tmp_path: Path) -> None:
    finished = run_at(write_project(tmp_path))
    receipt = finished.receipt
    assert (finished.outcome.verdict, receipt["verdict"], receipt["reason"]) == (Verdict.HELD, "held", "")
    assert problem_of("pv/receipt-v1", json.loads(json.dumps(receipt))) == ""
    assert subject_parts(receipt) == [
        "kernels/__init__.py: <module>",
        "kernels/double.py: <module>",
        "kernels/double.py: double",
        "kernels/factor.py: <module>",
    ]
    assert [f"{part['path']}: {part['name']}" for part in receipt["depends"]["falsifier"]] == [
        "falsifiers/double.py: falsifier",
        "falsifiers/double.py: fault",
        "falsifiers/double.py: is_twice",
        "falsifiers/double.py: one_more",
        "falsifiers/double.py: twice",
        "falsifiers/expected.py: <whole>",
    ]
    [row] = project_at(tmp_path).assessments().values()
    assert (row.level, row.stale) == (Level.PARTIAL_ALGORITHM_LEVEL, ())


def test_a_receipt_names_no_machine_and_no_time_and_an_equal_run_is_the_same_file(tmp_path: Path) -> None:
    write_project(tmp_path, {"kernels/double.py": KERNEL.replace("FACTOR * x", "FACTOR * x + (x > 17)")})
    first, again = run_at(tmp_path), run_at(tmp_path)
    assert first.receipt == again.receipt
    assert str(tmp_path) not in json.dumps(first.receipt)
    assert first.receipt["counterexample"]["arguments"] == {"x": 18}
    assert first.receipt["counterexample"]["at"] == "falsifiers/double.py:9"
    assert len(list((tmp_path / ".pv/receipts/double-v1").iterdir())) == 1


def test_an_equal_project_elsewhere_gives_the_same_receipt(tmp_path: Path) -> None:
    receipts = [run_at(write_project(tmp_path / name)).receipt for name in ("a", "b")]
    assert receipts[0] == receipts[1]


def test_a_counterexample_that_is_too_large_is_not_kept_but_counted(tmp_path: Path) -> None:
    argument = "x: {type: text, alphabet: ab, range: {min: 70000, max: 70000}}"
    contract = FILES["contracts/double-v1.yaml"].replace(
        "x: {type: integer, range: {min: 0, max: 400}, strata: [ordinary]}", argument
    )
    finished = run_at(write_project(tmp_path, {"contracts/double-v1.yaml": contract,
                                               "kernels/double.py": KERNEL.replace("FACTOR * x", "x")}), 5)  # fmt: skip
    assert finished.outcome.verdict is Verdict.ERRORED  # Hypothesis draws no text so long
    assert finished.receipt["counterexample"] is None


# --- what makes evidence stale


def test_each_edit_makes_exactly_its_own_cause_stale(tmp_path: Path) -> None:
    falsified_project(tmp_path)
    assert stale(tmp_path) == []
    edits = [
        ("kernels/factor.py", "FACTOR = 2", "FACTOR = 2.0", ["subject changed (kernels/factor.py: top level)"]),
        ("kernels/factor.py", "OTHER = 3", "OTHER = 4", ["subject changed (kernels/factor.py: top level)"]),
        ("kernels/double.py", "FACTOR * x", "x * FACTOR", ["subject changed (kernels/double.py: double)"]),
        ("kernels/__init__.py", "", "import os\n", ["subject changed (kernels/__init__.py: top level)"]),
        ("falsifiers/double.py", "output + 1", "output + 2", ["falsifier changed (falsifiers/double.py: one_more)"]),
        ("falsifiers/expected.py", "x + x", "2 * x", ["falsifier changed (falsifiers/expected.py)"]),
        ("contracts/double-v1.yaml", "max: 400", "max: 300", ["clause changed (double)"]),
        ("contracts/double-v1.yaml", "holds: exact", "holds: exact, about: error", ["clause changed (double/twice)"]),
        ("contracts/binding.yaml", "kernels.double:double", "kernels.double:triple", ["binding changed (double, plain)"]),
    ]  # fmt: skip
    for name, find, replace, causes in edits:
        before = (tmp_path / name).read_text(encoding="utf-8")
        if find:
            change(tmp_path, name, find, replace)
        else:
            (tmp_path / name).write_text(replace, encoding="utf-8")
        assert stale(tmp_path) == causes, (name, replace)
        (tmp_path / name).write_text(before, encoding="utf-8")
    assert stale(tmp_path) == []


def test_what_changes_no_meaning_leaves_everything_fresh(tmp_path: Path) -> None:
    falsified_project(tmp_path)
    change(tmp_path, "kernels/double.py", "    return FACTOR * x", "    # twice\n\n    return (FACTOR * x)")
    change(tmp_path, "kernels/double.py", '"""Twice x."""', '"""Two x."""')
    change(tmp_path, "kernels/double.py", "return 3 * x", "return 4 * x")  # triple: not entered
    change(tmp_path, "kernels/apart.py", "FACTOR = 5", "FACTOR = 6")  # imported by nobody
    change(tmp_path, "contracts/double-v1.yaml", "if_fails: look at the factor", "if_fails: look at the kernel")
    change(tmp_path, "contracts/double-v1.yaml", "version: 1.0.0", "version: 1.0.1")
    os.utime(tmp_path / "kernels/factor.py", (1, 1))
    (tmp_path / "falsifiers/other.py").write_text("from pv import falsifier\n", encoding="utf-8")
    assert stale(tmp_path) == []


def test_what_is_deleted_is_gone_and_what_is_added_is_new(tmp_path: Path) -> None:
    falsified_project(tmp_path)
    (tmp_path / "kernels/factor.py").unlink()
    change(
        tmp_path,
        "falsifiers/double.py",
        "output + 1\n",
        'output + 1\n\n\n@fault("double/twice")\ndef none(output, case):\n    return 0\n',
    )
    assert stale(tmp_path) == [
        "falsifier new (falsifiers/double.py: none)",
        "subject gone (kernels/factor.py: top level)",
    ]


def test_a_data_file_counts_whether_it_is_opened_by_the_call_or_at_import(tmp_path: Path) -> None:
    at_call = KERNEL.replace("return FACTOR * x", "return int(open(__file__[:-9] + 'factor.txt').read()) * x")
    at_import = "FACTOR = int(open(__file__[:-9] + 'factor.txt').read())\n"
    for name, changes in (("call", {"kernels/double.py": at_call}), ("import", {"kernels/factor.py": at_import})):
        root = write_project(tmp_path / name, {**changes, "kernels/factor.txt": "2"})
        assert run_at(root).outcome.verdict is Verdict.HELD
        assert stale(root) == []
        (root / "kernels/factor.txt").write_text("3", encoding="utf-8")
        assert stale(root) == ["subject changed (kernels/factor.txt)"]
    assert run_at(root).outcome.verdict is Verdict.FALSIFIED


def test_a_file_opened_while_an_unrelated_module_is_imported_does_not_count(tmp_path: Path) -> None:
    reads = "open(__file__[:-9] + 'x.txt').close()\n"
    root = write_project(tmp_path, {"falsifiers/expected.py": reads + FILES["falsifiers/expected.py"]})
    (root / "falsifiers/expx.txt").write_text("", encoding="utf-8")
    (root / "falsifiers/x.txt").write_text("", encoding="utf-8")
    finished = run_at(root)
    assert not any(part.endswith("<file>") for part in subject_parts(finished.receipt))


def test_a_decorator_that_ran_at_import_counts(tmp_path: Path) -> None:
    kernel = KERNEL.replace("def double", "@same\ndef double").replace("import FACTOR", "import FACTOR, same")
    factor = (
        FILES["kernels/factor.py"] + "\n\ndef same(function):\n    return function\n\n\ndef unused():\n    return 0\n"
    )
    root = write_project(tmp_path, {"kernels/double.py": kernel, "kernels/factor.py": factor})
    assert run_at(root).outcome.verdict is Verdict.HELD
    change(root, "kernels/factor.py", "return function", "return function or None")
    assert stale(root) == ["subject changed (kernels/factor.py: same)"]


def test_a_method_that_runs_after_the_call_counts_with_its_class(tmp_path: Path) -> None:
    """As `backward` of an autograd function does, when the falsifier asks for a gradient."""
    kernel = (
        "class Later:\n    def __init__(self, x):\n        self.x = x\n\n    def value(self):\n        return 2 * self.x\n\n\n"
        "def double(x):\n    return Later(x)\n"
    )
    falsifier = FALSIFIER.replace("subject(case.x)", "subject(case.x).value()").replace(
        "return output + 1", "output.x += 1\n    return output"
    )
    root = write_project(tmp_path, {"kernels/double.py": kernel, "falsifiers/double.py": falsifier})
    assert run_at(root).outcome.verdict is Verdict.HELD
    change(root, "kernels/double.py", "2 * self.x", "3 * self.x")
    assert stale(root) == ["subject changed (kernels/double.py: Later.value)"]


# --- the code that runs is the code on disk


def test_an_edit_within_the_same_second_is_seen(tmp_path: Path) -> None:
    """Same size, same modification time: a byte-code cache would run the code before it."""
    root = write_project(tmp_path)
    path = root / "kernels/factor.py"
    os.utime(path, (1_000_000, 1_000_000))
    assert run_at(root).outcome.verdict is Verdict.HELD
    change(root, "kernels/factor.py", "FACTOR = 2", "FACTOR = 3")
    os.utime(path, (1_000_000, 1_000_000))
    assert run_at(root).outcome.verdict is Verdict.FALSIFIED
    change(root, "kernels/factor.py", "FACTOR = 3", "FACTOR = 2")
    os.utime(path, (1_000_000, 1_000_000))
    assert run_at(root).outcome.verdict is Verdict.HELD


def test_two_projects_with_equal_module_names_do_not_mix(tmp_path: Path) -> None:
    """Neither their kernels nor what those import from beside them."""
    kernel = KERNEL.replace("from kernels.factor import", "from lazy import")
    right = write_project(tmp_path / "right", {"kernels/double.py": kernel, "lazy.py": "FACTOR = 2\n"})
    wrong = write_project(tmp_path / "wrong", {"kernels/double.py": kernel, "lazy.py": "FACTOR = 3\n"})
    said = [run_at(root).outcome.verdict for root in (right, wrong, right)]
    assert said == [Verdict.HELD, Verdict.FALSIFIED, Verdict.HELD]
    assert not any(str(tmp_path) in entry for entry in sys.path)


def test_a_file_changed_during_the_run_is_an_error(tmp_path: Path) -> None:
    falsifier = FALSIFIER.replace(
        "    check.equal",
        "    open('kernels/factor.py', 'a').write('# again\\n')\n    check.equal",
    ).replace("from pv", "import os\nfrom pv")
    root = write_project(tmp_path, {"falsifiers/double.py": falsifier.replace("'kernels", f"'{tmp_path}/kernels")})
    finished = run_at(root)
    assert finished.outcome.verdict is Verdict.ERRORED
    assert (
        finished.receipt["reason"]
        == "the trial is void: it wrote to, moved or removed kernels/factor.py of the project"
    )


def test_a_source_folder_beside_the_falsifiers_is_enough(tmp_path: Path) -> None:
    root = write_project(tmp_path, {"pyproject.toml": '[tool.pv]\nsource = ["src"]\n'})
    (root / "src").mkdir()
    (root / "kernels").rename(root / "src/kernels")
    assert run_at(root).outcome.verdict is Verdict.HELD
    change(root, "falsifiers/expected.py", "x + x", "2 * x")
    assert stale(root) == ["falsifier changed (falsifiers/expected.py)"]


# --- what goes wrong with one trial is that trial's error


BINDING, FACTOR, EXPECTED = "contracts/binding.yaml", "kernels/factor.py", "falsifiers/expected.py"
ERROR = "cannot import kernels.double:"


@pytest.mark.parametrize(("name", "find", "replace", "reason"), [
    (BINDING, ":double\"", ":dubble\"", "kernels/double.py defines no 'dubble'"),
    (BINDING, "kernels.double:double", "kernels.factor:FACTOR", "kernels.factor:FACTOR is no function: 2"),
    (BINDING, "kernels.double:double", "json:dumps", "there is no module 'json' in the project"),
    (FACTOR, "FACTOR = 2", "FACTOR = 1 / 0", f"{ERROR} ZeroDivisionError: division by zero"),
    (FACTOR, "FACTOR = 2", "FACTOR =", f"{ERROR} SyntaxError: "),
    (FACTOR, "FACTOR = 2", "import sys\nsys.exit(0)", f"{ERROR} SystemExit: 0"),
    (FACTOR, "FACTOR = 2", "import no_such_module", f"{ERROR} ModuleNotFoundError: "),
    (EXPECTED, "def twice", "raise SystemExit(0)\ndef twice", "cannot import falsifiers.double: SystemExit: 0"),
    ("falsifiers/double.py", "D-001", "D-002", "no function is marked @falsifier('FALSIFY-D-001')"),
])  # fmt: skip
def test_a_trial_that_cannot_be_loaded_is_an_error_with_its_cause(
    name: str, find: str, replace: str, reason: str, tmp_path: Path
) -> None:
    root = write_project(tmp_path)
    change(root, name, find, replace)
    finished = run_at(root)
    assert finished.outcome.verdict is Verdict.ERRORED
    assert finished.receipt["reason"].startswith(reason)
    assert problem_of("pv/receipt-v1", json.loads(json.dumps(finished.receipt))) == ""


def test_code_whose_source_is_not_found_gives_no_evidence_that_could_never_age(tmp_path: Path) -> None:
    hides = "from pathlib import Path\n__path__.append(str(Path(__file__).parent.parent / 'apart'))\n"
    root = write_project(
        tmp_path, {"kernels/__init__.py": hides, "apart/hidden.py": "def double(x):\n    return 2 * x\n"}
    )
    change(root, BINDING, "kernels.double:double", "kernels.hidden:double")
    assert run_at(root).outcome.reason == (
        "there is no module 'kernels.hidden' in the project; looked below . ([tool.pv] source); "
        "did you mean 'kernels.double'?"
    )


def test_two_falsifiers_of_one_test_are_an_error(tmp_path: Path) -> None:
    root = write_project(tmp_path, {"falsifiers/again.py": FALSIFIER})
    finished = run_at(root)
    assert finished.receipt["reason"] == (
        "FALSIFY-D-001 has 2 falsifiers: falsifiers/again.py:7, falsifiers/double.py:7; "
        "leave one of them, or give the others a test of their own"
    )


def test_a_library_that_is_missing_is_for_the_caller_to_install(tmp_path: Path) -> None:
    root = write_project(tmp_path, {"kernels/factor.py": "import safetensors.nothing\nFACTOR = 2\n"})
    finished = run_at(root)
    assert finished.outcome.verdict is Verdict.NOT_MEASURED
    assert "No module named 'safetensors.nothing'" in finished.outcome.reason
    assert finished.outcome.reason.endswith("; pip install 'pv-contracts[torch]'")


SECOND = """\
  - id: FALSIFY-D-002
    rule: as the first
    prediction: as the first
    binds_to: [double/twice]
    if_fails: look at the first
"""


@pytest.mark.parametrize(
    "bad", ["raise SystemExit(0)", "raise KeyError(1)", "return", "check.equal(1, 1)", "assert False"]
)
def test_one_bad_falsifier_does_not_end_the_others(bad: str, tmp_path: Path) -> None:
    contract = FILES["contracts/double-v1.yaml"] + SECOND
    second = FALSIFIER.replace("FALSIFY-D-001", "FALSIFY-D-000") + (
        f'\n\n@falsifier("FALSIFY-D-001")\ndef bad(subject, check):\n    {bad}\n'
        '\n\n@falsifier("FALSIFY-D-002")\ndef good(subject, case, check):\n    is_twice(subject, case, check)\n'
    )
    root = write_project(tmp_path, {"contracts/double-v1.yaml": contract, "falsifiers/double.py": second})
    first, other = run(project_at(root))
    assert first.outcome.verdict in (Verdict.ERRORED, Verdict.VACUOUS)
    assert other.outcome.verdict is Verdict.HELD


def test_a_function_marked_twice_is_refused(tmp_path: Path) -> None:
    falsifier = FALSIFIER.replace('@fault("double/twice")', '@fault("double/twice")\n@fault("double/even")')
    finished = run_at(write_project(tmp_path, {"falsifiers/double.py": falsifier}))
    assert finished.outcome.verdict is Verdict.ERRORED
    assert "'one_more' is marked twice" in finished.outcome.reason
