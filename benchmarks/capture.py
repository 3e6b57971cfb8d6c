"""Capture of a forward pass beside the plain one, TorchLens and the debugger of transformers.

    python benchmarks/capture.py [--repeats N] [--attn eager|sdpa] [--quick]

Run it with the Python of an environment that holds `pv` and transformers; without torchlens that peer is left out. The model
has random weights, hidden size 512, 12 layers, the proportions of Qwen2 (biases, grouped keys, a wide MLP), and reads 512
tokens; attention is eager, as `pv trace` runs it by itself. All ways take turns in one process, and what is compared is the
fastest run of each: a busy machine only ever adds. Ratios of processor time stand beside those of seconds, because files
are hashed and written on all processors; what that alone takes has a line of its own. Files go to /dev/shm. What is captured
is held against the plain pass first. Targets are judged with as many threads as torch takes by itself; OMP_NUM_THREADS=1
measures one. Exit 1: a target was missed. Exit 3: something could not be measured.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
from validate import Unmeasured

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pv.stages.capture import capture
from pv.stages.known import map_of
from pv.stages.places import places_of
from pv.stages.save import Plan, copy, same_bits, save
from pv.tensors.folder import open_capture
from pv.tensors.manifest import Manifest
from pv.tensors.place import Place
from pv.tensors.writer import CaptureWriter

NAMES = (
    "embedding", "attn_norm", "qkv_matmul", "qkv_bias", "q_post_rope", "k_post_rope", "attention", "attn_out",
    "post_attn_residual", "ffn_norm", "ffn_gate", "ffn_up", "ffn_silu", "ffn_swigl", "ffn_out", "post_ffn_residual",
    "layer_output", "final_norm", "lm_head",
)  # fmt: skip
SIZES = {
    "vocab_size": 8192, "hidden_size": 512, "intermediate_size": 2816, "num_hidden_layers": 12, "num_attention_heads": 8,
    "num_key_value_heads": 2, "max_position_embeddings": 1024,
}  # fmt: skip
TOKENS, QUICK = 512, {"num_hidden_layers": 2, "vocab_size": 512}
TARGETS = {"capture to files": 1.7, "statistics only": 1.2}
MEMORY = Path("/dev/shm")
TORCHLENS = "TorchLens"
HOW = Manifest(model="random", device="cpu", dtype="float32", attention="any", phase="prefill", position="all")

Way = Callable[[Path], None]


class Subject:
    """The model, what it reads, and the ways to look at that."""

    def __init__(self, attention: str, sizes: dict[str, int]) -> None:
        torch.manual_seed(0)
        model: Any = transformers.Qwen2ForCausalLM(transformers.Qwen2Config(**sizes))
        model.set_attn_implementation(attention)
        self.model = model.eval()
        self.ids = torch.randint(0, sizes["vocab_size"], (1, TOKENS))
        self.stage_map = map_of(self.model)
        self.places = places_of(self.model, self.stage_map, NAMES)
        self.written: list[int] = []  # bytes of each file, once it is known
        self.data = b""  # as many as the largest has

    def read(self) -> Any:
        """The plain forward pass."""
        with torch.no_grad():
            return self.model(input_ids=self.ids, use_cache=False).logits[0]

    def plain(self, folder: Path) -> None:
        self.read()

    def in_memory(self, folder: Path) -> None:
        with capture(self.model, stage_map=self.stage_map, stages=NAMES):
            self.read()

    def in_short(self, folder: Path) -> None:
        with capture(self.model, stage_map=self.stage_map, stages=NAMES, keep="statistics"):
            self.read()

    def to_files(self, folder: Path) -> None:
        with CaptureWriter(folder / "captured", copy) as writer:
            plan = Plan(self.model, self.stage_map, self.places, check=False)
            save(plan, self.read, writer, lambda place: None)
            writer.finish(HOW, self.places)

    def bare(self, folder: Path) -> None:
        """As many bytes in as many files, written and hashed by a thread for each processor, and nothing else."""
        data = memoryview(self.data)

        def one(number: int) -> str:
            (folder / str(number)).write_bytes(data[: self.written[number]])
            return hashlib.sha256(data[: self.written[number]]).hexdigest()

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(one, range(len(self.written))))

    def torchlens(self, folder: Path) -> None:
        import torchlens

        with torch.no_grad():
            torchlens.trace(self.model, input_kwargs={"input_ids": self.ids, "use_cache": False})

    def debugger(self, folder: Path) -> None:
        context = transformers.model_addition_debugger_context
        with context(self.model, debug_path=str(folder / "debug"), do_prune_layers=False, use_repr=False):
            self.model.forward(input_ids=self.ids, use_cache=False)


def ways(subject: Subject) -> dict[str, Way]:
    """What takes turns, the plain forward pass first."""
    found = {
        "plain": subject.plain,
        "capture in memory": subject.in_memory,
        "capture to files": subject.to_files,
        "hashing, writing alone": subject.bare,
        "statistics only": subject.in_short,
        "transformers' debugger": subject.debugger,
    }
    try:
        import torchlens  # noqa: F401 -- only whether it is there
    except ImportError:
        return found
    return {**found, TORCHLENS: subject.torchlens}


@contextmanager
def folder() -> Iterator[Path]:
    """A folder of its own in memory."""
    found = Path(tempfile.mkdtemp(dir=MEMORY))
    try:
        yield found
    finally:
        shutil.rmtree(found)


def timed(way: Way) -> tuple[float, float]:
    """Seconds and processor time of one run."""
    with folder() as where:
        seconds, processor = time.perf_counter(), time.process_time()
        way(where)
        return time.perf_counter() - seconds, time.process_time() - processor


def require_true(subject: Subject) -> None:
    """A capture has every place, and its logits are those of the plain pass; the sizes of its files are kept."""
    with folder() as where:
        subject.to_files(where)
        stored = open_capture(where / "captured")
        logits = torch.from_numpy(stored.array(Place("lm_head", None)).copy())
        if stored.places != subject.places or not same_bits(logits, subject.read()):
            raise Unmeasured("what was captured is not what the model computed")
        subject.written = sorted((path.stat().st_size for path in where.rglob("*.bin")), reverse=True)
        subject.data = os.urandom(subject.written[0])


def measure(subject: Subject, repeats: int, targets: dict[str, float]) -> bool:
    """Print a line for every way; whether all `targets` were met."""
    require_true(subject)
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in ways(subject)}
    last = [name for name in runs if name == TORCHLENS]  # it wraps torch's functions for good
    for group in ([name for name in runs if name not in last], last):
        for name in [*group, *group * repeats]:  # the first run of each imports and allocates
            runs[name].append(timed(ways(subject)[name]))
    runs = {name: rows[1:] for name, rows in runs.items()}
    fastest = {name: tuple(min(each) for each in zip(*rows, strict=True)) for name, rows in runs.items()}
    met = True
    size = sum(subject.written) / 1e6
    print(
        f"{len(subject.places)} tensors, {size:.0f} MB; plain forward {fastest['plain'][0]:.3f} s, {repeats} runs each"
    )
    for name, rows in runs.items():
        spread = statistics.median(row[0] for row in rows) / fastest[name][0]
        ratio, processor = (mine / plain for mine, plain in zip(fastest[name], fastest["plain"], strict=True))
        missed = name in targets and ratio > targets[name]
        said = f"target {targets[name]}{' MISS' if missed else ''}" if name in targets else ""
        print(
            f"{name:24} {ratio:8.2f} x   processor {processor:8.2f} x   median / fastest {spread:5.2f}   {said}".rstrip()
        )
        met &= not missed
    return met


def main() -> int:
    parser = argparse.ArgumentParser(description="Capture beside the plain forward pass.")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--attn", choices=("eager", "sdpa"), default="eager")
    parser.add_argument("--quick", action="store_true", help="two layers: whether it runs, not how fast")
    given = parser.parse_args()
    transformers.logging.set_verbosity_error()
    if not MEMORY.is_dir():
        print(f"not measured: there is no {MEMORY}")
        return 3
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    print(
        f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, load {load:.1f} a processor, ",
        end="",
    )
    print(f"torch {torch.__version__}, transformers {transformers.__version__}, {given.attn} attention")
    try:
        subject = Subject(given.attn, {**SIZES, **(QUICK if given.quick else {})})
        met = measure(subject, given.repeats, {} if given.quick else TARGETS)
    except Unmeasured as error:
        print(f"not measured: {error}")
        return 3
    if given.quick:
        print("quick: no targets judged")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
