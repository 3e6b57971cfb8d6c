"""`pv diff --values` on two large APRT files: against plain numpy on whole arrays, against adding the arrays, and its memory.

    python benchmarks/compare.py [--megabytes 1000] [--repeats 5] [--folder DIR]

The whole command is timed, with the start of Python and without a terminal, where a bar would show its progress. Every
element differs, so no shortcut for equal blocks helps; the files have been read before, so no disk is measured. Plain numpy
gives the same figures (they are compared) and takes 11 times the size of a file in memory. Adding is `a + b` of arrays in
memory, into a new one; into one that is there already is printed beside it. Runs alternate; figures are ratios of medians.
Anonymous memory is the largest RssAnon that /proc shows every 10 ms, of the command and the processes it began together:
Linux alone has it. Exit 1: a target is missed. 3: something could not be measured.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = 4_000
RTOL, ATOL = 1.3e-6, 1e-5
TOP = 10
MAP = "schema: pv/shapes-v1\nsizes: {{n: {rows}, E: {columns}}}\nstages: {{a: [n, E], b: [n, E]}}\n"


class Timed(NamedTuple):
    """One run: seconds, those of processors, what it printed, and the most anonymous memory it had, in bytes."""

    seconds: float
    processor: float
    value: Any
    anonymous: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1000, help="of each file (10^6 bytes)")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where the files go; a temporary folder by default")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        rows = max(1, asked.megabytes * 10**6 // 4 // COLUMNS)
        make(folder, rows)
        return measured(folder, rows, asked.repeats)


def make(folder: Path, rows: int) -> None:
    """Two files of normal values; the second has noise of 1e-6 times each value, and of 1e-5, on top."""
    draw = np.random.default_rng(0)
    count = np.array([0, rows * COLUMNS], "<u4").tobytes()
    with (folder / "a.bin").open("wb") as a, (folder / "b.bin").open("wb") as b:
        for file in (a, b):
            file.write(b"APRT" + count)
        for start in range(0, rows, 1000):
            shape = (min(1000, rows - start), COLUMNS)
            values = draw.standard_normal(shape, dtype="f4")
            noise = draw.standard_normal(shape, dtype="f4")
            a.write(values.tobytes())
            b.write((values + (values * np.float32(1e-6) + np.float32(1e-5)) * noise).tobytes())
    (folder / "map.yaml").write_text(MAP.format(rows=rows, columns=COLUMNS), encoding="utf-8")


def measured(folder: Path, rows: int, repeats: int) -> int:
    """All runs, in turns, and what they come to."""
    ours, additions = [], []
    for _ in range(repeats):
        ours.append(command(folder))
        additions.append(in_process("add", folder))
    numpy = in_process("plain", folder)
    same = agree(ours[0].value["tensors"][0], numpy["figures"])
    seconds = [one.seconds for one in ours]
    our, used = statistics.median(seconds), statistics.median(one.processor for one in ours)
    add, add_used, fill = (statistics.median(times) for times in zip(*additions, strict=True))
    spread = (max(seconds) - min(seconds)) / our
    print(f"{2 * rows * COLUMNS * 4 / 1e9:.2f} GB in two files; {repeats} runs of {our:.2f} s, spread {spread:.0%}")
    held = [
        line("seconds of plain numpy over those of the command", numpy["seconds"] / our, least=10),
        line("seconds of the command over those of a + b", our / add, most=7),
        line("most anonymous memory, MB", max(one.anonymous for one in ours) / 1e6, most=150),
    ]
    print(f"      the same of processors: {numpy['processor'] / used:.2f} and {used / add_used:.2f}")
    print(f"      over those of adding into an array that is there: {our / fill:.2f}")
    print(f"{'ok  ' if same else 'MISS'} the figures are those of plain numpy")
    return 3 if not max(one.anonymous for one in ours) else 0 if all((*held, same)) else 1


def line(what: str, value: float, *, least: float | None = None, most: float | None = None) -> bool:
    """Print one figure with its target; whether it is met."""
    met = (least is None or value >= least) and (most is None or value <= most)
    print(f"{'ok  ' if met else 'MISS'} {what}: {value:.2f} ({f'at least {least}' if least else f'at most {most}'})")
    return met


def command(folder: Path) -> Timed:
    """The command as a user gives it, watched."""
    words = ["diff", "--values", folder / "a.bin", folder / "b.bin", "--shapes", folder / "map.yaml"]
    more = ["--rtol", RTOL, "--atol", ATOL, "--top", TOP, "--format", "json"]
    with tempfile.TemporaryFile() as out:
        began, used = time.perf_counter(), of_children()
        process = subprocess.Popen(
            [sys.executable, "-m", "pv", *map(str, [*words, *more])], stdout=out, stderr=subprocess.DEVNULL, cwd=ROOT
        )
        largest = 0
        while process.poll() is None:
            largest = max(largest, anonymous(process.pid))
            try:
                process.wait(0.01)
            except subprocess.TimeoutExpired:
                continue
        seconds = time.perf_counter() - began
        out.seek(0)
        return Timed(seconds, of_children() - used, json.loads(out.read()), largest)


def of_children() -> float:
    """Processor seconds of all processes that were started here and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def anonymous(pid: int) -> int:
    """RssAnon of a process and its children in bytes, what they share counted for each; 0 where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    kilobytes = [text.split()[1] for text in status.splitlines() if text.startswith("RssAnon:")]
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:  # it has ended, or this kernel does not tell
        children = []
    return (int(kilobytes[0]) * 1024 if kilobytes else 0) + sum(anonymous(int(child)) for child in children)


def in_process(what: str, folder: Path) -> Any:
    """What `WORK[what]` returns in a process of its own, which gives all its memory back."""
    done = subprocess.run([sys.executable, __file__, what, folder], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def add(folder: Path) -> tuple[float, float, float]:
    """Seconds to add both arrays into a new one, the same of processors, and seconds into one that is there; best of three."""
    a, b = (np.fromfile(folder / name, "<f4", offset=12) for name in ("a.bin", "b.bin"))
    room = np.zeros_like(a)
    fresh, into = ([clocked(work) for _ in range(3)] for work in (lambda: np.add(a, b), lambda: np.add(a, b, out=room)))
    return min(seconds for seconds, _ in fresh), min(used for _, used in fresh), min(seconds for seconds, _ in into)


def clocked(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds, and seconds of processors."""
    began, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - used


def plain(folder: Path) -> dict[str, Any]:
    """The same figures as anybody would write them down in numpy, and the seconds they take."""
    figures: dict[str, Any] = {}
    seconds, used = clocked(lambda: figures.update(plain_figures(folder / "a.bin", folder / "b.bin")))
    return {"seconds": seconds, "processor": used, "figures": figures}


def plain_figures(a_path: Path, b_path: Path) -> dict[str, Any]:
    """Whole arrays, one figure after the other; selections by partition, for sorting takes longer."""
    a, b = (np.fromfile(path, "<f4", offset=12) for path in (a_path, b_path))
    odd = int(np.count_nonzero(np.isnan(a) != np.isnan(b)) + np.count_nonzero(np.isinf(a) != np.isinf(b)))
    one, other = (ordered(side) for side in (a, b))
    ulps = np.abs(one - other)
    seen = {"ulp_max": int(ulps.max()), "ulp_differing": int(np.count_nonzero(ulps)),
            "ulp_over_one": int(np.count_nonzero(ulps > 1))}  # fmt: skip
    del one, other, ulps
    x, y = a.astype(np.float64), b.astype(np.float64)
    del a, b
    cosine = (x * y).sum() / math.sqrt((x * x).sum() * (y * y).sum())
    apart = np.abs(y - x)
    del y
    exceeding = int(np.count_nonzero(apart > ATOL + RTOL * np.abs(x)))
    squares = apart * apart
    top = np.argpartition(apart, -TOP)[-TOP:]
    total, table, worst = squares.sum(), squares.reshape(-1, COLUMNS), max(1, int(squares.size * 0.001))
    return seen | {
        "odd": odd,
        "cosine": float(cosine),
        "exceeding": exceeding,
        "max": float(apart.max()),
        "argmax": int(apart.argmax()),
        "rms": math.sqrt(total / squares.size),
        "relative": math.sqrt(total / (x * x).sum()),
        "row": int(table.sum(axis=1).argmax()),
        "column": int(table.sum(axis=0).argmax()),
        "top": sorted(int(index) for index in top),
        "concentration": float(np.partition(squares, -worst)[-worst:].sum() / total),
    }


def ordered(values: Any) -> Any:
    """float32 as integers whose distance is that in units in the last place."""
    bits = values.view("<i4").astype(np.int64)
    return np.where(bits < 0, -(2**31) - bits, bits)


def agree(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Whether both came to the same; says where not."""
    ulp, worst = ours["ulp"], {name: at for one in ours["worst"] for name, at in one["at"].items()}
    pairs = {
        "max": ours["max_abs_diff"], "argmax": ours["max_abs_diff_index"], "rms": ours["rms_diff"],
        "relative": ours["relative_l2"], "cosine": ours["cosine_sim"], "exceeding": ours["exceeding"],
        "ulp_max": ulp["max"], "ulp_differing": ulp["differing"], "ulp_over_one": ulp["over_one"],
        "row": worst.get("token", 0), "column": worst["channel"], "concentration": ours["concentration"],
        "odd": ours["nonfinite"]["mismatched"], "top": sorted(one["index"] for one in ours["top_diffs"]),
    }  # fmt: skip
    wrong = [name for name, value in pairs.items() if not alike(value, theirs[name])]
    for name in wrong:
        print(f"      {name}: {pairs[name]} and {theirs[name]}")
    return not wrong


def alike(one: Any, other: Any) -> bool:
    """Equal, floats to eleven digits."""
    return math.isclose(one, other, rel_tol=1e-11) if isinstance(other, float) else one == other


WORK: dict[str, Callable[[Path], Any]] = {"add": add, "plain": plain}

if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] in WORK:
        print(json.dumps(WORK[sys.argv[1]](Path(sys.argv[2]))))
        raise SystemExit(0)
    raise SystemExit(main())
