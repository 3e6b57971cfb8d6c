"""Names of tensor code that the operators know: which function stands in for which, what takes an axis, what casts."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What is written for what, both ways.
_PAIRS = """
sum mean|amax amin|max min|argmax argmin|triu tril|sin cos|sinh cosh|exp expm1|log log1p|log2 log10|softmax log_softmax
any all|floor ceil|round trunc|sqrt rsqrt|tanh sigmoid|relu gelu|zeros ones|zeros_like ones_like|std var|cumsum cumprod
maximum minimum|fmax fmin|clamp_min clamp_max|add sub|mul div|eq ne|lt le|gt ge|no_grad enable_grad
"""
TWINS = {
    one: other
    for pair in _PAIRS.strip().replace("\n", "|").split("|")
    for one, other in (pair.split(), reversed(pair.split()))
}

# Where the axis stands among the positional arguments of a method; of a function it is one further.
AXIS_AT = {
    **dict.fromkeys(
        _words("sum mean prod amax amin max min argmax argmin softmax log_softmax logsumexp cumsum cumprod"), 0
    ),
    **dict.fromkeys(
        _words("std var all any sort argsort median unsqueeze squeeze size flip gather scatter index_select"), 0
    ),
    **dict.fromkeys(_words("narrow select unbind cat concat stack"), 0),
    **dict.fromkeys(_words("roll split chunk topk norm repeat_interleave"), 1),
}
AXIS_KEYWORDS = frozenset({"dim", "axis", "dims"})

# f(a + b) is near f(a) + b: where an epsilon is inside a root, it may slip out.
ELEMENTWISE = _words(
    """exp expm1 log log1p log2 log10 sqrt rsqrt square abs sin cos tan tanh sinh cosh sigmoid relu gelu silu softplus erf
    reciprocal"""
)
# Calls whose result stands where their operand may stand as well: without them the program goes on.
DROPPABLE = ELEMENTWISE | _words(
    """neg floor ceil round trunc sign softmax log_softmax logsigmoid normalize nan_to_num masked_fill dropout layer_norm
    rms_norm sum mean prod amax amin max min std var norm logsumexp cumsum cumprod triu tril flip roll sort sorted reversed"""
)
CASTS = _words("to type astype float double half bfloat16 long int bool short char byte")
TRANSPOSITIONS = _words("transpose permute t swapaxes swapdims movedim moveaxis adjoint")
TRANSPOSED = frozenset({"T", "mT", "H", "mH"})
CLAMPS = _words("clamp clip clamp_ clamp_min clamp_max")
COARSER = {
    "float64": "float32",
    "double": "float32",
    "float32": "float16",
    "float": "float16",
    "float16": "bfloat16",
    "int64": "int32",
    "long": "int32",
}
# Functions of two operands whose order matters.
ORDERED = _words("sub subtract div divide true_divide floor_divide remainder fmod pow matmul mm bmm atan2")
