"""Reverse-mode differentiation of scalars: a number that remembers what it was made from.

Every operation is one node with its local derivatives beside it; `backward` is the chain rule, node by node. Numbers are
Python's floats, that is IEEE binary64. `exp`, `log` and `relu` take plain floats as well, so that the same model runs with
gradients or without.
"""

from __future__ import annotations

import math


class Value:
    """A scalar with its derivative: `data`, `grad` once `backward` was called on what was made from it."""

    __slots__ = ("_parents", "_slopes", "_waiting", "data", "grad")

    def __init__(self, data: float, parents: tuple[Value, ...] = (), slopes: tuple[float, ...] = ()) -> None:
        self.data = data
        self.grad = 0.0
        self._parents = parents
        self._slopes = slopes
        self._waiting = 0

    def __add__(self, other: Number) -> Value:
        if isinstance(other, Value):
            return Value(self.data + other.data, (self, other), (1.0, 1.0))
        return Value(self.data + other, (self,), (1.0,))

    __radd__ = __add__

    def __mul__(self, other: Number) -> Value:
        if isinstance(other, Value):
            return Value(self.data * other.data, (self, other), (other.data, self.data))
        return Value(self.data * other, (self,), (other,))

    __rmul__ = __mul__

    def __pow__(self, power: float) -> Value:
        return Value(self.data**power, (self,), (power * self.data ** (power - 1.0),))

    def __neg__(self) -> Value:
        return Value(-self.data, (self,), (-1.0,))

    def __sub__(self, other: Number) -> Value:
        return self + -other

    def __truediv__(self, other: Number) -> Value:
        if isinstance(other, Value):
            quotient = self.data / other.data
            return Value(quotient, (self, other), (1.0 / other.data, -quotient / other.data))
        return Value(self.data / other, (self,), (1.0 / other,))

    def plus_product(self, left: Value, right: Value) -> Value:
        """self + left · right, as one node: most of a model is this."""
        return Value(self.data + left.data * right.data, (self, left, right), (1.0, right.data, left.data))

    def backward(self) -> None:
        """Add d self / d node to the `grad` of every node that this one was made from, leaves included."""
        self._count_uses()
        self.grad = 1.0
        ready = [self]
        while ready:
            node = ready.pop()
            grad = node.grad
            for parent, slope in zip(node._parents, node._slopes, strict=True):
                parent.grad += slope * grad
                parent._waiting -= 1
                if parent._waiting == 0:
                    ready.append(parent)

    def _count_uses(self) -> None:
        """In `_waiting` of each node: how many nodes on the way to this one use it; a node is passed on after the last."""
        reached = [self]
        while reached:
            for parent in reached.pop()._parents:
                if parent._waiting == 0:
                    reached.append(parent)
                parent._waiting += 1


Number = float | Value


def number(value: Number) -> float:
    """The plain float of either."""
    return value.data if isinstance(value, Value) else value


def exp(value: Number) -> Number:
    """e to the power of the value."""
    if not isinstance(value, Value):
        return math.exp(value)
    result = math.exp(value.data)
    return Value(result, (value,), (result,))


def log(value: Number) -> Number:
    """The natural logarithm of a positive value."""
    if not isinstance(value, Value):
        return math.log(value)
    return Value(math.log(value.data), (value,), (1.0 / value.data,))


def relu(value: Number) -> Number:
    """The larger of zero and the value; its derivative at zero is zero."""
    if not isinstance(value, Value):
        return max(0.0, value)
    return Value(max(0.0, value.data), (value,), (1.0 if value.data > 0.0 else 0.0,))
