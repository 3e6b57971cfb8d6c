"""What would make the two equal: the mistake that was planted, and nothing where none of the family was."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from opaque_pair import Fault, Pair

from pv.bisect.result import Verdict
from pv.tensors.place import Place

PLANTED = {
    "rope off by one": "positions counted from 1",
    "rope interleaved": "pairs interleaved (2i, 2i + 1) instead of half-split (i, i + D/2)",
    "rope theta": "θ = 500000",
    "head map": "the heads of keys and values rotated by 1",
    "mask off by one": "the mask off by one: a query sees one token too many",
    "q bias": "no bias 1 of those side by side",
    "gelu tanh": "gelu_tanh for gelu",
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_mistake_is_named(name: str) -> None:
    found = Pair.of(Fault(name, 1, 0.5)).bisected()
    assert found.verdict is Verdict.DIVERGED
    assert {cause.said for cause in found.causes} == {f"with {PLANTED[name]}"}
    assert not any(cause.narrow for cause in found.causes)


def test_a_channel_of_zeros_is_none_of_the_family() -> None:
    found = Pair.of(Fault("channel", 1, 0.5)).bisected()
    assert found.verdict is Verdict.DIVERGED
    assert found.causes == ()


EDITS: dict[str, tuple[Place, Callable[[torch.Tensor], torch.Tensor]]] = {
    "with the sign turned": (Place("lm_head", None), torch.neg),
    "after a scale of √256": (Place("lm_head", None), lambda x: x * 16),
    "but for a constant in each token's logits, which no softmax sees": (Place("lm_head", None), lambda x: x + 3),
    "one token later": (Place("lm_head", None), lambda x: x.roll(1, 0)),
    "read as its own transpose": (Place("lm_head", None), lambda x: x.T.reshape(x.shape)),
    "after rounding to bfloat16": (Place("lm_head", None), lambda x: x.bfloat16().float()),
    "with heads in the order [2, 0, 1, 3]": (Place("q_post_rope", 2), lambda x: x[:, [2, 0, 1, 3]]),
    "with halves read as pairs (half to interleaved)": (
        Place("q_post_rope", 2),
        lambda x: x.unflatten(-1, (2, -1)).transpose(-1, -2).flatten(-2),
    ),
}


@pytest.mark.parametrize("said", EDITS)
def test_a_tensor_told_otherwise_is_recognised(said: str) -> None:
    place, edit = EDITS[said]
    pair = Pair.of()
    pair.other[place] = edit(pair.other[place]).contiguous()
    for after in (Place("attention", 2), Place("attn_out", 2)):
        if place.layer is not None:
            pair.other.pop(after, None)
    found = pair.bisected()
    assert place in found.at
    assert said in {cause.said for cause in found.causes}
