"""The command line: argv to one exit code. Every command lives in its own module and is imported when it is called."""

from __future__ import annotations

import errno
import io
import sys
from collections.abc import Sequence

_MADE = 50_000
"""How many objects more there must be before the collector looks for circles among the young ones. By Python's own measure,
700, it does so hundreds of times while modules are imported, and what they define stays.
"""

TYPE_CHECKING = False  # `typing` costs a third of what `pv --version` takes; type checkers know this name too
if TYPE_CHECKING:
    from typing import NoReturn

    from pv.finding import PvError


def main(argv: Sequence[str] | None = None) -> int:
    """Run `pv` with `argv` (default: that of the process); the exit code, see DESIGN.md, "Exit codes".

    >>> import pv
    >>> pv.main(["rule", "PV999"])
    2
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a formula has signs that not every terminal has
    if arguments == ["--version"]:
        return _version()

    import click

    from pv.cli.group import pv
    from pv.finding import Exit, PvError

    try:
        answer = pv.main(args=arguments, prog_name="pv", standalone_mode=False)
    except click.exceptions.Exit as done:
        return int(done.exit_code)
    except click.ClickException as misuse:
        misuse.show()
        return int(Exit.ASK)
    except PvError as error:
        _say(error)
        return int(error.exit)
    except (KeyboardInterrupt, click.Abort):
        print("pv: interrupted; what was finished is kept", file=sys.stderr)
        return int(Exit.INTERRUPTED)
    except BrokenPipeError:
        return _reader_left()
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EIO):
            return _bug()
        print(f"pv: cannot write: {error.strerror}\n  next: make room there, then run it again", file=sys.stderr)
        return int(Exit.ASK)
    except Exception:
        return _bug()
    return int(answer) if isinstance(answer, int) else int(Exit.OK)


def _open_closed_streams() -> None:
    """`pv … >&-` asks for the exit code alone. A closed descriptor would be the next file's that is opened."""
    import os

    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(handle, True)
            setattr(sys, name, os.fdopen(handle, mode, encoding="utf-8"))


def entry() -> NoReturn:
    """The console script.

    What only reads leaves without taking its objects apart one by one, which is a tenth of the time of `pv validate`.
    """
    import gc

    gc.set_threshold(_MADE)
    code = main()
    if sys.modules.keys() & {"torch", "multiprocessing", "coverage"}:
        raise SystemExit(code)
    _leave(code)


def _leave(code: int) -> NoReturn:
    import atexit
    import os

    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = _reader_left()
    atexit._run_exitfuncs()
    os._exit(code)


def _version() -> int:
    """As click would say it, without importing click."""
    import pv

    print(f"pv, version {pv.__version__}")
    return 0


def _say(error: PvError) -> None:
    print(f"pv: {error.message}\n  next: {error.hint}", file=sys.stderr)


def _reader_left() -> int:
    """`pv … | head` is no failure of pv, but neither did anyone read the whole answer."""
    import os

    from pv.finding import Exit

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return int(Exit.MEND)


def _bug() -> int:
    import traceback

    import pv
    from pv.finding import Exit

    traceback.print_exc()
    print(
        f"pv: this is a bug in pv {pv.__version__}, not in what it judged. Please report it with the lines above,\n"
        "  the command, and the file it was run on if you can share it.",
        file=sys.stderr,
    )
    return int(Exit.BUG)
