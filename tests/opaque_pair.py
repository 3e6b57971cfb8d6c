"""The models of benchmarks/bisect, smaller: a decoder written plainly, and a fused port of it with a fault or none."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

sys.path.append(str(Path(__file__).resolve().parent.parent / "benchmarks/bisect"))

from candidate import GROSS, SUBTLE, Candidate, Fault
from pair import MAP, PORT_MAP, captured
from reference import Reference, Sizes

from pv.bisect.judge import bisect
from pv.bisect.result import Bisection
from pv.bisect.side import Side
from pv.tensors.place import Place

__all__ = ["GROSS", "MAP", "SUBTLE", "Candidate", "Fault", "Pair", "captured", "side"]


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A reference of `seed` in `dtype`, the tokens, and what was captured of both sides; `other` may be edited."""

    model: Reference
    tokens: Tensor
    one: dict[Place, Tensor]
    other: dict[Place, Tensor]

    @classmethod
    def of(
        cls,
        fault: Fault | None = None,
        *,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
        layers: int = 3,
        count: int = 24,
    ) -> Pair:
        """Both run on `count` tokens."""
        model = Reference(Sizes(layers=layers), seed, dtype)
        tokens = torch.randint(256, (count,), generator=torch.Generator().manual_seed(seed))
        sides = captured(model, tokens, MAP), captured(Candidate(model, fault), tokens, PORT_MAP)
        one, other = ({place: each[place] for place in each.places} for each in sides)
        return cls(model, tokens, one, other)

    def bisected(self) -> Bisection:
        """What pv makes of it."""
        return bisect(side(self.one), side(self.other), MAP, self.model, self.tokens)


def side(values: Mapping[Place, Tensor]) -> Side:
    """A side of tensors that are held here."""
    return Side(tuple(values), values.__getitem__)
