"""`pv validate` against check-jsonschema: many contracts cold, the same warm, one small file, and starting up.

    python benchmarks/validate.py [--repeats N] [--quick]

Run it with the Python of an environment that holds `pv`. Peers are installed, with exact versions, into an environment of
their own in the user's temporary folder. Every figure is the median of runs that alternate with those it is compared with,
printed as a ratio: seconds do not travel. Modules are compiled once and kept, as in an installation, also where
PYTHONDONTWRITEBYTECODE is set: `pv` alone would be compiled anew in every process, and its peers, installed by pip, not.
Exit 3: something could not be measured, and no ratio is printed for it.
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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT.parent / "shared/corpus/contracts"
PEERS = ("check-jsonschema==0.39.0",)
SCHEMA = ROOT / "schemas/predecessor-contract-v1.json"
FILES = 2_400

READ_AND_HASH = """
import hashlib, os, sys
for name in sorted(os.listdir(sys.argv[1])):
    with open(os.path.join(sys.argv[1], name), "rb", buffering=0) as file:
        hashlib.sha256(file.read()).digest()
"""
PHASES = """
import sys, time
from pathlib import Path
from pv.contract.document import parse_document, read_bytes
from pv.project import file_of
from pv.validate.judge import judge
from pv.report.findings import Answer, answer_text
taken = dict.fromkeys(("loading", "schema", "rules", "output"), 0.0)
found = []
for path in sorted(Path(sys.argv[1]).iterdir()):
    shown = path.as_posix()
    a = time.perf_counter()
    data = read_bytes(path, shown)
    document = parse_document(data, shown)
    b = time.perf_counter()
    file_of(path, document, named=False)
    c = time.perf_counter()
    judgement = judge(path, shown, data, None, named=False)
    d = time.perf_counter()
    taken["loading"] += b - a
    taken["schema"] += c - b
    taken["rules"] += max(0.0, (d - c) - (c - a))
    found += judgement.findings
a = time.perf_counter()
answer = Answer(tuple(found), {}, (), (), {}, lambda place: "", lambda findings: [])
answer_text(answer, "json")
taken["output"] = time.perf_counter() - a
whole = sum(taken.values())
print(", ".join(f"{name} {share / whole:.0%}" for name, share in taken.items()), f"({len(found):,} findings, one process)")
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One process: how long it took, by the clock and of processors, the most memory that it or one of its children held, how
    it ended, what it said.
    """

    seconds: float
    processor: float
    memory: int
    exit: int
    out: str


def main() -> int:
    """Every comparison, one line each; 3 when one could not be made, 1 when a target was missed."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--repeats", type=int, default=5, help="runs of what takes less than a second or two")
    asked.add_argument("--quick", action="store_true", help="240 files instead of 2,400")
    options = asked.parse_args()
    if not CORPUS.is_dir():
        print(f"not measured: there is no corpus at {CORPUS}", file=sys.stderr)
        return 3
    files = FILES // 10 if options.quick else FILES
    with tempfile.TemporaryDirectory(prefix="pv-benchmark-") as scratch:
        folder = Path(scratch)
        peer = peers()
        describe(files)
        try:
            met = [
                *many(folder, peer, files, options.repeats),
                *growth(folder, files, options.repeats),
                *one(folder, peer, options.repeats),
            ]
        except Unmeasured as problem:
            print(f"not measured: {problem}", file=sys.stderr)
            return 3
    print(
        "not compared: yamllint, ajv (it stops at the first broken file), the predecessor's own checker (not at hand here),"
    )
    print("              Windows and macOS, a cold page cache, Python versions other than this one")
    return 0 if all(met) else 1


class Unmeasured(Exception):
    """A comparison that would compare different work."""


def describe(files: int) -> None:
    """What is measured, with what, on what."""
    size = sum(path.stat().st_size for path in CORPUS.glob("*.yaml"))
    count = len(list(CORPUS.glob("*.yaml")))
    print(f"{files:,} contracts: {count} real ones ({size / 1e3:,.0f} KB) repeated under new names")
    print(
        f"peers: {', '.join(PEERS)}; Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}"
    )


def many(folder: Path, peer: Path, files: int, repeats: int) -> Iterator[bool]:
    """A folder of contracts: cold against check-jsonschema, warm against reading and hashing, and memory."""
    contracts = corpus(folder / "contracts", files)
    cold = pv("validate", contracts, "--format", "json", "--no-cache")
    judged(run(cold), files)
    check = [peer / "check-jsonschema", "--schemafile", SCHEMA, *sorted(contracts.iterdir())]
    print("(one run of check-jsonschema: about half a minute)", file=sys.stderr, flush=True)
    theirs = run(check)
    ours = [run(cold) for _ in range(repeats)]
    yield line(
        "cold, rules and JSON included: check-jsonschema / pv", theirs.seconds / middle(ours), least=30, runs=ours
    )
    shares = run([sys.executable, "-c", PHASES, contracts]).out.strip()
    print(f"    {theirs.seconds:.1f} s (1 run) and {middle(ours):.3f} s; shares: {shares}")
    yield line("memory of the largest process, cold, MB", max(one.memory for one in ours) / 1e6, most=150)

    environment = {"XDG_CACHE_HOME": str(folder / "cache")}
    warm = pv("validate", contracts, "--format", "json")
    filling = run(warm, environment)
    judged(filling, files)
    hashing = [sys.executable, "-c", READ_AND_HASH, contracts]
    pairs = [(run(warm, environment), run(hashing)) for _ in range(max(repeats, 5))]
    ours, floor = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    if any(one.out != filling.out for one in ours):
        raise Unmeasured("a warm run did not say what the cold one said")
    yield line("warm: pv / reading and hashing the files", middle(ours) / middle(floor), most=4, runs=ours)
    yield line("memory of the largest process, warm, MB", max(one.memory for one in ours) / 1e6, most=150)


def growth(folder: Path, files: int, repeats: int) -> Iterator[bool]:
    """Time for each file at a quarter, at a half and at all of them."""
    sizes = (files // 4, files // 2, files)
    folders = [corpus(folder / f"contracts-{size}", size) for size in sizes]
    taken = [[run(pv("validate", one, "--format", "json", "--no-cache")) for one in folders] for _ in range(repeats)]
    each = [middle([row[i] for row in taken]) / size for i, size in enumerate(sizes)]
    listed = ", ".join(f"{size:,}: {1e3 * cost:.3f} ms" for size, cost in zip(sizes, each, strict=True))
    yield line(f"growth: a file of {sizes[2]:,} / a file of {sizes[1]:,}", each[2] / each[1], most=1.15)
    print(f"    {listed}")


def one(folder: Path, peer: Path, repeats: int) -> Iterator[bool]:
    """One small contract, a whole process; and how long it takes to say the version."""
    small = folder / "softmax-v1.yaml"
    shutil.copy(ROOT / "tests/examples/good/PV207-dimension-used-by-below-v1.yaml", small)
    commands = {
        "pv": pv("validate", small),
        "check": [peer / "check-jsonschema", "--schemafile", ROOT / "schemas/contract-v1.json", small],
        "imports": [sys.executable, "-c", "import click, yaml, jsonschema_rs"],
        "version": pv("--version"),
        "pass": [sys.executable, "-c", "pass"],
    }
    rounds = [{name: run(command) for name, command in commands.items()} for _ in range(max(15, repeats))]
    took = {name: middle([row[name] for row in rounds]) for name in commands}
    if any(row["pv"].exit or row["check"].exit for row in rounds):
        raise Unmeasured("the small contract was not accepted by both")
    yield line("one small file: pv / check-jsonschema", took["pv"] / took["check"], most=0.5)
    yield line(
        "one small file: ms over `import click, yaml, jsonschema_rs`", 1e3 * (took["pv"] - took["imports"]), most=40
    )
    yield line("pv --version: ms over twice `python -c pass`", 1e3 * (took["version"] - 2 * took["pass"]), most=40)
    print("    " + ", ".join(f"{name} {1e3 * seconds:.0f} ms" for name, seconds in took.items()))


def corpus(folder: Path, files: int) -> Path:
    """`files` contracts in `folder`: the corpus over and over, each time under new names."""
    folder.mkdir()
    real = sorted(CORPUS.glob("*.yaml"))
    for number in range(files):
        source = real[number % len(real)]
        stem, _, major = source.stem.rpartition("-v")
        (folder / f"{stem}-{number // len(real):03}-v{major}.yaml").write_bytes(source.read_bytes())
    return folder


def judged(cold: Run, files: int) -> None:
    """Raise Unmeasured unless every file was judged: a skipped one is fast."""
    try:
        answer = json.loads(cold.out)
        count, skipped = answer["checked"]["files"], len(answer["skipped"])
    except (ValueError, KeyError) as problem:
        raise Unmeasured(f"pv answered {cold.out[:200]!r} and exit {cold.exit}") from problem
    print(f"judged: {count:,} of {files:,} files, {skipped:,} skipped, {len(answer['findings']):,} findings")
    if count != files:
        raise Unmeasured(
            f"{files - count:,} of {files:,} files were not judged, so a ratio would compare different work"
        )


def peers() -> Path:
    """The folder of the peers' commands, in an environment made once for each set of versions."""
    name = "-".join(peer.replace("==", "-") for peer in PEERS)
    home = Path(tempfile.gettempdir(), f"pv-benchmark-peers-{os.getuid()}-{sys.version_info.minor}-{name}")
    commands = home / "bin"
    if not (commands / "check-jsonschema").exists():
        print(f"installing {', '.join(PEERS)} into {home}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        subprocess.run([commands / "python", "-m", "pip", "install", "--quiet", *PEERS], check=True)
    return commands


def pv(*arguments: str | Path) -> list[str | Path]:
    """The command `pv` of this environment."""
    return [sys.executable, "-m", "pv", *arguments]


def run(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> Run:
    """Run `command` to its end, with what Python compiles kept for the next run."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as out:
        began = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env={**kept, **(environment or {})},
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read().decode(errors="replace")
    processor = usage.ru_utime + usage.ru_stime
    return Run(
        seconds, processor, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024), process.returncode, text
    )


def middle(runs: Sequence[Run]) -> float:
    """The median time."""
    return statistics.median(one.seconds for one in runs)


def line(
    what: str, value: float, *, least: float | None = None, most: float | None = None, runs: Sequence[Run] = ()
) -> bool:
    """Print one comparison with its target and the spread of its runs; whether the target is met."""
    met = (least is None or value >= least) and (most is None or value <= most)
    target = f"at least {least:g}" if least is not None else f"at most {most:g}"
    times = [one.seconds for one in runs]
    spread = (
        f", spread {(max(times) - min(times)) / statistics.median(times):.0%} of {len(times)} runs" if times else ""
    )
    print(f"{'ok  ' if met else 'MISS'} {what}: {value:.2f} ({target}{spread})", flush=True)
    return met


if __name__ == "__main__":
    raise SystemExit(main())
