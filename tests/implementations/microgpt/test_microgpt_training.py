"""Training as steps from state to state: against torch's own loop, that it learns, and what it refuses."""

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from implementations.microgpt.analysis import loss_of_training
from implementations.microgpt.config import ADAM_EPSILON, BETA1, BETA2
from implementations.microgpt.files import Unusable
from implementations.microgpt.model import MicroGPT, split_parameters
from implementations.microgpt.optimizer import linear_decay
from implementations.microgpt.training import WINDOW, State, encoded, initial_state, take_step, train

LETTERS_ALONE = 2.8  # nats, by how often each occurs in the names; a uniform guess has ln 27 = 3.3
NAMES = ("emma", "olivia", "ava", "abcdefghijklmnopqrstuvwxyz")


def last(names: tuple[str, ...], steps: int, state: State) -> State:
    *_, end = train(state, names, steps)
    return end


def trained_by_torch(names: tuple[str, ...], steps: int) -> torch.Tensor:
    model = MicroGPT(seed=3, dtype=torch.float64)
    oracle = torch.optim.Adam(model.parameters(), betas=(BETA1, BETA2), eps=ADAM_EPSILON)
    for step in range(steps):
        tokens = torch.tensor(encoded(names[step % len(names)]))
        oracle.param_groups[0]["lr"] = linear_decay(step, steps)
        oracle.zero_grad()
        cross_entropy(model(tokens[:-1]), tokens[1:]).backward()
        oracle.step()
    return torch.nn.utils.parameters_to_vector(model.parameters()).detach()


def test_ten_steps_are_those_of_torchs_adam_on_the_module():
    end = last(NAMES, 10, initial_state(3, dtype=torch.float64))
    torch.testing.assert_close(end.parameters, trained_by_torch(NAMES, 10), rtol=0, atol=1e-12)


def test_in_another_order_of_names_they_are_not():
    end = last(NAMES[::-1], 10, initial_state(3, dtype=torch.float64))
    assert (end.parameters - trained_by_torch(NAMES, 10)).abs().max() > 1e-4


def test_a_step_leaves_the_state_before_it_alone():
    start = initial_state(3)
    before = start.parameters.clone()
    after = take_step(start, torch.tensor([0, 1, 0]), 0.01)
    assert torch.equal(start.parameters, before)
    assert not start.parameters.requires_grad
    assert (start.step, start.losses, after.step, len(after.losses)) == (0, (), 1, 1)
    assert not torch.equal(after.parameters, before)


def test_going_on_from_any_state_gives_the_same_bits():
    states = list(train(initial_state(3), NAMES, 12))
    assert [state.step for state in states] == list(range(1, 13))
    end = last(NAMES, 12, states[6])
    assert torch.equal(end.parameters, states[-1].parameters)
    assert end.losses == states[-1].losses


def test_the_first_loss_is_that_of_27_equal_letters_and_the_mean_is_of_the_window():
    end = last(NAMES, WINDOW + 1, initial_state(3))
    every = [state.losses[-1] for state in train(initial_state(3), NAMES, WINDOW + 1)]
    assert every[0] == pytest.approx(math.log(27), abs=0.3)
    assert end.losses == tuple(every[1:])
    assert end.mean_loss == pytest.approx(sum(every[1:]) / WINDOW)
    assert every[-4] < 1 < every[0]  # four names are learnt by heart
    assert math.isnan(initial_state(3).mean_loss)


def test_a_name_is_learnt_up_to_a_block():
    assert encoded("ab") == [0, 1, 2, 0]
    assert encoded("abcdefghijklmnopqrstuvwxyz") == list(range(17))


def test_what_cannot_be_learnt_is_refused():
    with pytest.raises(ValueError, match="0 names were given"):
        next(train(initial_state(0), (), 1))
    with pytest.raises(ValueError, match="'Emma' reads back as 'mma'"):
        next(train(initial_state(0), ("Emma",), 1))


def test_a_loss_that_is_not_finite_ends_training():
    start = initial_state(0)
    start.parameters[0] = math.nan
    with pytest.raises(Unusable, match="the loss of step 1 is nan"):
        next(train(start, NAMES, 1))


def test_a_letter_that_is_in_no_name_keeps_its_embedding():
    start = initial_state(0)
    end = last(("ab",), 5, start)
    before, after = (split_parameters(state.parameters)["wte"] for state in (start, end))
    assert torch.equal(before[3:], after[3:])
    assert not torch.equal(before[:3], after[:3])


@pytest.mark.slow
@pytest.mark.parametrize(("steps", "most"), [(2000, 2.3), (20, 3.3)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_learns_which_letters_follow_which(seed: int, steps: int, most: float):
    loss = loss_of_training(seed, steps)
    assert loss < most
    assert (loss < LETTERS_ALONE) == (steps == 2000), "and not by itself"
