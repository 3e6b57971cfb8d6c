"""The loader under hostile bytes: it answers, whatever it is given, soon and without growing.

10⁶ inputs or 30 minutes, whichever comes first; `PV_FUZZ_SECONDS` shortens it, `PV_FUZZ_SEED` repeats a run.
"""

from __future__ import annotations

import gc
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest
from conftest import ROOT

from pv.contract.bounds import MAX_FINDINGS
from pv.contract.document import Document, parse_document
from pv.contract.read import bindings_of, contract_of
from pv.finding import PvError
from pv.project import file_of

INPUTS = 1_000_000
HANG = 5
"""Seconds after which one input counts as hanging: some twenty times what the worst known file of 8 MiB takes."""

GROWTH = 64 * 1024 * 1024
"""What the process may have gained at the end, in bytes: a leak of 100 bytes an input is more than that."""

TOKENS = (
    *(
        "a",
        "b",
        "key",
        "-",
        "?",
        ":",
        ",",
        "[",
        "]",
        "{",
        "}",
        "&",
        "*",
        "!",
        "|",
        ">",
        "'",
        "#",
        "---",
        "...",
        "<<",
        "~",
    ),
    *(
        "null",
        "true",
        ".inf",
        ".nan",
        "1e-5",
        "0x1F",
        "0o7",
        "-0",
        "+1",
        "1:2",
        "9" * 80,
        "|+9",
        ">-1",
        '"',
        "%",
        "@",
        "`",
    ),
    *("!!python/object", "!<tag:x>", "&a", "*a", "%YAML 1.1", "%TAG ! x", '"\\x00"', '"\\ud800"', '"\\U00110000"'),
    *('"\\u0041"', '"\\N\\_\\L"', "x-a:", "schema: pv/contract-v1", "metadata:", "equations:", "invariants:"),
    *("falsification_tests:", "binds_to:", "tolerance:", "proof_obligations:", "kind: schema"),
)
SPACES = ("\n", "\n  ", "\n    ", "\n- ", " ", " ", ": ", "", "\r\n")
HOSTILE = ("\t", "\r", "\x85", "\u2028", "\ufeff", "\x00", "\x1b", "\ud800", "\U0001f600")


class Hung(Exception):
    """One input took longer than `HANG` seconds."""


def corpus() -> list[bytes]:
    """Real contracts, good and bad examples, and whatever lies in the shared corpus."""
    homes = (ROOT / "contracts", ROOT / "tests/examples", ROOT.parent / "shared/corpus/contracts")
    return [path.read_bytes() for home in homes for path in sorted(home.rglob("*.yaml")) if path.is_file()]


def inputs(seed: random.Random, seeds: list[bytes]) -> Iterator[bytes]:
    """Mutated contracts, text made of what YAML gives a meaning to, and plain noise."""
    while True:
        kind = seed.random()
        if kind < 0.6:
            yield mutated(seed, seed.choice(seeds), seeds)
        elif kind < 0.9:
            yield b"".join(piece(seed) for _ in range(seed.randint(1, 60)))
        else:
            yield seed.randbytes(seed.randint(0, 200))


def piece(seed: random.Random) -> bytes:
    """A token and what follows it; one in two hundred times a character that has no business in YAML."""
    space = seed.choice(HOSTILE if seed.random() < 0.005 else SPACES)
    return (seed.choice(TOKENS) + space).encode("utf-8", "surrogatepass")


def mutated(seed: random.Random, data: bytes, seeds: list[bytes]) -> bytes:
    """A contract or a window of it with up to eight edits: bytes flipped, cut, doubled, exchanged or put in."""
    whole = seed.random() < 0.5
    start = 0 if whole else seed.randrange(len(data) + 1)
    text = bytearray(data if whole else data[start : start + seed.randint(1, 1500)])
    for _ in range(seed.randint(1, 2 if whole else 8)):
        at = seed.randrange(len(text) + 1)
        end = min(len(text), at + seed.randint(0, 40))
        match seed.randrange(6):
            case 0:
                del text[at:end]
            case 1:
                text[at:at] = text[at:end] * seed.randint(1, 30)
            case 2:
                text[at:at] = piece(seed)
            case 3 if at < len(text):
                text[at] = seed.randrange(32, 127) if seed.random() < 0.9 else seed.randrange(256)
            case 4:
                other = seed.choice(seeds)
                cut = seed.randrange(len(other) + 1)
                text[at:end] = other[cut : cut + seed.randint(0, 80)]
            case _:
                text[at:at] = seed.choice((b"[", b"{", b"- ", b"? ", b"\n  ", b"'", b'"')) * seed.randint(1, 120)
    return bytes(text)


def read(data: bytes) -> Document:
    """What the loader and the schema make of `data`; every place is asked for, as reports do."""
    document = parse_document(data, "fuzz-v1.yaml")
    assert len(document.findings) <= MAX_FINDINGS
    assert all(finding.place.line >= 1 and finding.place.column >= 1 for finding in document.findings)
    files = (
        file_of(Path("fuzz-v1.yaml"), document, named=True),
        contract_of(document, "fuzz-v1"),
        bindings_of(document),
    )
    for file in files:
        assert file is not None
        assert file.findings or file.document.value is not None
        for finding in file.findings:
            assert len(finding.message) < 2_000, finding.message[:200]
    return document


def resident() -> int:
    """Bytes of this process that lie in memory."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def hang(number: int, frame: FrameType | None) -> None:
    """The alarm of one input."""
    raise Hung


def run(seed: int, seconds: float, count: int) -> tuple[int, bytes, BaseException | None]:
    """How many inputs were read, and the first on which the loader failed, with how."""
    seeds, deadline = corpus(), time.monotonic() + seconds
    data = b""
    for number, data in enumerate(inputs(random.Random(seed), seeds)):
        if number >= count or time.monotonic() > deadline:
            return number, b"", None
        signal.setitimer(signal.ITIMER_REAL, HANG)
        try:
            read(data)
        except PvError:
            pass
        except (Exception, Hung) as error:
            return number, data, error
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    raise AssertionError("the inputs do not end")


@pytest.fixture
def alarm() -> Iterator[None]:
    """SIGALRM says that an input hangs."""
    before = signal.signal(signal.SIGALRM, hang)
    yield
    signal.signal(signal.SIGALRM, before)


@pytest.mark.fuzz
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_the_loader_answers_whatever_it_is_given(alarm: None, capsys: pytest.CaptureFixture[str]) -> None:
    seed = int(os.environ.get("PV_FUZZ_SEED") or random.SystemRandom().randrange(2**32))
    seconds = float(os.environ.get("PV_FUZZ_SECONDS") or 30 * 60)
    with capsys.disabled():
        print(f"\nPV_FUZZ_SEED={seed}")
    run(seed + 1, min(seconds, 10), 3_000)  # what is allocated once
    gc.collect()
    before = resident()
    count, data, error = run(seed, seconds, INPUTS)
    gc.collect()
    grown = resident() - before
    with capsys.disabled():
        print(f"{count:,} inputs, {grown / 2**20:+.1f} MiB")
    assert error is None, f"{type(error).__name__}: {error} on input {count} of seed {seed}: {data!r}"
    assert count > 0
    assert grown < GROWTH


def test_an_input_that_fails_or_hangs_is_told(alarm: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: the harness sees a crash and a hang, and says on which bytes."""

    def crash(data: bytes) -> Document:
        raise RecursionError("deep")

    def loop(data: bytes) -> Document:
        while True:
            time.sleep(0.01)

    monkeypatch.setitem(globals(), "read", crash)
    number, data, error = run(1, 5, 10)
    assert (number, isinstance(error, RecursionError), data) == (0, True, next(inputs(random.Random(1), corpus())))
    monkeypatch.setitem(globals(), "read", loop)
    monkeypatch.setitem(globals(), "HANG", 0.05)
    assert isinstance(run(1, 5, 10)[2], Hung)
