"""Whether two shapes admit the same sizes, and which size tells them apart.

A letter ties its axis to every other place that names it. So axes are compared by their sizes only where nothing else does, or
where one size is possible; a letter that was exchanged elsewhere is a change in either direction.
"""

from __future__ import annotations

from pv.contract.model import Equation
from pv.semver.change import Apart, Witness
from pv.semver.polarity import Role
from pv.semver.witness import Interval, Sized, only

Axis = int | str


def shapes_apart(role: Role, old: Sized, new: Sized) -> Apart:
    """Apart by `shape`."""
    before, after = old.spec.shape, new.spec.shape
    if len(before) != len(after):
        return Apart(_rank("old", old), _rank("new", new))
    apart = Apart()
    for index, (here, there) in enumerate(zip(before, after, strict=True)):
        if here != there:
            apart |= _axes_apart(role, (old, here), (new, there), index)
    return apart


def sizes_apart(old: Interval, new: Interval, name: str) -> Apart:
    """Apart by the sizes that an axis called `name`, or a dimension, may have."""
    return Apart(_size("old", old, new, name), _size("new", new, old, name))


def used_in(equation: Equation, letter: str) -> Role:
    """What the sizes of a dimension are: asked for where an argument has them, promised where only a result does."""
    if _uses(equation, letter):
        return Role.ASKED
    results = (axis for spec in equation.returns for axis in (*spec.shape, spec.range.below))
    return Role.PROMISED if letter in results else Role.PROSE


def _axes_apart(role: Role, old: tuple[Sized, Axis], new: tuple[Sized, Axis], index: int) -> Apart:
    before, after = _sizes(*old), _sizes(*new)
    name = f"size of axis {index}"
    if (_is_one(before) and _is_one(after)) or (role is Role.ASKED and _is_free(*old) and _is_free(*new)):
        return sizes_apart(before, after, name)
    return Apart(Witness("old", ((name, str(old[1])),)), Witness("new", ((name, str(new[1])),)))


def _sizes(value: Sized, axis: Axis) -> Interval:
    return value.sizes(axis) if isinstance(axis, str) else Interval(axis, axis, whole=True)


def _is_one(sizes: Interval) -> bool:
    return sizes.low == sizes.high


def _is_free(value: Sized, axis: Axis) -> bool:
    """Whether a caller chooses the size of this axis without regard to anything else."""
    is_argument = any(argument.name == axis for argument in value.equation.arguments)
    return isinstance(axis, int) or (not is_argument and _uses(value.equation, axis) == 1)


def _uses(equation: Equation, letter: str) -> int:
    """In how many places of the arguments a letter stands."""
    names = [name for spec in equation.arguments for name in (*spec.shape, spec.range.below)]
    return names.count(letter)


def _rank(side: str, value: Sized) -> Witness:
    return Witness(side, (("number of axes", len(value.spec.shape)),))


def _size(side: str, here: Interval, there: Interval, name: str) -> Witness | None:
    found = only(here, there)
    return None if found is None else Witness(side, ((name, found),))
