"""The maps of transformers' models say what those compute: each stage is held against a computation of its own."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_models import TOKENS, load_tiny, save_tiny
from torch import Tensor
from torch.nn.functional import linear

from pv.bisect.described import Described
from pv.finding import Exit, PvError
from pv.stages.capture import Capture, capture
from pv.stages.known import find_map, map_of, require_version
from pv.stages.map import StageMap
from pv.stages.places import hidden_places
from pv.stages.read import read_stage_map, read_stage_maps
from pv.tensors.place import Place

PUBLISHED = (
    "embedding", "attn_norm", "qkv_matmul", "qkv_bias", "q_post_rope", "k_post_rope", "attention", "attn_out",
    "post_attn_residual", "ffn_norm", "ffn_gate", "ffn_up", "ffn_silu", "ffn_swigl", "ffn_out", "post_ffn_residual",
    "layer_output", "final_norm", "lm_head",
)  # fmt: skip
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {}),
    "llama, one key head, tied": ("llama", {"num_key_value_heads": 1, "tie_word_embeddings": True}),
    "llama, biases, wide heads": ("llama", {"attention_bias": True, "mlp_bias": True, "head_dim": 16}),
    "llama, no groups": ("llama", {"num_key_value_heads": 4}),
    "qwen2": ("qwen2", {}),
    "qwen2, tied": ("qwen2", {"tie_word_embeddings": True}),
    "qwen2, window": ("qwen2", {"use_sliding_window": True, "sliding_window": 3, "max_window_layers": 1}),
    "mistral": ("mistral", {"sliding_window": None}),
    "mistral, window": ("mistral", {"sliding_window": 3}),
    "gpt2": ("gpt2", {}),
    "gpt2, untied, erf, by layer": (
        "gpt2",
        {"tie_word_embeddings": False, "activation_function": "gelu", "scale_attn_by_inverse_layer_idx": True},
    ),
}


@pytest.fixture(scope="module", params=KINDS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    family, changes = KINDS[request.param]
    return load_tiny(save_tiny(tmp_path_factory.mktemp("model"), family, **changes))


def seen_in(model: Any, stage_map: StageMap | None = None, **choice: Any) -> Capture:
    with torch.no_grad(), capture(model, stage_map=stage_map, **choice) as seen:
        model(TOKENS, use_cache=False)
    return seen


def distance(one: Tensor, other: Tensor) -> float:
    return ((one.double() - other.double()).norm() / other.double().norm()).item()


def worst(model: Any, stage_map: StageMap) -> tuple[float, Place]:
    """The stage that is furthest from what its row says, computed in float64 from the inputs that were seen."""
    seen = seen_in(model, stage_map)
    described = Described(stage_map, model, TOKENS[0])
    found = []
    for place in seen.places:
        inputs = [TOKENS[0] if each is None else seen[each] for each in described.inputs(place)]
        found.append((distance(seen[place], described.apply(place, inputs, torch.float64)), place))
    return max(found)


def test_every_row_says_how_its_stage_is_computed(model: Any) -> None:
    seen = seen_in(model)
    assert seen.missing == ()
    assert worst(model, seen.stage_map)[0] < 2e-6


def test_the_output_is_the_same_bits_with_hooks(model: Any) -> None:
    with torch.no_grad():
        plain = model(TOKENS, use_cache=False).logits[0]
    assert torch.equal(seen_in(model)[Place("lm_head", None)], plain)


@pytest.mark.parametrize(
    ("stage", "change"),
    [
        ("attn_norm", {"hook": {"module": "model.layers.{layer}.post_attention_layernorm"}}),
        ("post_attn_residual", {"hook": {"module": "model.layers.{layer}"}}),
        ("ffn_gate", {"hook": {"module": "model.layers.{layer}.mlp.up_proj"}}),
        ("ffn_swigl", {"hook": {"module": "model.layers.{layer}.mlp.act_fn"}}),
        ("q_post_rope", {"options": {"heads": "heads", "skip": 1, "head_dim": "head_dim"}}),
        ("k_post_rope", {"weights": ("model.rotary_emb.original_inv_freq",), "options": {"heads": "kv_heads"}}),
        ("attn_scores", {"options": {"scaling": 1.0}}),
        ("attn_norm", {"options": {"eps": 1e-2}}),
        ("ffn_norm", {"weights": ("model.norm.weight",)}),
        ("final_norm", {"inputs": (("post_attn_residual",),)}),
    ],
)
def test_a_row_that_points_elsewhere_is_caught(tmp_path: Path, stage: str, change: dict[str, Any]) -> None:
    own = load_tiny(save_tiny(tmp_path, "llama"))
    whole = map_of(own)
    rows = tuple(replace(row, **change) if row.name == stage else row for row in whole.stages)
    far, _ = worst(own, replace(whole, stages=rows))
    assert far > 1e-4


def test_all_published_names_of_a_model_with_biases(tmp_path: Path) -> None:
    seen = seen_in(load_tiny(save_tiny(tmp_path, "qwen2")), stages=PUBLISHED)
    assert [place.stage for place in seen.places if place.layer in (0, None)] == [
        name for name in PUBLISHED if name != "layer_output"
    ]
    sizes = {"n": 6, "E": 32, "H": 4, "K": 2, "D": 8, "P": 64, "A": 32, "F": 48, "V": 37}
    assert {
        tuple(seen[place].shape) == tuple(sizes[letter] for letter in seen.axes(place)) for place in seen.places
    } == {True}


def test_queries_and_keys_after_rope_are_those_of_the_models_own_function(tmp_path: Path) -> None:
    own = load_tiny(save_tiny(tmp_path, "qwen2"))
    seen, code = seen_in(own), import_module("transformers.models.qwen2.modeling_qwen2")
    for layer, block in enumerate(own.model.layers):
        x = seen[Place("attn_norm", layer)][None]
        q, k, v = (
            projection(x).view(1, 6, -1, 8).transpose(1, 2)
            for projection in (block.self_attn.q_proj, block.self_attn.k_proj, block.self_attn.v_proj)
        )
        cos, sin = own.model.rotary_emb(x, torch.arange(6)[None])
        q, k = code.apply_rotary_pos_emb(q, k, cos, sin)
        assert torch.equal(seen[Place("q_post_rope", layer)], q[0].transpose(0, 1))
        assert torch.equal(seen[Place("k_post_rope", layer)], k[0].transpose(0, 1))
        scores = q @ k.repeat_interleave(2, dim=1).transpose(2, 3) * 8**-0.5
        assert torch.equal(seen[Place("attn_scores", layer)], scores[0])
        weights = torch.softmax(scores + torch.full((6, 6), -torch.inf).triu(1), dim=-1)
        torch.testing.assert_close(seen[Place("attn_softmax", layer)], weights[0])
        heads = weights @ v.repeat_interleave(2, dim=1)
        torch.testing.assert_close(seen[Place("attention", layer)], heads[0].transpose(0, 1).flatten(1))


def test_before_the_bias_is_the_product_and_not_the_sum_minus_the_bias(tmp_path: Path) -> None:
    """In bfloat16 the two differ: the sum is rounded, and what is subtracted from it stays so."""
    own = load_tiny(save_tiny(tmp_path, "qwen2", dtype=torch.bfloat16))
    seen, place = seen_in(own), Place("qkv_matmul", 1)
    block = own.model.layers[1].self_attn
    projections = (block.q_proj, block.k_proj, block.v_proj)
    x = seen[Place("attn_norm", 1)][None]
    assert seen[place].dtype == torch.bfloat16
    assert torch.equal(seen[place], torch.cat([linear(x, each.weight) for each in projections], dim=-1)[0])
    bias = torch.cat([each.bias for each in projections])
    assert not torch.equal(seen[place], seen[Place("qkv_bias", 1)] - bias)
    assert torch.equal(seen[Place("qkv_bias", 1)], torch.cat([each(x) for each in projections], dim=-1)[0])


def test_a_model_without_biases_has_no_such_stage(tmp_path: Path) -> None:
    own = load_tiny(save_tiny(tmp_path, "llama"))
    assert "qkv_bias" not in {place.stage for place in seen_in(own).wanted}
    with pytest.raises(PvError, match="this model has no qkv_bias") as error:
        seen_in(own, stages=["qkv_bias"])
    assert error.value.exit is Exit.ASK


def test_what_fused_attention_hides_is_neither_captured_nor_missed(tmp_path: Path) -> None:
    own = load_tiny(save_tiny(tmp_path, "llama"), attention="sdpa")
    seen = seen_in(own)
    hidden = {place.stage for place in hidden_places(own, seen.stage_map)}
    assert (hidden, seen.missing) == ({"attn_scores", "attn_softmax"}, ())
    assert not hidden & {place.stage for place in seen.wanted}
    with pytest.raises(PvError, match="attn_scores is seen with eager attention only, and this model runs sdpa"):
        seen_in(own, stages=["lm_head", "attn_scores"])


def test_layers_and_position_limit_what_is_kept(tmp_path: Path) -> None:
    own = load_tiny(save_tiny(tmp_path, "llama"))
    whole, seen = seen_in(own), seen_in(own, stages=["ffn_out", "lm_head"], layers=range(1, 3), position="last")
    assert seen.places == (Place("ffn_out", 1), Place("ffn_out", 2), Place("lm_head", None))
    assert {place: tuple(seen[place].shape) for place in seen.places} == {
        Place("ffn_out", 1): (1, 32), Place("ffn_out", 2): (1, 32), Place("lm_head", None): (1, 37),
    }  # fmt: skip
    assert all(torch.equal(seen[place][0], whole[place][-1]) for place in seen.places)
    scores = Place("attn_scores", 0)
    last = seen_in(own, stages=["attn_scores"], position="last")
    assert torch.equal(last[scores], whole[scores][:, -1:])


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"layers": range(2, 4)}, "layers 2..4 were asked for; the model has 3"),
        ({"layers": range(2, 2)}, "layers 2..2 were asked for"),
        ({"layers": range(0, 3, 2)}, "were asked for"),
        ({"stages": ["embedding"], "layers": range(1, 3)}, r"nothing to record of embedding in layers 1..3"),
        (
            {"stages": ["embedding", "attn_out"], "layers": range(1, 3)},
            r"nothing to record of embedding in layers 1..3",
        ),
        ({"stages": ["all", "embedding"], "layers": range(1, 3)}, r"nothing to record of embedding in layers 1..3"),
        ({"stages": []}, "nothing to record of no stage at all"),
        ({"position": "first"}, "position is 'all' or 'last'"),
        ({"keep": "everything"}, "keep 'values' or 'statistics'"),
        ({"stages": "ffn_oot"}, "there is no stage 'ffn_oot'"),
    ],
)
def test_a_choice_that_the_model_does_not_offer_is_refused(tmp_path: Path, choice: dict[str, Any], said: str) -> None:
    with pytest.raises(PvError, match=said) as error:
        seen_in(load_tiny(save_tiny(tmp_path, "llama")), **choice)
    assert error.value.exit is Exit.ASK


def test_a_batch_of_two_is_no_capture(tmp_path: Path) -> None:
    own = load_tiny(save_tiny(tmp_path, "llama"))
    with pytest.raises(PvError, match="a batch of 2"), torch.no_grad(), capture(own):
        own(TOKENS.repeat(2, 1))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in own.modules())


def test_a_map_of_another_version_is_said_and_not_guessed() -> None:
    own = read_stage_map(None, "llama")
    assert own is not None
    assert own.library is not None
    old = replace(own, library=replace(own.library, versions="<5"))
    with pytest.raises(
        PvError, match=r"contracts/stages/llama.yaml fits transformers <5, and \S+ is installed"
    ) as error:
        require_version(old)
    assert error.value.exit is Exit.RUN
    absent = replace(own, library=replace(own.library, name="no-such-library"))
    with pytest.raises(PvError, match="needs no-such-library, which is not installed"):
        require_version(absent)


def test_somebodys_own_class_of_the_same_name_is_none_of_the_library(tmp_path: Path) -> None:
    own = type("LlamaForCausalLM", (torch.nn.Sequential,), {})(torch.nn.Linear(4, 4))
    assert map_of(own).family == "generic"
    theirs = load_tiny(save_tiny(tmp_path, "llama"))
    assert map_of(theirs).family == "llama"
    theirs.__class__ = type("Mine", (type(theirs),), {})
    assert map_of(theirs).family == "llama"


def test_a_model_is_known_by_its_class_and_not_by_a_name_like_it() -> None:
    maps = read_stage_maps(None)
    assert {row.family for row in maps} >= {"llama", "qwen2", "mistral", "gpt2"}
    found = find_map(maps, ["LlamaForCausalLM"])
    assert found is not None
    assert found.family == "llama"
    assert find_map(maps, ["LlamaForSequenceClassification", "Llama"]) is None
