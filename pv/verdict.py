"""What a trial came to."""

from __future__ import annotations

from enum import Enum

from pv.finding import Exit


class Verdict(Enum):
    """The five answers of a trial; only `HELD` counts, and only while it is fresh.

    >>> import pv
    >>> [verdict.value for verdict in pv.Verdict if verdict.exit == 0]
    ['held']
    """

    HELD = "held"
    FALSIFIED = "falsified"
    VACUOUS = "vacuous"
    ERRORED = "errored"
    NOT_MEASURED = "not_measured"

    @property
    def exit(self) -> Exit:
        """Held needs nothing, not measured must be run, the rest must be mended."""
        return {Verdict.HELD: Exit.OK, Verdict.NOT_MEASURED: Exit.RUN}.get(self, Exit.MEND)

    @property
    def label(self) -> str:
        """As tables print it."""
        return self.value.replace("_", " ")


class Kind(Enum):
    """How the cases of a trial arose, as `pv` saw it; never declared."""

    ALGORITHM = "algorithm"
    LIVE = "live"
    ORACLE = "oracle"
