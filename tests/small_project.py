"""A project of one kernel in a few files, for tests that break it in one place at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pv.campaign.run import Bench, Finished, run_campaign
from pv.falsify.work import Plan, Work
from pv.project import Project, project_at

FILES = {
    "pyproject.toml": "[tool.pv]\n",
    "contracts/double-v1.yaml": """\
schema: pv/contract-v1
metadata: {version: 1.0.0, description: a kernel}
equations:
  double:
    formula: double(x) = 2 x
    domain: x in 0 … 400
    codomain: 0 … 800
    arguments:
      x: {type: integer, range: {min: 0, max: 400}, strata: [ordinary]}
    returns:
      y: {type: integer}
    invariants:
      - {id: twice, statement: the result is twice the argument, holds: exact}
falsification_tests:
  - id: FALSIFY-D-001
    rule: a result is twice its argument
    prediction: double(x) = 2 x for every x
    binds_to: [double/twice]
    if_fails: look at the factor
""",
    "contracts/binding.yaml": """\
schema: pv/binding-v1
bindings:
  - {contract: double-v1, equation: double, name: plain, role: subject, default: true, target: "kernels.double:double"}
""",
    "falsifiers/double.py": """\
from pv import falsifier, fault
from falsifiers.expected import twice

CONTRACT = "double-v1"


@falsifier("FALSIFY-D-001")
def is_twice(subject, case, check):
    check.equal(subject(case.x), twice(case.x))


@fault("double/twice")
def one_more(output, case):
    return output + 1
""",
    "falsifiers/expected.py": "def twice(x):\n    return x + x\n",
    "kernels/__init__.py": "",
    "kernels/double.py": '''\
"""The kernel."""
from kernels.factor import FACTOR


def double(x):
    """Twice x."""
    return FACTOR * x


def triple(x):
    return 3 * x
''',
    "kernels/factor.py": "FACTOR = 2\nOTHER = 3\n",
    "kernels/apart.py": "FACTOR = 5\n",
}
IDENTITY = """\
schema: pv/contract-v1
metadata: {version: 1.0.0, description: a contract without a test}
equations:
  same:
    formula: same(x) = x
    domain: x in 0 … 4
    codomain: 0 … 4
    arguments: {x: {type: integer, range: {min: 0, max: 4}, strata: [ordinary]}}
    returns: {y: {type: integer}}
    invariants:
      - {id: same, statement: the result is the argument, holds: exact}
"""


def write_project(root: Path, changes: Mapping[str, str] | None = None) -> Path:
    """The files of `FILES`, with `changes` in their place, below `root`."""
    for name, text in {**FILES, **(changes or {})}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def run(project: Project, examples: int = 200, jobs: int = 2) -> list[Finished]:
    """Run every test of the project and keep the receipts on its shelf."""
    works = [
        Work(contract, test, binding)
        for contract, test in project.select([], [])
        if (binding := project.subject(contract, test)) is not None
    ]
    bench = Bench(project.root, project.sources, project.today, Plan(examples), jobs)
    finished = sorted(run_campaign(works, bench), key=lambda row: row.work.test.id)
    for row in finished:
        project.keep(row.receipt)
    return finished


def run_at(root: Path, examples: int = 200) -> Finished:
    """Run the one test of the project at `root`."""
    [finished] = run(project_at(root), examples, jobs=1)
    return finished


def subject_parts(receipt: Mapping[str, Any]) -> Sequence[str]:
    """`path: name` of what the receipt says its subject is."""
    return [f"{part['path']}: {part['name']}" for part in receipt["depends"]["subject"]]
