"""What a trial rested on, however it came by it: a change of that makes its evidence stale, by name, and no other change does.

One campaign over a project of several modules, a kernel for each way of depending on something; then one edit at a time.
"""

from __future__ import annotations

import _ctypes
import ast
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy
import pytest
import safetensors.torch
import torch
from conftest import Ran
from small_project import run

from pv.ledger.store import add, read
from pv.project import project_at
from pv.source.code import TOP_LEVEL, module_parts
from pv.source.syntax import walk
from pv.verdict import Verdict

# Each kernel returns x + 2 and gets the 2 from elsewhere.
KERNELS = {
    "helper": "from kernels.helpers import two\ndef f(x): return x + two()\n",
    "reexport": "from kernels.shared import TWO\ndef f(x): return x + TWO\n",
    "lazy": "def f(x):\n    from kernels.late import TWO\n    return x + TWO\n",
    "computed": "import importlib\ndef f(x): return x + importlib.import_module('kernels.' + 'named').TWO\n",
    "registry": "import importlib\nfound = [importlib.import_module('kernels.plug' + n) for n in ('in',)]\n"
    "def f(x): return x + found[0].TWO\n",
    "executed": "from pathlib import Path\ndef f(x):\n    names = {}\n"
    "    exec(Path(__file__).with_name('snippet.py').read_text(), names)\n    return x + names['TWO']\n",
    "process": "import subprocess, sys\nfrom functools import cache\nfrom pathlib import Path\n@cache\ndef two():\n"
    "    tool = Path(__file__).parents[1] / 'tools' / 'two.py'\n"
    "    return int(subprocess.run([sys.executable, str(tool)], capture_output=True, check=True).stdout)\n"
    "def f(x): return x + two()\n",
    "in_json": "import json\nfrom pathlib import Path\n"
    "def f(x): return x + json.loads(Path(__file__).with_name('two.json').read_text())\n",
    "in_text": "from pathlib import Path\nTWO = int(Path(__file__).with_name('two.txt').read_text())\n"
    "def f(x): return x + TWO\n",
    "in_npy": "import numpy\nfrom pathlib import Path\n"
    "def f(x): return x + int(numpy.load(Path(__file__).with_name('two.npy'))[0])\n",
    "in_memmap": "import numpy\nfrom pathlib import Path\n"
    "TWO = numpy.memmap(Path(__file__).with_name('two.bin'), dtype='int64', mode='r')\n"
    "def f(x): return x + int(TWO[0])\n",
    "in_torch": "import torch\nfrom pathlib import Path\n"
    "def f(x): return x + int(torch.load(Path(__file__).with_name('two.pt'))[0])\n",
    "in_torch_mapped": "import torch\nfrom pathlib import Path\n"
    "def f(x): return x + int(torch.load(Path(__file__).with_name('mapped.pt'), mmap=True)[0])\n",
    "in_safetensors": "from pathlib import Path\nfrom safetensors.torch import load_file\n"
    "def f(x): return x + int(load_file(Path(__file__).with_name('two.safetensors'))['two'][0])\n",
    "in_named_safetensors": "from pathlib import Path\nfrom safetensors.torch import load_file\n"
    "WEIGHTS = load_file(str(Path(__file__).with_name('named' + '.' + 'safetensors')))\n"
    "def f(x): return x + int(WEIGHTS['two'][0])\n",
    "in_sqlite": "import sqlite3\nfrom contextlib import closing\nfrom pathlib import Path\ndef f(x):\n"
    "    with closing(sqlite3.connect(Path(__file__).with_name('two.db'))) as db:\n"
    "        return x + db.execute('select n from two').fetchone()[0]\n",
    "in_library": "import ctypes\nfrom pathlib import Path\n"
    "LIBRARY = ctypes.CDLL(str(Path(__file__).with_name('library' + '.' + 'so')))\n"
    "def f(x): return x + 2 * bool(LIBRARY._handle)\n",
    "in_late_library": "import ctypes\nfrom pathlib import Path\n"
    "def f(x): return x + 2 * bool(ctypes.CDLL(str(Path(__file__).with_name('opened.so')))._handle)\n",
    "yielding": "from kernels.yields import two\ndef f(x):\n    yield x + two()\n",
    "delegating": "from kernels.yields import inner\ndef f(x):\n    yield from inner(x)\n",
    "mapped": "from kernels.yields import plus_two\ndef f(x): return map(plus_two, [x])\n",
    "scripted": "import torch\nfrom kernels.script import add_two\ndef f(x): return int(add_two(torch.tensor(x)))\n",
    "hooked": "import torch\nfrom kernels.hooks import twice\ndef f(x):\n"
    "    leaf = torch.tensor(float(x), requires_grad=True)\n    leaf.register_hook(twice)\n"
    "    return leaf.clone(), leaf\n",
}
FILES = {
    "kernels/__init__.py": "",
    "kernels/helpers.py": "NOTHING = 0\ndef two(): return 2 + NOTHING\ndef three(): return 3\n",
    "kernels/shared/__init__.py": "from kernels.shared.constants import TWO\n",
    "kernels/shared/constants.py": "TWO = 2\n",
    "kernels/late.py": "TWO = 2\n",
    "kernels/named.py": "TWO = 2\n",
    "kernels/plugin.py": "TWO = 2\n",
    "kernels/snippet.py": "TWO = 2\n",
    "kernels/script.py": "import torch\nfrom kernels.inner import two\n@torch.jit.script\ndef add_two(x): return x + two(x)\n",
    "kernels/inner.py": "def two(x):\n    return 2\n",
    "kernels/hooks.py": "def twice(gradient):\n    return gradient * 2\n",
    "kernels/yields.py": "def two(): return 2\ndef inner(x): yield x + 2\ndef plus_two(x): return x + 2\n",
    "kernels/unused.py": "TWO = 3\n",
    "tools/two.py": "print(2)\n",
    "kernels/two.json": "2\n",
    "kernels/two.txt": "2\n",
    "kernels/unread.txt": "2\n",
    "conftest.py": "TWO = 3\n",
    "pyproject.toml": "[tool.pv]\n",
}
ORDINARY = "{range: {min: 0, max: 40}, type: integer, strata: [ordinary]}"
FALSIFIER = """\
@falsifier("FALSIFY-{id}-001")
def {name}_adds_two(subject, case, check):
    check.equal(subject(case.x), case.x + 2)

@fault("{name}/two")
def {name}_adds_one(output, case):
    return output - 1
"""
HOOKED = """\
@falsifier("FALSIFY-HOOKED-001")
def hooked_doubles_the_gradient(subject, case, check):
    result, leaf = subject(case.x)
    result.backward()
    check.equal(leaf.grad + result.detach(), case.x + 2.0)

@fault("hooked/two")
def hooked_adds_one(output, case):
    return output[0] + 1, output[1]
"""


LAZY = """\
@falsifier("FALSIFY-{id}-001")
def {name}_gives_two_more(subject, case, check):
    check.equal(list(subject(case.x)), [case.x + 2])

@fault("{name}/two")
def {name}_gives_one_more(output, case):
    return (value - 1 for value in output)
"""
MAPPED = LAZY.replace("(value - 1 for value in output)", "map(lambda value: value - 1, output)")
OTHERS = {"hooked": HOOKED, "yielding": LAZY, "delegating": LAZY, "mapped": MAPPED}


def write_project(root: Path) -> None:
    equations, tests, bindings, falsifiers = [], [], [], ["from pv import falsifier, fault", 'CONTRACT = "two-v1"']
    for name in KERNELS:
        id_ = name.upper().replace("_", "-")
        equations.append(
            f"  {name}:\n    formula: y = x + 2\n    domain: x in 0 … 40\n    codomain: 2 … 42\n"
            f"    arguments: {{x: {ORDINARY}}}\n    returns: {{y: {{type: integer}}}}\n"
            f"    invariants: [{{id: two, statement: the result is two more, holds: exact}}]\n"
        )
        tests.append(f"  - {{id: FALSIFY-{id_}-001, rule: two more, prediction: y = x + 2, if_fails: look, "
                     f"binds_to: [{name}/two]}}\n")  # fmt: skip
        bindings.append(f'  - {{contract: two-v1, equation: {name}, name: plain, target: "kernels.{name}:f"}}\n')
        falsifiers.append(OTHERS.get(name, FALSIFIER).replace("{id}", id_).replace("{name}", name))
    made = {f"kernels/{name}.py": source for name, source in KERNELS.items()}
    made["contracts/two-v1.yaml"] = (
        "schema: pv/contract-v1\nmetadata: {version: 1.0.0, description: two more}\nequations:\n"
        + "".join(equations) + "falsification_tests:\n" + "".join(tests)
    )  # fmt: skip
    made["contracts/binding.yaml"] = "schema: pv/binding-v1\nbindings:\n" + "".join(bindings)
    made["falsifiers/two.py"] = "\n\n".join(falsifiers)
    for path, text in {**FILES, **made}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    write_data(root)


def write_data(root: Path) -> None:
    home = root / "kernels"
    numpy.save(home / "two.npy", numpy.array([2]))
    numpy.array([2]).tofile(home / "two.bin")
    for name in ("two", "mapped"):
        torch.save(torch.tensor([2]), home / f"{name}.pt")
    for name in ("two", "named"):
        safetensors.torch.save_file({"two": torch.tensor([2])}, home / f"{name}.safetensors")
    for name in ("library", "opened"):
        shutil.copy(_ctypes.__file__, home / f"{name}.so")
    with closing(sqlite3.connect(home / "two.db")) as database, database:
        database.execute("create table two (n)")
        database.execute("insert into two values (2)")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project after a campaign in which every test held."""
    root = tmp_path_factory.mktemp("project")
    write_project(root)
    finished = run(project_at(root), examples=40)
    assert [row.outcome.reason for row in finished if row.outcome.verdict is not Verdict.HELD] == []
    return root


@pytest.fixture
def project(measured: Path, tmp_path: Path) -> Path:
    """A copy of it, to be edited."""
    return shutil.copytree(measured, tmp_path / "project")


def stale(root: Path) -> dict[str, list[str]]:
    """What is stale today, by the equation: the causes as they are told."""
    rows = project_at(root).assessments().values()
    assert len(rows) == len(KERNELS)
    return {row.equation: [str(cause) for cause in row.stale] for row in rows if row.stale}


def changed(what: str) -> list[str]:
    return [f"subject changed ({what})"]


def test_nothing_is_stale_before_anything_is_edited(project: Path) -> None:
    assert stale(project) == {}


@pytest.mark.parametrize(("path", "old", "new", "kernel", "what"), [
    ("kernels/helpers.py", "return 2", "return 3", "helper", "kernels/helpers.py: two"),
    ("kernels/helpers.py", "NOTHING = 0", "NOTHING = 1", "helper", "kernels/helpers.py: top level"),
    ("kernels/shared/constants.py", "2", "3", "reexport", "kernels/shared/constants.py: top level"),
    ("kernels/shared/__init__.py", "import TWO", "import TWO as TWO\nTWO += 1", "reexport",
     "kernels/shared/__init__.py: top level"),
    ("kernels/late.py", "2", "3", "lazy", "kernels/late.py: top level"),
    ("kernels/named.py", "2", "3", "computed", "kernels/named.py: top level"),
    ("kernels/snippet.py", "2", "3", "executed", "kernels/snippet.py"),
    ("tools/two.py", "2", "3", "process", "tools/two.py"),
    ("kernels/two.json", "2", "3", "in_json", "kernels/two.json: <file>"),
    ("kernels/two.txt", "2", "3", "in_text", "kernels/two.txt: <file>"),
    ("kernels/inner.py", "2", "3", "scripted", "kernels/inner.py"),
    ("kernels/hooks.py", "2", "3", "hooked", "kernels/hooks.py: twice"),
    ("kernels/yields.py", "two(): return 2", "two(): return 3", "yielding", "kernels/yields.py: two"),
    ("kernels/yields.py", "yield x + 2", "yield x + 3", "delegating", "kernels/yields.py: inner"),
    ("kernels/yields.py", "return x + 2", "return x + 3", "mapped", "kernels/yields.py: plus_two"),
])  # fmt: skip
def test_a_changed_constant_ages_what_used_it_by_name_and_nothing_else(
    project: Path, path: str, old: str, new: str, kernel: str, what: str
) -> None:
    text = (project / path).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (project / path).write_text(text.replace(old, new), encoding="utf-8")
    assert stale(project) == {kernel: changed(what.replace(": <file>", ""))}


@pytest.mark.parametrize(("path", "kernel"), [
    ("kernels/two.npy", "in_npy"), ("kernels/two.bin", "in_memmap"), ("kernels/two.pt", "in_torch"),
    ("kernels/mapped.pt", "in_torch_mapped"), ("kernels/two.safetensors", "in_safetensors"),
    ("kernels/named.safetensors", "in_named_safetensors"), ("kernels/two.db", "in_sqlite"),
    ("kernels/library.so", "in_library"), ("kernels/opened.so", "in_late_library"),
])  # fmt: skip
def test_a_changed_bit_of_data_ages_what_read_it_also_where_a_library_opened_it(
    project: Path, path: str, kernel: str
) -> None:
    data = (project / path).read_bytes()
    (project / path).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert stale(project) == {kernel: changed(path)}


def test_a_plugin_that_is_imported_by_a_computed_name_ages_whoever_may_have_used_it(project: Path) -> None:
    """Who uses what such a module holds cannot be told: all that were judged beside it grow old."""
    (project / "kernels/plugin.py").write_text("TWO = 3\n", encoding="utf-8")
    assert stale(project) == {"registry": changed("kernels/plugin.py: top level")}


@pytest.mark.parametrize(("path", "old", "new"), [
    ("kernels/helpers.py", "return 3", "return 4"),
    ("kernels/unused.py", "3", "4"),
    ("conftest.py", "3", "4"),
    ("kernels/unread.txt", "2", "3"),
    ("kernels/helpers.py", "def two(): return 2 + NOTHING\n", "\n# a comment\ndef two():\n    return (2\n        + NOTHING)\n"),
    ("kernels/snippet.py", "TWO = 2", "# two\nTWO = 2"),
    ("kernels/late.py", "TWO = 2\n", "TWO = 2\n"),  # touched
])  # fmt: skip
def test_what_no_run_used_and_what_has_no_meaning_ages_nothing(project: Path, path: str, old: str, new: str) -> None:
    text = (project / path).read_text(encoding="utf-8")
    assert old in text
    (project / path).unlink()  # another inode and another time, as after a checkout
    (project / path).write_text(text.replace(old, new), encoding="utf-8")
    assert stale(project) == {}


def test_evidence_by_another_algorithm_of_digests_is_stale_whatever_it_says(project: Path) -> None:
    """A migration never raises freshness: digests that cannot be compared are not equal."""
    shelf = project / ".pv/receipts/two-v1"
    for path in sorted(shelf.iterdir()):
        value = {**read(path).value, "digests": "pv-digest-0"}
        path.unlink()
        add(shelf, value)
    assert stale(project) == {name: ["clause not comparable (digests by pv-digest-0)"] for name in KERNELS}


def test_the_order_of_definitions_is_of_the_top_level_and_no_function_changes_with_it(project: Path) -> None:
    path = project / "kernels/helpers.py"
    nothing, two, three = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text(nothing + three + two, encoding="utf-8")
    assert stale(project) == {"helper": changed("kernels/helpers.py: top level")}


def test_data_that_a_falsifier_names_is_of_the_falsifier(project: Path) -> None:
    """What it reads is known by its text: its digest is taken of what can be listed without running it."""
    (project / "falsifiers/cases.json").write_text("[1]", encoding="utf-8")
    path = project / "falsifiers/two.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}\n# cases.json", encoding="utf-8")
    assert stale(project) == {}
    before = "def helper_adds_one(output, case):"
    assert before in text
    path.write_text(text.replace(before, f"{before[:-2]}, it='cases.json'):"), encoding="utf-8")
    changes = ["falsifier new (falsifiers/cases.json)", "falsifier changed (falsifiers/two.py: helper_adds_one)"]
    assert stale(project) == {"helper": changes}


def first_constants(path: Path) -> dict[str, str]:
    """The module's text with its first number made another one: at its top level, and in each function that has one."""
    source = path.read_text(encoding="utf-8")
    parts, lines = module_parts(source), source.splitlines(keepends=True)
    found = {}
    for name in (TOP_LEVEL, *parts.names):
        numbers = (
            node for top in parts.nodes(name) for node in walk(top)
            if isinstance(node, ast.Constant) and type(node.value) in (int, float)
        )  # fmt: skip
        if node := min(numbers, key=lambda node: (node.lineno, node.col_offset), default=None):
            line = lines[node.lineno - 1].encode()
            edited = line[: node.col_offset] + repr(node.value + 1).encode() + line[node.end_col_offset :]
            found[name] = "".join([*lines[: node.lineno - 1], edited.decode(), *lines[node.lineno :]])
    return found


def test_a_constant_of_each_module_of_microgpt_ages_exactly_the_evidence_that_rests_on_it(
    scratch: Path, pv: Callable[..., Ran]
) -> None:
    shutil.rmtree(scratch / "ledger")
    ids = ("FALSIFY-MG-004", "FALSIFY-MG-036")
    assert pv("falsify", "--kind", "algorithm", "--id", ids[0], "--id", ids[1], cwd=scratch).exit == 0
    modules = sorted((scratch / "implementations/microgpt").glob("*.py"))
    outcomes = set()
    for module in modules:
        text, path = module.read_text(encoding="utf-8"), module.relative_to(scratch).as_posix()
        for name, edited in first_constants(module).items():
            module.write_text(edited, encoding="utf-8")
            changes = {"top level" if part == TOP_LEVEL else part for part in _changed_parts(text, edited)}
            project = project_at(scratch)
            for contract, test in project.select(ids, ()):
                row = project.assess(contract, test)
                assert row.receipt is not None
                listed = {part.what for part in row.receipt.parts("subject")}
                told = {cause.what for cause in row.stale if cause.cause == "subject"}
                assert told == {f"{path}: {change}" for change in changes} & listed, (name, test.id)
                outcomes.add((test.id, module.name, bool(row.stale)))
            module.write_text(text, encoding="utf-8")
    inside = {(id_, name) for id_, name, aged in outcomes if aged}
    assert {("FALSIFY-MG-036", "model.py"), ("FALSIFY-MG-036", "kernels.py"), ("FALSIFY-MG-004", "kernels.py"),
            ("FALSIFY-MG-004", "config.py")} <= inside  # fmt: skip
    assert not {(id_, name) for id_, name in inside if name in ("optimizer.py", "numpy_kernels.py", "tokenizer.py")}
    assert ("FALSIFY-MG-004", "model.py") not in inside


def _changed_parts(before: str, after: str) -> set[str]:
    one, other = module_parts(before), module_parts(after)
    return {name for name in (TOP_LEVEL, *one.names) if one.digest(name) != other.digest(name)}
