"""The model: shapes, one forward behind two doors, causality, gradients, refusals."""

import math

import pytest
import torch
from torch.autograd import gradcheck
from torch.autograd.gradcheck import GradcheckError
from torch.nn.utils import parameters_to_vector

from implementations.microgpt.config import BLOCK_SIZE, INIT_STD, PARAMETER_COUNT, RMS_EPSILON, VOCAB_SIZE
from implementations.microgpt.kernels import rms_norm
from implementations.microgpt.model import (
    SHAPES,
    Config,
    MicroGPT,
    attention_probabilities,
    draw_parameters,
    embed,
    forward_pass,
    split_parameters,
)

EMMA = torch.tensor([0, 5, 13, 13, 1])


def test_the_model_has_as_many_parameters_as_the_configuration_says():
    assert sum(parameter.numel() for parameter in MicroGPT(seed=0).parameters()) == PARAMETER_COUNT == 4192


def test_the_weights_are_named_and_shaped_as_the_reference_page():
    assert {name: tuple(weight.shape) for name, weight in MicroGPT(seed=0).named_parameters()} == {
        "wte": (27, 16),
        "wpe": (16, 16),
        "wq": (4, 16, 4),
        "wk": (4, 16, 4),
        "wv": (4, 16, 4),
        "wo": (4, 4, 16),
        "w_fc1": (16, 64),
        "w_fc2": (64, 16),
        "w_lm": (16, 27),
    }


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("n", [1, 5, BLOCK_SIZE])
def test_logits_have_a_row_per_token_and_the_weights_dtype(n, dtype):
    logits = MicroGPT(seed=0, dtype=dtype)(torch.arange(n))
    assert logits.shape == (n, VOCAB_SIZE)
    assert logits.dtype == dtype
    assert logits.isfinite().all()


def test_a_seed_decides_every_weight():
    assert torch.equal(draw_parameters(7), draw_parameters(7))
    assert not torch.equal(draw_parameters(7), draw_parameters(8))
    assert torch.equal(draw_parameters(7), draw_parameters(7, torch.float64).float())


def test_initial_weights_are_spread_as_the_configuration_says():
    drawn = draw_parameters(0, torch.float64)
    # Four standard errors of each estimate.
    assert abs(drawn.mean().item()) < 4 * INIT_STD / math.sqrt(PARAMETER_COUNT)
    assert abs(drawn.std().item() - INIT_STD) < 4 * INIT_STD / math.sqrt(2 * PARAMETER_COUNT)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_module_and_function_agree_bit_for_bit(dtype):
    model = MicroGPT(seed=3, dtype=dtype)
    flat = parameters_to_vector(model.parameters())
    assert torch.equal(flat, draw_parameters(3, dtype))
    assert torch.equal(forward_pass(flat, EMMA), model(EMMA))


def test_module_and_function_have_the_same_gradient():
    model = MicroGPT(seed=3)
    flat = draw_parameters(3).requires_grad_()
    forward_pass(flat, EMMA).square().sum().backward()
    model(EMMA).square().sum().backward()
    gradients = [parameter.grad for parameter in model.parameters()]
    torch.testing.assert_close(flat.grad, parameters_to_vector(gradients), rtol=0, atol=0)


def loop_over_heads(weights: dict[str, torch.Tensor], tokens: torch.Tensor) -> torch.Tensor:
    """The same model by other means: table look-up, a loop over heads, torch's own norm, softmax and mask."""
    n = len(tokens)

    def norm(x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.rms_norm(x, (16,), eps=RMS_EPSILON)

    x = norm(weights["wte"][tokens] + weights["wpe"][:n])
    normed = norm(x)
    later = torch.arange(n)[None, :] > torch.arange(n)[:, None]
    for head in range(4):
        query, key, value = (normed @ weights[name][head] for name in ("wq", "wk", "wv"))
        scores = (query @ key.T / 2).masked_fill(later, -math.inf)
        x = x + torch.softmax(scores, -1) @ value @ weights["wo"][head]
    x = x + torch.nn.functional.relu(norm(x) @ weights["w_fc1"]) @ weights["w_fc2"]
    return x @ weights["w_lm"]


def test_the_forward_equals_one_written_by_other_means():
    weights = split_parameters(10 * draw_parameters(1, torch.float64))
    actual = forward_pass(10 * draw_parameters(1, torch.float64), EMMA)
    torch.testing.assert_close(actual, loop_over_heads(weights, EMMA), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", SHAPES)
def test_every_weight_matters(name):
    weights = split_parameters(draw_parameters(1, torch.float64))
    disturbed = parameters_to_vector([weight * (1.5 if key == name else 1.0) for key, weight in weights.items()])
    assert not torch.allclose(forward_pass(disturbed, EMMA), loop_over_heads(weights, EMMA), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("position", range(5))
def test_a_token_moves_its_own_row_and_later_ones_but_none_before(position):
    model = MicroGPT(seed=0)
    changed = EMMA.clone()
    changed[position] = 20
    before, after = model(EMMA), model(changed)
    assert torch.equal(before[:position], after[:position])
    assert (before[position:] != after[position:]).any(dim=1).all()


def test_attention_probabilities_are_causal_and_sum_to_one():
    weights = split_parameters(draw_parameters(0))
    probabilities = attention_probabilities(weights, rms_norm(embed(weights, EMMA)))
    assert probabilities.shape == (4, 5, 5)
    assert probabilities[:, 0].tolist() == [[1.0, 0.0, 0.0, 0.0, 0.0]] * 4
    assert torch.equal(probabilities, probabilities.tril())
    torch.testing.assert_close(probabilities.sum(-1), torch.ones(4, 5))


def test_every_gradient_is_that_of_the_formula():
    assert gradient_holds(forward_pass)


def test_a_gradient_that_misses_one_path_is_caught():
    def blind_to_queries(parameters: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        weights = split_parameters(parameters)
        weights["wq"] = weights["wq"].detach()
        return forward_pass(parameters_to_vector(list(weights.values())), tokens)

    with pytest.raises(GradcheckError, match="mismatch"):
        gradient_holds(blind_to_queries)


def gradient_holds(forward) -> bool:
    """Finite differences of `forward` along three fixed directions of parameter space."""
    start = 5 * draw_parameters(0, torch.float64)
    directions = torch.stack([draw_parameters(seed, torch.float64) for seed in (1, 2, 3)])
    coordinates = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    return gradcheck(lambda point: forward(start + point @ directions, EMMA[:3]), coordinates)


@pytest.mark.parametrize("door", ["module", "function"])
@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (torch.tensor([0, 99]), "index 99 is outside 0 … 26"),
        (torch.tensor([0, -1]), "index -1 is outside 0 … 26"),
        (torch.tensor([], dtype=torch.int64), "0 tokens were given; 1 … 16"),
        (torch.zeros(17, dtype=torch.int64), "17 tokens were given; 1 … 16"),
        (torch.tensor([0.0]), r"\[1\] torch.float32; \[n\] torch.int64"),
        (torch.tensor([0], dtype=torch.int32), r"\[1\] torch.int32; \[n\] torch.int64"),
        (torch.tensor([[0, 1]]), r"shape \[1, 2\]; \[n\] with 1 ≤ n ≤ 16"),
        (torch.tensor(0), r"shape \[\]; \[n\] with 1 ≤ n ≤ 16"),
    ],
)
def test_wrong_tokens_are_refused_by_value_and_bound(door, tokens, message):
    with pytest.raises(ValueError, match=message):
        MicroGPT(seed=0)(tokens) if door == "module" else forward_pass(draw_parameters(0), tokens)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (torch.zeros(4191), r"\[4191\] torch.float32; \[4192\]"),
        (torch.zeros(1, 4192), r"\[1, 4192\] torch.float32; \[4192\]"),
        (torch.zeros(4192, dtype=torch.int64), r"torch.int64; .* floating-point"),
    ],
)
def test_wrong_parameters_are_refused_by_value_and_bound(parameters, message):
    with pytest.raises(ValueError, match=message):
        forward_pass(parameters, EMMA)


def test_one_nan_in_the_token_table_makes_every_logit_nan():
    parameters = draw_parameters(0)
    parameters[26 * 16] = math.nan  # the row of z, which emma does not hold
    assert forward_pass(parameters, EMMA).isnan().all()


def test_scores_are_divided_by_the_root_of_the_head_dimension_and_not_of_the_number_of_heads():
    """Both are 4 in the contract's model, so it cannot tell."""
    config = Config(n_embd=6, n_head=2, head_dim=3)
    weights = split_parameters(draw_parameters(0, torch.float64, config), config)
    x = torch.ones(3, 6, dtype=torch.float64).cumsum(0).cumsum(1)
    scores = (x @ weights["wq"]) @ (x @ weights["wk"]).transpose(1, 2)
    later = torch.ones(3, 3, dtype=torch.bool).triu(1)
    for divisor, equal in ((3, True), (2, False)):
        expected = torch.softmax((scores / math.sqrt(divisor)).masked_fill(later, -math.inf), -1)
        assert torch.allclose(attention_probabilities(weights, x), expected, rtol=1e-12, atol=1e-12) == equal
