"""`pv trace --save-tensor`: what is written, what is refused, and that looking changes nothing."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from conftest import ROOT, Ran, edit
from tiny_models import TOKENS, load_tiny, save_tiny

from implementations.microgpt.model import MicroGPT
from pv.tensors.folder import open_capture
from pv.tensors.place import Place

Pv = Callable[..., Ran]
IDS = "1,5,9,3,2,7"


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("models") / "llama", "llama")


def saved(pv: Pv, folder: Path, *arguments: object, cwd: Path = ROOT) -> Any:
    ran = pv("trace", *arguments, "--output", folder, "--format", "json", cwd=cwd)
    assert ran.exit == 0, ran.said
    return json.loads(ran.out)


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_stage_of_a_model_of_transformers_is_written_and_read_again(pv: Pv, llama: Path, tmp_path: Path) -> None:
    value = saved(pv, tmp_path / "out", llama, "--tokens", IDS, "--save-tensor", "all")
    assert (value["checked"], value["tokens"]) == (True, TOKENS[0].tolist())
    stored, own = open_capture(tmp_path / "out"), load_tiny(llama)
    assert [str(place) for place in stored.places][:4] == [
        "layer 0 embedding", "layer 0 attn_norm", "layer 0 qkv_matmul", "layer 0 q_post_rope",
    ]  # fmt: skip
    with torch.no_grad():
        assert numpy.array_equal(stored.array(Place("lm_head", None)), own(TOKENS, use_cache=False).logits[0].numpy())
    known = stored.manifest
    assert (known.family, known.dtype, known.attention, known.phase) == ("llama", "float32", "eager", "prefill")
    assert set(known.versions) == {"pv", "python", "torch", "transformers"}
    assert stored.record(Place("q_post_rope", 1)).axes == ("n", "H", "D")
    for row in value["stages"]:
        data = (tmp_path / "out" / row["file"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (row["bytes"], row["sha256"])


def test_the_logits_of_the_next_token_have_the_published_size(pv: Pv, llama: Path, tmp_path: Path) -> None:
    saved(pv, tmp_path / "out", llama, "--tokens", IDS, "--save-tensor", "lm_head", "--position", "last")
    data = (tmp_path / "out/lm_head.bin").read_bytes()
    assert (len(data), data[:12]) == (12 + 4 * 37, b"APRT\xff\xff\xff\xff" + struct.pack("<I", 37))
    with torch.no_grad():
        logits = load_tiny(llama)(TOKENS, use_cache=False).logits[0, -1]
    assert data[12:] == logits.numpy().astype("<f4").tobytes()


def test_queries_are_laid_out_position_by_position(pv: Pv, llama: Path, tmp_path: Path) -> None:
    """[seq, heads · head_dim] row by row; the model holds [1, heads, seq, head_dim], as many numbers in another order."""
    saved(pv, tmp_path / "all", llama, "--tokens", IDS, "--save-tensor", "q_post_rope", "--layer", 0)
    saved(pv, tmp_path / "one", llama, "--tokens", "1", "--save-tensor", "q_post_rope", "--layer", 0)
    first = (tmp_path / "one/layer-0/q_post_rope.bin").read_bytes()[12:]
    assert numpy.allclose(
        numpy.frombuffer((tmp_path / "all/layer-0/q_post_rope.bin").read_bytes()[12 : 12 + 4 * 32], "<f4"),
        numpy.frombuffer(first, "<f4"),
        atol=1e-6,
    )


def test_the_same_run_writes_the_same_bytes(pv: Pv, llama: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        saved(pv, tmp_path / name, llama, "--tokens", IDS, "--save-tensor", "all", "--layers", "0..2")
    assert files_in(tmp_path / "one") == files_in(tmp_path / "other")
    assert not [name for name in files_in(tmp_path / "one") if name.startswith("layer-2")]


def test_microgpt_is_captured_head_by_head(pv: Pv, tmp_path: Path) -> None:
    value = saved(pv, tmp_path / "out", "microgpt", "--text", "emma", "--seed", 3, "--save-tensor", "all")
    stored = open_capture(tmp_path / "out")
    assert stored.array(Place("attn_heads", 0)).shape == (4, 5, 16)
    assert {row["stage"] for row in value["stages"]} >= {"embed_norm", "ffn_act", "attn_mask"}
    with torch.no_grad():
        logits = MicroGPT(seed=3)(torch.tensor([0, 5, 13, 13, 1]))
    assert numpy.array_equal(stored.array(Place("lm_head", None)), logits.numpy())
    assert (stored.manifest.inputs, stored.manifest.attention) == ({"text": "emma"}, "own")


def test_a_prompt_and_a_text_of_microgpt_are_read_alike(pv: Pv, tmp_path: Path) -> None:
    for how in ("text", "prompt"):
        saved(pv, tmp_path / how, "microgpt", f"--{how}", "em", "--save-tensor", "lm_head")
    both = [open_capture(tmp_path / how) for how in ("text", "prompt")]
    assert both[0].tokens == both[1].tokens == (0, 5, 13)
    assert (
        json.loads(pv("trace", "microgpt", "--prompt", "em", "--format", "json").out)["predictions"][2]["target"]
        is None
    )


def test_half_precision_is_kept_without_loss_and_double_beside(pv: Pv, llama: Path, tmp_path: Path) -> None:
    for dtype in ("bfloat16", "float64"):
        saved(pv, tmp_path / dtype, llama, "--tokens", IDS, "--save-tensor", "ffn_out", "--layer", 1, "--dtype", dtype)
    half, double = (open_capture(tmp_path / dtype) for dtype in ("bfloat16", "float64"))
    place = Place("ffn_out", 1)
    assert (half.record(place).dtype, half.record(place).file) == ("bfloat16", "layer-1/ffn_out.bin")
    values = torch.from_numpy(half.array(place).copy())
    assert torch.equal(values, values.bfloat16().float())
    assert (double.array(place).dtype.name, double.record(place).file) == ("float64", "layer-1/ffn_out.safetensors")


def test_a_model_that_no_map_is_known_of_is_captured_module_by_module(pv: Pv, tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "bloom", "bloom")
    value = saved(pv, tmp_path / "out", folder, "--tokens", IDS, "--save-tensor", "mlp_dense_4h_to_h,lm_head")
    assert [(row["stage"], row["layer"]) for row in value["stages"]] == [
        ("mlp_dense_4h_to_h", 0), ("mlp_dense_4h_to_h", 1), ("lm_head", None),
    ]  # fmt: skip
    stored, head = open_capture(tmp_path / "out"), Place("lm_head", None)
    assert (stored.manifest.family, stored.array(head).shape) == ("generic", (1, 6, 37))
    saved(pv, tmp_path / "last", folder, "--tokens", IDS, "--save-tensor", "lm_head", "--position", "last")
    assert numpy.array_equal(open_capture(tmp_path / "last").array(head), stored.array(head)[:, -1:])


def test_modules_that_are_never_called_are_left_out_of_all_and_told(pv: Pv, tmp_path: Path) -> None:
    import transformers

    torch.manual_seed(0)
    sizes = {"vocab_size": 37, "hidden_size": 16, "num_hidden_layers": 2, "state_size": 4, "num_heads": 2}
    transformers.MambaForCausalLM(transformers.MambaConfig(**sizes)).save_pretrained(tmp_path / "mamba")
    arguments = ["trace", tmp_path / "mamba", "--tokens", IDS, "--output", tmp_path / "out", "--save-tensor"]
    refused = pv(*arguments, "all,mixer_conv1d")
    assert (refused.exit, "did not come by layer 0 mixer_conv1d" in refused.err) == (3, True), refused.said
    ran = pv(*arguments, "all", "--format", "json")
    assert ran.exit == 0, ran.said
    assert {"stage": "mixer_conv1d", "layer": 0} in json.loads(ran.out)["not_reached"]
    assert "not reached: " in ran.err
    assert "layer 0 mixer_conv1d, " in ran.err
    assert "mixer_in_proj" in {place.stage for place in open_capture(tmp_path / "out").places}


def test_a_trace_of_a_model_of_transformers_shows_its_layers(pv: Pv, llama: Path) -> None:
    ran = pv("trace", llama, "--tokens", IDS)
    assert ran.exit == 0, ran.said
    assert all(title in ran.out for title in ("1  Embedding", "2  Layer 0", "4  Layer 2", "5  Logits", "ffn_swigl"))


REFUSED: list[tuple[list[object], int, str]] = [
    (["--save-tensor", "ffn_oot"], 2, "there is no stage 'ffn_oot' in contracts/stages/llama.yaml"),
    (["--save-tensor", "all,ffn_oot"], 2, "there is no stage 'ffn_oot' in contracts/stages/llama.yaml"),
    (["--save-tensor", "ffn_out,,lm_head"], 2, "has an empty name in it"),
    (["--save-tensor", ""], 2, "has an empty name in it"),
    (["--save-tensor", "all", "--layer", 3], 2, "layers 3..4 were asked for; the model has 3: 0..3"),
    (["--save-tensor", "all", "--layer", "-1"], 2, "is no number of a layer"),
    (["--save-tensor", "all", "--layers", "0-3"], 2, "is no range of layers"),
    (["--save-tensor", "all", "--layers", "5..5"], 2, "is no range of layers"),
    (["--save-tensor", "all", "--layers", "0..=3"], 2, "is no range of layers"),
    (["--save-tensor", "all", "--layers", "0..4"], 2, "layers 0..4 were asked for; the model has 3"),
    (["--save-tensor", "all", "--layers", "0..1", "--layer", 0], 2, "give one"),
    (["--save-tensor", "embedding", "--layers", "1..2"], 2, "nothing to record of embedding in layers 1..2"),
    (["--save-tensor", "embedding,attn_out", "--layers", "1..2"], 2, "nothing to record of embedding in layers 1..2"),
    (["--save-tensor", "qkv_bias"], 2, "this model has no qkv_bias"),
    (["--save-tensor", "attn_scores", "--attn", "sdpa"], 2, "is seen with eager attention only"),
    (["--save-tensor", "all", "--dtype", "int8"], 2, "there is no dtype 'int8'"),
    (["--save-tensor", "all", "--device", "gpu"], 2, "there is no device 'gpu'"),
    (["--save-tensor", "all", "--device", "meta"], 2, "nothing is computed on the device meta"),
    (["--save-tensor", "all", "--device", "cuda:99"], 3, "there is no cuda:99 here"),
    (["--save-tensor", "all", "--text", "a"], 2, "give one"),
    (["--save-tensor", "all", "--seed", 1], 2, "leave --seed out"),
]


@pytest.mark.parametrize(("arguments", "code", "said"), REFUSED)
def test_what_cannot_be_captured_is_refused_and_nothing_is_written(
    pv: Pv, llama: Path, tmp_path: Path, arguments: list[object], code: int, said: str
) -> None:
    ran = pv("trace", llama, "--tokens", IDS, *arguments, "--output", tmp_path / "out")
    assert (ran.exit, said in ran.err) == (code, True), ran.said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tokens", IDS, "--save-tensor", "all"], "needs --output DIR"),
        (["--save-tensor", "all", "--output", "out"], "--save-tensor without --text, --tokens or --prompt"),
        (["--tokens", IDS, "--layer", "1", "--no-check"], "--layer, --no-check without --save-tensor"),
        (["--dtype", "float32"], "--dtype without --text, --tokens or --prompt"),
        (["--text", "a", "--save-tensor", "all", "--output", "out"], "this model has no tokenizer"),
        (["--tokens", "1,37", "--save-tensor", "all", "--output", "out"], "token 37 is outside 0 … 36"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    pv: Pv, llama: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    ran = pv("trace", llama, *arguments, cwd=tmp_path)
    assert (ran.exit, said in ran.err) == (2, True), ran.said
    assert list(tmp_path.iterdir()) == []


def test_microgpt_has_one_attention(pv: Pv, tmp_path: Path) -> None:
    ran = pv("trace", "microgpt", "--text", "a", "--save-tensor", "all", "--attn", "sdpa", "--output", tmp_path / "out")
    assert (ran.exit, "one attention" in ran.err) == (2, True), ran.said


def test_a_folder_that_holds_anything_is_not_written_to(pv: Pv, llama: Path, tmp_path: Path) -> None:
    saved(pv, tmp_path / "out", llama, "--tokens", IDS, "--save-tensor", "lm_head")
    before = files_in(tmp_path / "out")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for folder, said in (
        ("out", "holds a capture already"),
        ("notes", "holds mine.txt already"),
        ("file", "is no folder"),
    ):
        ran = pv("trace", llama, "--tokens", IDS, "--save-tensor", "all", "--output", tmp_path / folder)
        assert (ran.exit, said in ran.err) == (2, True), ran.said
    assert files_in(tmp_path / "out") == before


def test_a_folder_that_cannot_be_made_is_said(pv: Pv, llama: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = pv("trace", llama, "--tokens", IDS, "--save-tensor", "lm_head", "--output", tmp_path / "file/out")
    assert (ran.exit, "cannot be written to" in ran.err) == (2, True), ran.said


def test_a_stage_that_is_not_reached_leaves_no_capture(pv: Pv, scratch: Path, tmp_path: Path) -> None:
    edit(scratch / "contracts/stages/microgpt.yaml", "name: attn_softmax_hnn}", "name: another}")
    ran = pv("trace", "microgpt", "--text", "a", "--save-tensor", "all", "--output", tmp_path / "out", cwd=scratch)
    assert (ran.exit, "did not come by layer 0 attn_softmax; nothing was captured" in ran.err) == (3, True), ran.said
    assert files_in(tmp_path / "out") == {}


TWO_FACED = """
import sys
from implementations.microgpt.checkpoint import load_model as load
def load_model(path, seed=42):
    model = load(path, seed=seed)
    forward = model.forward
    {body}
    return model
"""
LOOKS_BACK = """def other(tokens):
        return forward(tokens) + (1e-3 if sys.gettrace() else 0.0)
    model.forward = other"""
DRAWS = """def other(tokens):
        import torch
        logits = forward(tokens)
        return logits + torch.rand_like(logits)
    model.forward = other"""


@pytest.mark.parametrize(
    ("body", "said"), [(LOOKS_BACK, "looking changes the result"), (DRAWS, "another output each time")]
)
def test_an_output_that_looking_changes_is_no_capture(
    pv: Pv, scratch: Path, tmp_path: Path, body: str, said: str
) -> None:
    (scratch / "implementations/two_faced.py").write_text(TWO_FACED.format(body=body))
    edit(
        scratch / "pyproject.toml",
        "implementations.microgpt.checkpoint:load_model",
        "implementations.two_faced:load_model",
    )
    arguments = ["trace", "microgpt", "--text", "a", "--save-tensor", "lm_head,q", "--output"]
    ran = pv(*arguments, tmp_path / "out", cwd=scratch)
    assert (ran.exit, said in ran.err) == (3, True), ran.said
    assert files_in(tmp_path / "out") == {}
    unchecked = pv(*arguments, tmp_path / "out", "--no-check", cwd=scratch)
    assert (unchecked.exit, "was not checked" in unchecked.out) == (0, True), unchecked.said


def test_a_folder_that_lacks_a_weight_is_not_run_on_random_ones(pv: Pv, llama: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(llama / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    (tmp_path / "lacking").mkdir()
    save_file(weights, tmp_path / "lacking/model.safetensors", {"format": "pt"})
    (tmp_path / "lacking/config.json").write_bytes((llama / "config.json").read_bytes())
    ran = pv("trace", tmp_path / "lacking", "--tokens", IDS)
    assert (ran.exit, "has no model.layers.1.mlp.up_proj.weight" in ran.err) == (2, True), ran.said


def test_code_that_a_folder_brings_is_not_run(pv: Pv, llama: Path, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    config = json.loads((llama / "config.json").read_text())
    config |= {
        "model_type": "mine",
        "architectures": ["Mine"],
        "auto_map": {"AutoModelForCausalLM": "mine.Mine", "AutoConfig": "mine.C"},
    }
    (tmp_path / "own/config.json").write_text(json.dumps(config))
    (tmp_path / "own/model.safetensors").write_bytes((llama / "model.safetensors").read_bytes())
    (tmp_path / "own/mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    ran = pv("trace", tmp_path / "own", "--tokens", IDS)
    assert (ran.exit, "cannot be loaded" in ran.err) == (2, True), ran.said
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_capture_leaves_nothing_and_says_so(scratch: Path, tmp_path: Path, number: int) -> None:
    """The model says when it is in the middle of a pass, and waits there to be interrupted."""
    body = """def other(tokens):
        logits = forward(tokens)
        if sys.gettrace():
            print("here", flush=True)
            import signal
            signal.pause()
        return logits
    model.forward = other"""
    (scratch / "implementations/two_faced.py").write_text(TWO_FACED.format(body=body))
    edit(
        scratch / "pyproject.toml",
        "implementations.microgpt.checkpoint:load_model",
        "implementations.two_faced:load_model",
    )
    command = [
        sys.executable,
        "-m",
        "pv",
        "trace",
        "microgpt",
        "--text",
        "a",
        "--save-tensor",
        "all",
        "--output",
        tmp_path / "out",
    ]
    with subprocess.Popen(
        command, cwd=scratch, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)}
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        process.send_signal(number)
        said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130
    assert "interrupted; nothing was captured" in said
    assert "is kept" not in said
    assert list((tmp_path / "out").iterdir()) == []
