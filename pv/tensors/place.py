"""Which stage of which layer: what a captured tensor is known by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """The stage called `stage` in layer `layer`, or of the whole model where `layer` is None.

    >>> import pv
    >>> str(pv.Place("ffn_out", 3)), str(pv.Place("lm_head", None).path)
    ('layer 3 ffn_out', 'lm_head.bin')
    """

    stage: str
    layer: int | None

    def __str__(self) -> str:
        return self.stage if self.layer is None else f"layer {self.layer} {self.stage}"

    def file(self, suffix: str) -> str:
        """Where its file with that suffix lies in the folder of a capture."""
        name = self.stage + suffix
        return name if self.layer is None else f"layer-{self.layer}/{name}"

    @property
    def path(self) -> PurePosixPath:
        """Where its APRT file lies in the folder of a capture."""
        return PurePosixPath(self.file(".bin"))
