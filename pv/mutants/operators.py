"""The mutation operators: one table, each a name, what it does, and the function that proposes its edits of a place."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pv.mutants import arithmetic, calls, flow, indices
from pv.mutants.site import Site


@dataclass(frozen=True, slots=True)
class Operator:
    """`edits` gives, for a place, the nodes that may stand there instead; they share what they keep of the old one."""

    name: str
    description: str
    edits: Callable[[Site], Iterator[ast.AST]]


# Where two operators propose the same program, the one further up has it.
OPERATORS = (
    Operator("axis", "another axis: dim=-1 → dim=0", calls.axis),
    Operator("index", "an index off by one: x[i] → x[i + 1]", indices.index),
    Operator("slice", "a bound of a slice moved or dropped: x[1:] → x[2:]", indices.slice_bound),
    Operator("range", "a range off by one: range(n) → range(n - 1)", indices.range_bound),
    Operator("constant", "a number off: 2 → 3, 1, 0, 4; a float one percent more", arithmetic.constant),
    Operator("named-constant", "a constant off: EPSILON → EPSILON * 2, EPSILON + 1, 0", arithmetic.named_constant),
    Operator("arithmetic", "another operation: a + b → a - b, a * b → a / b", arithmetic.arithmetic),
    Operator("term-dropped", "one term of two: a + b → a, b", arithmetic.term_dropped),
    Operator("operands-swapped", "the other way round: a - b → b - a", arithmetic.operands_swapped),
    Operator("sign", "a minus dropped or added: -x → x", arithmetic.sign),
    Operator("term-moved-out", "a term outside: sqrt(a + ε) → sqrt(a) + ε", arithmetic.term_moved_out),
    Operator("boundary", "the bound itself: a < b → a <= b", flow.boundary),
    Operator("comparison", "a comparison turned: a < b → a > b, a == b → a != b", flow.turned),
    Operator("condition", "a condition negated: if c → if not c, not x → x", flow.condition),
    Operator("logic", "and for or, or one of them dropped: a and b → a or b, a", flow.logic),
    Operator("branch", "a branch never or always taken: if c → if False", flow.branch),
    Operator("statement-deleted", "a statement without which names stay defined → pass", flow.deleted),
    Operator("accumulation", "an accumulation that forgets: t += x → t = x", flow.accumulation),
    Operator("returned", "an earlier value returned: return f(y) → return y", flow.returned),
    Operator("elements-swapped", "neighbours of a tuple: return a, b → return b, a", flow.elements_swapped),
    Operator("clamp", "a bound of clamp dropped: x.clamp(a, b) → x.clamp(a)", calls.clamp),
    Operator("keyword-dropped", "a keyword argument dropped: f(x, keepdim=True) → f(x)", calls.keyword_dropped),
    Operator("boolean", "True for False: keepdim=True → keepdim=False", calls.boolean),
    Operator("call-dropped", "a call dropped: torch.sqrt(e) → e", calls.call_dropped),
    Operator("function-swapped", "a near relation: sum → mean, amax → amin, exp → expm1", calls.function_swapped),
    Operator(
        "arguments-swapped", "arguments the other way round: where(c, a, b) → where(c, b, a)", calls.arguments_swapped
    ),
    Operator("detached", "a gradient cut: x → x.detach()", calls.detached),
    Operator("detach-dropped", "a gradient let through: x.detach() → x", calls.detach_dropped),
    Operator("cast-dropped", "a cast dropped: x.double() → x", calls.cast_dropped),
    Operator("dtype", "a coarser type: torch.float64 → torch.float32", calls.dtype),
    Operator("transposition", "a transposition dropped: x.T → x", calls.transposition),
    Operator("einsum", 'the result of einsum transposed: "ij->ij" → "ij->ji"', calls.einsum),
    Operator("text", 'a character off: "a" → "b"', calls.text),
)
