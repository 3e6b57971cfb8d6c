"""Attacks on microGPT's kernels: for every falsification test a falsifier, for every invariant a fault.

Expected values come from the contract's formulas, restated here in float64; nothing is imported from the implementation.
In the order of the contract: one_hot, rms_norm, causal_mask, softmax, tokenize_decode, weighted_sample, adam_step,
forward_pass. A fault stands after the falsifier that has to catch it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import accumulate

import torch
from hypothesis import strategies as st
from torch import Tensor

from pv import Case, Check, Subject, falsifier, fault

CONTRACT = "microgpt-v1"

BELOW_ONE = math.nextafter(1.0, 0.0)
BETA1, BETA2 = 0.85, 0.99
LETTERS = "abcdefghijklmnopqrstuvwxyz"
NOISE = '"`{A É-1 '  # the neighbours of a and z among it

Moments = tuple[Tensor, Tensor, Tensor]


# --- one_hot -------------------------------------------------------------------------------------------------------


@falsifier("FALSIFY-MG-001")
def every_row_holds_a_single_one(subject: Subject, case: Case, check: Check) -> None:
    encoded = subject(*case)
    check.shape(encoded, [len(case.indices), case.num_classes])
    ordered = encoded.sort(dim=-1).values
    check.equal(ordered[:, :-1], 0.0)
    check.equal(ordered[:, -1], 1.0)


@fault("one_hot/one_per_row")
def a_second_one_beside_the_first(encoded: Tensor, case: Case) -> Tensor:
    return encoded.maximum(encoded.roll(1, dims=-1))


@falsifier("FALSIFY-MG-002")
def the_one_stands_at_the_index(subject: Subject, case: Case, check: Check) -> None:
    check.equal(subject(*case).gather(-1, case.indices[:, None]), 1.0)


@fault("one_hot/at_index")
def one_column_to_the_right(encoded: Tensor, case: Case) -> Tensor:
    return encoded.roll(1, dims=-1)


@st.composite
def index_outside(draw: st.DrawFn, *, above: bool) -> Case:
    classes = draw(st.integers(1, 8))
    good = st.lists(st.integers(0, classes - 1), max_size=3)
    bad = draw(st.just(classes) | st.integers(classes, 99) if above else st.integers(-99, -1))
    return Case(indices=torch.tensor([*draw(good), bad, *draw(good)]), num_classes=classes)


NO_INDICES = {
    "above": index_outside(above=True),
    "negative": index_outside(above=False),
    "floats": st.builds(lambda n: Case(indices=torch.zeros(n), num_classes=4), st.integers(1, 99)),
    "matrix": st.builds(
        lambda n, m: Case(indices=torch.zeros(n, m, dtype=torch.int64), num_classes=4),
        st.integers(1, 20),
        st.integers(1, 20),
    ),
    "no_classes": st.builds(
        lambda n, classes: Case(indices=torch.zeros(n, dtype=torch.int64), num_classes=classes),
        st.integers(1, 9),
        st.just(0) | st.integers(-9, 0),
    ),
}


@falsifier("FALSIFY-MG-003", cases=NO_INDICES, because="what is no index of the classes is outside the domain")
def an_index_outside_the_classes_is_refused(subject: Subject, case: Case, check: Check) -> None:
    indices = case.indices
    if indices.dtype != torch.int64 or indices.ndim != 1:
        seen: list[object] = [str(list(indices.shape)), name_of(indices.dtype)]
    else:
        seen = [1 if case.num_classes < 1 else outside(indices, case.num_classes), case.num_classes]
    check.raises(ValueError, subject, *case, naming=seen)


def name_of(dtype: torch.dtype) -> str:
    """As every library calls it: float32."""
    return str(dtype).removeprefix("torch.")


@fault("one_hot/rejects_index")
def the_nearest_class_instead(subject: Subject, case: Case) -> Tensor:
    clamped: Tensor = subject(case.indices.clamp(0, case.num_classes - 1), case.num_classes)
    return clamped


def outside(indices: Tensor, bound: int) -> int:
    """The first of `indices` that is not in 0 … bound - 1."""
    return int(indices[(indices < 0) | (indices >= bound)][0])


# --- rms_norm ------------------------------------------------------------------------------------------------------


@falsifier("FALSIFY-MG-004")
def rows_are_divided_by_their_root_mean_square(subject: Subject, case: Case, check: Check) -> None:
    check.close(subject(case.x), rows_of(normalised, case.x), dtype=case.x.dtype)


@fault("rms_norm/formula")
def the_sign_turned(normed: Tensor, case: Case) -> Tensor:
    return -normed


def normalised(row: list[float]) -> list[float]:
    scale = math.sqrt(math.fsum(x * x for x in row) / len(row) + 1e-5)
    return [x / scale for x in row]


def rows_of(formula: Callable[[list[float]], list[float]], x: Tensor) -> Tensor:
    """`formula` applied to every row of `x` in Python's float64."""
    return torch.tensor([formula(row) for row in x.tolist()], dtype=torch.float64)


@falsifier("FALSIFY-MG-005")
def the_mean_square_of_a_row_becomes_one_up_to_epsilon(subject: Subject, case: Case, check: Check) -> None:
    before = mean_square(case.x)
    check.close(mean_square(subject(case.x)), before / (before + 1e-5), dtype=case.x.dtype)


@fault("rms_norm/unit_rms")
def slightly_too_large(normed: Tensor, case: Case) -> Tensor:
    return 1.0001 * normed


def mean_square(x: Tensor) -> Tensor:
    """Of every row of `x`, in float64: [n, 1]."""
    return x.double().square().mean(dim=-1, keepdim=True)


@falsifier("FALSIFY-MG-006")
def the_negative_of_a_row_gives_the_negative_result(subject: Subject, case: Case, check: Check) -> None:
    check.equal(subject(-case.x), -subject(case.x))


@fault("rms_norm/odd")
def signs_are_lost(normed: Tensor, case: Case) -> Tensor:
    return normed.abs()


@falsifier("FALSIFY-MG-007")
def a_row_of_zeros_stays_one(subject: Subject, case: Case, check: Check) -> None:
    x = case.x.clone()
    x[0] = 0.0
    check.equal(subject(x)[0], 0.0)


@fault("rms_norm/zero_row")
def ones_where_all_is_zero(normed: Tensor, case: Case) -> Tensor:
    zero: Tensor = (case.x == 0).all(dim=-1, keepdim=True)
    return normed + zero.to(normed.dtype)


@falsifier("FALSIFY-MG-008")
def other_rows_do_not_matter(subject: Subject, case: Case, check: Check) -> None:
    x = 2 * case.x
    x[0] = case.x[0]
    check.equal(subject(x)[0], subject(case.x)[0])


@fault("rms_norm/rows_independent")
def one_scale_for_all_rows(normed: Tensor, case: Case) -> Tensor:
    scaled: Tensor = case.x / torch.sqrt(case.x.square().mean() + 1e-5)
    return scaled


@falsifier("FALSIFY-MG-009")
def the_gradient_passes_through_the_scale(subject: Subject, case: Case, check: Check) -> None:
    cotangent, gradient = pull_back(subject, case.x)
    scale = torch.sqrt(mean_square(case.x) + 1e-5)
    y = case.x.double() / scale
    expected = cotangent - y * (cotangent * y).mean(dim=-1, keepdim=True)
    check.close(gradient.double() * scale, expected, dtype=case.x.dtype)


@fault("rms_norm/gradient")
def the_scale_is_detached(normed: Tensor, case: Case) -> Tensor:
    scaled: Tensor = case.x / torch.sqrt(case.x.detach().square().mean(dim=-1, keepdim=True) + 1e-5)
    return scaled


NO_ROWS = {
    "integers": st.builds(
        lambda n, dtype: Case(x=torch.ones(n, 3, dtype=dtype)),
        st.integers(1, 99),
        st.sampled_from([torch.int64, torch.int32]),
    ),
    "empty": st.builds(lambda n, m: Case(x=torch.zeros(n, m, 0)), st.integers(1, 20), st.integers(1, 20)),
    "no_axis": st.builds(lambda value: Case(x=torch.tensor(value)), st.floats(-9, 9, width=32)),
}


@falsifier("FALSIFY-MG-040", cases=NO_ROWS, because="what has no rows of floats is outside the domain")
def what_has_no_rows_is_not_normalised(subject: Subject, case: Case, check: Check) -> None:
    seen = str(list(case.x.shape)) if case.x.is_floating_point() else name_of(case.x.dtype)
    check.raises(ValueError, subject, *case, naming=[seen])


@fault("rms_norm/rejects_rows")
def zeros_for_no_rows(subject: Subject, case: Case) -> Tensor:
    return torch.zeros_like(case.x, dtype=torch.float32)


def pull_back(function: Callable[..., Tensor], x: Tensor, *rest: Tensor) -> tuple[Tensor, Tensor]:
    """A cotangent of `function(x, *rest)`, always the same for one shape, in float64; and the gradient in `x`."""
    leaf = x.detach().clone().requires_grad_()
    y = function(leaf, *rest)
    drawn = torch.randn(y.shape, generator=torch.Generator().manual_seed(0), dtype=y.dtype)
    if not y.requires_grad:  # it was cut off altogether
        return drawn.double(), torch.zeros_like(leaf)
    (gradient,) = torch.autograd.grad(y, leaf, drawn)
    return drawn.double(), gradient


# --- causal_mask ---------------------------------------------------------------------------------------------------


@falsifier("FALSIFY-MG-010")
def nothing_is_masked_up_to_the_diagonal(subject: Subject, case: Case, check: Check) -> None:
    mask = subject(case.n)
    check.shape(mask, [case.n, case.n])
    check.equal(mask[past(case.n)], 0.0)


@fault("causal_mask/open_to_past")
def the_diagonal_is_masked(mask: Tensor, case: Case) -> Tensor:
    return mask.clone().fill_diagonal_(-1e9)


@falsifier("FALSIFY-MG-011")
def everything_is_masked_above_the_diagonal(subject: Subject, case: Case, check: Check) -> None:
    mask = subject(case.n)
    check.shape(mask, [case.n, case.n])
    check.equal(mask[~past(case.n)], -1e9)


@fault("causal_mask/closed_to_future")
def nothing_is_masked(mask: Tensor, case: Case) -> Tensor:
    return torch.zeros_like(mask)


@falsifier(
    "FALSIFY-MG-042",
    cases={"small": st.integers(-99, 0).map(lambda n: Case(n=n))},
    because="n below 1 is outside the domain",
)
def a_mask_of_no_tokens_is_refused(subject: Subject, case: Case, check: Check) -> None:
    check.raises(ValueError, subject, *case, naming=[case.n, 1])


@fault("causal_mask/rejects_size")
def a_mask_of_one_instead(subject: Subject, case: Case) -> Tensor:
    mask: Tensor = subject(max(case.n, 1))
    return mask


def past(n: int) -> Tensor:
    """[n, n], true where j ≤ i."""
    places = torch.arange(n)
    return places[None, :] <= places[:, None]


# --- softmax -------------------------------------------------------------------------------------------------------


@falsifier("FALSIFY-MG-012")
def entries_are_those_of_the_formula(subject: Subject, case: Case, check: Check) -> None:
    check.close(subject(case.x), rows_of(distribution, case.x), dtype=case.x.dtype)


@fault("softmax/formula")
def mixed_with_the_uniform(probabilities: Tensor, case: Case) -> Tensor:
    return 0.99 * probabilities + 0.01 / probabilities.shape[-1]


def distribution(row: list[float]) -> list[float]:
    largest = max(row)
    exponentials = [math.exp(x - largest) for x in row]
    total = math.fsum(exponentials)
    return [exponential / total for exponential in exponentials]


@falsifier("FALSIFY-MG-013")
def every_row_sums_to_one(subject: Subject, case: Case, check: Check) -> None:
    check.close(subject(case.x).double().sum(dim=-1), 1.0, dtype=case.x.dtype)


@fault("softmax/unit_sum")
def a_thousandth_is_lost(probabilities: Tensor, case: Case) -> Tensor:
    return 0.999 * probabilities


@falsifier("FALSIFY-MG-014")
def no_entry_is_below_zero_or_above_one(subject: Subject, case: Case, check: Check) -> None:
    probabilities = subject(case.x)
    check.at_least(probabilities, 0.0)
    check.at_most(probabilities, 1.0)


@fault("softmax/unit_interval")
def contrast_is_raised(probabilities: Tensor, case: Case) -> Tensor:
    return 1.5 * probabilities - 0.5 / probabilities.shape[-1]


@falsifier("FALSIFY-MG-015", because="sums with a shift are exact for small multiples of 1/64 only")
def a_shift_of_the_row_changes_nothing(subject: Subject, case: Case, check: Check) -> None:
    x = (case.x.clamp(-8, 8) * 64).round() / 64  # sums with the shifts below are exact in float32
    unshifted = subject(x)
    for shift in (-1000.0, -0.5, 3.0, 1000.0):
        check.equal(subject(x + shift), unshifted)


@fault("softmax/shift_invariant")
def large_entries_are_clamped(probabilities: Tensor, case: Case) -> Tensor:
    return torch.softmax(case.x.clamp(-50, 50), dim=-1)


@falsifier("FALSIFY-MG-016")
def probabilities_rise_with_their_entries(subject: Subject, case: Case, check: Check) -> None:
    ordered = subject(case.x).gather(-1, case.x.argsort(dim=-1))
    check.shape(ordered, case.x.shape)  # a row of one entry has no order to keep
    check.at_least(ordered[:, 1:], ordered[:, :-1], dtype=case.x.dtype)


@fault("softmax/order_preserving")
def the_row_is_turned_round(probabilities: Tensor, case: Case) -> Tensor:
    return probabilities.flip(-1)


@falsifier("FALSIFY-MG-017")
def equal_entries_are_equally_probable(subject: Subject, case: Case, check: Check) -> None:
    x = case.x.clone()
    x[::2, -1] = x[::2, 0]  # not in every row: equal columns would hide that they are mixed up with rows
    probabilities = subject(x)
    check.equal(probabilities[::2, -1], probabilities[::2, 0])


@fault("softmax/ties_equal")
def later_entries_are_favoured(probabilities: Tensor, case: Case) -> Tensor:
    favoured = probabilities * torch.linspace(1, 1.001, probabilities.shape[-1], dtype=probabilities.dtype)
    return favoured / favoured.sum(dim=-1, keepdim=True)


@falsifier(
    "FALSIFY-MG-018",
    because="the clause is about entries of at most 10 in magnitude, and about what −1e9 does to them",
)
def masked_entries_get_nothing(subject: Subject, case: Case, check: Check) -> None:
    x = case.x.clamp(-10, 10)
    x[:, 1::2] += -1e9
    probabilities = subject(x)
    check.shape(probabilities, x.shape)  # a row of one entry has none that is masked
    check.equal(probabilities[:, 1::2], 0.0)


@fault("softmax/masked_zero")
def never_quite_zero(probabilities: Tensor, case: Case) -> Tensor:
    return probabilities.clamp(min=1e-30)


@falsifier("FALSIFY-MG-019")
def the_gradient_passes_through_the_sum(subject: Subject, case: Case, check: Check) -> None:
    cotangent, gradient = pull_back(subject, case.x)
    p = rows_of(distribution, case.x)
    check.close(gradient, p * (cotangent - (cotangent * p).sum(dim=-1, keepdim=True)), dtype=case.x.dtype)


@fault("softmax/gradient")
def half_the_gradient(probabilities: Tensor, case: Case) -> Tensor:
    return 0.5 * probabilities + 0.5 * probabilities.detach()


@st.composite
def nearly_flat(draw: st.DrawFn, dtype: torch.dtype) -> Case:
    """Rows of the same 2 … 32 entries within 0.1 of each other, in turn; `chosen` is the column to differentiate."""
    rows, classes = draw(st.integers(1, 4)), draw(st.integers(2, 32))
    entries = draw(st.lists(st.floats(-0.05, 0.05), min_size=classes, max_size=classes))
    x = torch.tensor([entries[k:] + entries[:k] for k in range(rows)], dtype=dtype)
    return Case(x=x, chosen=draw(st.integers(0, classes - 1)))


@falsifier(
    "FALSIFY-MG-043",
    cases={"float32": nearly_flat(torch.float32), "float64": nearly_flat(torch.float64)},
    because="where one entry is far above the others its own rounding hides what a differentiated maximum adds",
)
def no_gradient_passes_through_the_maximum(subject: Subject, case: Case, check: Check) -> None:
    x = case.x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(subject(x)[:, case.chosen].sum(), x)
    p = rows_of(distribution, case.x)
    others = torch.arange(x.shape[-1]) != case.chosen
    expected = -p[:, [case.chosen]] * p[:, others]
    check.close(gradient[:, others], expected, dtype=case.x.dtype)


@fault("softmax/gradient_of_one")
def a_thousandth_of_the_gradient_lost(probabilities: Tensor, case: Case) -> Tensor:
    return 0.999 * probabilities + 0.001 * probabilities.detach()


@falsifier("FALSIFY-MG-041", cases=NO_ROWS, because="what has no rows of floats is outside the domain")
def what_has_no_rows_has_no_distribution(subject: Subject, case: Case, check: Check) -> None:
    seen = str(list(case.x.shape)) if case.x.is_floating_point() else name_of(case.x.dtype)
    check.raises(ValueError, subject, *case, naming=[seen])


@fault("softmax/rejects_rows")
def certainty_for_no_rows(subject: Subject, case: Case) -> Tensor:
    return torch.ones_like(case.x, dtype=torch.float32)


# --- tokenize_decode -----------------------------------------------------------------------------------------------


@falsifier("FALSIFY-MG-020", because="only letters come back: the clause is about [a-z]*")
def letters_come_back_from_their_tokens(subject: Subject, case: Case, check: Check) -> None:
    letters = letters_of(case.text)
    _, decoded = subject(letters)
    check.equal(decoded, letters)


@fault("tokenize_decode/round_trip")
def the_last_letter_is_lost(output: tuple[list[int], str], case: Case) -> tuple[list[int], str]:
    tokens, decoded = output
    return tokens, decoded[:-1]


def letters_of(text: str) -> str:
    return "".join(character for character in text if character in LETTERS)


@falsifier("FALSIFY-MG-021")
def names_begin_and_end_with_bos(subject: Subject, case: Case, check: Check) -> None:
    tokens, _ = subject(case.text)
    ends, between = [tokens[0], tokens[-1]], tokens[1:-1]
    check.that(len(tokens) >= 2 and ends == [0, 0] and 0 not in between, f"the tokens are {tokens}")


@fault("tokenize_decode/framing")
def the_last_bos_is_a_z(output: tuple[list[int], str], case: Case) -> tuple[list[int], str]:
    tokens, decoded = output
    return [*tokens[:-1], 26], decoded


@falsifier("FALSIFY-MG-022", because="the clause is about the tokens of letters")
def letters_are_numbered_from_one(subject: Subject, case: Case, check: Check) -> None:
    letters = letters_of(case.text)
    tokens, _ = subject(letters)
    check.equal(tokens[1:-1], [LETTERS.index(letter) + 1 for letter in letters])


@fault("tokenize_decode/letter_map")
def the_alphabet_backwards(output: tuple[list[int], str], case: Case) -> tuple[list[int], str]:
    tokens, decoded = output
    return [27 - token if token else 0 for token in tokens], decoded


@falsifier("FALSIFY-MG-023")
def foreign_characters_leave_no_trace(subject: Subject, case: Case, check: Check) -> None:
    letters = letters_of(case.text)
    alone = answer(subject, letters)
    for text in (case.text, NOISE.join(["", *letters, ""])):
        check.equal(answer(subject, text), alone)


def answer(subject: Subject, text: str) -> object:
    """What comes of `text`; that it is refused is an answer too, and another one."""
    try:
        return subject(text)
    except ValueError as error:
        return f"refused: {error}"


@fault("tokenize_decode/foreign_dropped")
def decoded_with_what_was_dropped(output: tuple[list[int], str], case: Case) -> tuple[list[int], str]:
    tokens, _ = output
    return tokens, case.text


# --- weighted_sample -----------------------------------------------------------------------------------------------


@falsifier("FALSIFY-MG-024")
def the_first_index_whose_cumulative_probability_reaches_the_draw(subject: Subject, case: Case, check: Check) -> None:
    sums = list(accumulate(case.probabilities.tolist()))
    for draw in (case.draw, *(total for total in sums if total < 1)):
        reached = [index for index, total in enumerate(sums) if total >= draw]
        check.equal(subject(case.probabilities, draw), min(reached, default=len(sums) - 1))


@fault("weighted_sample/inverse_cdf")
def the_likeliest_index(index: int, case: Case) -> int:
    return int(case.probabilities.argmax())


@falsifier("FALSIFY-MG-025")
def what_is_sampled_is_an_index(subject: Subject, case: Case, check: Check) -> None:
    index, size = subject(*case), len(case.probabilities)
    check.that(type(index) is int and 0 <= index < size, f"{index!r} is no index of {size} probabilities")


@fault("weighted_sample/in_range")
def one_past_the_end(index: int, case: Case) -> int:
    return index if index < len(case.probabilities) - 1 else index + 1


@falsifier(
    "FALSIFY-MG-026",
    because="the clause is about probabilities that sum to less than the draw, which halves of a simplex do",
)
def the_last_index_takes_what_is_missing(subject: Subject, case: Case, check: Check) -> None:
    check.equal(subject(case.probabilities / 2, 0.75 + case.draw / 8), len(case.probabilities) - 1)


@fault("weighted_sample/falls_back_to_last")
def the_first_index_takes_it(index: int, case: Case) -> int:
    return index if sum(case.probabilities.tolist()) >= case.draw else 0


@falsifier("FALSIFY-MG-027")
def a_larger_draw_gives_no_smaller_index(subject: Subject, case: Case, check: Check) -> None:
    draws = [0.0, case.draw / 2, case.draw, BELOW_ONE]
    indices = [subject(case.probabilities, draw) for draw in draws]
    check.that(indices == sorted(indices), f"the draws {draws} give {indices}")


@fault("weighted_sample/monotone")
def counted_from_the_end(index: int, case: Case) -> int:
    return round((1 - float(case.draw)) * (len(case.probabilities) - 1))


@st.composite
def bad_entry(draw: st.DrawFn, bad: st.SearchStrategy[float]) -> Case:
    good = st.lists(st.floats(0, 1, width=32), max_size=3)
    return Case(probabilities=torch.tensor([*draw(good), draw(bad), *draw(good)]), draw=draw(DRAWS))


DRAWS = st.floats(0, 1, exclude_max=True)
SIZES = st.integers(1, 8)
DEGENERATE = {
    "negative": bad_entry(st.floats(-1, -(2.0**-100), width=32)),
    "not_finite": bad_entry(st.sampled_from([math.nan, math.inf, -math.inf])),
    "zeros": st.builds(lambda size, draw: Case(probabilities=torch.zeros(size), draw=draw), SIZES, DRAWS),
    "matrix": st.builds(lambda size, draw: Case(probabilities=torch.full((size, 2), 0.5), draw=draw), SIZES, DRAWS),
    "integers": st.builds(
        lambda size, draw: Case(probabilities=torch.ones(size, dtype=torch.int64), draw=draw), SIZES, DRAWS
    ),
    "none": DRAWS.map(lambda draw: Case(probabilities=torch.zeros(0), draw=draw)),
    "draw_outside": st.builds(
        lambda size, draw: Case(probabilities=torch.full((size,), 1 / size), draw=draw),
        SIZES,
        st.just(1.0) | st.floats(1, 9) | st.floats(-9, -(2.0**-100)) | st.just(math.nan),
    ),
}


@falsifier("FALSIFY-MG-028", cases=DEGENERATE, because="what is no distribution is outside the domain")
def what_is_no_distribution_is_refused(subject: Subject, case: Case, check: Check) -> None:
    weights = case.probabilities
    bad = [weight for weight in weights.flatten().tolist() if not 0 <= weight < math.inf]
    if weights.ndim != 1 or not len(weights) or not weights.is_floating_point():
        seen = [str(list(weights.shape)), name_of(weights.dtype)]
    else:
        seen = [repr(bad[0] if bad else case.draw if weights.any() else len(weights))]
    check.raises(ValueError, subject, *case, naming=seen)


@fault("weighted_sample/rejects_degenerate")
def some_index_all_the_same(subject: Subject, case: Case) -> int:
    try:
        return int(subject(*case))
    except ValueError:
        return 0


# --- adam_step -----------------------------------------------------------------------------------------------------


@falsifier("FALSIFY-MG-029")
def both_moments_are_exponential_averages(subject: Subject, case: Case, check: Check) -> None:
    gradient = case.gradient.double()
    _, next_m, next_v = subject(*case)
    for observed, kept, added in (
        (next_m, BETA1 * case.m.double(), (1 - BETA1) * gradient),
        (next_v, BETA2 * case.v.double(), (1 - BETA2) * gradient.square()),
    ):
        size = kept.abs() + added.abs() + TINY
        check.close(observed.double() / size, (kept + added) / size, dtype=case.parameter.dtype)


TINY = 1e-30  # keeps a residual of zero from being divided by zero, and one among denormals from counting


@fault("adam_step/moments")
def a_little_more_momentum(output: Moments, case: Case) -> Moments:
    moved, next_m, next_v = output
    return moved, next_m + 0.001 * case.gradient, next_v


@falsifier("FALSIFY-MG-030")
def the_second_moment_is_never_negative(subject: Subject, case: Case, check: Check) -> None:
    _, _, next_v = subject(*case)
    check.at_least(next_v, 0.0)


@fault("adam_step/v_nonnegative")
def the_second_moment_turned_negative(output: Moments, case: Case) -> Moments:
    moved, next_m, next_v = output
    return moved, next_m, -next_v


@falsifier("FALSIFY-MG-031")
def the_update_is_corrected_for_bias(subject: Subject, case: Case, check: Check) -> None:
    moved, next_m, next_v = subject(*case)
    root = math.sqrt(1 - BETA2**case.step)  # both corrections moved into the rate and ε, as Kingma & Ba end section 2
    rate = case.learning_rate * root / (1 - BETA1**case.step)
    parameter, update = case.parameter.double(), rate * next_m.double() / (next_v.double().sqrt() + 1e-8 * root)
    size = parameter.abs() + update.abs() + TINY
    check.close(moved.double() / size, (parameter - update) / size, dtype=case.parameter.dtype)


@fault("adam_step/update")
def the_bias_stays(output: Moments, case: Case) -> Moments:
    _, next_m, next_v = output
    return case.parameter - case.learning_rate * next_m / (next_v.sqrt() + 1e-8), next_m, next_v


@falsifier("FALSIFY-MG-032", because="the clause is about a gradient and moments of 0")
def nothing_moves_without_gradient_and_history(subject: Subject, case: Case, check: Check) -> None:
    rest = torch.zeros_like(case.parameter)
    moved, next_m, next_v = subject(case.parameter, rest, rest, rest, case.step, case.learning_rate)
    check.equal(moved, case.parameter)
    check.equal(next_m, 0.0)
    check.equal(next_v, 0.0)


@fault("adam_step/still_at_rest")
def weights_decay(output: Moments, case: Case) -> Moments:
    moved, next_m, next_v = output
    return 0.999 * moved, next_m, next_v


@falsifier("FALSIFY-MG-033")
def the_first_step_is_no_longer_than_the_learning_rate(subject: Subject, case: Case, check: Check) -> None:
    origin = torch.zeros_like(case.parameter)  # from 0, so that the difference is not rounded
    moved, _, _ = subject(origin, case.gradient, origin, origin, 1, case.learning_rate)
    check.at_most(moved.abs(), case.learning_rate, dtype=case.parameter.dtype)


@fault("adam_step/first_step_bounded")
def twice_as_far(output: Moments, case: Case) -> Moments:
    _, next_m, next_v = output
    return case.parameter - 2 * case.learning_rate * case.gradient.sign(), next_m, next_v


@st.composite
def state(draw: st.DrawFn, /, **wrong: st.SearchStrategy[object]) -> Case:
    """An ordinary state of two parameters, with what `wrong` draws in the place of what it names."""
    pair = st.lists(st.floats(-9, 9, width=32), min_size=2, max_size=2).map(torch.tensor)
    parameter, gradient, m = (draw(pair) for _ in "pgm")
    good = {"parameter": parameter, "gradient": gradient, "m": m, "v": m.square(), "step": 1, "learning_rate": 0.01}
    return Case({**good, **{name: draw(strategy) for name, strategy in wrong.items()}})


THREE = st.lists(st.floats(0, 9, width=32), min_size=3, max_size=3).map(torch.tensor)
WIDER = st.lists(st.floats(0, 9), min_size=2, max_size=2).map(lambda pair: torch.tensor(pair, dtype=torch.float64))
WHOLE = st.lists(st.integers(0, 9), min_size=2, max_size=2).map(torch.tensor)
NEGATIVE = st.floats(-0.875, -(2.0**-20), width=32)
NO_STEP = {
    "zero": state(step=st.just(0)),
    "negative": state(step=st.integers(-99, -1)),
    "rate": state(learning_rate=st.sampled_from([math.inf, math.nan]) | NEGATIVE),
    "negative_v": state(v=NEGATIVE.map(lambda least: torch.tensor([1.0, least]))),
    **{f"shape_of_{name}": state(**{name: THREE}) for name in ("gradient", "m", "v")},
    **{f"dtype_of_{name}": state(**{name: WIDER}) for name in ("gradient", "m", "v")},
    "integers": state(parameter=WHOLE, gradient=WHOLE, m=WHOLE, v=WHOLE),
}


@falsifier("FALSIFY-MG-034", cases=NO_STEP, because="what is no step of Adam is outside the domain")
def what_is_no_step_is_refused(subject: Subject, case: Case, check: Check) -> None:
    check.raises(ValueError, subject, *case, naming=wrong_in(case))


def wrong_in(case: Case) -> list[object]:
    """What a refusal of `case` has to name."""
    if not case.parameter.is_floating_point():
        return [name_of(case.parameter.dtype)]
    for name in ("gradient", "m", "v"):
        other = case[name]
        if other.shape != case.parameter.shape or other.dtype != case.parameter.dtype:
            return [name, str(list(other.shape)), name_of(other.dtype)]
    if case.step < 1:
        return [case.step, 1]
    return [repr(float(case.v.min()) if case.v.min() < 0 else case.learning_rate)]


@fault("adam_step/rejects_step")
def counted_as_the_first(subject: Subject, case: Case) -> Moments:
    moments: Moments = subject(*list(case)[:4], max(case.step, 1), case.learning_rate)
    return moments


# --- forward_pass --------------------------------------------------------------------------------------------------


@falsifier("FALSIFY-MG-035")
def every_token_has_a_row_of_logits(subject: Subject, case: Case, check: Check) -> None:
    check.shape(subject(*case), [len(case.tokens), 27])


@fault("forward_pass/shape")
def the_last_row_alone(logits: Tensor, case: Case) -> Tensor:
    return logits[-1]


@falsifier("FALSIFY-MG-036")
def logits_are_those_of_the_architecture(subject: Subject, case: Case, check: Check) -> None:
    check.close(subject(*case), restated(case.parameters.double(), case.tokens), dtype=case.parameters.dtype)


@fault("forward_pass/formula")
def centred(logits: Tensor, case: Case) -> Tensor:
    return logits - logits.mean(dim=-1, keepdim=True)


@falsifier("FALSIFY-MG-037")
def later_tokens_do_not_change_earlier_logits(subject: Subject, case: Case, check: Check) -> None:
    middle = (len(case.tokens) + 1) // 2
    changed = case.tokens.clone()
    changed[middle:] = (changed[middle:] + 13) % 27
    check.equal(subject(case.parameters, changed)[:middle], subject(*case)[:middle])


@fault("forward_pass/causal")
def louder_for_a_late_last_letter(logits: Tensor, case: Case) -> Tensor:
    louder: Tensor = logits * (1 + 0.001 * case.tokens[-1])
    return louder


@falsifier("FALSIFY-MG-038", because="the clause takes the gradient in float64")
def every_gradient_is_that_of_the_formula(subject: Subject, case: Case, check: Check) -> None:
    parameters = case.parameters.double()
    _, expected = pull_back(restated, parameters, case.tokens)
    _, gradient = pull_back(subject, parameters, case.tokens)
    check.close(gradient, expected, dtype=parameters.dtype)


@fault("forward_pass/gradient")
def half_of_every_gradient(logits: Tensor, case: Case) -> Tensor:
    return 0.5 * logits + 0.5 * logits.detach()


SHAPES = ((27, 16), (16, 16), (4, 16, 4), (4, 16, 4), (4, 16, 4), (4, 4, 16), (16, 64), (64, 16), (16, 27))


def restated(parameters: Tensor, tokens: Tensor) -> Tensor:
    """The contract's forward_pass: heads one by one, rows by look-up, the future left out rather than masked."""
    x, units, w_fc2, w_lm = up_to_relu(parameters, tokens)
    return (x + units.clamp(min=0) @ w_fc2) @ w_lm


def up_to_relu(parameters: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The residual stream [n, 16] and the arguments of ReLU [n, 64] it makes, with the weights that are still to come."""
    wte, wpe, wq, wk, wv, wo, w_fc1, w_fc2, w_lm = by_weight(parameters)
    x = root_mean_square_normalised(wte[tokens] + wpe[: len(tokens)])
    y = root_mean_square_normalised(x)
    for head in range(4):
        scores = (y @ wq[head]) @ (y @ wk[head]).T / 2
        weights = torch.softmax(scores.masked_fill(~past(len(tokens)), -math.inf), dim=-1)
        x = x + weights @ (y @ wv[head]) @ wo[head]
    return x, root_mean_square_normalised(x) @ w_fc1, w_fc2, w_lm


def by_weight(parameters: Tensor) -> tuple[Tensor, ...]:
    """A flat vector as its nine tensors."""
    pieces = torch.split(parameters, [math.prod(shape) for shape in SHAPES])
    return tuple(piece.view(shape) for piece, shape in zip(pieces, SHAPES, strict=True))


def root_mean_square_normalised(x: Tensor) -> Tensor:
    return x * (x.pow(2).sum(dim=-1, keepdim=True) / 16 + 1e-5).rsqrt()


@st.composite
def refused_tokens(
    draw: st.DrawFn, tokens: st.SearchStrategy[object], *, size: int = 4192, dtype: torch.dtype = torch.float32
) -> Case:
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32 - 1)))
    parameters = (0.08 * torch.randn(size, generator=generator)).to(dtype)
    return Case(parameters=parameters, tokens=torch.tensor(draw(tokens), dtype=torch.int64))


TOKENS = st.integers(0, 26)
REFUSED = {
    "above": refused_tokens(
        st.builds(lambda bad, good: [*good, bad], st.sampled_from([27, 28, 99]), st.lists(TOKENS, max_size=8))
    ),
    "negative": refused_tokens(
        st.builds(lambda bad, good: [bad, *good], st.integers(-99, -1), st.lists(TOKENS, max_size=8))
    ),
    "none": refused_tokens(st.just([])),
    "too_many": refused_tokens(st.lists(TOKENS, min_size=17, max_size=20)),
    "matrix": refused_tokens(st.lists(TOKENS, min_size=2, max_size=9).map(lambda row: [row, row])),
    "too_few_parameters": refused_tokens(st.lists(TOKENS, min_size=1, max_size=9), size=4191),
    "integer_parameters": refused_tokens(st.lists(TOKENS, min_size=1, max_size=9), dtype=torch.int64),
}


@falsifier("FALSIFY-MG-039", cases=REFUSED, because="what is no model or no text of a block is outside the domain")
def tokens_outside_the_vocabulary_and_the_block_are_refused(subject: Subject, case: Case, check: Check) -> None:
    parameters, tokens = case.parameters, case.tokens
    if len(parameters) != 4192 or not parameters.is_floating_point():
        naming: list[object] = [str(list(parameters.shape)), name_of(parameters.dtype)]
    elif tokens.ndim != 1:
        naming = [str(list(tokens.shape)), 1, 16]
    else:
        naming = [outside(tokens, 27), 26] if 1 <= len(tokens) <= 16 else [len(tokens), 1, 16]
    check.raises(ValueError, subject, *case, naming=naming)


@fault("forward_pass/rejects_tokens")
def cut_to_what_fits(subject: Subject, case: Case) -> Tensor:
    tokens = torch.cat([case.tokens.flatten(), torch.zeros(16, dtype=torch.int64)])[: min(max(len(case.tokens), 1), 16)]
    logits: Tensor = subject(case.parameters, tokens.clamp(0, 26))
    return logits
