"""How a command that starts processes is interrupted."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def interruptible() -> Iterator[Callable[[], None]]:
    """SIGTERM ends a campaign as Ctrl-C does: by KeyboardInterrupt, from the next call of what is yielded.

    Not from wherever the signal arrives: processes are being started and ended all the time, which must not be cut in two,
    and Python drops what a handler raises inside of a destructor. At once only as long as nothing has begun (torch is
    being loaded), and when somebody asks twice.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    begun = asked = False

    def interrupt(*_: object) -> None:
        nonlocal asked
        at_once, asked = asked or not begun, True
        if at_once:
            raise KeyboardInterrupt

    def check() -> None:
        nonlocal begun
        begun = True
        if asked:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield check
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
