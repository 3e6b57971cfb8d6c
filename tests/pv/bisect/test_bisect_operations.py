"""Operations against torch's own and against transformers; each with something that it is not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from pv.bisect import operations as op
from pv.finding import PvError
from pv.stages.read import read_stage_maps

ROOT = Path(__file__).resolve().parents[3]


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_every_operation_that_a_shipped_map_names_is_there() -> None:
    names = {stage.operation for each in read_stage_maps(ROOT) for stage in each.stages if stage.operation}
    assert len(names) > 10
    assert all(callable(op.find(name)) for name in names)


def test_an_operation_of_the_project_is_found_and_one_that_is_not_there_is_said() -> None:
    assert op.find("math:fsum")([1.0, 2.0]) == 3.0
    for name in ("rms-norm", "math:nothing", "no_such_module:f"):
        with pytest.raises(PvError, match="operation"):
            op.find(name)


def test_norms_are_torchs() -> None:
    x, weight, shift = draw(5, 8), draw(8, seed=1), draw(8, seed=2)
    torch.testing.assert_close(op.rms_norm(x, weight, eps=1e-3), functional.rms_norm(x, (8,), weight, 1e-3))
    torch.testing.assert_close(
        op.layer_norm(x, weight, shift, eps=1e-3), functional.layer_norm(x, (8,), weight, shift, 1e-3)
    )
    assert not torch.allclose(op.rms_norm(x, weight, eps=1e-3), op.rms_norm(x, weight, eps=1e-2))


def test_rope_is_that_of_transformers_and_not_the_interleaved_one() -> None:
    from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

    q, k, inv_freq = draw(7, 4, 8), draw(7, 2, 8, seed=1), 10000.0 ** -(torch.arange(0, 8, 2, dtype=torch.float64) / 8)
    angles = torch.outer(torch.arange(7, dtype=torch.float64), inv_freq).repeat(1, 2)[None]
    wanted = apply_rotary_pos_emb(q.transpose(0, 1)[None], k.transpose(0, 1)[None], angles.cos(), angles.sin())
    torch.testing.assert_close(op.rope(q, inv_freq), wanted[0][0].transpose(0, 1))
    packed = torch.cat([q.flatten(1), k.flatten(1)], dim=1)
    torch.testing.assert_close(op.rope(packed, inv_freq, heads=2, skip=4), wanted[1][0].transpose(0, 1))
    assert not torch.allclose(op.rope(q, inv_freq, first=1), wanted[0][0].transpose(0, 1))


def test_a_part_of_a_head_beyond_the_frequencies_is_left_alone() -> None:
    x = draw(3, 2, 8)
    turned = op.rope(x, torch.tensor([1.0, 0.1]), head_dim=8)
    torch.testing.assert_close(turned[..., 4:], x[..., 4:])
    assert not torch.equal(turned[1:, :, :4], x[1:, :, :4])


@pytest.mark.parametrize("count", [1, 5, 300])
def test_attention_whole_is_scores_softmax_values_and_torchs_kernel(count: int) -> None:
    q, k, v = draw(count, 4, 8), draw(count, 2, 8, seed=1), draw(count, 2, 8, seed=2)
    whole = op.attention(q, k, v)
    pieces = op.weighted_values(op.causal_softmax(op.scores(q, k)), v)
    batch = (each.transpose(0, 1)[None] for each in (q, k, v))
    kernel = (
        functional.scaled_dot_product_attention(*batch, is_causal=True, enable_gqa=True)[0].transpose(0, 1).flatten(1)
    )
    torch.testing.assert_close(whole, pieces)
    torch.testing.assert_close(whole, kernel)
    packed = torch.cat([each.flatten(1) for each in (q, k, v)], dim=1)
    torch.testing.assert_close(op.packed_attention(packed, heads=4, kv_heads=2), kernel)
    torch.testing.assert_close(op.attention(q, k, packed), kernel)
    torch.testing.assert_close(op.packed_scores(packed, heads=4, kv_heads=2), op.scores(q, k))


def test_a_window_hides_what_is_further_back() -> None:
    q, k, v = draw(6, 2, 4), draw(6, 2, 4, seed=1), draw(6, 2, 4, seed=2)
    assert torch.equal(op.attention(q, k, v, window=1), v.flatten(1))
    torch.testing.assert_close(
        op.attention(q, k, v, window=3), op.weighted_values(op.causal_softmax(op.scores(q, k), window=3), v)
    )
    assert not torch.allclose(op.attention(q, k, v, window=3), op.attention(q, k, v))


def test_linear_layers_take_the_layouts_of_their_libraries() -> None:
    x, one, two, shift = draw(3, 4), draw(5, 4, seed=1), draw(2, 4, seed=2), draw(5, seed=3)
    torch.testing.assert_close(
        op.linear(x, one, two), torch.cat([functional.linear(x, one), functional.linear(x, two)], 1)
    )
    torch.testing.assert_close(op.affine(x, one, shift), functional.linear(x, one, shift))
    torch.testing.assert_close(op.conv1d(x, one.T, shift), functional.linear(x, one, shift))
    torch.testing.assert_close(
        op.bias(op.linear(x, one, two), shift, shift[:2])[:, 5:], functional.linear(x, two) + shift[:2]
    )


def test_activations_are_told_from_each_other() -> None:
    x = draw(100) * 3
    assert torch.equal(op.activation(x, kind="gelu_new"), functional.gelu(x, approximate="tanh"))
    torch.testing.assert_close(op.silu(x), functional.silu(x))
    apart = (op.gelu(x) - op.gelu_tanh(x)).abs().max()
    assert 1e-5 < apart < 1e-2
    with pytest.raises(ValueError, match="'mish'"):
        op.activation(x, kind="mish")


def test_a_mask_of_its_own_is_added_before_the_softmax() -> None:
    scores, tokens = draw(2, 4, 4), torch.arange(4)
    torch.testing.assert_close(op.softmax(scores, op.causal_mask(tokens)), op.causal_softmax(scores))
    assert torch.equal(op.causal_mask(tokens, value=-1e9)[0], torch.tensor([0, -1e9, -1e9, -1e9], dtype=torch.float64))
