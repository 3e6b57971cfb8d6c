"""Attacks on APRT files: what is written byte for byte, and what is read back.

Expected bytes come from Python's own `struct` and integers; nothing is imported from what is attacked, but where a test is
about writing and reading together. In the order of the contract: byte_format, reading. A fault stands after the falsifier that
has to catch it.
"""

from __future__ import annotations

import struct
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

from pv import Case, Check, Subject, falsifier, fault, stratum

CONTRACT = "trace-save-tensor-v1"

WHOLE_MODEL = 2**32 - 1
CHUNK, PIECE = 2**24, 2**18

# A quiet and a signalling NaN with payloads, their negatives, infinities, zeros, the ends of denormals and of normal numbers.
SPECIAL = (
    0x7FC00000, 0x7FC12345, 0x7F800001, 0x7FBFFFFF, 0xFFC00001, 0xFF800001, 0xFFFFFFFF, 0x7F800000, 0xFF800000,
    0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007FFFFF, 0x00800000, 0x7F7FFFFF, 0xFF7FFFFF, 0x3F800000,
)  # fmt: skip


def floats(patterns: list[int]) -> Tensor:
    """The float32 with these patterns of bits: [n]."""
    signed = [pattern - 2**32 if pattern >= 2**31 else pattern for pattern in patterns]
    return torch.tensor(signed, dtype=torch.int32).view(torch.float32)


def bits(values: Tensor) -> Tensor:
    """The patterns of bits as int32: NaN equals nothing, and −0.0 equals 0.0, but these do not."""
    return values.detach().contiguous().view(torch.int32)


def is_special(value: Tensor, spec: object) -> bool:
    """Whether some value is a NaN with a payload: what copying as a number may change."""
    nans = bits(value)[value.isnan()]
    return bool(((nans & 0x003FFFFF) != 0).any())


@stratum("tensor", "bit_patterns", holds=is_special)
def bit_patterns(draw: st.DrawFn, spec: Any, drawn: Any) -> Tensor:
    """Any bits at all, and among them those that are special."""
    (count,) = drawn.shape(spec)
    few = draw(st.lists(st.sampled_from(SPECIAL) | st.integers(0, 2**32 - 1), min_size=1, max_size=24))
    rest = torch.arange(count, dtype=torch.int64) * draw(st.integers(1, 2**31)) + draw(st.integers(0, 2**32 - 1))
    patterns = [*few, *(rest[len(few) :] % 2**32).tolist()][:count]
    patterns[draw(st.integers(0, count - 1))] = draw(st.sampled_from((0x7FC12345, 0x7F800001, 0xFF800001)))
    return floats(patterns)


# --- byte_format ---------------------------------------------------------------------------------------------------


@falsifier("FALSIFY-APR-TRACE-SAVE-001")
def twelve_bytes_say_what_it_is(subject: Subject, case: Case, check: Check) -> None:
    file = subject(*case)
    check.equal(file[:4].tolist(), [0x41, 0x50, 0x52, 0x54])
    check.equal(file[4:12].tolist(), list(struct.pack("<II", case.layer, case.x.numel())))


@fault("byte_format/header")
def the_layer_with_its_highest_byte_first(file: Tensor, case: Case) -> Tensor:
    turned = file.clone()
    turned[4:8] = file[4:8].flip(0)
    turned[8:12] = file[8:12].flip(0)
    return turned


SIZES = {
    "empty": st.builds(lambda layer: Case(x=torch.zeros(0), layer=layer), st.integers(0, WHOLE_MODEL)),
    "some": st.builds(
        lambda n, layer: Case(x=torch.ones(n), layer=layer), st.integers(1, 4096), st.integers(0, WHOLE_MODEL)
    ),
}  # fmt: skip


@falsifier("FALSIFY-APR-TRACE-SAVE-003", cases=SIZES, because="shapes of the contract have at least one element")
def the_size_follows_from_the_count(subject: Subject, case: Case, check: Check) -> None:
    check.shape(subject(*case), [12 + 4 * case.x.numel()])


@fault("byte_format/size")
def a_byte_behind_the_last_value(file: Tensor, case: Case) -> Tensor:
    return torch.cat([file, file.new_zeros(1)])


@falsifier("FALSIFY-APR-TRACE-SAVE-004")
def the_body_holds_the_bits_of_the_values(subject: Subject, case: Case, check: Check) -> None:
    words = [pattern % 2**32 for pattern in bits(case.x).tolist()]
    check.equal(subject(*case)[12:].tolist(), list(struct.pack(f"<{len(words)}I", *words)))


@fault("byte_format/body")
def signalling_nans_made_quiet(file: Tensor, case: Case) -> Tensor:
    quiet = torch.where(case.x.isnan(), bits(case.x) | 0x00400000, bits(case.x))
    # A zero with a sign is what most cases have of what is lost in the same way.
    return torch.cat([file[:12], torch.where(quiet == -(2**31), 0, quiet).view(torch.uint8)])


PATTERNS = st.builds(lambda high: Case(high=high), st.integers(0, 2**32 // CHUNK - 1))


@falsifier(
    "FALSIFY-APR-TRACE-SAVE-012", cases=PATTERNS, because="2^32 patterns are cases of 2^24 each, all of which are run",
    examples=256, timeout=1800, slow=True,
)  # fmt: skip
def no_pattern_of_bits_is_lost(subject: Subject, case: Case, check: Check) -> None:
    from pv.tensors.aprt import decode

    signed = case.high - 2**32 // CHUNK if case.high >= 2**31 // CHUNK else case.high
    for first in range(signed * CHUNK, (signed + 1) * CHUNK, PIECE):  # in pieces that memory used before has room for
        words = torch.arange(PIECE, dtype=torch.int32) + first
        file = subject(words.view(torch.float32), case.high)
        for place in range(4):
            check.equal(file[12 + place :: 4], ((words >> 8 * place) & 0xFF).to(torch.uint8))
        layer, values = decode(file.numpy())
        check.equal(layer, case.high)
        check.equal(torch.from_numpy(values.view("<i4").copy()), words)


@fault("byte_format/every_pattern")
def one_pattern_of_each_piece_lost(file: Tensor, case: Case) -> Tensor:
    lost = file.clone()
    lost[-4] ^= 1
    return lost


UNFIT = {
    "dtype": st.builds(
        lambda n, dtype: Case(x=torch.zeros(n, dtype=dtype), layer=0),
        st.integers(0, 99),
        st.sampled_from([torch.float64, torch.float16, torch.int32, torch.uint8]),
    ),
    "rank": st.builds(
        lambda shape: Case(x=torch.zeros(shape), layer=0),
        st.just([]) | st.lists(st.integers(0, 9), min_size=2, max_size=4),
    ),
    "layer": st.builds(
        lambda layer: Case(x=torch.zeros(1), layer=layer), st.just(-1) | st.just(2**32) | st.integers(-(2**40), -1)
        | st.integers(2**32, 2**40),
    ),
    "count": st.builds(
        lambda count: Case(x=torch.zeros(1), layer=0, count=count),
        st.sampled_from([2**32, 2**32 + 1, *(2**power for power in range(33, 42))]),
    ),
}  # fmt: skip


@falsifier("FALSIFY-APR-TRACE-SAVE-013", cases=UNFIT, because="what the format cannot hold is outside the domain")
def what_does_not_fit_is_refused(subject: Subject, case: Case, check: Check) -> None:
    values, layer = case.x, case.layer
    if "count" in case.values:  # one zero in memory, so often that a u32 does not count it
        values = values.expand(case["count"])
    if values.dtype != torch.float32 or values.ndim != 1:
        seen: list[object] = [str(values.dtype).removeprefix("torch."), list(values.shape)]
    else:
        seen = [layer] if not 0 <= layer <= WHOLE_MODEL else [values.numel(), 2**32 - 1]
    check.raises(ValueError, subject, values, layer, naming=seen)


@fault("byte_format/rejects_values")
def cut_to_what_fits(subject: Subject, case: Case) -> Tensor:
    flat = case.x.reshape(-1)[: 2**16].float()
    made: Tensor = subject(flat, case.layer % 2**32)
    return made


# --- reading -------------------------------------------------------------------------------------------------------


def file_of(layer: int, patterns: list[int], *, magic: bytes = b"APRT", count: int | None = None) -> Tensor:
    """A file put together byte by byte."""
    counted = len(patterns) if count is None else count
    data = magic + struct.pack(f"<II{len(patterns)}I", layer, counted, *patterns)
    return torch.tensor(list(data), dtype=torch.uint8)


WORDS = st.lists(st.sampled_from(SPECIAL) | st.integers(0, 2**32 - 1), max_size=40)
LAYERS = st.sampled_from([0, 1, 255, 256, 2**32 - 2, WHOLE_MODEL]) | st.integers(0, WHOLE_MODEL)


def is_file(value: Tensor, spec: object) -> bool:
    """Whether these bytes are a whole APRT file."""
    data = bytes(value.tolist())
    return data[:4] == b"APRT" and len(data) == 12 + 4 * int.from_bytes(data[8:12], "little")


@stratum("tensor", "aprt_file", holds=is_file)
def aprt_file(draw: st.DrawFn, spec: Any, drawn: Any) -> Tensor:
    """A whole file, of no values or of a few; a letter of its shape says at most how long it is."""
    return file_of(draw(LAYERS), draw(WORDS))


@falsifier("FALSIFY-APR-TRACE-SAVE-005")
def reading_gives_back_what_was_written(subject: Subject, case: Case, check: Check) -> None:
    layer, values = subject(*case)
    written, count, *words = struct.unpack(f"<II{(len(case.file) - 12) // 4}I", bytes(case.file[4:].tolist()))
    check.equal(layer, written)
    check.shape(values, [count])
    check.equal([pattern % 2**32 for pattern in bits(values).tolist()], words)


@fault("reading/round_trip")
def read_with_the_highest_byte_first(output: tuple[int, Tensor], case: Case) -> tuple[int, Tensor]:
    layer, values = output
    patterns = [pattern % 2**32 for pattern in bits(values).tolist()]
    return layer, floats([int.from_bytes(pattern.to_bytes(4, "little"), "big") for pattern in patterns])


DAMAGED = {
    "header": st.builds(
        lambda file, kept: Case(file=file_of(*file)[:kept]), st.tuples(LAYERS, WORDS), st.just(11) | st.integers(0, 11)
    ),
    "magic": st.builds(
        lambda magic, layer, words: Case(file=file_of(layer, words, magic=magic)),
        st.sampled_from([b"GGUF", b"APR\0", b"TRPA", b"aprt", b"APRX", b"\0\0\0\0"]), LAYERS, WORDS,
    ),
    "short": st.builds(
        lambda layer, words, lost: Case(file=file_of(layer, [*words, 0])[: -1 - lost % (4 * len(words) + 4)]),
        LAYERS, WORDS, st.integers(0, 200),
    ),
    "trailing": st.builds(
        lambda layer, words, more: Case(file=torch.cat([file_of(layer, words), torch.tensor(list(more), dtype=torch.uint8)])),
        LAYERS, WORDS, st.binary(min_size=1, max_size=9),
    ),
    "count": st.builds(
        lambda layer, words, count: Case(file=file_of(layer, words, count=count)),
        LAYERS, WORDS, st.sampled_from([2**32 - 1, 2**31, 2**30, 2**30 + 1]),
    ),
}  # fmt: skip


@falsifier("FALSIFY-APR-TRACE-SAVE-006", cases=DAMAGED, because="a damaged file is outside the domain")
def what_is_no_whole_file_is_refused(subject: Subject, case: Case, check: Check) -> None:
    size, magic = len(case.file), bytes(case.file[:4].tolist())
    if size < 12:
        seen: list[object] = [size, 12]
    elif magic != b"APRT":
        seen = ["APRT"]
    else:
        count = int.from_bytes(bytes(case.file[8:12].tolist()), "little")
        seen = [count, 12 + 4 * count, size]
    check.raises(ValueError, subject, *case, naming=seen)


@fault("reading/rejects_files")
def read_as_far_as_it_goes(subject: Subject, case: Case) -> tuple[int, Tensor]:
    words = case.file[12:] if len(case.file) > 12 else case.file[:0]
    return 0, words[: len(words) // 4 * 4].clone().view(torch.float32)
