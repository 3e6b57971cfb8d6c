"""All mutants of a function, from the text of its module, and their code objects."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import CodeType

from pv.mutants.build import changed
from pv.mutants.home import Home, compiled, digest_of, digester, find_home, signature
from pv.mutants.operators import OPERATORS
from pv.mutants.scope import scope_of
from pv.mutants.site import Code, Site, at, replaced, sites
from pv.mutants.text import column_of, diff, edited
from pv.source.syntax import Function


@dataclass(frozen=True, slots=True)
class Mutant:
    """A function with one edit.

    `id` names operator, function and the way to the node (`arithmetic@rms_norm:body[2].value.left`, with `#2` for the
    operator's second proposal there): comments and layout do not change it. `line` and `column` count from 1. `before`
    and `after` are the edited node as Python writes it; `diff` is the edit in the file's own lines. `digest` is that
    of the mutated function, as `ModuleParts.digest` would give it.
    """

    id: str
    operator: str
    path: str
    function: str
    line: int
    column: int
    before: str
    after: str
    diff: str
    digest: str
    home: Home = field(repr=False, compare=False)
    tree: Function = field(repr=False, compare=False)


def mutants_of(path: str, source: str, qualname: str, *, line: int | None = None) -> tuple[Mutant, ...]:
    """Every mutant of the function `qualname` (`rms_norm`, `Adam.step`) of the module text `source`, in source order.

    `path` is what the mutants say they come from. `line` is the function's `co_firstlineno`, for a name that the module
    defines several times; without it the last definition counts. Left out are mutants that equal the original or one
    before them, and those whose code cannot stand in for the original's: it does not compile, or has other free
    variables or arguments, or is a generator where the original is none.
    Raises PvError when `source` is not Python or defines no such function outside of other functions.
    """
    home = find_home(path, source, qualname, line)
    original = signature(compiled(home, home.function, path))
    seen = {digest_of(home, home.function)}
    found: list[Mutant] = []
    for site in sites(home.function, scope_of(home.function, home.parts.bindings)):
        for mutant in _proposed(home, site):
            if mutant.digest not in seen and _compiles_to(mutant, original):
                seen.add(mutant.digest)
                found.append(mutant)
    return tuple(found)


def compile_mutant(mutant: Mutant, *, filename: str | None = None) -> CodeType:
    """The code object of the mutated function; it says that it comes from `filename`, or else from `mutant.path`."""
    return compiled(mutant.home, mutant.tree, filename or mutant.path)


def control(path: str, source: str, qualname: str, *, line: int | None = None, filename: str | None = None) -> CodeType:
    """The code of the unmutated function, edited so that its bytes differ and what it does does not.

    A falsifier that fails under it looks at the code and not at what it computes. Arguments, errors: see `mutants_of`.
    """
    home = find_home(path, source, qualname, line)
    body = home.function.body
    start = int(ast.get_docstring(home.function, clean=False) is not None)
    # a comparison, because the compiler takes a constant out
    nothing = _placed(ast.Expr(ast.Compare(ast.Constant(None), [ast.Is()], [ast.Constant(None)])), body[0])
    return compiled(home, changed(home.function, body=[*body[:start], nothing, *body[start:]]), filename or path)


def _proposed(home: Home, site: Site) -> Iterator[Mutant]:
    edits = [
        (f"{operator.name}@{home.qualname}:{site.name}{f'#{count}' if count > 1 else ''}", _placed(new, site.node))
        for operator in OPERATORS
        for count, new in enumerate(operator.edits(site), start=1)
    ]
    if not edits:
        return
    digest = digester(home, site.steps)
    for name, new in edits:
        try:
            yield _mutant(home, site, name, new, digest(new))
        except ValueError:  # `unparse` cannot write every f-string
            continue


def _mutant(home: Home, site: Site, name: str, new: ast.AST, digest: str) -> Mutant:
    tree = replaced(home.function, site.steps, new)
    depth, old = _in_text(site)
    instead = edited(home.lines, old, at(tree, site.steps[:depth]), site.parents[depth - 1])
    return Mutant(
        id=name,
        operator=name.partition("@")[0],
        path=home.path,
        function=home.qualname,
        line=old.lineno,
        column=column_of(old, home.lines),
        before=ast.unparse(site.node),
        after=ast.unparse(new),
        diff=diff(home.path, home.lines, old, instead),
        digest=digest,
        home=home,
        tree=tree,
    )


def _placed(new: ast.AST, old: Code) -> ast.AST:
    """`new` where `old` stands; a node that comes from the original keeps its own place."""
    return ast.fix_missing_locations(new if hasattr(new, "lineno") else ast.copy_location(new, old))


def _in_text(site: Site) -> tuple[int, Code]:
    """(depth, node) of what is rewritten in the text: the node, or the f-string around it, which does not say where."""
    for depth, parent in enumerate(site.parents):
        if isinstance(parent, ast.JoinedStr):
            return depth, parent
    return len(site.parents), site.node


def _compiles_to(mutant: Mutant, original: dict[str, object]) -> bool:
    try:
        return signature(compile_mutant(mutant)) == original
    except SyntaxError:
        return False
