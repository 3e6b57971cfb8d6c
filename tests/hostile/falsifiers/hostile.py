"""One bad falsifier after the other. Each is named for what it does, and does it in every case."""

import ctypes
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import hypothesis
import torch

from pv import falsifier, fault

CONTRACT = "hostile-v1"


@fault("double/twice")
def one_more(output, case):
    return output + 1


@fault("broadcast/twice")
def one_more_there(output, case):
    return output + 1


@fault("nan/twice")
def one_more_here(output, case):
    return output + 1


@fault("in_place/twice")
def one_more_in_place(output, case):
    return output + 1


@fault("changing/twice")
def one_more_at_times(output, case):
    return output + 1


def honest(subject, case, check):
    check.close(subject(case.x), 2 * case.x.double(), dtype=case.x.dtype)


@falsifier("FALSIFY-HOST-001")
def good(subject, case, check):
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-002", timeout=2)
def hangs(subject, case, check):
    while True:
        time.sleep(1)


@falsifier("FALSIFY-HOST-003")
def ends_the_process(subject, case, check):
    os._exit(0)


@falsifier("FALSIFY-HOST-004")
def segfaults(subject, case, check):
    ctypes.string_at(0)


@falsifier("FALSIFY-HOST-005")
def eats_memory(subject, case, check):
    kept = []
    while True:
        kept.append(bytearray(2**28))


@falsifier("FALSIFY-HOST-006")
def prints_a_flood(subject, case, check):
    while True:
        print("flood " * 1000)


class Foreign(BaseException):
    """One that does not unpickle, and whose text cannot be made."""

    def __init__(self, a, b, c):
        super().__init__(a)

    def __str__(self):
        raise self

    def __reduce__(self):
        raise RuntimeError("no")


@falsifier("FALSIFY-HOST-007")
def raises_a_foreign_exception(subject, case, check):
    raise Foreign(1, 2, 3)


@falsifier("FALSIFY-HOST-008")
def leaves_a_thread_behind(subject, case, check):
    if threading.active_count() == 1:
        threading.Thread(target=time.sleep, args=(3600,), name="left behind", daemon=True).start()
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-009", timeout=2)
def stops_itself(subject, case, check):
    os.kill(os.getpid(), signal.SIGSTOP)


@falsifier("FALSIFY-HOST-010", timeout=2)
def closes_descriptors(subject, case, check):
    os.closerange(0, 4096)
    time.sleep(3600)


@falsifier("FALSIFY-HOST-011")
def exits(subject, case, check):
    sys.exit(0)


@falsifier("FALSIFY-HOST-012")
def changes_the_default_dtype(subject, case, check):
    torch.set_default_dtype(torch.float64)
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-013")
def removes_a_module(subject, case, check):
    sys.modules.pop("json", None)
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-014")
def never_checks(subject, case, check):
    if subject(case.x).numel() > 10**9:
        honest(subject, case, check)


@falsifier("FALSIFY-HOST-015")
def loops_over_nothing(subject, case, check):
    for value in subject(case.x)[:0]:
        check.equal(value, 0.0)


@falsifier("FALSIFY-HOST-016")
def assumes_the_impossible(subject, case, check):
    hypothesis.assume(case.x.isnan().any())
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-017")
def assumes_the_unlikely(subject, case, check):
    hypothesis.assume(bool((case.x == 0).all()))
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-018")
def compares_what_broadcasts(subject, case, check):
    check.close(subject(case.x), 2 * case.x.double(), dtype=case.x.dtype)


@falsifier("FALSIFY-HOST-019")
def compares_nan_with_nan(subject, case, check):
    check.close(subject(case.x), subject(case.x).double(), dtype=case.x.dtype)


@falsifier("FALSIFY-HOST-020")
def cannot_fail(subject, case, check):
    check.that(bool((subject(case.x) == subject(case.x)).all()), "differs")


@falsifier("FALSIFY-HOST-021")
def changes_the_subject(subject, case, check):
    sys.modules["kernels"].double.__code__ = (lambda x: 2 * x).__code__
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-022")
def changes_the_check(subject, case, check):
    type(check).close = lambda *given, **named: None
    check.that(True, "")


@falsifier("FALSIFY-HOST-023")
def knows_the_real_subject(subject, case, check):
    check.that(type(subject._function).__name__ == "function" and subject._function.__module__ == "kernels", "altered")


@falsifier("FALSIFY-HOST-024")
def raises_the_count_by_hand(subject, case, check):
    check.count += 1


@falsifier("FALSIFY-HOST-025")
def compares_an_empty_selection(subject, case, check):
    check.equal(subject(case.x)[:0], case.x[:0])


@falsifier("FALSIFY-HOST-026", timeout=2)
def writes_into_every_descriptor(subject, case, check):
    for descriptor in range(3, 256):
        with suppress(OSError):
            os.write(descriptor, b"\xff" * 64 + b"\n")
    time.sleep(3600)


@falsifier("FALSIFY-HOST-027")
def is_called_with_what_changes_its_argument(subject, case, check):
    check.that(subject(case.x) is not None, "nothing")


@falsifier("FALSIFY-HOST-028")
def judges_what_changes(subject, case, check):
    check.close(subject(case.x), 2 * case.x.double(), dtype=case.x.dtype)


@falsifier("FALSIFY-HOST-029")
def changes_the_environment(subject, case, check):
    os.environ["HOSTILE"] = "1"
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-030")
def leaves_a_process_behind(subject, case, check):
    if not Path("/proc/self/fd/99").exists():  # once
        os.dup2(0, 99)
        if os.fork() == 0:
            time.sleep(3600)
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-031")
def recurses(subject, case, check):
    recurses(subject, case, check)


@falsifier("FALSIFY-HOST-032")
def ends_with_the_interpreter(subject, case, check):
    os.kill(os.getpid(), signal.SIGKILL)
