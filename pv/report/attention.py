"""The attention of one forward pass, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pv.introspect.attention import Attention
from pv.introspect.forward import Forward
from pv.report.tensors import finite

Matrix = Sequence[Sequence[float]]


def print_attention(passed: Forward, found: Attention) -> None:
    """What was read, how long its vectors are, whom each position attends to in each head, and the mask."""
    head = found.heads[0]
    width, count = head.v[-1], len(found.heads)
    print(
        f"\nAttention of {count} heads of {width} ({count} × {width} = {count * width}), scale 1/√{width} = {found.scale:.4f}"
    )
    print(f"  reads   {', '.join(passed.label(token) for token in found.tokens)}")
    print(f"  L2      {', '.join(f'{norm:.4f}' for norm in found.norms)}  after embedding and norm, by position")
    for index, head in enumerate(found.heads):
        shapes = ", ".join(f"{name} {_shape(shape)}" for name, shape in (("Q", head.q), ("K", head.k), ("V", head.v)))
        print(f"\n  head {index}: {shapes}; out {_shape(head.output)}")
        for position, row in enumerate(head.weights):
            print(f"    pos {position} → [{', '.join(f'{weight:.3f}' for weight in row)}]")
    print("\n  causal mask")
    for line in mask_lines(found.mask):
        print(f"    {line}")
    print(
        f"\n  measured: rows sum to 1 within {found.row_sum:.1e}; the largest weight of a later position is {found.above:g}"
    )


def mask_lines(mask: Matrix) -> Iterator[str]:
    """The mask drawn: 0 where attention may look, -∞ where it may not, and which number stands for that."""
    closed = sorted({value for row in mask for value in row if value != 0})
    for row in mask:
        yield " ".join("   0" if value == 0 else "  -∞" for value in row)
    if closed:
        yield f"-∞ is {', '.join(f'{value:g}' for value in closed)} here"


def matrix_lines(matrix: Any, places: int = 4) -> Iterator[str]:
    """The rows of a matrix."""
    for row in matrix:
        yield " ".join(f"{value:9.{places}f}" for value in row)


def attention_value(found: Attention) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "tokens": list(found.tokens),
        "scale": found.scale,
        "l2": [finite(norm) for norm in found.norms],
        "heads": [
            {
                "q": list(head.q),
                "k": list(head.k),
                "v": list(head.v),
                "weights": [[finite(weight) for weight in row] for row in head.weights],
                "output": list(head.output),
            }
            for head in found.heads
        ],
        "mask": [[finite(value) for value in row] for row in found.mask],
        "largest_row_sum_error": finite(found.row_sum),
        "largest_later_weight": finite(found.above),
    }


def _shape(shape: Sequence[int]) -> str:
    return f"[{', '.join(map(str, shape))}]"
