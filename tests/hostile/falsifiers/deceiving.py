"""Falsifiers that would have a verdict that was not earned."""

import builtins
import os
import sys
import unittest
from contextlib import suppress
from pathlib import Path

import hypothesis
import kernels
import torch

from pv import falsifier, fault
from pv.falsify.check import Falsified

CONTRACT = "hostile-v1"


@fault("untraced/twice")
def one_more_unseen(output, case):
    return output + 1


@fault("watched/twice")
def one_more_watched(output, case):
    return output + 1


def honest(subject, case, check):
    check.close(subject(case.x), 2 * case.x.double(), dtype=case.x.dtype)


@falsifier("FALSIFY-HOST-033")
def is_called_with_what_ends_tracing(subject, case, check):
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-034")
def makes_everything_equal(subject, case, check):
    torch.Tensor.__eq__ = lambda one, other: torch.ones(one.shape, dtype=torch.bool)
    check.equal(subject(case.x), case.x)


@falsifier("FALSIFY-HOST-035")
def catches_everything(subject, case, check):
    with suppress(BaseException):
        check.equal(subject(case.x), case.x + 1)


CONSTANTS = (None, 2)


@falsifier("FALSIFY-HOST-036")
def reads_the_code_of_the_subject(subject, case, check):
    subject(case.x)
    check.that(sys.modules["kernels"].double.__code__.co_consts == CONSTANTS, "it was altered")


SEEN = []


@falsifier("FALSIFY-HOST-037")
def looks_at_the_first_case_only(subject, case, check):
    if not SEEN:
        honest(subject, case, check)
    SEEN.append(case)
    check.that(True, "")


@falsifier("FALSIFY-HOST-038")
def counts_its_calls(subject, case, check):
    counts_its_calls.calls = getattr(counts_its_calls, "calls", 0) + 1
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-039")
def judges_at_random(subject, case, check):
    x = case.x + os.urandom(1)[0]
    check.close(subject(x), 2 * x.double(), dtype=case.x.dtype)


@falsifier("FALSIFY-HOST-040")
def writes_into_the_project(subject, case, check):
    Path("left.txt").write_text("here", encoding="utf-8")
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-041")
def changes_the_case(subject, case, check):
    case.x.zero_()
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-042")
def tells_it_with_surrogates(subject, case, check):
    os.write(1, bytes(range(256)))
    check.that(bool((subject(case.x) == case.x).all()), "\ud800 \x1b[2J")


@falsifier("FALSIFY-HOST-043")
def tells_a_long_story(subject, case, check):
    check.that(False, "long " * 10**7)


@falsifier("FALSIFY-HOST-044")
def raises_what_a_check_raises(subject, case, check):
    raise Falsified("it says")


@falsifier("FALSIFY-HOST-045")
def raises_what_keys_raise(subject, case, check):
    raise KeyboardInterrupt


@falsifier("FALSIFY-HOST-046")
def is_a_generator(subject, case, check):
    honest(subject, case, check)
    yield


@falsifier("FALSIFY-HOST-047")
async def is_asynchronous(subject, case, check):
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-048")
def skips(subject, case, check):
    raise unittest.SkipTest("not today")


class _Yes(torch.overrides.TorchFunctionMode):
    def __torch_function__(self, function, types, args=(), kwargs=None):
        return torch.tensor([True]) if function is torch.Tensor.eq else function(*args, **(kwargs or {}))


@falsifier("FALSIFY-HOST-049")
def answers_for_torch(subject, case, check):
    _Yes().__enter__()
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-050")
def flushes_denormals(subject, case, check):
    torch.set_flush_denormal(True)
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-051")
def leaves_autocast_on(subject, case, check):
    torch.autocast("cpu").__enter__()
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-052")
def changes_a_builtin(subject, case, check):
    builtins.abs = lambda value: 0
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-053")
def changes_a_library_that_judges(subject, case, check):
    hypothesis.assume = lambda condition: True
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-054")
def is_called_with_what_knows_that_it_is_watched(subject, case, check):
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-055")
def compares_the_subject_with_itself(subject, case, check):
    check.close(subject(case.x), kernels.double(case.x).double(), dtype=case.x.dtype)


@falsifier("FALSIFY-HOST-056")
def gives_the_subject_something_else(subject, case, check):
    x = torch.full_like(case.x, 50.0)
    check.close(subject(x), 2 * x.double(), dtype=x.dtype)


@falsifier("FALSIFY-HOST-057")
def looks_at_simple_cases_alone(subject, case, check):
    if case.x.abs().max() > 2:
        check.that(len(case.x) > 0, "never")
    else:
        honest(subject, case, check)


class First:
    answers = {}  # noqa: RUF012 -- that everybody shares it is the deceit


@falsifier("FALSIFY-HOST-059")
def remembers_in_a_class(subject, case, check):
    key = tuple(case.x.tolist())
    check.equal(subject(case.x), First.answers.setdefault(key, subject(case.x)))
