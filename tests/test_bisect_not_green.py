"""What must not pass for a green, and what must not keep a correct port from one: small models of transformers."""

from __future__ import annotations

import copy
import functools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy
import pytest
import torch
from conftest import ROOT, Ran
from test_bisect_captures import captured
from torch import Tensor
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

import pv
from pv.bisect.relation import Relation, relation_of
from pv.bisect.result import Bisection, Meaning, Verdict
from pv.finding import PvError
from pv.tensors import CaptureWriter, open_capture
from pv.tensors.place import Place

Pv = Callable[..., Ran]
SIZES = {
    "vocab_size": 96, "hidden_size": 64, "intermediate_size": 160, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 128, "initializer_range": 0.12, "tie_word_embeddings": False,
    "pad_token_id": None, "bos_token_id": None, "eos_token_id": None,
}  # fmt: skip


def llama(
    dtype: torch.dtype, attention: str = "eager", kind: type[LlamaForCausalLM] = LlamaForCausalLM, **sizes: int
) -> Any:
    """The same weights each time, rounded to `dtype`."""
    torch.manual_seed(0)
    model: Any = kind(LlamaConfig(**{**SIZES, **sizes}, attn_implementation=attention)).eval()
    frequencies = model.model.rotary_emb.inv_freq.clone()
    model.to(dtype).model.rotary_emb.inv_freq = frequencies  # as from_pretrained leaves it
    return model


def tokens_of(count: int) -> Tensor:
    return torch.randint(96, (1, count), generator=torch.Generator().manual_seed(1))


def compared(reference: Any, candidate: Any, count: int = 40, **options: Any) -> Bisection:
    return pv.bisect(reference, candidate, tokens_of(count), **options)


def roll_the_last(out: Any) -> Any:
    logits = out.logits.clone()
    logits[0, -1] = logits[0, -1].roll(1)
    out.logits = logits
    return out


def test_one_wrong_position_of_many_after_the_last_stage_is_no_rounding() -> None:
    candidate = llama(torch.bfloat16)
    right = candidate.forward
    candidate.forward = lambda *arguments, **others: roll_the_last(right(*arguments, **others))
    found = compared(llama(torch.bfloat16), candidate, 128)  # no room for a token: `generate` is not asked
    assert found.verdict is Verdict.INCONCLUSIVE
    assert any("the logits at position 127" in note for note in found.notes)


def test_a_fault_that_is_not_there_while_captured_is_no_rounding() -> None:
    candidate = llama(torch.bfloat16)
    right, calls = candidate.forward, SimpleNamespace(count=0)

    def forward(*arguments: Any, **others: Any) -> Any:
        out = right(*arguments, **others)
        calls.count += 1
        return out if calls.count == 2 else roll_the_last(out)

    candidate.forward = forward
    found = compared(llama(torch.bfloat16), candidate, 128)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert any("gives other logits while it is captured" in note for note in found.notes)


class Forgetting(LlamaForCausalLM):
    """Loses the values of the first token in every step of decoding."""

    def forward(self, input_ids: Any = None, past_key_values: Any = None, **others: Any) -> Any:
        if past_key_values is not None and past_key_values.get_seq_length() > 0:
            for layer in past_key_values.layers:
                layer.values = layer.values.clone()
                layer.values[:, :, 0] = 0
        return super().forward(input_ids=input_ids, past_key_values=past_key_values, **others)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_a_fault_of_decoding_is_no_rounding(dtype: torch.dtype) -> None:
    assert compared(llama(dtype), llama(dtype, "sdpa")).verdict is Verdict.WITHIN_FLOOR
    found = compared(llama(dtype), llama(dtype, "sdpa", Forgetting))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert any("generate does not compute what its forward pass does" in note for note in found.notes)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_candidate_in_a_narrower_dtype_is_held_against_the_noise_of_that(dtype: torch.dtype) -> None:
    found = compared(llama(torch.float32), llama(dtype, "sdpa"), ladder=True)
    assert found.verdict is Verdict.WITHIN_FLOOR
    assert found.ladder
    assert found.ladder.meaning is Meaning.ROUNDING
    wrong = llama(dtype, "sdpa")
    up = wrong.model.layers[1].mlp.up_proj
    right = up.forward
    up.forward = lambda x: right(x) * 1.1
    found = compared(llama(torch.float32), wrong)
    assert (found.verdict, found.at) == (Verdict.DIVERGED, (Place("ffn_up", 1),))


@pytest.mark.parametrize("count", [40, 128])
def test_the_first_stage_that_is_not_finite_is_named(count: int) -> None:
    candidate = llama(torch.float32)
    with torch.no_grad():
        candidate.model.layers[1].mlp.down_proj.weight[3, 5] = torch.nan
    found = compared(llama(torch.float32), candidate, count)
    assert (found.verdict, found.at) == (Verdict.DIVERGED, (Place("ffn_out", 1),))


@pytest.mark.parametrize(
    ("part", "stage"), [("mlp", "post_ffn_residual"), ("self_attn", "post_attn_residual"), ("", "post_ffn_residual")]
)
def test_a_part_that_adds_nothing_is_a_fault_and_no_buffer_seen_twice(part: str, stage: str) -> None:
    """The norms have weights of one, as in a model that was never trained: equal residuals have equal norms."""
    candidate = llama(torch.float32)
    layer = candidate.model.layers[1]
    module = getattr(layer, part) if part else layer
    right = module.forward

    def forward(*arguments: Any, **others: Any) -> Any:
        out = right(*arguments, **others)
        if not part:
            return arguments[0]
        return (out[0] * 0, *out[1:]) if isinstance(out, tuple) else out * 0

    module.forward = forward
    found = compared(llama(torch.float32), candidate)
    assert (found.verdict, found.at) == (Verdict.DIVERGED, (Place(stage, 1),)), found.notes


def test_a_text_of_one_token_can_be_judged() -> None:
    """A softmax over one key is 1 everywhere, and no empty buffer."""
    model = llama(torch.float32)
    assert compared(model, llama(torch.float32, "sdpa"), 1).verdict.label in ("identical", "within floor")


def gpt2(seed: int) -> Any:
    torch.manual_seed(seed)
    return GPT2LMHeadModel(GPT2Config(vocab_size=96, n_embd=32, n_layer=2, n_head=2, n_positions=64)).eval()


def test_other_matrices_are_most_weights_however_many_biases_are_the_same() -> None:
    related = relation_of(gpt2(0), gpt2(1))
    assert (related.relation, related.speaks_against_values) == (Relation.DIFFERENT, True)
    assert 2 * len(related.other) < related.compared
    one = gpt2(0)
    other = copy.deepcopy(one)
    with torch.no_grad():
        other.transformer.h[1].mlp.c_fc.weight[0] = 0.0
    assert not relation_of(one, other).speaks_against_values


def test_a_dtype_that_the_values_cannot_have_had_is_refused(pv: Pv, tmp_path: Path) -> None:
    right = captured(pv, ROOT, tmp_path / "right")
    lying = Path(shutil.copytree(right, tmp_path / "lying"))
    manifest = json.loads((lying / "capture.json").read_text(encoding="utf-8"))
    for row in manifest["stages"]:
        row["dtype"] = "bfloat16"
    (lying / "capture.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert pv("bisect", right, right, "--weights", "microgpt", "--no-pin", cwd=ROOT).exit == 0
    ran = pv("bisect", right, lying, "--weights", "microgpt", "--no-pin", cwd=ROOT)
    assert ran.exit == 3, ran.said
    assert "cannot have been bfloat16" in ran.said


def test_tokens_beside_a_capture_are_refused(pv: Pv, tmp_path: Path) -> None:
    right = captured(pv, ROOT, tmp_path / "right")
    ran = pv("bisect", "microgpt", right, "--tokens", "0,1,2", "--no-pin", cwd=ROOT)
    assert ran.exit == 2
    assert "says itself which tokens were read" in ran.said


def test_captures_in_another_dtype_than_the_files_have_can_be_judged(pv: Pv, tmp_path: Path) -> None:
    model, ids = tmp_path / "model", "5,9,3,44,17,8"
    llama(torch.float32).save_pretrained(model)
    for attention in ("eager", "sdpa"):
        ran = pv(
            "trace", model, "--tokens", ids, "--dtype", "bfloat16", "--attn", attention, "--save-tensor", "all", "--output",
            tmp_path / attention, cwd=tmp_path,
        )  # fmt: skip
        assert ran.exit == 0, ran.said
    ran = pv("bisect", tmp_path / "eager", tmp_path / "sdpa", "--weights", model, "--no-pin", cwd=tmp_path)
    assert ran.exit == 0, ran.said
    assert "within floor" in ran.said


def raised(model: Any, *, decoding: bool) -> Any:
    """One word of many made likelier, after the last stage: always, or where tokens are generated alone."""
    right = model.forward

    def forward(input_ids: Any = None, **others: Any) -> Any:
        out = right(input_ids=input_ids, **others)
        if not decoding or input_ids.shape[1] == 1:
            out.logits = out.logits.clone()
            out.logits[..., 333] += 4 * out.logits.float().std()
        return out

    model.forward = functools.update_wrapper(forward, right)
    return model


def test_one_word_of_many_that_is_wrong_after_the_last_stage_is_no_rounding() -> None:
    reference, right = llama(torch.float32, vocab_size=32000), llama(torch.bfloat16, vocab_size=32000)
    assert compared(reference, right, 26).verdict is Verdict.WITHIN_FLOOR
    found = compared(reference, raised(right, decoding=False), 26)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert any("another token comes first at position" in note for note in found.notes)


def test_one_word_of_many_that_is_wrong_in_decoding_is_no_rounding() -> None:
    models = [llama(torch.bfloat16, vocab_size=32000) for _ in range(2)]
    assert compared(*models, 26).verdict is Verdict.IDENTICAL
    found = compared(models[0], raised(models[1], decoding=True), 26)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert any("greedy decoding goes another way: the reference is ahead by" in note for note in found.notes)


def test_the_same_penalty_in_both_is_nothing_to_report_and_that_of_one_is() -> None:
    models = [llama(torch.float32, attention) for attention in ("eager", "sdpa")]
    for model in models:
        model.generation_config.repetition_penalty = 5.0
    assert compared(*models).verdict is Verdict.WITHIN_FLOOR
    found = compared(models[0], llama(torch.float32, "sdpa"))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert any("compare the generation_config of the two" in note for note in found.notes)


def test_a_candidate_that_stops_generating_earlier_is_told() -> None:
    models = [llama(torch.float32) for _ in range(2)]
    new = models[0].generate(tokens_of(40), max_new_tokens=3, do_sample=False)[0, 40:]
    models[1].generation_config.eos_token_id = int(new[-1])
    found = compared(*models)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert any("new tokens, and the other goes on" in note for note in found.notes)


def test_a_token_of_padding_in_the_text_is_read_as_any_other() -> None:
    models = [llama(torch.float32, attention) for attention in ("eager", "sdpa")]
    for model in models:
        model.generation_config.pad_token_id = int(tokens_of(40)[0, 7])
    assert compared(*models).verdict is Verdict.WITHIN_FLOOR


def test_a_capture_that_ends_early_is_no_green(pv: Pv, tmp_path: Path) -> None:
    whole = captured(pv, ROOT, tmp_path / "whole")
    for stages, exit in (("embedding,embed_norm", 3), ("embedding,embed_norm,lm_head", 0)):
        part = tmp_path / stages
        ran = pv("trace", "microgpt", "--text", "emma", "--save-tensor", stages, "--output", part, cwd=ROOT)
        assert ran.exit == 0, ran.said
        ran = pv("bisect", whole, part, "--weights", "microgpt", "--no-pin", cwd=ROOT)
        assert ran.exit == exit, ran.said
        assert ("nothing after embed_norm was seen of both" in ran.said.replace("layer 0 ", "")) == (exit == 3), (
            ran.said
        )


def test_rounded_weights_in_a_wider_dtype_blame_no_stage() -> None:
    rounded = llama(torch.bfloat16).float()
    rounded.model.rotary_emb.inv_freq = llama(torch.float32).model.rotary_emb.inv_freq
    found = compared(llama(torch.float32), rounded)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert any("most weights are rounded (the candidate's to bfloat16)" in note for note in found.notes)
    assert not relation_of(llama(torch.float32), llama(torch.bfloat16)).speaks_against_values


def test_a_stage_of_more_rows_than_there_are_tokens_is_refused(pv: Pv, tmp_path: Path) -> None:
    right = captured(pv, ROOT, tmp_path / "right")
    stored = open_capture(right)
    with CaptureWriter(tmp_path / "longer", numpy.copyto) as writer:
        for record in stored.records:
            array = stored.array(record.place)
            more = numpy.vstack([array, array[:1]]) if record.place.stage == "ffn_out" else array
            writer.add(record.place, more, record.axes, record.dtype)
        writer.finish(stored.manifest, stored.places)
    ran = pv("bisect", right, tmp_path / "longer", "--weights", "microgpt", "--no-pin", cwd=ROOT)
    assert ran.exit == 3, ran.said
    assert "nothing says which element belongs to which" in ran.said


def test_what_a_model_asserts_is_its_own_fault() -> None:
    """As models do that are given more tokens than they have positions for."""
    model = llama(torch.float32)

    def forward(*_: object, **others: object) -> None:
        raise AssertionError("cannot forward a text of length 40")

    model.forward = forward
    with pytest.raises(PvError, match="raised AssertionError: cannot forward a text of length 40"):
        compared(model, model)


def qwen(dtype: torch.dtype, attention: str, bias: float) -> Any:
    """The same weights each time; the keys have biases of that standard deviation."""
    torch.manual_seed(0)
    model: Any = Qwen2ForCausalLM(Qwen2Config(**SIZES, attn_implementation=attention)).eval()
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.k_proj.bias.normal_(0.0, bias)
    frequencies = model.model.rotary_emb.inv_freq.clone()
    model.to(dtype).model.rotary_emb.inv_freq = frequencies
    return model


@pytest.mark.parametrize("bias", [30.0, 200.0])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_large_biases_of_keys_neither_hide_a_value_nor_keep_a_correct_port_from_its_green(
    dtype: torch.dtype, bias: float
) -> None:
    """Keys of 200 have more noise in bfloat16 than there is in the values that lie beside them in one stage."""
    right_one = compared(qwen(dtype, "eager", bias), qwen(dtype, "sdpa", bias), 128)  # and no room to generate
    assert right_one.verdict is Verdict.WITHIN_FLOOR
    wrong = qwen(dtype, "sdpa", bias)
    values = wrong.model.layers[1].self_attn.v_proj
    right, half = values.forward, torch.ones(values.out_features, dtype=dtype)
    half[5] = 0.5
    values.forward = lambda x: right(x) * half
    found = compared(qwen(dtype, "eager", bias), wrong)
    assert (found.verdict, found.at, found.more) == (Verdict.DIVERGED, (Place("qkv_bias", 1),), ())


def overflowing(dtype: torch.dtype, attention: str) -> Any:
    """What the MLP of layer 1 adds is beyond 65504 in some tokens, the largest that float16 has."""
    model = llama(torch.float32, attention)
    frequencies, mlp = model.model.rotary_emb.inv_freq.clone(), model.model.layers[1].mlp
    with torch.no_grad():
        for module, factor in ((mlp.gate_proj, 8), (mlp.up_proj, 8), (mlp.down_proj, 400)):
            module.weight.mul_(factor)
    model.to(dtype).model.rotary_emb.inv_freq = frequencies
    return model


def test_what_float16_does_not_hold_is_named_where_it_overflows() -> None:
    assert compared(overflowing(torch.float32, "eager"), overflowing(torch.float32, "sdpa")).verdict.exit == 0
    found = compared(overflowing(torch.float32, "eager"), overflowing(torch.float16, "sdpa"), ladder=True)
    assert (found.verdict, found.at, found.more) == (Verdict.DIVERGED, (Place("ffn_out", 1),), ())
    hint = next(stage.hint for stage in found.stages if stage.place in found.at)
    assert "and float16 ends at 65504" in hint
    assert found.ladder
    assert found.ladder.said.endswith("at layer 1 ffn_out the candidate is not finite in float16")


def test_two_that_overflow_alike_are_no_green() -> None:
    """Both give nothing but NaN from layer 2 on, which is the same in every bit."""
    found = compared(overflowing(torch.float16, "eager"), overflowing(torch.float16, "sdpa"))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert any("the reference is not finite at layer 1 ffn_out" in note for note in found.notes)


def test_a_stage_in_a_narrower_dtype_than_the_others_is_told() -> None:
    wrong = llama(torch.float32, "sdpa")
    up = wrong.model.layers[1].mlp.up_proj
    right = up.forward
    up.forward = lambda x: right(x).to(torch.bfloat16)
    found = compared(llama(torch.float32), wrong)
    assert any("the candidate has bfloat16 at layer 1 ffn_up, narrower" in note for note in found.notes)
    for dtype in (torch.float32, torch.bfloat16):  # all of it, which the paths say
        assert not any("narrower" in note for note in compared(llama(torch.float32), llama(dtype, "sdpa")).notes)


def test_a_word_that_decoding_alone_prefers_is_no_noise_where_rounding_grows() -> None:
    """Correct ports with such keys have logits that are 0.7 of their size apart, and this is little beside it."""
    reference, candidate = qwen(torch.bfloat16, "eager", 200.0), qwen(torch.bfloat16, "sdpa", 200.0)
    right = candidate.forward

    @functools.wraps(right)
    def forward(input_ids: Any, **others: Any) -> Any:
        out = right(input_ids=input_ids, **others)
        if input_ids.shape[1] == 1:
            out.logits = out.logits.clone()
            out.logits[..., 7] += 0.6 * out.logits.float().std()
        return out

    candidate.forward = forward
    assert compared(reference, candidate).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_correct_port_that_reads_one_token_is_within_floor(dtype: torch.dtype, seed: int) -> None:
    """Of one token a column is one number, which may be near its rounding by luck."""
    token = torch.randint(96, (1, 1), generator=torch.Generator().manual_seed(100 + seed))
    sides = [
        llama(one, attention, max_position_embeddings=1)
        for one, attention in ((torch.float32, "eager"), (dtype, "sdpa"))
    ]
    assert pv.bisect(*sides, token).verdict is Verdict.WITHIN_FLOOR


def test_a_reference_that_overflows_is_told_from_a_candidate_that_does() -> None:
    found = compared(overflowing(torch.float16, "eager"), overflowing(torch.float32, "sdpa"))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert any("the reference is not finite at layer 1 ffn_out" in note for note in found.notes)
    assert not any("its dtype does not hold" in note for note in found.notes)


def test_what_a_model_raises_is_its_fault_whatever_it_is() -> None:
    candidate = llama(torch.float32)
    candidate.model.layers[1].mlp.forward = lambda x: x.no_such_thing
    with pytest.raises(PvError, match="LlamaForCausalLM raised AttributeError"):
        compared(llama(torch.float32), candidate)


def test_the_number_of_sequences_of_a_generation_config_is_no_matter() -> None:
    candidate = llama(torch.float32, "sdpa")
    candidate.generation_config.update(num_return_sequences=2, num_beams=2)
    assert compared(llama(torch.float32), candidate).verdict is Verdict.WITHIN_FLOOR
