"""The numbers: as the reference page has them, and readable from the syntax tree alone."""

import ast
import operator
from pathlib import Path

import pytest

from implementations.microgpt import config

OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv}


def fold(source: str) -> dict[str, float]:
    """The module's constants by arithmetic over its syntax tree; KeyError or TypeError for anything else."""
    values: dict[str, float] = {}

    def value_of(node: ast.expr) -> float:
        match node:
            case ast.Constant(value=int() | float() as value):
                return value
            case ast.Name(id=name):
                return values[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -value_of(operand)
            case ast.BinOp(left=left, op=op, right=right):
                return OPERATORS[type(op)](value_of(left), value_of(right))
        raise TypeError(ast.dump(node))

    for statement in ast.parse(source).body[1:]:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            raise TypeError(ast.dump(statement))
        values[statement.targets[0].id] = value_of(statement.value)
    return values


def test_the_syntax_tree_alone_gives_every_constant():
    imported = {name: value for name, value in vars(config).items() if not name.startswith("__")}
    assert fold(Path(config.__file__).read_text(encoding="utf-8")) == imported


def test_a_constant_that_needs_running_is_noticed():
    with pytest.raises(TypeError, match="Call"):
        fold('"""Doc."""\nN_EMBD = int("16")\n')


def test_the_constants_are_those_of_the_reference_page():
    imported = {name: value for name, value in vars(config).items() if not name.startswith("__")}
    assert imported == {
        "VOCAB_SIZE": 27,
        "BOS": 0,
        "BLOCK_SIZE": 16,
        "N_EMBD": 16,
        "N_HEAD": 4,
        "HEAD_DIM": 4,
        "N_LAYER": 1,
        "FF_DIM": 64,
        "PARAMETER_COUNT": 4192,
        "INIT_STD": 0.08,
        "RMS_EPSILON": 1e-5,
        "MASK_VALUE": -1e9,
        "NUM_STEPS": 5000,
        "LR": 0.01,
        "BETA1": 0.85,
        "BETA2": 0.99,
        "ADAM_EPSILON": 1e-8,
        "TEMPERATURE": 0.5,
        "SEED": 42,
    }
