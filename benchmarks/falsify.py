"""`pv falsify` and `pv teeth` beside bare Hypothesis, `import torch` and mutmut 3.

    python benchmarks/falsify.py [--quick] [--only cost,campaign,workers,mutants,faults]

Run it with the Python of an environment that holds `pv`, torch and hypothesis. Every figure is a ratio of runs that alternate;
what depends on idle cores is not measured (exit 3) where there are none. See benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from mutmut_peer import EQUATIONS, PEER, mutants_per_second
from validate import Unmeasured, line, pv

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

IMPORT_TORCH = [sys.executable, "-c", "import torch"]
LEAST_IDLE = 1.5  # of two cores, for a comparison of two workers with one


def main() -> int:
    """Every comparison asked for, one line each; 3 when one could not be made, 1 when a target was missed."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--quick", action="store_true", help="fewer rounds, seeds and examples")
    asked.add_argument("--only", default=",".join(SECTIONS), help=f"some of {', '.join(SECTIONS)}")
    options = asked.parse_args()
    describe()
    met, unmeasured = [], False
    for name in options.only.split(","):
        try:
            met += list(SECTIONS[name](quick=options.quick))
        except Unmeasured as problem:
            print(f"not measured: {name}: {problem}", flush=True)
            unmeasured = True
    print("not compared: cosmic-ray, poodle, CrossHair, Windows and macOS, a GPU, Python versions other than this one")
    return 3 if unmeasured else 0 if all(met) else 1


def describe() -> None:
    """With what, and on what."""
    peers = ", ".join(f"{name} {version(name)}" for name in ("hypothesis", "torch"))
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"peers: {peers}, {PEER}; Python {platform.python_version()}, {platform.machine()}")
    print(f"{os.cpu_count()} cores, {idle():.1f} of them idle, load {load}", flush=True)


def cost(*, quick: bool) -> Iterator[bool]:
    """Processor time for one example: the attack of `pv falsify` against Hypothesis with the assertion in plain torch."""
    from trials import costs

    for row in costs(ROOT, 3 if quick else 9):
        yield line(f"one example of {row.test}: pv / bare Hypothesis", row.plain, most=1.25)
        traced = 1e3 * row.examples * row.bare * (row.traced - row.plain)
        print(
            f"    bare {1e3 * row.bare:.2f} ms; tracing what it enters adds {row.traced - row.plain:+.2f} "
            f"({traced:+.0f} ms for a trial of {row.examples})",
            flush=True,
        )


def campaign(*, quick: bool) -> Iterator[bool]:
    """Every trial of microgpt-v1 against a process that imports torch."""
    rounds = [(timed(IMPORT_TORCH), falsified(200)) for _ in range(1 if quick else 3)]
    torch, whole = (statistics.median(row[column] for row in rounds) for column in range(2))
    yield line("all trials of microgpt-v1, 200 examples: pv falsify / import torch", whole / torch, most=25)
    print(f"    {whole:.1f} s and {torch:.2f} s", flush=True)


def workers(*, quick: bool) -> Iterator[bool]:
    """Two processes against one on at least a minute of work."""
    cores = idle()
    if cores < LEAST_IDLE:
        raise Unmeasured(f"{cores:.1f} cores are idle; two workers can be compared with one where {LEAST_IDLE} are")
    examples = 200 if quick else 1000
    one, two = falsified(examples, "--jobs", "1"), falsified(examples, "--jobs", "2")
    if one < 60 and not quick:
        raise Unmeasured(f"the work took {one:.0f} s; a minute is needed")
    yield line("two workers: speed-up over one", one / two, least=1.7)
    print(f"    {one:.1f} s and {two:.1f} s; {cores:.1f} cores were idle", flush=True)


def mutants(*, quick: bool) -> Iterator[bool]:
    """Mutants judged in a second by the same falsifiers on the same kernels, from the first verdict on.

    What comes before is left out on both sides: mutmut makes its mutants, times the tests and runs them clean; pv loads torch
    and runs every falsifier on the subject as it is.
    """
    with tempfile.TemporaryDirectory(prefix="pv-benchmark-") as scratch:
        folder = Path(scratch)
        try:
            count, seconds = mutants_per_second(copied(folder / "mutmut"), os.cpu_count() or 1, 20 if quick else 300)
        except RuntimeError as problem:
            raise Unmeasured(str(problem)) from problem
        done = subprocess.run(
            [sys.executable, ROOT / "benchmarks/teeth_rate.py", copied(folder / "pv"), *EQUATIONS],
            capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    try:
        ours = json.loads(done.stdout)
    except ValueError as problem:
        raise Unmeasured(f"pv answered {done.stdout[:200]!r}{done.stderr[-200:]!r}") from problem
    rate = ours["mutants"] / ours["judging"]
    yield line("mutants judged in a second: pv teeth / mutmut", rate / (count / seconds), least=6)
    print(
        f"    pv: {ours['mutants']} in {ours['judging']:.1f} s, {ours['whole']:.1f} s with what comes before; "
        f"mutmut: {count} in {seconds:.1f} s",
        flush=True,
    )


def faults(*, quick: bool) -> Iterator[bool]:
    """Examples to the first counterexample of planted faults, against Hypothesis' own strategies for types and ranges."""
    from trials import NOT_FOUND, finds

    print(f"    examples to the first counterexample, quartiles over the seeds; {NOT_FOUND} is not found")
    worse, rows = 0, 0
    for found in finds(ROOT, 5 if quick else 20):
        quarters = [
            "/".join(f"{one:.0f}" for one in statistics.quantiles(side, n=4)) for side in (found.ours, found.theirs)
        ]
        missed = [sum(one == NOT_FOUND for one in side) for side in (found.ours, found.theirs)]
        mark = "  worse" if found.worse else ""
        print(
            f"    {found.name:36} pv {quarters[0]:14} not found {missed[0]:2}   "
            f"bare {quarters[1]:14} not found {missed[1]:2}{mark}",
            flush=True,
        )
        worse, rows = worse + found.worse, rows + 1
    yield line(f"planted faults found later than by bare Hypothesis, of {rows}", worse, most=2)


def tests_of(equations: tuple[str, ...]) -> list[str]:
    """The falsification tests of these equations of microgpt-v1."""
    from pv.project import project_at

    return [test.id for _, test in project_at(ROOT).select([], ["microgpt-v1"]) if test.equation in equations]


def copied(folder: Path) -> Path:
    """What is under test here, in `folder`, without pinned cases and waivers."""
    for name in ("contracts", "falsifiers", "implementations", "references"):
        ignored = shutil.ignore_patterns("__pycache__", "pins", "equivalent.yaml")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    (folder / "pyproject.toml").write_text("[tool.pv]\nsource = ['.']\n", encoding="utf-8")
    return folder


def falsified(examples: int, *more: str) -> float:
    """Seconds of `pv falsify` over microgpt-v1, all of which has to hold."""
    with tempfile.TemporaryDirectory(prefix="pv-benchmark-") as scratch:
        command = pv("falsify", "microgpt-v1", "--kind", "algorithm", "--examples", str(examples), *more)
        return timed([str(part) for part in command], copied(Path(scratch, "project")))


def timed(command: list[str], folder: Path = ROOT) -> float:
    """Seconds of a process that ends well."""
    began = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise Unmeasured(f"{command[1:5]} ended with {done.returncode}: {(done.stdout + done.stderr)[-400:]}")
    return seconds


def idle() -> float:
    """How many cores had nothing to do during one second; all of them where the system does not say."""
    path = Path("/proc/stat")
    if not path.exists():
        return float(os.cpu_count() or 1)

    def ticks() -> int:
        fields = path.read_text(encoding="ascii").splitlines()[0].split()
        return int(fields[4]) + int(fields[5])

    before = ticks()
    time.sleep(1)
    return (ticks() - before) / os.sysconf("SC_CLK_TCK")


SECTIONS: Mapping[str, Callable[..., Iterator[bool]]] = {
    "cost": cost,
    "campaign": campaign,
    "workers": workers,
    "mutants": mutants,
    "faults": faults,
}

if __name__ == "__main__":
    raise SystemExit(main())
