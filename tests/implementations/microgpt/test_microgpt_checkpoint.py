"""A model in a folder: there and back with any sizes, equal bytes, and every way to be unusable."""

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from implementations.microgpt.checkpoint import CONFIG, WEIGHTS, load_model, save_config, save_model
from implementations.microgpt.files import Unusable, held, write_whole
from implementations.microgpt.model import DEFAULT, SHAPES, Config, MicroGPT, model_of

OTHER = Config(vocab_size=30, block_size=9, n_embd=12, n_head=3, head_dim=5, ff_dim=7)


def saved(folder: Path, config: Config = DEFAULT, seed: int = 3) -> Path:
    save_model(folder, MicroGPT(seed=seed, config=config))
    save_config(folder, config, {"steps": 1})
    return folder


@pytest.mark.parametrize("config", [DEFAULT, OTHER])
def test_a_model_comes_back_bit_for_bit_with_its_sizes(tmp_path, config):
    model, tokens = load_model(saved(tmp_path, config), seed=0), torch.tensor([0, 5, 13])
    assert model.config == config
    assert torch.equal(model(tokens), MicroGPT(seed=3, config=config)(tokens))
    assert model(tokens).shape == (3, config.vocab_size)


def test_the_sizes_of_the_weights_bound_the_tokens(tmp_path):
    model = load_model(saved(tmp_path, OTHER), seed=0)
    with pytest.raises(ValueError, match="10 tokens were given; 1 … 9"):
        model(torch.zeros(10, dtype=torch.int64))
    with pytest.raises(ValueError, match="index 30 is outside 0 … 29"):
        model(torch.tensor([30]))


def test_without_a_folder_the_seed_decides():
    assert torch.equal(load_model(None, seed=5).wq, MicroGPT(seed=5).wq)


def test_the_folder_holds_what_is_agreed_with_its_readers(tmp_path):
    folder = saved(tmp_path)
    assert {name: (tuple(t.shape), t.dtype) for name, t in load_file(folder / WEIGHTS).items()} == {
        name: (shape, torch.float32) for name, shape in SHAPES.items()
    }
    assert json.loads((folder / CONFIG).read_text()) == {
        "model_type": "microgpt", "vocab_size": 27, "block_size": 16, "n_embd": 16, "n_head": 4, "n_layer": 1, "ff_dim": 64,
        "rms_norm_eps": 1e-5, "bos": 0, "training": {"steps": 1},
    }  # fmt: skip


def test_equal_models_give_equal_bytes_and_others_do_not(tmp_path):
    first, same, other = (tmp_path / name for name in ("first", "same", "other"))
    for folder, seed in ((first, 3), (same, 3), (other, 4)):
        folder.mkdir()
        saved(folder, seed=seed)
    assert (first / WEIGHTS).read_bytes() == (same / WEIGHTS).read_bytes() != (other / WEIGHTS).read_bytes()


def rewritten(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], object]:
    def damage(folder: Path) -> None:
        weights = load_file(folder / WEIGHTS)
        change(weights)
        save_file(weights, folder / WEIGHTS)

    return damage


def configured(old: str, new: str) -> Callable[[Path], object]:
    def damage(folder: Path) -> None:
        text = (folder / CONFIG).read_text()
        assert old in text
        (folder / CONFIG).write_text(text.replace(old, new))

    return damage


def cut(folder: Path) -> None:
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[: len(data) // 2])


@pytest.mark.parametrize(("damage", "file", "message"), [
    (lambda f: (f / WEIGHTS).unlink(), WEIGHTS, "there is no such file"),
    (lambda f: (f / CONFIG).unlink(), CONFIG, "No such file"),
    (cut, WEIGHTS, "damaged"),
    (lambda f: (f / WEIGHTS).write_bytes(b""), WEIGHTS, "damaged"),
    (lambda f: (f / WEIGHTS).write_bytes((2**63 - 1).to_bytes(8, "little") + b"{}"), WEIGHTS, "damaged"),
    (rewritten(lambda w: w.pop("wo")), WEIGHTS, "there is no wo"),
    (rewritten(lambda w: w.update(bias=torch.zeros(2))), WEIGHTS, "bias is no weight of microGPT"),
    (rewritten(lambda w: w.update(wk=torch.zeros(4, 16, 5))), WEIGHTS, r"wk is \[4, 16, 5\]; \[4, 16, 4\]"),
    (rewritten(lambda w: w.update(wte=torch.zeros(27))), WEIGHTS, r"wte is \[27\]; 2 axes"),
    (rewritten(lambda w: w.update(wpe=torch.zeros(0, 16))), WEIGHTS, r"wpe is \[0, 16\]; 2 axes of at least 1"),
    (rewritten(lambda w: w["w_lm"].fill_(math.nan)), WEIGHTS, "w_lm holds NaN"),
    (rewritten(lambda w: w["wq"][0, 0].fill_(math.inf)), WEIGHTS, "wq holds NaN or infinity"),
    (rewritten(lambda w: w.update(wq=w["wq"].half())), WEIGHTS, "wq is torch.float16; torch.float32"),
    (configured('"n_head": 4', '"n_head": 8'), CONFIG, "n_head is 8; 4 is needed"),
    (configured('"vocab_size": 27', '"vocab_size": 28'), CONFIG, "vocab_size is 28; 27"),
    (configured('"n_layer": 1', '"n_layer": true'), CONFIG, "n_layer is True; 1"),
    (configured('"rms_norm_eps": 1e-05', '"rms_norm_eps": 1e-06'), CONFIG, "rms_norm_eps is 1e-06"),
    (configured('"bos": 0,', ""), CONFIG, "bos is missing"),
    (configured("{", ""), CONFIG, "no JSON"),
    (lambda f: (f / CONFIG).write_text("[" * 100_000), CONFIG, "no JSON"),
    (lambda f: (f / CONFIG).write_text("[]"), CONFIG, "a list; an object"),
    (lambda f: (f / CONFIG).write_text(" " * (2**20 + 1)), CONFIG, "1,048,577 bytes"),
])  # fmt: skip
def test_what_cannot_be_used_is_refused_by_file_and_need(tmp_path, damage, file, message):
    folder = saved(tmp_path)
    damage(folder)
    with pytest.raises(Unusable, match=message) as refused:
        load_model(folder, seed=0)
    assert str(folder / file) in str(refused.value)


def test_a_model_of_too_few_weights_is_refused_before_sizes_are_read():
    with pytest.raises(ValueError, match="there is no wte"):
        model_of({})


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "file"
    write_whole(path, b"before")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"after")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
    assert path.read_bytes() == b"before"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no flock(2)")
def test_a_folder_is_held_by_one_at_a_time(tmp_path):
    with held(tmp_path), pytest.raises(Unusable, match="another process"), held(tmp_path):
        pass
    with held(tmp_path):  # and is free again
        pass
