"""Small models of transformers with random weights, saved and loaded as anybody's are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers

SIZES = {
    "vocab_size": 37, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 64, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
OF_GPT2 = {
    "vocab_size": 37,
    "n_embd": 32,
    "n_layer": 3,
    "n_head": 4,
    "n_positions": 64,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
OF_BLOOM = {"vocab_size": 37, "hidden_size": 32, "n_layer": 2, "n_head": 4, "bos_token_id": 1, "eos_token_id": 2}
CLASSES = {
    "llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM, SIZES),
    "qwen2": (transformers.Qwen2Config, transformers.Qwen2ForCausalLM, SIZES),
    "mistral": (transformers.MistralConfig, transformers.MistralForCausalLM, SIZES),
    "gpt2": (transformers.GPT2Config, transformers.GPT2LMHeadModel, OF_GPT2),
    "bloom": (transformers.BloomConfig, transformers.BloomForCausalLM, OF_BLOOM),
}
TOKENS = torch.tensor([[1, 5, 9, 3, 2, 7]])


def save_tiny(folder: Path, family: str, *, seed: int = 0, dtype: torch.dtype = torch.float32, **changes: Any) -> Path:
    """A model of `family` in `folder`, where norms, biases and gains are random too: a map that forgets one is wrong."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    config, model_class, sizes = CLASSES[family]
    torch.manual_seed(seed)
    model = model_class(config(**{**sizes, **changes}))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter) * 0.3)
    model.to(dtype).save_pretrained(folder)
    return folder


def load_tiny(folder: Path, attention: str = "eager") -> Any:
    """The model in `folder`."""
    found = transformers.AutoModelForCausalLM.from_pretrained(folder, attn_implementation=attention, dtype="auto")
    return found.eval()
