"""`pv status`, `pv gate` and `pv ledger verify` over a large ledger, beside reading and hashing its files.

    python benchmarks/ledger.py [--repeats N] [--quick]

Run it with the Python of an environment that holds `pv`. The ledger is made: 2,000 tests in 40 contracts, each promised, with
five receipts each of about the size of real ones, all fresh. Every process is cold, the page cache warm; from its second run
on the gate knows what judging the same contracts came to, as `pv validate` keeps it. Figures are ratios of medians of runs
that alternate. Exit 3: something could not be measured, and no ratio is printed for it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from validate import Run, Unmeasured, line, middle, pv, run

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from receipts import receipt_value, strata, stratum, tooth  # noqa: E402 -- found on the path just set

from pv.assess.freshness import binding_parts  # noqa: E402 -- as above
from pv.ledger.promotion import Promise, promotion_value  # noqa: E402 -- as above
from pv.ledger.store import add  # noqa: E402 -- as above
from pv.level import Level  # noqa: E402 -- as above
from pv.project import Project, project_at  # noqa: E402 -- as above

CONTRACTS, TESTS, RECEIPTS = 40, 50, 5
FUNCTIONS = 25  # of each kernel's module, entered by every trial
EQUATIONS = 5

READ_AND_HASH = """
import hashlib, os, sys
for folder, _, names in os.walk(sys.argv[1]):
    for name in sorted(names):
        with open(os.path.join(folder, name), "rb", buffering=0) as file:
            hashlib.sha256(file.read()).digest()
"""
COUNT_OPENED = """
import os, sys
opened = set()
def watch(event, arguments):
    if event == "open" and "/receipts/" in str(arguments[0]):
        opened.add(os.path.abspath(str(arguments[0])))
sys.addaudithook(watch)
from pv.cli import main
code = main(sys.argv[2:])
print(f"\\nopened {len([name for name in opened if name.endswith('.json')])} exit {int(code)}")
"""


def main() -> int:
    """Every comparison, one line each; 3 when one could not be made, 1 when a target was missed."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--repeats", type=int, default=5, help="runs of each command")
    asked.add_argument("--quick", action="store_true", help="200 tests instead of 2,000")
    options = asked.parse_args()
    contracts = CONTRACTS // 10 if options.quick else CONTRACTS
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    with tempfile.TemporaryDirectory(prefix="pv-benchmark-") as scratch:
        try:
            whole, half = (made(Path(scratch, str(count)), count) for count in (contracts, contracts // 2))
            met = [*commands(whole, options.repeats), *growth(whole, half, options.repeats), *one_promotion(whole)]
        except Unmeasured as problem:
            print(f"not measured: {problem}", file=sys.stderr)
            return 3
    print("not compared: a cold page cache, Windows and macOS, Python versions other than this one")
    return 0 if all(met) else 1


def commands(root: Path, repeats: int) -> Iterator[bool]:
    """Each command against the floor: a process that reads and hashes the same files."""
    asked = {"status": ("status", "--format", "json"), "gate": ("gate",), "verify": ("ledger", "verify")}
    rounds = [
        {"floor": floor(root), **{name: checked(root, *words) for name, words in asked.items()}} for _ in range(repeats)
    ]
    base = middle([row["floor"] for row in rounds])
    for name in asked:
        runs = [row[name] for row in rounds]
        yield line(f"{name}: pv / reading and hashing the ledger", middle(runs) / base, most=6, runs=runs)
        yield line(f"{name}: memory of the process, MB", max(one.memory for one in runs) / 1e6, most=200)
    took = ", ".join(f"{name} {middle([row[name] for row in rounds]):.3f} s" for name in asked)
    print(f"    reading and hashing {base:.3f} s, {took}")
    least = min(row["floor"].processor for row in rounds)
    worked = ", ".join(f"{name} {min(row[name].processor for row in rounds) / least:.1f}" for name in asked)
    print(f"    the same by time of processors, least of {repeats}, which a busy machine disturbs less: {worked}")


def growth(whole: Path, half: Path, repeats: int) -> Iterator[bool]:
    """Time for each promise at half of them and at all of them, less what starting up takes."""
    rounds = [(checked(whole, "gate"), checked(half, "gate"), run([*pv("--version")])) for _ in range(repeats)]
    large, small, start = (middle([row[place] for row in rounds]) for place in range(3))
    yield line("growth: a promise of all / a promise of half", (large - start) / 2 / (small - start), most=1.15)


def one_promotion(root: Path) -> Iterator[bool]:
    """Which receipts are opened to promote one test on a run just made: its own."""
    id_, shelf = "FALSIFY-C00-000", root / "ledger/receipts/c00-v1"
    own = [path for path in shelf.iterdir() if f'"{id_}"' in path.read_text(encoding="utf-8")]
    value = json.loads(own[0].read_bytes())
    value["cases"]["strata"] = [stratum("x.ordinary", 1000)]
    project_at(root).keep({**value, "checks": 2000})
    counted = run_at(root, [sys.executable, "-c", COUNT_OPENED, "-", "ledger", "promote", id_])
    opened, _, code = counted.out.strip().rpartition("\n")[2].removeprefix("opened ").partition(" exit ")
    if code != "0":
        raise Unmeasured(f"promoting one test said {counted.out[:200]!r}")
    yield line("promoting one test: receipts opened beside its own", int(opened) - len(own) - 1, most=0)


def floor(root: Path) -> Run:
    """Reading and hashing every file of the ledger."""
    return run([sys.executable, "-c", READ_AND_HASH, root / "ledger"])


def checked(root: Path, *words: str) -> Run:
    """A command of `pv` that has to find nothing wrong: one that stops early is fast."""
    ran = run_at(root, pv(*words))
    if ran.exit:
        raise Unmeasured(f"pv {' '.join(words)} ended with {ran.exit}: {ran.out[-300:]!r}")
    if words[0] == "status" and (counts := json.loads(ran.out)["counts"])["held"] != counts["selected"]:
        raise Unmeasured(f"not every test is held by fresh evidence: {counts}")
    return ran


def run_at(root: Path, command: list[str | Path]) -> Run:
    """Run `command` in `root`, with this `pv`."""
    script = "import os, sys; os.chdir(sys.argv[1]); os.execv(sys.argv[2], sys.argv[2:])"
    return run([sys.executable, "-S", "-c", script, root, *command], {"PYTHONPATH": str(ROOT)})


def made(root: Path, contracts: int) -> Path:
    """A project of `contracts` contracts at `root`, every test of it promised on fresh evidence."""
    for number in range(contracts):
        write_contract(root, f"c{number:02}")
    rows = [
        f'  - {{contract: c{number:02}-v1, equation: e{equation}, name: plain, target: "kernels.c{number:02}:f{equation}"}}\n'
        for number in range(contracts)
        for equation in range(EQUATIONS)
    ]
    write(root, "contracts/binding.yaml", "schema: pv/binding-v1\nbindings:\n" + "".join(rows))
    write(root, "pyproject.toml", "[tool.pv]\n")
    write(root, "kernels/__init__.py", "")
    project = project_at(root)
    for contract in project.contracts:
        fill(root, project, contract.name)
    promises = len(project.select((), ()))
    size = sum(path.stat().st_size for path in (root / "ledger/receipts").rglob("*.json"))
    files = promises * RECEIPTS
    print(
        f"{promises:,} promises, {files:,} receipts of {size / files / 1e3:.1f} KB in {contracts} contracts", flush=True
    )
    return root


def write_contract(root: Path, name: str) -> None:
    """A contract with its kernels and its falsifiers."""
    equations = "".join(
        f"  e{equation}:\n    formula: y = x + {equation}\n    domain: x in 0 … 40\n    codomain: any\n"
        "    arguments: {x: {type: integer, range: {min: 0, max: 40}, strata: [ordinary]}}\n"
        "    returns: {y: {type: integer}}\n    invariants:\n"
        + "".join(
            f"      - {{id: i{test}, statement: holds number {test}, holds: exact}}\n"
            for test in range(equation, TESTS, EQUATIONS)
        )
        for equation in range(EQUATIONS)
    )
    ids = {test: f"FALSIFY-{name.upper()}-{test:03}" for test in range(TESTS)}
    tests = "".join(
        f"  - {{id: {id_}, rule: rule {test}, prediction: it holds, if_fails: look at it, "
        f"binds_to: [e{test % EQUATIONS}/i{test}]}}\n"
        for test, id_ in ids.items()
    )
    head = "schema: pv/contract-v1\nmetadata: {version: 1.0.0, description: made, references: [none]}\n"
    write(root, f"contracts/{name}-v1.yaml", f"{head}equations:\n{equations}falsification_tests:\n{tests}")
    kernels = "".join(f"def f{function}(x):\n    return x + {function}\n\n\n" for function in range(FUNCTIONS))
    write(root, f"kernels/{name}.py", f"NOTHING = 0\n\n\n{kernels}")
    falsifiers = "".join(
        f'@falsifier("{id_}")\ndef holds_{test}(subject, case, check):\n'
        f"    check.equal(subject(case.x), case.x + {test % EQUATIONS})\n\n\n"
        f'@fault("e{test % EQUATIONS}/i{test}")\ndef fault_{test}(output, case):\n    return output + 1\n\n\n'
        for test, id_ in ids.items()
    )
    write(root, f"falsifiers/{name}.py", f'from pv import falsifier, fault\n\nCONTRACT = "{name}-v1"\n\n\n{falsifiers}')


def write(root: Path, name: str, text: str) -> None:
    """A file below `root`."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def fill(root: Path, project: Project, name: str) -> None:
    """The receipts of a contract's tests, and one promotion of all of them."""
    contract, promises = project.contract(name), []
    module = f"kernels/{name.removesuffix('-v1')}.py"
    entered = [(module, f"f{function}") for function in range(FUNCTIONS)]
    for test in contract.tests:
        binding = project.subject(contract, test)
        assert binding is not None
        depends = {
            "clause": project.today.clause(contract, test),
            "falsifier": project.today.falsifier(contract, test),
            "subject": project.today.code.subject(entered, (), (), entered[0]),
            "binding": binding_parts(binding),
        }
        listed = {
            cause: [{"path": part.path, "name": part.name, "digest": part.digest} for part in depends.get(cause, ())]
            for cause in ("clause", "falsifier", "subject", "reference", "binding", "live")
        }
        cited = []
        for seed in range(RECEIPTS):
            value = receipt_value(
                test={"id": test.id, "contract": name},
                subject={"equation": test.equation, "name": "plain", "target": binding.target},
                depends=listed,
                cases={**strata(stratum("x.ordinary", 200 + seed)), "seed": seed},
                checks=300 + seed,
                teeth=[tooth(bound) for bound in test.binds_to],
            )
            cited.append(add(root / "ledger/receipts" / name, value).stem)
        level = Level.PARTIAL_ALGORITHM_LEVEL
        promises.append(Promise(name, test.id, test.equation, "plain", level, tuple(cited)))
    add(root / "ledger/promotions" / name, promotion_value(name, level, promises))


if __name__ == "__main__":
    raise SystemExit(main())
