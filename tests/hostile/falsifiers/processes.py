"""Falsifiers that do something to their process, or start others."""

import _thread
import ctypes
import gc
import mmap
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import torch

from pv import falsifier

CONTRACT = "hostile-v1"
ASLEEP = "86399"  # seconds, by which a test recognises what was left


def honest(subject, case, check):
    check.close(subject(case.x), 2 * case.x.double(), dtype=case.x.dtype)


@falsifier("FALSIFY-HOST-061")
def leaves_a_thread_without_a_name(subject, case, check):
    if _thread._count() == 0:
        begun = _thread.allocate_lock()
        begun.acquire()
        _thread.start_new_thread(lambda: (begun.release(), time.sleep(3600)), ())
        begun.acquire()  # until then it is not counted
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-062")
def leaves_a_thread_that_is_waited_for(subject, case, check):
    if threading.active_count() == 1:
        threading.Thread(target=time.sleep, args=(3600,), name="not a daemon").start()
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-063")
def handles_signals(subject, case, check):
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-064")
def changes_its_limits(subject, case, check):
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-065")
def overflows_the_stack(subject, case, check):
    sys.setrecursionlimit(2**30)
    nested = []
    for _ in range(10**6):
        nested = [nested]
    repr(nested)


def once():
    """Whether this is the first time: a descriptor tells, which a copy of the process has too."""
    first = not Path("/proc/self/fd/99").exists()
    os.dup2(0, 99)
    return first


@falsifier("FALSIFY-HOST-066")
def forks_more_and_more(subject, case, check):
    if once() and any(os.fork() == 0 for _ in range(3)):
        for _ in range(3):
            os.fork()
        time.sleep(3600)
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-067")
def detaches_a_process(subject, case, check):
    subprocess.Popen(["sleep", ASLEEP], start_new_session=True)
    honest(subject, case, check)
    sys.exit(0)


@falsifier("FALSIFY-HOST-068")
def detaches_a_process_of_a_process(subject, case, check):
    subprocess.run(["sh", "-c", f"setsid sleep {ASLEEP} > /dev/null 2>&1 &"], check=True)
    honest(subject, case, check)
    sys.exit(0)


@falsifier("FALSIFY-HOST-069")
def asks_for_a_huge_tensor(subject, case, check):
    torch.empty(10 * 2**30, dtype=torch.uint8)


@falsifier("FALSIFY-HOST-070")
def shares_memory_with_nobody(subject, case, check):
    shared = mmap.mmap(-1, 2**30)
    while True:
        for page in range(0, len(shared), 4096):
            shared[page] = 1


class Last:
    def __del__(self):
        os._exit(0)


@falsifier("FALSIFY-HOST-071")
def ends_the_process_in_a_destructor(subject, case, check):
    last = Last()
    last.itself = last
    del last
    gc.collect()


@falsifier("FALSIFY-HOST-072")
def closes_its_output(subject, case, check):
    sys.stdout.close()
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-073")
def asks_somebody(subject, case, check):
    input("is it right? ")


@falsifier("FALSIFY-HOST-074")
def stops_for_a_debugger(subject, case, check):
    breakpoint()
    honest(subject, case, check)


@falsifier("FALSIFY-HOST-075", timeout=2)
def holds_the_interpreter(subject, case, check):
    ctypes.PyDLL(None).sleep(3600)


@falsifier("FALSIFY-HOST-076")
def kills_its_group(subject, case, check):
    os.killpg(0, signal.SIGTERM)


@falsifier("FALSIFY-HOST-077")
def goes_on_in_two_processes(subject, case, check):
    if once():
        os.fork()
    honest(subject, case, check)
