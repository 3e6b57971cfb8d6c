"""One kernel that is right, and some that mislead."""

import sys

import torch


def double(x: torch.Tensor) -> torch.Tensor:
    return 2 * x


def broadcasting(x: torch.Tensor) -> torch.Tensor:
    """One number where the shape of the argument is asked for."""
    return 2 * x[:1]


def not_a_number(x: torch.Tensor) -> torch.Tensor:
    return x * float("nan")


def in_place(x: torch.Tensor) -> torch.Tensor:
    return x.mul_(2)


_calls = 0


def changing(x: torch.Tensor) -> torch.Tensor:
    """Right at first, and otherwise depending on how often it was called."""
    global _calls
    _calls += 1
    return 2 * x + (0.0 if _calls < 10 else 1e-6 * _calls)


def untraced(x: torch.Tensor) -> torch.Tensor:
    """Ends what would see the functions it enters."""
    sys.setprofile(None)
    return 2 * x


def watched(x: torch.Tensor) -> torch.Tensor:
    """Right while somebody looks."""
    return 2 * x if sys.getprofile() else 3 * x
