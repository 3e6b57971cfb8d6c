"""`pv explain`: everything derived from the model, levels from the ledger alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import ROOT, Ran, edit
from model_files import apr_bytes, floats, gguf_bytes, gguf_key, gguf_tensor, gguf_text, safetensors_bytes
from safetensors.torch import load_file, save_file
from small_project import write_project

from implementations.microgpt.checkpoint import save_config, save_model
from implementations.microgpt.model import Config, MicroGPT

Pv = Callable[..., Ran]
OTHER = Config(vocab_size=27, block_size=9, n_embd=12, n_head=3, head_dim=5, ff_dim=20)


@pytest.fixture
def pv(pv: Pv, standing: Path) -> Pv:
    """In a copy of this project, unless a test says where."""
    return partial(pv, cwd=standing)


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels of the day are of any length: where lines break is asked where a width is chosen."""
    monkeypatch.setenv("COLUMNS", "200")


def checkpoint(folder: Path, config: Config = OTHER) -> Path:
    """A microGPT of other sizes than usual."""
    save_model_folder = folder / "model"
    save_model_folder.mkdir()
    save_model(save_model_folder, MicroGPT(seed=5, config=config))
    save_config(save_model_folder, config, {})
    return save_model_folder


def explained(pv: Pv, *arguments: object, **where: Path) -> Any:
    ran = pv("explain", *arguments, "--format", "json", **where)
    assert ran.exit == 0, ran.said
    return json.loads(ran.out)


def test_a_fresh_model_is_told_whole(pv: Pv) -> None:
    ran = pv("explain", "microgpt")
    assert ran.exit == 0, ran.said
    for expected in (
        "Hidden size      16", "Attention heads  4", "Parameters       4,192", "microgpt-v1 § causal_mask",
        "multi-head attention, 4 heads of 4", "Attention of 4 heads of 4 (4 × 4 = 16), scale 1/√4 = 0.5000",
        "BOS (0), 'm' (13), 'a' (1), 'r' (18)", "head 3: Q [4, 4], K [4, 4], V [4, 4]; out [4, 4]",
        "pos 0 → [1.000, 0.000, 0.000, 0.000]", "   0    0   -∞   -∞", "-∞ is -1e+09 here",
    ):  # fmt: skip
        assert expected in ran.out
    assert "position embedding: adds positional information" in ran.out


def test_every_number_follows_a_checkpoint_of_other_sizes(tmp_path: Path, pv: Pv) -> None:
    folder = checkpoint(tmp_path)
    value = explained(pv, folder)
    sizes = {name: size["value"] for name, size in value["sizes"].items()}
    assert sizes == {
        "hidden_size": 12, "layers": 1, "heads": 3, "kv_heads": 3, "head_dim": 5, "ffn_size": 20, "vocab_size": 27,
        "context_length": 9, "norm_epsilon": 1e-5,
    }  # fmt: skip
    assert value["parameters"] == OTHER.parameter_count
    assert [row["kernel"] for row in value["kernels"] if row["op"] == "Attention"] == [
        "multi-head attention, 3 heads of 5"
    ]
    attention = value["attention"]
    assert (len(attention["heads"]), attention["heads"][0]["q"], attention["scale"]) == (
        3,
        [4, 5],
        pytest.approx(5**-0.5),
    )
    assert {row["name"]: row["shape"] for row in value["tensors"]} == {n: list(s) for n, s in OTHER.shapes.items()}
    assert value["notes"] == []
    text = pv("explain", folder)
    assert "Attention of 3 heads of 5 (3 × 5 = 15)" in text.out


def test_a_header_that_disagrees_with_itself_is_told_so(tmp_path: Path, pv: Pv) -> None:
    """The file alone, and its folder, which does not load."""
    folder = checkpoint(tmp_path)
    edit(folder / "config.json", '"n_head": 3', '"n_head": 2')
    value = explained(pv, folder / "model.safetensors")
    assert value["notes"] == ["heads is 3 by the shape of wk and 2 by n_head of config.json"]
    ran = pv("explain", folder)
    assert (ran.exit, "n_head is 2; 3 is needed" in ran.out) == (0, True), ran.said


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (replace(OTHER, block_size=2), "4 tokens; the model reads at most 2"),
        (replace(OTHER, vocab_size=10), "token 13 is outside 0 … 9"),
    ],
)
def test_an_example_that_does_not_fit_leaves_the_rest(tmp_path: Path, pv: Pv, config: Config, said: str) -> None:
    folder = checkpoint(tmp_path, config)
    value = explained(pv, folder)
    assert (value["attention"], said in value["attention_missing"], len(value["kernels"])) == (None, True, 8)
    assert f"attention is not shown: {value['attention_missing']}" in pv("explain", folder).out
    ran = pv("explain", folder, "--text", "mar")
    assert (ran.exit, said in ran.err) == (2, True), ran.said


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_folder_that_does_not_load_is_told_by_its_header(tmp_path: Path, pv: Pv, dtype: torch.dtype) -> None:
    """One with NaN, one of another dtype."""
    folder = checkpoint(tmp_path)
    weights = load_file(folder / "model.safetensors")
    weights["wq"][0, 0, 0] = torch.nan
    save_file({name: weight.to(dtype) for name, weight in weights.items()}, folder / "model.safetensors")
    value = explained(pv, folder)
    assert (value["attention"], value["sizes"]["heads"]["value"], value["parameters"]) == (
        None,
        3,
        OTHER.parameter_count,
    )
    assert "microgpt cannot be loaded" in value["attention_missing"]
    for arguments in (
        ["explain", folder, "--text", "a"],
        ["explain", folder, "--tensor", "q"],
        ["trace", folder, "--tokens", "0"],
    ):
        ran = pv(*arguments)
        assert (ran.exit, "microgpt cannot be loaded" in ran.err) == (2, True), ran.said


def test_a_stage_that_is_not_reached_is_told_and_exits_three(scratch: Path, pv: Pv) -> None:
    edit(scratch / "contracts/stages/microgpt.yaml", "name: attn_softmax_hnn}", "name: another}")
    ran = pv("explain", "microgpt", cwd=scratch)
    assert (ran.exit, "attention is not shown: not reached: attn_softmax\n" in ran.out) == (3, True), ran.said
    ran = pv("explain", "microgpt", "--format", "json", cwd=scratch)
    value = json.loads(ran.out)
    assert (ran.exit, value["attention"], value["not_reached"]) == (3, None, ["attn_softmax"])
    assert explained(pv, "microgpt")["not_reached"] == []


def test_attention_rows_sum_to_one_and_see_nothing_later(pv: Pv) -> None:
    attention = explained(pv, "microgpt", "--seed", 7, "--text", "maria")["attention"]
    assert attention["tokens"] == [0, 13, 1, 18, 9, 1]
    assert attention["largest_row_sum_error"] < 1e-6
    assert attention["largest_later_weight"] == 0
    assert attention["heads"][0]["weights"][0] == [1, 0, 0, 0, 0, 0]
    assert len(attention["l2"]) == 6
    assert attention["mask"][0] == [0, *[-1e9] * 5]


def test_a_seed_is_another_model(pv: Pv) -> None:
    one, other, again = (explained(pv, "microgpt", "--seed", seed)["attention"] for seed in (1, 2, 1))
    assert one == again
    assert one != other


def test_levels_are_those_of_status(scratch: Path, pv: Pv) -> None:
    status = json.loads(pv("status", "--format", "json", cwd=scratch).out)
    value = explained(pv, "--kernel", "microgpt", "--proof-status", cwd=scratch)
    known = {(row["contract"], row["test"]): row["level"] for row in status["tests"] if row["default"]}
    proof = {(row["contract"], row["test"]): row["level"] for row in value["proof"]}
    assert proof
    assert all(known[key] == level for key, level in proof.items())
    cited = {(row["contract"], row["equation"]) for row in value["kernels"] if row["contract"]}
    assert {(row["contract"], row["equation"]) for row in value["proof"]} == cited
    assert value["counts"]["selected"] == len(proof)


def test_a_level_goes_with_its_evidence(scratch: Path, pv: Pv) -> None:
    def softmax() -> str:
        rows = explained(pv, "--kernel", "microgpt", cwd=scratch)["kernels"]
        return str(next(row["level"] for row in rows if row["equation"] == "softmax"))

    for path in (scratch / "ledger").rglob("*.json"):
        path.unlink()
    count = softmax().rpartition(" ")[2]
    assert softmax() == f"NO EVIDENCE {count}"
    edit(scratch / "contracts/families/microgpt.yaml", "equation: softmax}", "equation: softmx}")
    ran = pv("explain", "--kernel", "microgpt", cwd=scratch)
    assert (ran.exit, "did you mean 'softmax'?" in ran.err) == (1, True)


def test_a_family_beside_the_projects_own(pv: Pv) -> None:
    ran = pv("explain", "--kernel", "llama", "-v")
    assert ran.exit == 0, ran.said
    assert "microGPT does 6 of 11 more simply: attention, activation, norm, final_norm, mlp, position" in ran.out
    assert "transformers 5.23.0, LlamaConfig()" in ran.out
    assert "microGPT does" not in pv("explain", "--kernel", "llama").out
    value = explained(pv, "--kernel", "gemma")
    assert (value["kernel_class"], value["compared"]["with"]) == ("F", "microgpt")


def test_a_mask_is_drawn_and_a_stage_has_its_values(pv: Pv) -> None:
    ran = pv("explain", "--tensor", "attn_mask")
    assert ran.exit == 0, ran.said
    assert "   0   -∞   -∞   -∞\n   0    0   -∞   -∞\n   0    0    0   -∞\n   0    0    0    0\n" in ran.out
    assert "microgpt-v1 § causal_mask" in ran.out
    value = explained(pv, "microgpt", "--tensor", "attn_softmax", "--text", "a")
    assert (value["shape"], value["axes"], len(value["values"])) == ([4, 2, 2], ["H", "n", "n"], 4)
    assert value["values"][0][0] == [1, 0]
    assert "head 3" in pv("explain", "microgpt", "--tensor", "attn_softmax").out


def test_values_that_do_not_fit_are_said_to_be_elsewhere(pv: Pv) -> None:
    assert "not shown: rows of 64 numbers, and 32 fit here; --format json" in pv("explain", "--tensor", "ffn_up").out
    assert "not shown" not in pv("explain", "--tensor", "ffn_out").out
    assert len(explained(pv, "--tensor", "ffn_up")["values"][0]) == 64


def test_json_has_the_constraints(pv: Pv) -> None:
    own = explained(pv, "microgpt")["constraints"]
    assert own == explained(pv, "--kernel", "microgpt")["constraints"]
    assert own["mlp"] == {"value": "plain", "meaning": "up, activation, down"}


def test_a_fresh_model_has_one_name(pv: Pv) -> None:
    found = [json.loads(pv(c, "microgpt", "--format", "json").out)["model"] for c in ("explain", "inspect", "tensors")]
    assert found == ["microgpt, seed 42"] * 3


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (4, "multi-head attention, 4 query and 4 key heads"),
        (2, "grouped-query attention, 4 query and 2 key heads"),
        (1, "multi-query attention, 4 query and 1 key heads"),
        (-4, "grouped-query attention, 4 query and ? key heads"),
        (0.5, "grouped-query attention, 4 query and ? key heads"),
    ],
)
def test_attention_is_called_what_its_heads_make_it(tmp_path: Path, pv: Pv, keys: float, said: str) -> None:
    llama_file(tmp_path / "model.safetensors")
    config = {"model_type": "llama", "num_attention_heads": 4, "num_key_value_heads": keys}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert [row["kernel"] for row in explained(pv, tmp_path)["kernels"] if row["op"] == "Attention"] == [said]


def test_a_weight_is_told_by_name_and_by_its_end(tmp_path: Path, pv: Pv) -> None:
    folder = checkpoint(tmp_path)
    found = explained(pv, folder, "--tensor", "wo")["tensors"]
    assert found == [
        {"name": "wo", "shape": [3, 5, 12], "dtype": "F32", "role": "attention output projection",
         "purpose": "combines head outputs", "layer": None}
    ]  # fmt: skip
    ran = pv("explain", "--tensor", "blk.2.attn_output.weight")
    assert "attention output projection: combines the heads of layer 2" in ran.out
    assert "head:" not in ran.out.replace("combines the heads", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mikrogpt"], "did you mean 'microgpt'?"),
        (["--kernel", "lama"], "did you mean 'llama'?"),
        (["--tensor", "atn_mask"], "did you mean 'attn_mask'?"),
        (["microgpt", "--tensor", "wqq"], "did you mean 'wq'?"),
        ([], "known: microgpt"),
        (["microgpt", "--kernel", "llama", "--tensor", "wq"], "give one"),
        (["microgpt", "--text", "Zoë"], "no 'Zë'"),
        (["microgpt", "--text", "a" * 16], "17 tokens; the model reads at most 16"),
        (["--kernel", "llama", "--text", "a"], "leave --text out"),
        (["--kernel", "llama", "--seed", "1"], "leave --seed out"),
        (["--tensor", "attn_mask", "--proof-status"], "leave --proof-status out"),
        (["microgpt", "--tensor", "wq", "--text", "a"], "leave --text out"),
        (["microgpt", "--tensor", "wq", "--seed", "1"], "leave --seed out"),
        (["--tensor", "attn_output", "--text", "a"], "leave --text out"),
    ],
)
def test_what_is_not_there_is_told_with_the_nearest(pv: Pv, arguments: list[str], said: str) -> None:
    ran = pv("explain", *arguments)
    assert (ran.exit, said in ran.err) == (2, True), ran.said


def llama_file(path: Path) -> Path:
    """A safetensors file with two layers of a tiny Llama."""
    shapes = {"model.embed_tokens.weight": [10, 4], "model.norm.weight": [4]}
    for layer in range(2):
        shapes[f"model.layers.{layer}.self_attn.q_proj.weight"] = [4, 4]
        shapes[f"model.layers.{layer}.post_attention_layernorm.weight"] = [4]
    header, at = {}, 0
    for name, shape in shapes.items():
        size = 4 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    path.write_bytes(safetensors_bytes(header, bytes(at)))
    return path


def test_a_file_of_others_is_told_by_its_header(tmp_path: Path, pv: Pv) -> None:
    path = llama_file(tmp_path / "model.safetensors")
    config = {"model_type": "llama", "num_attention_heads": 2, "hidden_size": 4, "rope_theta": 5e5}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    value = explained(pv, tmp_path)
    assert (value["family"], value["kernel_class"], value["attention"]) == ("llama", "A", None)
    assert {name: size["value"] for name, size in value["sizes"].items()} == {
        "hidden_size": 4, "layers": 2, "heads": 2, "head_dim": 2, "vocab_size": 10, "rope_theta": 5e5,
    }  # fmt: skip
    assert {row["role"] for row in value["tensors"]} == {
        "token embedding", "final norm", "query projection", "norm before the MLP",
    }  # fmt: skip
    (tmp_path / "config.json").unlink()
    ran = pv("explain", path)
    assert "attention is not shown" in ran.out
    assert "not known (nothing in it names a family)" in ran.out


def test_a_gguf_file_is_told_by_its_keys(tmp_path: Path, pv: Pv) -> None:
    keys = [
        gguf_key("general.architecture", 8, gguf_text("llama")),
        gguf_key("llama.attention.head_count", 4, (2).to_bytes(4, "little")),
        gguf_key("llama.attention.head_count_kv", 4, (1).to_bytes(4, "little")),
    ]
    tensors = [gguf_tensor("token_embd.weight", (4, 10), 0, 0), gguf_tensor("blk.0.attn_output.weight", (4, 4), 0, 160)]
    path = tmp_path / "tiny.gguf"
    path.write_bytes(gguf_bytes(keys, tensors, bytes(160 + 64)))
    value = explained(pv, path)
    sizes = {name: size["value"] for name, size in value["sizes"].items()}
    assert (value["family"], sizes["heads"], sizes["kv_heads"], sizes["vocab_size"]) == ("llama", 2, 1, 10)
    assert [row["role"] for row in value["tensors"]] == ["token embedding", "attention output projection"]


def test_an_apr_file_is_told_by_its_metadata(tmp_path: Path, pv: Pv) -> None:
    metadata = {"architecture": "qwen2", "num_heads": 2, "hidden_size": 2, "num_layers": 1}
    path = tmp_path / "tiny.apr"
    path.write_bytes(apr_bytes([("model.norm.weight", 0, (2,), floats(1, 1))], metadata))
    value = explained(pv, path)
    assert (value["family"], value["sizes"]["heads"]["value"]) == ("qwen2", 2)


def test_a_word_that_names_no_family_is_said(tmp_path: Path, pv: Pv) -> None:
    llama_file(tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text('{"model_type": "dolphin"}', encoding="utf-8")
    value = explained(pv, tmp_path)
    assert (value["family"], value["family_because"]) == (
        None, "model_type of config.json is 'dolphin', which no family is called",
    )  # fmt: skip


def test_outside_of_a_project_families_are_known_and_levels_are_not(tmp_path: Path, pv: Pv) -> None:
    value = explained(pv, "--kernel", "llama", cwd=tmp_path)
    levels = {row["level"] for row in value["kernels"]}
    assert levels == {None, "not in this project"}
    ran = pv("explain", "--kernel", "llama", cwd=tmp_path)
    assert "0 of 12 operations are under contract" in ran.out
    assert "1 of 12 operations are under contract" in pv("explain", "--kernel", "llama").out
    assert "compared" not in value


def test_what_the_numbers_mean_and_what_is_at_odds_with_the_family(tmp_path: Path, pv: Pv) -> None:
    llama_file(tmp_path / "model.safetensors")
    said = {
        "model_type": "llama", "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 10,
        "hidden_act": "gelu_new", "tie_word_embeddings": True, "num_local_experts": 8,
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(said), encoding="utf-8")
    value = explained(pv, tmp_path)
    assert value["readings"] == {
        "Kind": "decoder, each position sees earlier ones",
        "Attention": "gqa (2 KV heads < 4 heads)",
        "MLP": "gated, silu, 2.5 × hidden size",
    }
    assert value["notes"] == [
        "hidden_act is 'gelu_new'; the family's activation is silu",
        "tie_word_embeddings is yes; by the family's default it is no",
        "num_local_experts is 8: a mixture of experts, which the family's kernels do not show",
    ]


def test_of_many_disagreements_the_first_are_told(tmp_path: Path, pv: Pv) -> None:
    header: dict[str, object] = {"model.embed_tokens.weight": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}}
    for layer in range(30):
        at = 8 + 4 * layer
        row = {"dtype": "F32", "shape": [1], "data_offsets": [at, at + 4]}
        header[f"model.layers.{layer}.input_layernorm.weight"] = row
    (tmp_path / "model.safetensors").write_bytes(safetensors_bytes(header, bytes(128)))
    (tmp_path / "config.json").write_text('{"model_type": "qwen3"}', encoding="utf-8")
    notes = explained(pv, tmp_path)["notes"]
    assert len(notes) == 21
    assert notes[-1] == "and 10 more of that kind"


def test_a_family_beside_that_of_a_file(tmp_path: Path, pv: Pv) -> None:
    path = llama_file(tmp_path / "model.safetensors")
    ran = pv("explain", path, "--kernel", "gpt2")
    assert (ran.exit, "nothing can be compared" in ran.err) == (2, True)
    (tmp_path / "config.json").write_text('{"model_type": "llama"}', encoding="utf-8")
    assert explained(pv, tmp_path, "--kernel", "gpt2")["compared"]["with"] == "llama"


def test_a_name_does_not_steer_the_terminal(tmp_path: Path, pv: Pv) -> None:
    header = {"a\x1b[31m": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
    path = tmp_path / "model.safetensors"
    path.write_bytes(safetensors_bytes(header, bytes(4)))
    for command in ("explain", "trace"):
        ran = pv(command, path)
        assert "\x1b" not in ran.said


@pytest.mark.parametrize(
    ("body", "exit", "said"),
    [
        ("raise ValueError('no weights there')", 2, "cannot be loaded: no weights there"),
        ("raise KeyError('wte')", 1, "raised KeyError: 'wte'"),
        ("return lambda tokens: None", 1, "returned a function, no torch.nn.Module"),
    ],
)
def test_a_loader_that_fails_is_no_bug_of_pv(scratch: Path, pv: Pv, body: str, exit: int, said: str) -> None:
    loader = f"def load(path, *, seed):\n    {body}\n"
    (scratch / "implementations/loading.py").write_text(loader, encoding="utf-8")
    edit(scratch / "pyproject.toml", "implementations.microgpt.checkpoint:load_model", "implementations.loading:load")
    ran = pv("explain", "microgpt", cwd=scratch)
    assert (ran.exit, said in ran.err) == (exit, True), ran.said


def test_a_seed_that_is_none_is_refused(pv: Pv) -> None:
    ran = pv("explain", "microgpt", "--seed", 2**63)
    assert (ran.exit, "outside 0 …" in ran.err) == (2, True)


def test_a_project_without_models_has_none_to_run(tmp_path: Path, pv: Pv) -> None:
    write_project(tmp_path)
    ran = pv("explain", "microgpt", cwd=tmp_path)
    assert (ran.exit, "there is no model 'microgpt'" in ran.err) == (2, True)


def test_torch_is_imported_only_when_a_model_runs(
    tmp_path: Path, standing: Path, pv_process: Callable[..., Ran]
) -> None:
    """A torch that cannot be imported is noticed exactly where one is needed."""
    (tmp_path / "torch.py").write_text("raise ImportError('no torch')\n", encoding="utf-8")
    env = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    path = llama_file(tmp_path / "model.safetensors")
    for arguments in (["--kernel", "llama", "-v", "--proof-status"], ["--tensor", "q_proj"], [path]):
        ran = pv_process("explain", *arguments, cwd=standing, env=env)
        assert ran.exit == 0, ran.said
    assert pv_process("trace", path, cwd=standing, env=env).exit == 0
    ran = pv_process("explain", "microgpt", cwd=standing, env=env)
    assert (ran.exit, "torch is not installed" in ran.err) == (3, True)


@pytest.mark.parametrize("columns", [40, 200])
def test_narrow_and_wide_terminals(pv: Pv, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    ran = pv("explain", "--kernel", "llama")
    table = ran.out.partition("Kernel pipeline")[2].splitlines()[2:-1]
    assert ran.exit == 0
    assert max(map(len, table)) <= columns
    assert "microgpt-v1 § softmax" in ran.out
