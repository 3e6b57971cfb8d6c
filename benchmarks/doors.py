"""What the doors cost: the pre-commit hooks on one changed file, and `pv gate` without a falsifier.

    python benchmarks/doors.py [--rounds N]

Run it with the Python of an environment that holds `pv`. Everything is measured against `python -c "import click, yaml,
jsonschema_rs"`, in a copy of what git knows here (and in a small project), so that files can be changed. Processes are cold
and take turns; what decides is the median of their time of processors, and of the gate, which works on two, that on the
wall. Warm is with the cache of the run before, as on a developer's machine; cold with an empty one, as in CI.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from rounds import PV, Command, Taken, in_turns, middle, over, ratio

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from small_project import write_project  # noqa: E402 -- found on the path just set

IMPORTS = "import click, yaml, jsonschema_rs"


def main() -> int:
    """Every comparison, one line each; 3 when one could not be made, 1 when a target was missed."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rounds", type=int, default=9)
    rounds = asked.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="pv-benchmark-") as scratch:
        here, small = copied(Path(scratch, "here")), write_project(Path(scratch, "small"))
        caches = (str(Path(scratch, "cold", str(number))) for number in itertools.count())
        runs = in_turns(dict(commands(here, small, Path(scratch, "warm"), caches)), rounds)
    broken = [name for name, taken in runs.items() if {run.exit for run in taken} - ({0, 3} if "gate" in name else {0})]
    if broken:
        print(f"not measured: {broken[0]} said {runs[broken[0]][0].out[-500:]!r}", file=sys.stderr)
        return 3
    return 0 if all([*told(runs)]) else 1


def copied(home: Path) -> Path:
    """What git knows of this repository, or would take in, in `home`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_bytes((ROOT / name).read_bytes())
    return home


def commands(here: Path, small: Path, warm: Path, caches: Iterator[str]) -> Iterator[tuple[str, Command]]:
    """What is measured, in turns; a changed file has a comment that it never had."""
    kept = {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(warm)}
    yield "imports", Command([sys.executable, "-c", IMPORTS], here)
    yield "small", Command([*PV, "validate"], small, kept, changing(small / "contracts/double-v1.yaml", "#"))
    yield "contract", Command([*PV, "validate"], here, kept, changing(here / "contracts/documents-v1.yaml", "#"))
    yield "nothing", Command([*PV, "validate"], here, kept)
    yield "claims", Command([*PV, "claims"], here, kept)
    yield "gate, warm", Command([*PV, "gate"], here, kept)
    yield "gate, cold", _Fresh([*PV, "gate"], here, kept, caches).command


class _Fresh:
    """A command that finds an empty cache each time."""

    def __init__(self, words: list[str], home: Path, kept: dict[str, str], caches: Iterator[str]) -> None:
        self._environment = dict(kept)
        self._caches = caches
        self.command = Command(words, home, self._environment, self._empty)

    def _empty(self) -> None:
        self._environment["XDG_CACHE_HOME"] = next(self._caches)


def changing(file: Path, sign: str) -> Callable[[], object]:
    """Gives `file` another last comment each time."""
    text, count = file.read_text(encoding="utf-8"), itertools.count()
    return lambda: file.write_text(f"{text}{sign} {next(count)}\n", encoding="utf-8")


def told(runs: dict[str, list[Taken]]) -> Iterator[bool]:
    """One line for each comparison, and whether its target was met."""
    imports = runs["imports"]
    print(
        f"    `python -c '{IMPORTS}'`: {1e3 * middle(imports)[0]:.0f} ms; the gate here ends with {runs['gate, warm'][0].exit}"
    )
    yield over("hook pv-validate, one contract changed, small project", runs["small"], imports, 40)
    yield over("hook pv-validate, one contract changed, here", runs["contract"], imports, 40)
    yield over("hook pv-validate, nothing of it changed, here", runs["nothing"], imports, 40)
    claims = 1e3 * (middle(runs["claims"])[0] - middle(imports)[0])
    print(f"    hook pv-claims, all claims and documents here: {claims:.0f} ms over")
    yield ratio("pv gate, warm / the imports", runs["gate, warm"], imports, 8, by_wall=True)
    yield ratio("pv gate, cold / the imports", runs["gate, cold"], imports, 16, by_wall=True)


if __name__ == "__main__":
    raise SystemExit(main())
