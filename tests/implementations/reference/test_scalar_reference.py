"""The scalar reference by itself: its derivatives are slopes, its cache is a cache, its layout loses nothing."""

from __future__ import annotations

import math
import random
import subprocess
import sys

import pytest
from conftest import ROOT

from implementations.reference.microgpt import (
    Cache,
    chosen,
    decode,
    from_port,
    generate,
    logits,
    next_logits,
    softmax,
    to_port,
    tokenize,
)
from implementations.reference.training import (
    Parameters,
    adam,
    initial_weights,
    loss,
    loss_and_gradients,
    step,
    train,
)
from implementations.reference.values import Value, exp, log, number, relu


@pytest.fixture(scope="module")
def weights() -> Parameters:
    return initial_weights(1)


def test_every_operation_passes_its_derivative_on() -> None:
    x, y = Value(0.7), Value(-1.3)

    result = (x * y + exp(x)) / (y * y + 2.0) - log(x + 3.0) * 0.5 + relu(x) * x**2.0 + relu(y)
    assert isinstance(result, Value)
    result.backward()

    def plain(a: float, b: float) -> float:
        return (a * b + math.exp(a)) / (b * b + 2.0) - math.log(a + 3.0) * 0.5 + max(a, 0.0) * a**2 + max(b, 0.0)

    assert result.data == pytest.approx(plain(0.7, -1.3), rel=1e-15)
    h = 1e-6
    assert x.grad == pytest.approx((plain(0.7 + h, -1.3) - plain(0.7 - h, -1.3)) / (2 * h), rel=1e-8)
    assert y.grad == pytest.approx((plain(0.7, -1.3 + h) - plain(0.7, -1.3 - h)) / (2 * h), rel=1e-8)


def test_a_node_that_is_used_twice_is_passed_on_once_and_whole() -> None:
    x = Value(3.0)
    square = x * x
    (square * square + square.plus_product(x, x)).backward()

    assert x.grad == 4 * 3.0**3 + 4 * 3.0


def test_gradients_are_the_slopes_of_the_loss(weights: Parameters) -> None:
    tokens = tokenize("emma")
    value, gradients = loss_and_gradients(weights, tokens)
    assert value == number(loss(weights, tokens))

    draws = random.Random(0)
    for name, matrix in weights.items():
        row, column = draws.randrange(min(len(matrix), 5)), draws.randrange(len(matrix[0]))
        before, around = matrix[row][column], []
        for moved in (before + 1e-5, before - 1e-5):
            matrix[row][column] = moved
            around.append(number(loss(weights, tokens)))
        matrix[row][column] = before
        assert gradients[name][row][column] == pytest.approx((around[0] - around[1]) / 2e-5, abs=1e-9)


def test_a_token_at_a_time_is_all_tokens_at_once(weights: Parameters) -> None:
    tokens, cache = tokenize("alexandrina"), Cache()

    one_by_one = [next_logits(weights, cache, token, position) for position, token in enumerate(tokens)]

    assert logits(weights, tokens) == one_by_one
    assert logits(weights, tokens[:4]) == one_by_one[:4]
    assert (
        logits(weights, [*tokens[:4], 26])[4] != one_by_one[4]
    )  # the control: a token does count from its own place on


def test_the_layout_of_the_port_and_back_is_the_same_weights(weights: Parameters) -> None:
    carried = to_port(weights)

    assert from_port(carried) == weights
    assert carried["wq"][2][5] == [weights["wq"][8 + unit][5] for unit in range(4)]
    assert carried["wo"][3][1] == [row[13] for row in weights["wo"]]
    assert carried["w_fc1"][7][40] == weights["w_fc1"][40][7]


def test_names_are_tokens_and_come_back() -> None:
    assert tokenize("az-Ä") == [0, 1, 26, 0]
    assert decode([0, 1, 26, 0]) == "az"


def test_a_draw_takes_the_first_index_whose_sum_reaches_it() -> None:
    assert [chosen([0.25, 0.5, 0.25], draw) for draw in (0.0, 0.25, 0.26, 0.75, 0.76)] == [0, 0, 1, 1, 2]
    assert chosen([0.25, 0.5], 0.9) == 1


def test_a_name_ends_at_bos_or_after_sixteen_letters(weights: Parameters) -> None:
    assert generate(weights, [0.0] * 16) == ""
    longest = generate(weights, [0.999] * 16)
    assert (len(longest), set(longest) <= set("xyz")) == (16, True)
    assert generate(weights, [0.999] * 3) == longest[:3]


def test_a_large_score_does_not_overflow() -> None:
    assert softmax([1000.0, 0.0]) == [1.0, 0.0]


def test_the_first_step_of_adam_moves_every_weight_by_the_rate() -> None:
    weights = {"w": [[1.0, -2.0, 3.0]]}

    step(weights, {"w": [[5.0, -0.1, 0.0]]}, adam(weights), total_steps=100)

    assert weights["w"][0] == pytest.approx([0.99, -1.99, 3.0], abs=1e-8)


def test_training_learns_and_its_rate_ends_near_zero(weights: Parameters) -> None:
    trained = {name: [row.copy() for row in matrix] for name, matrix in weights.items()}

    losses = list(train(trained, ["abab"], 20))

    assert (losses[0] > 3.0, losses[-1] < 1.0) == (True, True)


def test_the_reference_itself_needs_the_standard_library_alone() -> None:
    code = (
        "import sys; from implementations.reference import training; "
        "print(sorted({name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)))"
    )
    ran = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "['__main__', 'implementations']"
