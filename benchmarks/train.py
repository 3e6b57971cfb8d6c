"""microGPT's training beside the scalar reference and a plain torch loop; `pv inspect` and `pv tensors` on a large file.

    python benchmarks/train.py [--repeats N] [--quick] [--only training,files]

Run it with the Python of an environment that holds `pv` and torch. Training is timed in this process, on one thread, in
processor time: the same names from the same weights, in runs that alternate. The plain loop is what one would write in an
afternoon: modules and functions of torch, its Adam, no contract; that its losses are those of the shipped training is checked
first. Of the scalar reference a few steps are enough. Files are read by whole processes, the page cache warm. Exit 3:
something could not be measured, and no ratio is printed for it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, embedding, relu, rms_norm
from validate import Unmeasured, line, middle, pv, run

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from implementations.microgpt.model import split_parameters  # noqa: E402 -- found on the path just set
from implementations.microgpt.names import DEFAULT_NAMES, read_names  # noqa: E402 -- as above
from implementations.microgpt.training import initial_state, train  # noqa: E402 -- as above
from implementations.reference import microgpt, training  # noqa: E402 -- as above

NAMES = ROOT.parent / "shared/data/names.txt"
GIGABYTE = 2**30
TENSORS = 16
SEED = 42
SCALAR_STEPS = 10

READ = """
import sys
from pv.cli import main
code = int(main(sys.argv[2:]))
with open("/proc/self/io") as file:
    count = dict(line.split(": ") for line in file.read().splitlines())["rchar"]
print(f"\\nread {count} exit {code}")
"""
SUM = """
import json, numpy, sys
with open(sys.argv[1], "rb") as file:
    length = int.from_bytes(file.read(8), "little")
    header = json.loads(file.read(length))
data = numpy.memmap(sys.argv[1], dtype=numpy.float32, mode="r", offset=8 + length)
for row in header.values():
    first, end = (place // 4 for place in row["data_offsets"])
    data[first:end].sum()
"""


class Plain(nn.Module):
    """microGPT as a plain torch module, with one matrix a projection."""

    def __init__(self, parameters: Tensor) -> None:
        super().__init__()
        for name, weight in split_parameters(parameters).items():
            if name in ("wq", "wk", "wv"):
                weight = weight.transpose(0, 1).reshape(16, 16)
            self.register_parameter(name, nn.Parameter(weight.reshape(-1, weight.shape[-1]).clone()))

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits [n, 27]."""
        n = len(tokens)
        x = rms_norm(embedding(tokens, self.wte) + self.wpe[:n], (16,), eps=1e-5)
        y = rms_norm(x, (16,), eps=1e-5)
        q, k, v = ((y @ w).view(n, 4, 4).transpose(0, 1) for w in (self.wq, self.wk, self.wv))
        mask = torch.ones(n, n, dtype=torch.bool).triu(1)
        scores = (q @ k.transpose(-2, -1) / 2).masked_fill(mask, -torch.inf)
        x = x + (torch.softmax(scores, dim=-1) @ v).transpose(0, 1).reshape(n, 16) @ self.wo
        x = x + relu(rms_norm(x, (16,), eps=1e-5) @ self.w_fc1) @ self.w_fc2
        return x @ self.w_lm


def main() -> int:
    """Every comparison, one line each; 3 when one could not be made, 1 when a target was missed."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--repeats", type=int, default=7, help="runs of each training and of each process")
    asked.add_argument("--quick", action="store_true", help="100 steps instead of 500, 128 MB instead of 1 GB")
    asked.add_argument("--only", default="training,files", help="training, files, or both")
    options = asked.parse_args()
    torch.set_num_threads(1)
    print(
        f"Python {platform.python_version()}, torch {torch.__version__}, {os.cpu_count()} cores, {platform.machine()}"
    )
    only, met = options.only.split(","), []
    try:
        if "training" in only:
            met += trainings(100 if options.quick else 500, options.repeats)
        if "files" in only:
            with tempfile.TemporaryDirectory(prefix="pv-benchmark-") as folder:
                met += files(Path(folder), GIGABYTE // (8 if options.quick else 1), options.repeats)
    except Unmeasured as problem:
        print(f"not measured: {problem}", file=sys.stderr)
        return 3
    return 0 if all(met) else 1


def trainings(steps: int, repeats: int) -> Iterator[bool]:
    """The shipped training against the scalar reference and the plain loop."""
    path = NAMES if NAMES.is_file() else DEFAULT_NAMES
    names = read_names(path).names
    print(f"{steps} steps on {len(names):,} names of {path.name}, {SCALAR_STEPS} of the scalar reference")
    agree(names)
    pairs = [(timed(lambda: shipped(names, steps)), timed(lambda: plain(names, steps))) for _ in range(repeats)]
    ours, theirs = ([pair[place] / steps for pair in pairs] for place in (0, 1))
    few = timed(lambda: shipped(names, SCALAR_STEPS)), timed(lambda: scalar(names, SCALAR_STEPS))
    mine = [few[0], *(timed(lambda: shipped(names, SCALAR_STEPS)) for _ in range(repeats - 1))]
    slow = [few[1], *(timed(lambda: scalar(names, SCALAR_STEPS)) for _ in range(2))]
    yield line("training, the same steps: scalar reference / shipped", ratio(slow, mine), least=60)
    yield line("training: shipped / plain eager torch", ratio(ours, theirs), most=1.15)
    times = ", ".join(f"{1e3 * statistics.median(each):.3f} ms" for each in (ours, theirs))
    spread = ", ".join(f"{(max(each) - min(each)) / statistics.median(each):.0%}" for each in (ours, theirs))
    print(f"    a step, shipped and plain: {times}; spread of {repeats} runs {spread}")


def ratio(one: Sequence[float], other: Sequence[float]) -> float:
    """Of medians."""
    return statistics.median(one) / statistics.median(other)


def agree(names: Sequence[str]) -> None:
    """All three are the same training: their losses are equal up to rounding. Raises Unmeasured."""
    losses = [shipped(names, SCALAR_STEPS), plain(names, SCALAR_STEPS), scalar(names, SCALAR_STEPS)]
    for each in losses[1:]:
        if max(abs(one - other) for one, other in zip(losses[0], each, strict=True)) > 1e-4:
            raise Unmeasured(f"the trainings are not the same: losses {losses}")


def timed(work: Callable[[], object]) -> float:
    """Seconds of this process's own time."""
    began = time.process_time()
    work()
    return time.process_time() - began


def shipped(names: Sequence[str], steps: int) -> list[float]:
    """The losses of the training that the command runs."""
    (last,) = deque(train(initial_state(SEED), names, steps), maxlen=1)
    return list(last.losses)


def plain(names: Sequence[str], steps: int) -> list[float]:
    """The losses of a loop as one would write it."""
    model = Plain(initial_state(SEED).parameters)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, betas=(0.85, 0.99), eps=1e-8)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    losses = []
    for step in range(steps):
        tokens = torch.tensor([0, *(ord(letter) - 96 for letter in names[step % len(names)]), 0][:17])
        optimizer.zero_grad()
        loss = cross_entropy(model(tokens[:-1]), tokens[1:])
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def scalar(names: Sequence[str], steps: int) -> list[float]:
    """The losses of the scalar reference."""
    pieces = split_parameters(initial_state(SEED).parameters)
    weights = microgpt.from_port({name: piece.tolist() for name, piece in pieces.items()})
    return list(training.train(weights, names, steps))


def files(folder: Path, size: int, repeats: int) -> Iterator[bool]:
    """`pv inspect` reads the header of a large file and no more; `pv tensors --stats` keeps up with a sum."""
    # Of a model of a few megabytes `pv inspect` tells statistics too: the smaller file is no such one.
    large, small = written(folder / "large.safetensors", size), written(folder / "small.safetensors", size // 4)
    print(f"a safetensors file of {size / 1e6:,.0f} MB, {TENSORS} tensors; beside it one of a quarter")
    if not Path("/proc/self/io").exists():
        raise Unmeasured("what a process reads is counted by Linux alone")
    (much, ours), (little, theirs) = (inspected(path) for path in (large, small))
    yield line("pv inspect: bytes read more than of a quarter of the file, KB", (much - little) / 1e3, most=64)
    yield line(
        "pv inspect: memory, the whole / a quarter", ours / theirs, most=1.1
    )  # where pages are mapped rather than read
    summing = [sys.executable, "-c", SUM, large]
    pairs = [(run(summing), run(pv("tensors", large, "--stats"))) for _ in range(repeats)]
    numpy, stats = ([pair[place] for pair in pairs] for place in (0, 1))
    if any(one.exit for one in (*numpy, *stats)):
        raise Unmeasured(f"a process failed: {next(one.out for one in (*numpy, *stats) if one.exit)}")
    yield line("pv tensors --stats: numpy's sum / pv", middle(numpy) / middle(stats), least=0.2, runs=stats)


def written(path: Path, size: int) -> Path:
    """A safetensors file of so many bytes of weights, in `TENSORS` tensors."""
    each = size // TENSORS
    rows = {
        f"layer.{index}.weight": {
            "dtype": "F32", "shape": [each // 4096, 1024], "data_offsets": [index * each, (index + 1) * each],
        }
        for index in range(TENSORS)
    }  # fmt: skip
    header = json.dumps(rows).encode()
    header += b" " * (-len(header) % 8)
    block = torch.randn(each // 4, generator=torch.Generator().manual_seed(0)).numpy().tobytes()
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for _ in range(TENSORS):
            file.write(block)
    return path


def inspected(path: Path) -> tuple[int, int]:
    """The least bytes that `pv inspect` read in three runs, and the memory it held. Raises Unmeasured where it failed."""
    runs = [run([sys.executable, "-c", READ, "", "inspect", path]) for _ in range(3)]  # the first may compile modules
    words = [one.out.split()[-4:] for one in runs]
    if any(one.exit for one in runs) or any(each[::2] != ["read", "exit"] or each[3] != "0" for each in words):
        raise Unmeasured(f"pv inspect failed: {runs[0].out[-300:]}")
    return min(int(each[1]) for each in words), min(one.memory for one in runs)


if __name__ == "__main__":
    raise SystemExit(main())
