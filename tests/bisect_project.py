"""A project of small Llamas, one right and others each wrong in one way, for tests of `pv bisect`."""

from __future__ import annotations

from pathlib import Path

TOKENS = "5,9,3,44,17,8,30"
SIZES = {
    "vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 64, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip

WRONG = (
    "turned", "epsilon", "outside", "dropout", "generating", "one_weight", "other_weights", "rounded", "zeroed", "quantised",
)  # fmt: skip
"""The models of the project beside `right`."""

MODELS = f'''\
import torch
from transformers import LlamaConfig, LlamaForCausalLM


def right(path, *, seed, kind=LlamaForCausalLM, **more):
    torch.manual_seed(seed)
    return kind(LlamaConfig(**{SIZES!r}, **more)).eval()


def turned(path, *, seed):
    """Layer 1 rotates the other way."""
    model = right(path, seed=seed)
    attention = model.model.layers[1].self_attn
    whole = attention.forward

    def forward(hidden_states, position_embeddings=None, **others):
        cos, sin = position_embeddings
        return whole(hidden_states, position_embeddings=(cos, -sin), **others)

    attention.forward = forward
    return model


def epsilon(path, *, seed):
    """The norm before the attention of layer 2 has another epsilon."""
    model = right(path, seed=seed)
    model.model.layers[2].input_layernorm.variance_epsilon = 1e-3
    return model


class Outside(LlamaForCausalLM):
    """Bends the logits after the last stage."""

    def forward(self, *arguments, **others):
        out = super().forward(*arguments, **others)
        out.logits = torch.tanh(out.logits / 0.3)
        return out


def outside(path, *, seed):
    return right(path, seed=seed, kind=Outside)


def dropout(path, *, seed):
    return right(path, seed=seed, attention_dropout=0.3).train()


class Generating(LlamaForCausalLM):
    """Its forward pass is right; step by step it counts positions wrongly."""

    def prepare_inputs_for_generation(self, input_ids, **others):
        out = super().prepare_inputs_for_generation(input_ids, **others)
        if out["input_ids"].shape[1] == 1:
            out["position_ids"] = out["position_ids"] + 3
        return out


def generating(path, *, seed):
    return right(path, seed=seed, kind=Generating)


@torch.no_grad()
def one_weight(path, *, seed):
    model = right(path, seed=seed)
    model.model.layers[1].mlp.down_proj.weight[0] *= 1.5
    return model


def other_weights(path, *, seed):
    return right(path, seed=seed + 1)


@torch.no_grad()
def rounded(path, *, seed):
    model = right(path, seed=seed)
    for weight in model.parameters():
        weight.copy_(weight.bfloat16())
    return model


@torch.no_grad()
def quantised(path, *, seed):
    model = right(path, seed=seed)
    for weight in model.parameters():
        if weight.ndim == 2:
            step = weight.abs().amax(-1, keepdim=True) / 7
            weight.copy_((weight / step).round() * step)
    return model


def zeroed(path, *, seed):
    """The attention of layer 0 writes zeros over what it gives."""
    model = right(path, seed=seed)
    model.model.layers[0].self_attn.register_forward_hook(lambda module, given, out: (out[0].zero_(), *out[1:]))
    return model
'''


def write_llamas(root: Path) -> Path:
    """The project below `root`."""
    rows = [f'[tool.pv.models.{name}]\nfamily = "llama"\nload = "models:{name}"\n' for name in ("right", *WRONG)]
    (root / "pyproject.toml").write_text("[tool.pv]\n" + "\n".join(rows), encoding="utf-8")
    (root / "models.py").write_text(MODELS, encoding="utf-8")
    return root
