"""A task goes in, and an answer or the cause of its absence comes out, whatever kind of process it runs in."""

from __future__ import annotations

import multiprocessing
import os
import socket
import sys
from pathlib import Path

import pytest
from small_project import FILES, write_project
from survivors import eventually

from pv.campaign import worker
from pv.campaign.pool import Event, Pool
from pv.campaign.site import site_of
from pv.campaign.worker import Worker
from pv.falsify.work import Action, Plan, Task, Work
from pv.project import project_at

CLEAN = "check.equal(subject(case.x), twice(case.x))"
RAISES = "raise RuntimeError('no verdict')"
WAITS = "import time; time.sleep(3600)"
TAMPERS = f"import os; os.environ['LEFT'] = 'behind'; {CLEAN}"


def task(root: Path, body: str = CLEAN, timeout: float = 60.0) -> Task:
    """An attack on the small project at `root`, whose falsifier does `body` and leaves the number of its process."""
    told = f"open({str(root.parent / 'told')!r}, 'w').write(str(__import__('os').getpid()))"
    falsifier = FILES["falsifiers/double.py"].replace(f"    {CLEAN}", f"    {told}\n    {body}")
    assert told in falsifier
    project = project_at(write_project(root, {"falsifiers/double.py": falsifier}))
    [(contract, test)] = project.select([], [])
    binding = project.subject(contract, test)
    assert binding is not None
    work = Work(contract, test, binding)
    site = site_of(work, project.root, project.sources, project.today)
    return Task(Action.ATTACK, work, site, Plan(20), timeout, 2**30)


def ended(pool: Pool[str], key: str, what: Task) -> Event[str]:
    """The last event of `what`."""
    pool.submit(key, what)
    while True:
        for event in pool.events():
            if event.ended:
                assert event.key == key
                return event


def told(tmp_path: Path) -> int:
    """The process in which the last falsifier ran."""
    return int((tmp_path / "told").read_text(encoding="utf-8"))


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no process is forked")
def test_where_processes_are_forked_each_task_has_one_of_its_own(tmp_path: Path) -> None:
    seen = []
    with Pool[str](1) as pool:
        for name in ("first", "second"):
            event = ended(pool, name, task(tmp_path / name))
            assert (event.lost, event.answer is not None and event.answer["tampered"]) == ("", "")
            seen.append(told(tmp_path))
            assert not is_running(seen[-1])
    assert len(set(seen)) == 2


def test_where_none_is_forked_a_clean_worker_is_used_again_and_no_other(tmp_path: Path) -> None:
    """Each new one imports torch, which takes seconds: what makes a worker unfit is tried in one go."""
    seen = []
    with Pool[str](1, multiprocessing.get_context("spawn")) as pool:
        for name, body in (("a", CLEAN), ("b", CLEAN), ("c", RAISES), ("d", TAMPERS), ("e", CLEAN)):
            assert ended(pool, name, task(tmp_path / name, body)).answer is not None
            seen.append(told(tmp_path))
        first, again, third, fourth, fifth = seen
        assert first == again == third  # a clean one is used again
        assert len({third, fourth, fifth}) == 3  # and not the one that raised, nor the one that tampered
        assert is_running(fifth)
    assert not is_running(fifth)


def test_a_task_that_is_not_wanted_any_more_is_ended_and_not_heard(tmp_path: Path) -> None:
    with Pool[str](2) as pool:
        pool.submit("waits", task(tmp_path / "waits", WAITS))
        assert eventually(
            lambda: (tmp_path / "told").exists() and (tmp_path / "told").read_text(encoding="utf-8") != ""
        )
        waiting = told(tmp_path)
        pool.abandon(lambda key: key == "other")
        assert (pool.free, is_running(waiting)) == (1, True)
        pool.abandon(lambda key: key == "waits")
        assert (pool.free, is_running(waiting)) == (2, False)
        assert list(pool.events()) == []


def test_who_does_not_answer_in_time_is_lost_and_leaving_ends_who_is_left(tmp_path: Path) -> None:
    with Pool[str](1) as pool:
        assert ended(pool, "late", task(tmp_path / "late", WAITS, timeout=1.0)).lost == "it did not finish within 1 s"
        assert pool.free == 1
        (tmp_path / "told").unlink(missing_ok=True)
        pool.submit("waits", task(tmp_path / "waits", WAITS))
        assert eventually(
            lambda: (tmp_path / "told").exists() and (tmp_path / "told").read_text(encoding="utf-8") != ""
        )
        waiting = told(tmp_path)
    assert not is_running(waiting)


# --- what arrives


@pytest.fixture
def pair() -> tuple[Worker, socket.socket]:
    """A worker without a process, and the other end of its connection."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    return Worker(multiprocessing.Process(), ours, ours), theirs


def test_a_message_may_arrive_in_pieces_and_several_at_once(pair: tuple[Worker, socket.socket]) -> None:
    ours, theirs = pair
    theirs.sendall(b'{"cases": 1}\n{"ca')
    ours.receive()
    theirs.sendall(b'ses": 2}\n[3]\n4\n')
    ours.receive()
    assert (ours.messages, ours.closed, ours.flood) == ([{"cases": 1}, {"cases": 2}], False, "")
    theirs.close()
    ours.receive()
    assert ours.closed


def test_what_no_worker_writes_ends_the_conversation(pair: tuple[Worker, socket.socket]) -> None:
    ours, theirs = pair
    theirs.sendall(b'{"cases": 1}\n\xff\xff\n{"answer": {}}\n')
    ours.receive()
    assert (ours.messages, ours.closed) == ([], True)


def test_an_answer_without_an_end_is_not_waited_for(
    pair: tuple[Worker, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "ANSWER_MOST", 2**20)
    ours, theirs = pair
    for _ in range(9):
        theirs.sendall(b" " * 2**17)
        ours.receive()
    assert ours.flood == "its answer is longer than 1 MiB"
