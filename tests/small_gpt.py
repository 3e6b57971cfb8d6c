"""A microGPT checkpoint of sizes that are not the shipped ones, written without the implementation's own writer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

VOCABULARY, CONTEXT, WIDTH, HEADS, HEAD_DIM, INNER = 27, 9, 12, 3, 4, 20
SHAPES = {
    "wte": (VOCABULARY, WIDTH), "wpe": (CONTEXT, WIDTH), "wq": (HEADS, WIDTH, HEAD_DIM), "wk": (HEADS, WIDTH, HEAD_DIM),
    "wv": (HEADS, WIDTH, HEAD_DIM), "wo": (HEADS, HEAD_DIM, WIDTH), "w_fc1": (WIDTH, INNER), "w_fc2": (INNER, WIDTH),
    "w_lm": (WIDTH, VOCABULARY),
}  # fmt: skip
CONFIG = {
    "model_type": "microgpt", "vocab_size": VOCABULARY, "block_size": CONTEXT, "n_embd": WIDTH, "n_head": HEADS,
    "n_layer": 1, "ff_dim": INNER, "rms_norm_eps": 1e-5, "bos": 0, "training": {"steps": 70, "seed": 3},
}  # fmt: skip


def small_weights() -> dict[str, NDArray[np.float32]]:
    """Weights drawn from a normal distribution."""
    draw = np.random.default_rng(5)
    return {name: (0.1 * draw.standard_normal(shape)).astype(np.float32) for name, shape in SHAPES.items()}


def write_small_gpt(folder: Path, **config: object) -> dict[str, NDArray[np.float32]]:
    """A folder with model.safetensors and config.json, with `config` in its place; the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = small_weights()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps({**CONFIG, **config}), encoding="utf-8")
    return weights
