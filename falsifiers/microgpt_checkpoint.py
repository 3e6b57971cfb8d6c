"""Attacks on microGPT's checkpoints: there and back, and each way by itself.

The files are taken apart and put together here by the letter of their formats, with no library of either: safetensors is
eight bytes of length, a JSON header of that length, and the tensors' bytes (huggingface/safetensors, "Format").
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from hypothesis import strategies as st
from torch import Tensor

from pv import Case, Check, Subject, falsifier, fault

CONTRACT = "microgpt-v1"

SHAPES = {
    "wte": [27, 16],
    "wpe": [16, 16],
    "wq": [4, 16, 4],
    "wk": [4, 16, 4],
    "wv": [4, 16, 4],
    "wo": [4, 4, 16],
    "w_fc1": [16, 64],
    "w_fc2": [64, 16],
    "w_lm": [16, 27],
}
SAID = {
    "model_type": "microgpt",
    "vocab_size": 27,
    "block_size": 16,
    "n_embd": 16,
    "n_head": 4,
    "n_layer": 1,
    "ff_dim": 64,
    "rms_norm_eps": 1e-5,
    "bos": 0,
}
WEIGHTS, DESCRIBED = "model.safetensors", "config.json"

Parts = list[tuple[str, list[int], list[float]]]
Files = tuple[Tensor, str]
T = TypeVar("T")


# --- checkpoint ----------------------------------------------------------------------------------------------------


def weights_of(seed: int) -> Tensor:
    """Initial weights, in which no two entries are equal for long, and both zeros."""
    parameters = 0.08 * torch.randn(4192, generator=torch.Generator().manual_seed(seed))
    parameters[seed], parameters[-1 - seed] = 0.0, -0.0
    return parameters


MODELS = {"models": st.integers(0, 9).map(lambda seed: Case(parameters=weights_of(seed)))}
FEW = "files are written for each case: ten models are enough to tell one weight's place from another's"


@falsifier("FALSIFY-MG-051", cases=MODELS, because=FEW)
def what_was_written_is_read(subject: Subject, case: Case, check: Check) -> None:
    same_bits(subject(*case), case.parameters, check)


@fault("checkpoint/round_trip")
def rounded_on_the_way(read: Tensor, case: Case) -> Tensor:
    return read.bfloat16().float()


def same_bits(seen: Tensor, wanted: Tensor, check: Check) -> None:
    """The sign of zero counts."""
    check.equal(seen, wanted)
    check.equal(seen.signbit(), wanted.signbit())


# --- checkpoint_files ----------------------------------------------------------------------------------------------


@falsifier("FALSIFY-MG-053", cases=MODELS, because=FEW)
def the_files_are_what_the_format_says(subject: Subject, case: Case, check: Check) -> None:
    weights, described = subject(*case)
    said = json.loads(described)
    check.equal(sorted(said), sorted([*SAID, "training"]))
    for name, value in SAID.items():
        check.that(said[name] == value and type(said[name]) is type(value), f"{name} is {said[name]!r}")
    tensors = taken_apart(bytes(weights.tolist()))
    check.equal({name: shape for name, (shape, _) in tensors.items()}, SHAPES)
    written = torch.tensor([entry for name in SHAPES for entry in tensors[name][1]])
    same_bits(written, case.parameters, check)


@fault("checkpoint_files/format")
def another_epsilon(files: Files, case: Case) -> Files:
    return files[0], files[1].replace("1e-05", "1e-06")


def taken_apart(data: bytes) -> dict[str, tuple[list[int], tuple[float, ...]]]:
    """Shape and entries of each tensor of a safetensors file of float32 that has no gap; {} for what is none."""
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    buffer, found, reached = data[8 + size :], {}, 0
    for name, row in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = row["data_offsets"]
        if row["dtype"] != "F32" or begin != reached or end - begin != 4 * math.prod(row["shape"]):
            return {}
        found[name] = row["shape"], struct.unpack(f"<{(end - begin) // 4}f", buffer[begin:end])
        reached = end
    return found if reached == len(buffer) else {}


# --- read_checkpoint -----------------------------------------------------------------------------------------------


@st.composite
def put_together(draw: st.DrawFn) -> Case:
    """The two files of ten models, their tensors in any order, and what is in them."""
    parts = draw(st.permutations(parts_of(weights_of(draw(st.integers(0, 9))))))
    return Case(weights=packed(parts), described=says({}))


@falsifier("FALSIFY-MG-054", cases={"any_order": put_together()}, because="random bytes are no checkpoint")
def files_of_others_are_read(subject: Subject, case: Case, check: Check) -> None:
    tensors = taken_apart(bytes(case.weights.tolist()))
    wanted = torch.tensor([entry for name in SHAPES for entry in tensors[name][1]])
    same_bits(subject(*case), wanted, check)


@fault("read_checkpoint/format")
def two_projections_change_places(read: Tensor, case: Case) -> Tensor:
    return torch.cat([read[:688], read[944:1200], read[688:944], read[1200:]])


def parts_of(parameters: Tensor) -> Parts:
    """Name, shape and entries of the nine weights in a flat vector."""
    pieces = torch.split(parameters, [math.prod(shape) for shape in SHAPES.values()])
    return [(name, shape, piece.tolist()) for (name, shape), piece in zip(SHAPES.items(), pieces, strict=True)]


def packed(parts: Parts, code: str = "F32") -> Tensor:
    """A safetensors file of these tensors, in this order, as bytes."""
    header, buffer = {}, b""
    for name, shape, entries in parts:
        data = struct.pack(f"<{len(entries)}{'f' if code == 'F32' else 'd'}", *entries)
        header[name] = {"dtype": code, "shape": shape, "data_offsets": [len(buffer), len(buffer) + len(data)]}
        buffer += data
    text = json.dumps(header).encode()
    return torch.tensor(list(struct.pack("<Q", len(text)) + text + buffer), dtype=torch.uint8)


def without(parts: Parts, which: int) -> Parts:
    """One tensor left out."""
    return parts[:which] + parts[which + 1 :]


def with_entry(parts: Parts, which: int, value: float) -> Parts:
    """One entry of one tensor replaced."""
    name, shape, entries = parts[which]
    return [*without(parts, which), (name, shape, [value, *entries[1:]])]


def with_shape(parts: Parts, which: int, shape: Callable[[list[int]], list[int]]) -> Parts:
    """One tensor with as many entries in another shape."""
    name, own, entries = parts[which]
    return [*without(parts, which), (name, shape(own), entries)]


def says(changes: Mapping[str, Any]) -> str:
    """The text beside the weights with these changes; None leaves a name out."""
    return json.dumps({name: value for name, value in {**SAID, "training": {}, **changes}.items() if value is not None})


def of_a_model(more: st.SearchStrategy[T], damage: Callable[[Parts, T], Files]) -> st.SearchStrategy[Case]:
    """What `damage` makes of the parts of one of ten models and of something drawn from `more`."""
    models = st.integers(0, 9).map(lambda seed: parts_of(weights_of(seed)))
    pairs = st.tuples(models, more).map(lambda row: damage(*row))
    return pairs.map(lambda pair: Case(weights=pair[0], described=pair[1]))


GOOD = says({})
SIZE = len(packed(parts_of(weights_of(0))))
NOTHING, PLACE = st.just(None), st.integers(0, len(SHAPES) - 1)
NO_OBJECT = ["", "{", "[]", "1", "null", '"microgpt"', "NaN", "[" * 9999]
REFUSED = {
    "cut": of_a_model(st.integers(0, SIZE - 1), lambda parts, size: (packed(parts)[:size], GOOD)),
    "longer": of_a_model(
        st.integers(1, 999), lambda parts, size: (torch.cat([packed(parts), packed(parts)[:size]]), GOOD)
    ),
    "missing": of_a_model(PLACE, lambda parts, which: (packed(without(parts, which)), GOOD)),
    "unknown": of_a_model(
        st.text("abc", min_size=1, max_size=4), lambda parts, name: (packed([*parts, (name, [1], [0.0])]), GOOD)
    ),
    "flat": of_a_model(
        PLACE, lambda parts, which: (packed(with_shape(parts, which, lambda own: [math.prod(own)])), GOOD)
    ),
    "turned": of_a_model(
        st.sampled_from([0, 5, 6, 7, 8]),  # the others are as wide as they are high
        lambda parts, which: (packed(with_shape(parts, which, lambda own: own[::-1])), GOOD),
    ),
    "float64": of_a_model(NOTHING, lambda parts, _: (packed(parts, "F64"), GOOD)),
    "not_finite": of_a_model(
        st.tuples(PLACE, st.sampled_from([math.nan, math.inf, -math.inf])),
        lambda parts, row: (packed(with_entry(parts, *row)), GOOD),
    ),
    "other_sizes": of_a_model(
        st.tuples(st.sampled_from(list(SAID)), st.sampled_from([2, 17, "x", 0.5, [1]])),
        lambda parts, row: (packed(parts), says({row[0]: row[1]})),
    ),
    "left_out": of_a_model(st.sampled_from(list(SAID)), lambda parts, name: (packed(parts), says({name: None}))),
    "boolean": of_a_model(
        st.sampled_from([{"bos": False}, {"n_layer": True}]), lambda parts, changes: (packed(parts), says(changes))
    ),
    "no_object": of_a_model(st.sampled_from(NO_OBJECT), lambda parts, text: (packed(parts), text)),
    "too_long": of_a_model(st.integers(2**20, 2**20 + 9), lambda parts, spaces: (packed(parts), " " * spaces + GOOD)),
}


@falsifier(
    "FALSIFY-MG-055",
    cases=REFUSED,
    because="what is refused is outside the domain",
)
def damage_is_refused(subject: Subject, case: Case, check: Check) -> None:
    broken = WEIGHTS if case.described == GOOD else DESCRIBED
    check.raises(ValueError, subject, *case, naming=[broken])


@fault("read_checkpoint/rejects_damage")
def whatever_can_be_read(subject: Subject, case: Case) -> Tensor:
    return torch.zeros(4192)
