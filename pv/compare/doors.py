"""Two paths held against each other, from end to end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path

from pv.checkpoints.values import INSTALL
from pv.compare.operands import open_operand
from pv.compare.pairs import Told, ValueDiff, compared, matched
from pv.compare.tolerance import asked
from pv.finding import Exit, PvError

TOP = 10
"""How many elements of each tensor are told, those furthest apart first."""


@contextmanager
def _untold(elements: int) -> Iterator[Told]:
    yield lambda count: None


def diff_values(
    reference: Path,
    other: Path,
    *,
    shapes: Path | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    top: int = TOP,
    watched: Callable[[int], AbstractContextManager[Told]] = _untold,
) -> ValueDiff:
    """How far the values at `other` are from those at `reference`: two APRT files, two captures, or the weights of two models.

    `shapes` is a map for captures without a manifest. `rtol` and `atol` come together; without them each dtype has its own.
    `top` is how many elements of each tensor are told. `watched(elements)` is entered around the work and gives what is
    told how many elements are done.

    >>> import pv
    >>> from pathlib import Path
    >>> stage = Path("docs/aprt/example.bin")
    >>> pv.diff_values(stage, stage).agreement.value
    'identical'

    Raises PvError where a path is not there, or the two have nothing to compare, or numpy is not installed.
    """
    tolerance = asked(rtol, atol)
    if find_spec("numpy") is None:
        raise PvError("values need numpy, which is not installed", exit=Exit.RUN, hint=INSTALL)
    a, b = (open_operand(path, shapes) for path in (reference, other))
    pairs = matched(a, b)
    with watched(pairs.elements) as told:
        return compared(a, b, pairs, tolerance, top, told)
