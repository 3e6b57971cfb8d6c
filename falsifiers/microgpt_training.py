"""Attacks on microGPT's training and sampling, and on its logits where training has been.

Expected values come from the contract's formulas, restated in float64 with torch's own gradients. Held against the scalar
reference they are by `pv falsify --kind oracle`. In the order of the contract: forward_pass (trained weights), loss,
gradients, train_steps, training, generate.
"""

from __future__ import annotations

import math
import re
from functools import cache
from itertools import accumulate

import torch
from hypothesis import assume
from hypothesis import strategies as st
from torch import Tensor

from falsifiers.microgpt import BETA1, BETA2, LETTERS, by_weight, pull_back, restated, up_to_relu
from pv import Case, Check, Subject, falsifier, fault

CONTRACT = "microgpt-v1"

BELOW_BOUND = math.nextafter(2.3, 0.0)

Gradients = tuple[Tensor, ...]


# --- forward_pass --------------------------------------------------------------------------------------------------


@falsifier("FALSIFY-MG-052")
def untrained_logits_are_those_of_the_architecture(subject: Subject, case: Case, check: Check) -> None:
    check.close(subject(*case), restated(case.parameters.double(), case.tokens), dtype=case.parameters.dtype)


@fault("forward_pass/initial")
def a_little_too_large(logits: Tensor, case: Case) -> Tensor:
    return logits * (1 + 1e-4)


@st.composite
def trained(draw: st.DrawFn, dtype: torch.dtype) -> Case:
    """Trained weights, disturbed by a hundredth or so, and up to 16 tokens."""
    noise = torch.Generator().manual_seed(draw(st.integers(0, 2**32 - 1)))
    disturbed = grown() + 0.01 * torch.randn(4192, generator=noise, dtype=torch.float64)
    tokens = draw(st.lists(st.integers(0, 26), min_size=1, max_size=16))
    return Case(parameters=disturbed.to(dtype), tokens=torch.tensor(tokens))


@cache
def grown() -> Tensor:
    """What 300 steps on eight names make of initial weights: entries of up to about 1, logits of up to about 10."""
    drawn = torch.randn(4192, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return restated_training(
        0.08 * drawn, ["emma", "olivia", "ava", "isabella", "sophia", "charlotte", "mia", "amelia"], 300
    )


@falsifier(
    "FALSIFY-MG-044",
    cases={"float32": trained(torch.float32), "float64": trained(torch.float64)},
    because="trained weights are no independent draws",
)
def logits_of_trained_weights_are_those_of_the_architecture(subject: Subject, case: Case, check: Check) -> None:
    check.close(subject(*case), restated(case.parameters.double(), case.tokens), dtype=case.parameters.dtype)


@fault("forward_pass/trained")
def large_logits_are_capped(logits: Tensor, case: Case) -> Tensor:
    return 30 * torch.tanh(logits / 30)


# --- loss ----------------------------------------------------------------------------------------------------------


@falsifier("FALSIFY-MG-045")
def the_loss_is_the_mean_over_next_tokens(subject: Subject, case: Case, check: Check) -> None:
    check.close(subject(*case), restated_loss(case.parameters.double(), case.tokens), dtype=case.parameters.dtype)


@fault("loss/formula")
def the_sum_over_next_tokens(loss: Tensor, case: Case) -> Tensor:
    return loss * len(case.tokens)


def restated_loss(parameters: Tensor, tokens: Tensor) -> Tensor:
    """The contract's loss: what is missing to certainty, position by position."""
    logits = restated(parameters, tokens[:-1])
    missing = logits.logsumexp(dim=-1) - logits.gather(-1, tokens[1:, None])[:, 0]
    return missing.sum() / len(missing)


@falsifier("FALSIFY-MG-046")
def the_loss_falls_along_its_gradient(subject: Subject, case: Case, check: Check) -> None:
    away_from_kinks(case)
    cotangent, gradient = pull_back(subject, case.parameters, case.tokens)
    expected = restated_gradient(case.parameters, case.tokens)
    for seen, wanted in zip(by_weight(gradient.double()), by_weight(cotangent * expected), strict=True):
        check.close(seen, wanted, dtype=case.parameters.dtype)


@fault("loss/gradient")
def a_hundredth_of_the_gradient_lost(loss: Tensor, case: Case) -> Tensor:
    return 0.99 * loss + 0.01 * loss.detach()


def away_from_kinks(case: Case) -> None:
    """Turn away what float32 may round across a kink of ReLU, where the derivative is either side's."""
    if case.parameters.dtype == torch.float32:
        _, units, _, _ = up_to_relu(case.parameters.double(), case.tokens[:-1])
        assume(bool(units.abs().min() > 1e-5))


def restated_gradient(parameters: Tensor, tokens: Tensor) -> Tensor:
    """Of the restated loss in all parameters, flat, in float64."""
    leaf = parameters.detach().double().requires_grad_()
    gradient: Tensor = torch.autograd.grad(restated_loss(leaf, tokens), leaf)[0]
    return gradient


# --- gradients -----------------------------------------------------------------------------------------------------


@falsifier("FALSIFY-MG-047", timeout=1200, slow=True)
def every_tensor_of_the_gradient_is_that_of_the_formula(subject: Subject, case: Case, check: Check) -> None:
    away_from_kinks(case)
    expected = by_weight(restated_gradient(case.parameters, case.tokens))
    for seen, wanted in zip(subject(*case), expected, strict=True):
        check.close(seen, wanted, dtype=case.parameters.dtype)


@fault("gradients/parity")
def the_scale_of_the_last_norm_is_detached(gradients: Gradients, case: Case) -> Gradients:
    """What RMSNorm before the MLP gives back to the stream, with its scale taken for a constant."""
    leaf = case.parameters.detach().double().requires_grad_()
    x, _, w_fc2, w_lm = up_to_relu(leaf, case.tokens[:-1])
    w_fc1 = by_weight(leaf)[6]
    scale = (x.detach().square().mean(dim=-1, keepdim=True) + 1e-5).rsqrt()
    logits = (x + (x * scale @ w_fc1).clamp(min=0) @ w_fc2) @ w_lm
    loss = torch.nn.functional.cross_entropy(logits, case.tokens[1:])
    (gradient,) = torch.autograd.grad(loss, leaf)
    return tuple(wrong.to(right.dtype) for wrong, right in zip(by_weight(gradient), gradients, strict=True))


# --- train_steps ---------------------------------------------------------------------------------------------------


@falsifier("FALSIFY-MG-048", timeout=1200, slow=True)
def a_few_steps_lead_where_the_formula_leads(subject: Subject, case: Case, check: Check) -> None:
    check.close(subject(*case), restated_training(case.parameters, case.names.split(" "), case.steps))


@fault("train_steps/parity")
def the_last_step_was_a_little_longer(trained: Tensor, case: Case) -> Tensor:
    longer: Tensor = trained + 1e-5 * (trained - case.parameters)
    return longer


def restated_training(parameters: Tensor, names: list[str], steps: int) -> Tensor:
    """Adam as Kingma & Ba end their section 2, along restated gradients."""
    m, v = torch.zeros_like(parameters), torch.zeros_like(parameters)
    for step in range(1, steps + 1):
        letters = [LETTERS.index(letter) + 1 for letter in names[(step - 1) % len(names)]]
        gradient = restated_gradient(parameters, torch.tensor([0, *letters, 0][:17]))
        m, v = BETA1 * m + (1 - BETA1) * gradient, BETA2 * v + (1 - BETA2) * gradient.square()
        root = (1 - BETA2**step) ** 0.5
        rate = 0.01 * (steps - step + 1) / steps * root / (1 - BETA1**step)
        parameters = parameters - rate * m / (v.sqrt() + 1e-8 * root)
    return parameters


# --- training ------------------------------------------------------------------------------------------------------


@falsifier("FALSIFY-MG-050", timeout=1200, slow=True)
def the_loss_falls(subject: Subject, case: Case, check: Check) -> None:
    check.at_most(subject(*case), BELOW_BOUND)


@fault("training/learns")
def nothing_was_learnt(loss: float, case: Case) -> float:
    return math.log(27)


# --- generate ------------------------------------------------------------------------------------------------------


@falsifier("FALSIFY-MG-049")
def the_draws_spell_the_name(subject: Subject, case: Case, check: Check) -> None:
    name = subject(*case)
    check.that(re.fullmatch("[a-z]{0,16}", name) is not None, f"the name is {name!r}")
    check.equal(name, restated_name(case.parameters, case.draws.tolist()))


@fault("generate/parity")
def the_first_letter_is_lost(name: str, case: Case) -> str:
    return name[1:]


def restated_name(parameters: Tensor, draws: list[float]) -> str:
    """The contract's generate."""
    tokens = [0]
    for draw in draws:
        probabilities = torch.softmax(2 * restated(parameters, torch.tensor(tokens))[-1], dim=-1).tolist()
        token = next((k for k, reached in enumerate(accumulate(probabilities)) if reached >= draw), 26)
        if token == 0:
            break
        tokens.append(token)
    return "".join(LETTERS[token - 1] for token in tokens[1:])
