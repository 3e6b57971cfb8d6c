"""Families as data: recognised by whole names, true to their sources, and what each of their tensors is for."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, Ran, edit

from implementations.microgpt import config
from implementations.microgpt.model import SHAPES
from pv.families.find import family_of_tensors, find_family, known_family
from pv.families.model import Family
from pv.families.read import read_families
from pv.families.roles import LAYER, role_of, roles_like
from pv.families.sizes import LABELS, Size, disagreements, sizes_of
from pv.families.words import WORDS, Relation, compare, kernel_class
from pv.finding import PvError

Pv = Callable[..., Ran]
FAMILIES = read_families(ROOT)
NAMES = ("bert", "bloom", "gemma", "gpt2", "llama", "microgpt", "mistral", "phi", "qwen2", "qwen3")


def family(name: str) -> Family:
    return next(row for row in FAMILIES if row.name == name)


def roles(name: str) -> set[str]:
    """What `name` is called for, over all families."""
    return {role.row.role for role in roles_like(FAMILIES, name)}


def test_the_ten_families_are_there_and_valid(pv: Pv) -> None:
    assert tuple(row.name for row in FAMILIES) == NAMES
    ran = pv("validate", "contracts/families", "contracts/stages")
    assert (ran.exit, "15 files" in ran.out) == (0, True), ran.said


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("norm: rmsnorm\n", "norm: batchnorm\n", "PV112"),
        ("display_name: Llama\n", "", "PV111"),
        ("gguf: llama\n", "gguv: llama\n", "PV110"),
        ("layers: 16,", "layers: 0,", "PV112"),
    ],
)
def test_a_family_with_one_thing_wrong_is_found(scratch: Path, pv: Pv, before: str, after: str, code: str) -> None:
    edit(scratch / "contracts/families/llama.yaml", before, after)
    ran = pv("validate", "contracts", cwd=scratch)
    assert ran.exit == 1
    assert f"error {code}" in ran.out
    assert "contracts/families/llama.yaml:" in ran.out
    asked = pv("explain", "--kernel", "gpt2", cwd=scratch)
    assert (asked.exit, "pv validate contracts/families/llama.yaml" in asked.err) == (1, True)


def test_family_files_of_the_predecessor_go_on_being_recognised(scratch: Path, pv: Pv) -> None:
    text = "family: mamba\ndisplay_name: Mamba\narchitectures: [MambaForCausalLM]\n"
    (scratch / "contracts/families/mamba.yaml").write_text(text, encoding="utf-8")
    assert pv("validate", "contracts", cwd=scratch).exit == 0
    assert tuple(row.name for row in read_families(scratch)) == NAMES


def test_every_source_that_is_named_is_there() -> None:
    for row in FAMILIES:
        assert row.constraints_source in row.sources, row.name
        assert {variant.source for variant in row.variants} <= row.sources.keys(), row.name


def test_every_constraint_has_a_meaning() -> None:
    for row in FAMILIES:
        assert row.constraints.keys() == WORDS.keys()
        assert all(row.constraints[name] in values for name, values in WORDS.items()), row.name


def test_microgpt_is_what_its_configuration_says() -> None:
    own = family("microgpt")
    sizes = {name: size.value for name, size in sizes_of(own, SHAPES, {}, {}).items()}
    epsilon, layers = {"norm_epsilon": config.RMS_EPSILON}, {"layers": config.N_LAYER}
    assert own.default == {**sizes, **epsilon, **layers}
    assert [name for name in SHAPES if role_of(own, name) is None] == []


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("llama", "llama"),
        ("LlamaForCausalLM", "llama"),
        ("Qwen2Model", "qwen2"),
        ("Qwen3ForCausalLM", "qwen3"),
        ("GPT-2", "gpt2"),
        ("phi2", "phi"),
        ("bloomz", "bloom"),
    ],
)
def test_a_family_is_found_by_name_alias_and_class(word: str, expected: str) -> None:
    assert find_family(FAMILIES, word).name == expected


@pytest.mark.parametrize("word", ["dolphin", "llam", "qwen", "graphite", "", "model", "gpt2-medium-albert"])
def test_no_family_is_guessed_from_a_part_of_a_word(word: str) -> None:
    assert known_family(FAMILIES, word) is None


def test_what_is_nearly_a_name_is_told_and_what_is_not_is_not() -> None:
    with pytest.raises(PvError, match="there is no family 'lama'") as near:
        find_family(FAMILIES, "lama")
    with pytest.raises(PvError, match="dolphin") as far:
        find_family(FAMILIES, "dolphin")
    assert (near.value.hint, far.value.hint.partition(",")[0]) == ("did you mean 'llama'?", "known: bert")


def test_kernel_classes_follow_from_the_constraints() -> None:
    found = {row.name: kernel_class(row) for row in FAMILIES}
    assert found == {
        "bert": "B", "bloom": "C", "gemma": "F", "gpt2": "B", "llama": "A", "microgpt": "", "mistral": "A", "phi": "B",
        "qwen2": "A", "qwen3": "A",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("blk.3.attn_output.weight", "attention output projection"),  # was: the head, for `output.weight` is in it
        ("output.weight", "language-model head"),
        (
            "model.layers.0.post_attention_layernorm.weight",
            "norm before the MLP",
        ),  # was: whatever has `layernorm` in it
        ("position_embd.weight", "position embedding"),  # was: token embedding, for `embd`
        ("blk.0.attn_q.weight", "query projection"),  # from here on: were not known
        ("attn_k", "key projection"),
        ("blk.0.ffn_gate.weight", "gate projection"),
        ("wte", "token embedding"),
        ("wpe", "position embedding"),
        ("transformer.h.11.attn.c_attn.weight", "query, key and value projection"),
        ("mlp.c_proj", "down projection"),
        ("attn.c_proj", "attention output projection"),
        ("q_proj", "query projection"),
        ("w_lm", "language-model head"),
    ],
)
def test_a_tensor_has_one_role_whoever_names_it(name: str, role: str) -> None:
    assert roles(name) == {role}


@pytest.mark.parametrize("name", ["pos_embed", "proj", "embed", "weight", "attn", "q_pro", "0"])
def test_a_part_of_a_word_names_no_tensor(name: str) -> None:
    assert roles(name) == set()


def test_every_name_of_a_family_has_the_role_it_stands_beside() -> None:
    for own in FAMILIES:
        for row in own.tensors:
            for template in row.names:
                found = role_of(own, template.replace(LAYER, "7"))
                assert found is not None
                assert (found.row.role, found.layer) == (row.role, 7 if LAYER in template else None)


def test_a_family_is_told_by_its_tensors_only_where_one_alone_knows_them() -> None:
    names = [name for row in family("gpt2").tensors for name in row.names if name.startswith("transformer.")]
    found = family_of_tensors(FAMILIES, [name.replace(LAYER, "0") for name in names])
    assert found is not None
    assert found.name == "gpt2"
    assert family_of_tensors(FAMILIES, ["token_embd.weight"]) is None
    assert family_of_tensors(FAMILIES, [*names, "another"]) is None
    assert family_of_tensors(FAMILIES, []) is None


def test_sizes_come_from_shapes_first_and_what_disagrees_is_told() -> None:
    own = family("llama")
    shapes = {
        "model.embed_tokens.weight": (100, 8),
        "model.layers.1.self_attn.q_proj.weight": (8, 8),
        "model.layers.1.self_attn.k_proj.weight": (3, 8),
    }
    said = {
        "hidden_size": 9,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "rope_parameters": {"rope_theta": 1e4},
    }
    sizes = sizes_of(own, shapes, said, {})
    assert {name: size.value for name, size in sizes.items()} == {
        "hidden_size": 8, "layers": 2, "heads": 4, "kv_heads": 2, "head_dim": 2, "vocab_size": 100, "rope_theta": 1e4,
    }  # fmt: skip
    assert sizes["hidden_size"] == Size(8, "the shape of model.embed_tokens.weight")
    assert list(disagreements(own, shapes, said, {})) == [
        "hidden_size is 8 by the shape of model.embed_tokens.weight and 9 by hidden_size of config.json",
        "model.layers.1.self_attn.k_proj.weight is [3, 8]; kv_heads*head_dim × hidden_size is [4, 8]",
    ]
    assert list(sizes) == [name for name in LABELS if name in sizes]


@pytest.mark.parametrize(("name", "derived"), [("llama", True), ("phi", True), ("gemma", False), ("qwen3", False)])
def test_a_head_dimension_is_derived_only_where_heads_share_the_hidden_size(name: str, derived: bool) -> None:
    """Gemma's default is 256 at 3,072 / 16: another number than the quotient."""
    sizes = sizes_of(family(name), {}, {"hidden_size": 3072, "num_attention_heads": 16}, {})
    assert sizes.get("head_dim") == (Size(192, "hidden_size / heads") if derived else None)


def test_a_default_that_is_another_quotient_is_no_default_of_a_family_whose_heads_share() -> None:
    for own in FAMILIES:
        size = own.default
        if own.heads_share_hidden and "head_dim" in size:
            assert size["head_dim"] * size["heads"] == size["hidden_size"], own.name


@pytest.mark.parametrize("odd", [-4, 0, 0.5, 4.0, 1e308, float("nan"), float("inf"), True, "4", None])
def test_what_cannot_be_a_size_is_none(odd: object) -> None:
    own = family("llama")
    assert sizes_of(own, {}, {"num_attention_heads": odd}, {}) == {}
    assert sizes_of(own, {}, {}, {"general.architecture": "llama", "llama.attention.head_count": odd}) == {}
    assert sizes_of(own, {}, {}, {"num_heads": odd}) == {}
    assert sizes_of(own, {}, {"num_attention_heads": 4, "rope_theta": 1e4, "rms_norm_eps": 1e-5}, {}).keys() == {
        "heads", "norm_epsilon", "rope_theta",
    }  # fmt: skip


def test_a_final_norm_is_of_no_branch() -> None:
    assert {kernel.kernel for row in FAMILIES for kernel in row.kernels if kernel.op == "Final norm"} <= {
        "LayerNorm", "RMSNorm with a gain", "RMSNorm times one plus a gain",
    }  # fmt: skip


def test_what_microgpt_does_more_simply_than_llama() -> None:
    rows = {row.constraint: row.relation for row in compare(family("microgpt"), family("llama"))}
    simpler = {"attention", "activation", "norm", "final_norm", "mlp", "position"}
    assert {name for name, relation in rows.items() if relation is Relation.SIMPLER} == simpler
    back = {row.constraint: row.relation for row in compare(family("llama"), family("microgpt"))}
    assert {name for name, relation in back.items() if relation is Relation.RICHER} == simpler
    assert set(back.values()) == {Relation.RICHER, Relation.SAME}


def test_numbers_of_a_default_are_those_of_the_installed_transformers() -> None:
    transformers = pytest.importorskip("transformers", reason="needs transformers: pip install 'pv-contracts[hf]'")
    version = f"transformers {transformers.__version__},"
    for own in FAMILIES:
        source = own.sources.get("transformers", "")
        if not source.startswith(version):
            continue  # another version may have other defaults
        found = getattr(transformers, re.findall(r"\w+Config", source)[0])().to_dict()
        inner = found.get("rope_parameters") or {}
        for name, key in own.config.items():
            value = found.get(key, inner.get(key))
            if value is not None and name in own.default:
                assert own.default[name] == value, (own.name, name)
