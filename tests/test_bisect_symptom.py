"""What is asked before any stage: agreement of logits, generation, paths, and how weights relate."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import pv
from pv.bisect.end_to_end import generated_by, logits_of, room_of
from pv.bisect.paths import Ran, Route, differences, on_route, ran_of, read_route
from pv.bisect.record import call_of, record_model
from pv.bisect.relation import Relation, relation_of
from pv.bisect.result import Verdict
from pv.bisect.symptom import Behaviour, Generated, agreement, symptom_of
from pv.finding import Exit, PvError


class Table(nn.Module):
    """Logits are the row of the last token, as they stand in a table."""

    def __init__(self, seed: int = 0, size: int = 12) -> None:
        super().__init__()
        self.rows = nn.Parameter(torch.randn(size, size, generator=torch.Generator().manual_seed(seed)))

    def forward(self, tokens: Tensor) -> Tensor:
        return self.rows[tokens]


class Greedy(Table):
    """One that generates; `off` is what it adds to each token that it should have chosen."""

    off = 0

    def generate(self, tokens: Tensor, max_new_tokens: int) -> Tensor:
        for _ in range(max_new_tokens):
            new = (self(tokens)[-1].argmax() + self.off) % len(self.rows)
            tokens = torch.cat([tokens, new[None]])
        return tokens


TOKENS = torch.tensor([1, 4, 7])


def test_equal_logits_agree_bit_for_bit() -> None:
    found = agreement(Table()(TOKENS), Table()(TOKENS))
    assert (found.identical, found.relative_l2, found.mean_kl, found.flips, found.same_top) == (True, 0.0, 0.0, (), 3)


def test_one_bit_is_seen() -> None:
    logits = Table()(TOKENS).detach()
    other = logits.clone()
    other.view(torch.int32)[1, 2] ^= 1
    assert not agreement(logits, other).identical


def test_kl_and_flips_are_those_of_their_definition() -> None:
    one, other = torch.tensor([[2.0, 1.0, 0.0]]), torch.tensor([[1.0, 2.0, 0.0]])
    found = agreement(one, other, room=0.01)
    p, q = one.double().softmax(-1), other.double().softmax(-1)
    assert found.max_kl == pytest.approx((p * (p / q).log()).sum().item(), rel=1e-12)
    [flip] = found.flips
    assert (flip.position, flip.reference, flip.candidate, flip.margin, flip.is_near_tie) == (0, 0, 1, 1.0, False)


def test_a_flip_between_near_ties_is_told_apart() -> None:
    one, other = torch.tensor([[1.0, 1.0 - 1e-6, 0.0]]), torch.tensor([[1.0 - 1e-6, 1.0, 0.0]])
    [flip] = agreement(one, other, room=1e-4).flips
    assert flip.is_near_tie
    [flip] = agreement(one, other, room=1e-8).flips
    assert not flip.is_near_tie


def test_nan_on_one_side_is_infinitely_far_and_on_both_the_same() -> None:
    logits = torch.ones(2, 3)
    bad = logits.clone()
    bad[1, 1] = math.nan
    assert agreement(logits, bad).relative_l2 == math.inf
    assert agreement(bad, bad.clone()).identical
    assert math.isnan(agreement(bad, bad.clone()).mean_kl)


def test_a_padded_vocabulary_is_compared_as_far_as_both_have_it() -> None:
    logits = torch.randn(3, 8)
    padded = torch.cat([logits, torch.full((3, 4), -1e4)], dim=-1)
    found = agreement(logits, padded)
    assert (found.identical, found.relative_l2) == (False, 0.0)


def test_what_are_no_logits_of_the_same_tokens_is_refused() -> None:
    with pytest.raises(PvError, match="logits"):
        agreement(torch.ones(2, 3), torch.ones(3, 3))


def test_generation_that_follows_the_forward_pass_is_near_it() -> None:
    found = generated_by(Greedy(), TOKENS)
    assert found is not None
    assert (len(found.tokens), found.distance) == (16, 0.0)


def test_generation_that_goes_another_way_is_far_from_it() -> None:
    model = Greedy()
    model.off = 1
    found = generated_by(model, TOKENS)
    assert found is not None
    assert found.distance > room_of(model)


@pytest.mark.parametrize(
    ("decoded", "forward", "refused"),
    [(5e-3, 0.0, True), (5e-3, 0.02, True), (5e-3, 0.2, False), (5e-4, 0.0, False), (math.nan, 0.2, True)],
)
def test_decoding_off_its_forward_pass_is_refused_unless_the_forward_passes_show_far_more(
    decoded: float, forward: float, refused: bool
) -> None:
    logits = Table()(TOKENS).detach()
    same = agreement(logits, logits)
    reference = Behaviour(same, None, Generated((1, 2), decoded, 1), room_of(Table()))
    found = symptom_of((logits, logits * (1 + forward)), (reference, None))
    assert any("generate does not compute" in said for said in found.problems) == refused
    assert bool(found.doubts) == (not refused and decoded > 1e-3)


def test_a_model_without_generation_has_none() -> None:
    assert generated_by(Table(), TOKENS) is None


def test_generation_that_forgets_its_prompt_is_said() -> None:
    model = Greedy()
    model.generate = lambda tokens, max_new_tokens: torch.zeros(9, dtype=torch.int64)  # type: ignore[method-assign]  # the fault
    with pytest.raises(PvError, match="something else than the tokens it was given"):
        generated_by(model, TOKENS)


def test_a_model_that_returns_no_logits_is_said() -> None:
    with pytest.raises(PvError, match="are needed") as caught:
        logits_of(nn.Identity(), TOKENS)
    assert caught.value.exit is Exit.MEND


def test_routes_are_read_as_they_are_written() -> None:
    assert read_route("device=cpu, attn=eager,cache=off,threads=2") == Route("cpu", None, "eager", None, 2, False)
    assert str(read_route("attn=sdpa,compile=on")) == "attn=sdpa,compile=on"


@pytest.mark.parametrize(
    "text", ["", "attn", "attn=", "=eager", "atn=eager", "attn=a,attn=b", "threads=0", "cache=yes"]
)
def test_what_is_no_route_is_refused(text: str) -> None:
    with pytest.raises(PvError) as caught:
        read_route(text)
    assert caught.value.exit is Exit.ASK


def test_threads_are_put_back() -> None:
    before = torch.get_num_threads()
    with on_route(Route(threads=before + 1), Table()):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def test_a_path_is_what_was_found_there() -> None:
    ran = ran_of(Table().bfloat16().eval())
    assert (ran.what, ran.device, ran.dtype, ran.mode) == ("Table", "cpu", "bfloat16", "")
    assert "dtype: float32 against bfloat16" in differences(ran_of(Table().eval()), ran)
    assert differences(ran, ran) == ()
    assert str(Ran("it")) == "it: nothing is known"


def _changed(how: Any) -> Table:
    model = Table(size=64)
    with torch.no_grad():
        model.rows.copy_(how(model.rows))
    return model


@pytest.mark.parametrize(
    ("how", "relation", "rounded"),
    [
        (lambda w: w, Relation.SAME, ""),
        (lambda w: w.bfloat16(), Relation.ROUNDED, "the candidate's to bfloat16"),
        (lambda w: w.half(), Relation.ROUNDED, "the candidate's to float16"),
        (lambda w: (w / (s := w.abs().amax(-1, keepdim=True) / 127)).round() * s, Relation.QUANTISED, ""),
        (lambda w: ((w / (s := w.abs().amax(-1, keepdim=True) / 7)).round() * s).bfloat16(), Relation.QUANTISED, ""),
        (lambda w: w + 1e-6, Relation.DIFFERENT, ""),
        (lambda w: w * 0, Relation.DIFFERENT, ""),
        (lambda w: w.T.clone(), Relation.DIFFERENT, ""),
    ],
)
def test_how_weights_relate(how: Any, relation: Relation, rounded: str) -> None:
    found = relation_of(Table(size=64), _changed(how))
    assert (found.relation, found.rounded) == (relation, rounded)


def test_a_reference_that_is_the_rounded_one_is_named_so() -> None:
    found = relation_of(_changed(lambda w: w.bfloat16()), Table(size=64))
    assert (found.relation, found.rounded) == (Relation.ROUNDED, "the reference's to bfloat16")


def test_weights_without_a_common_name_are_not_known() -> None:
    found = relation_of(Table(), nn.Linear(2, 2))
    assert (found.relation, found.only) == (Relation.UNKNOWN, (("rows",), ("weight", "bias")))
    assert "1 only the reference has: rows" in str(found)


def test_the_function_is_there_before_and_after_the_package_of_its_name_is_imported() -> None:
    """Nothing of a table can be computed again; that both calls come to an answer is what is asked here."""
    for _ in range(2):
        found = pv.bisect(Table(), Table(), TOKENS)
        assert (found.verdict, found.weights) == (Verdict.INCONCLUSIVE, "weights: the same (1 compared by name)")


def test_a_compiled_model_shows_its_logits_alone() -> None:
    from implementations.microgpt.model import MicroGPT
    from pv.stages.read import read_stage_map

    stage_map, model = read_stage_map(None, "microgpt"), MicroGPT(seed=1)
    assert stage_map is not None
    compiled = torch.compile(model, backend="eager")
    found = record_model("it", compiled, call_of(model, [0, 13, 1]), stage_map, stage_map)
    assert [str(place) for place in found.side.places] == ["lm_head"]
    assert found.ran.compiled
    torch.testing.assert_close(found.side[found.side.places[0]], model(torch.tensor([0, 13, 1])).detach())
