"""One module of a project as evidence asks of it; parsed only where an answer is not known from before.

Every answer follows from the bytes of the module's file alone, by the sources of `pv` and the Python that runs it. So what was
answered once of the same bytes, by the same `pv`, is the answer: nothing that changed can look as if it had not.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import cached_property
from typing import Any

from pv.digest import sha256
from pv.finding import PvError
from pv.ledger.receipt import TOP_LEVEL, WHOLE
from pv.source.code import ModuleParts, imported_modules, module_parts, part_of_qualname
from pv.source.data import names_in
from pv.source.memory import Memory
from pv.source.syntax import decode_source


class Module:
    """The module whose file, at `path`, holds `data`. Every method raises PvError (mend) when it is not Python."""

    def __init__(self, path: str, data: bytes, memory: Memory) -> None:
        self.path = path
        self.content = sha256(data)
        self._data = data
        self._told = memory.of(self.content)

    @property
    def is_python(self) -> bool:
        """Whether it can be read as Python."""
        return bool(self._once("is Python", self._is_python))

    def digest(self, name: str) -> str | None:
        """Of the part `name`: a function, a definition, the top level, or the whole; None when there is none."""
        found: str | None = self._once(f"digest {name}", lambda: _digest_of(self._parts, name))
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """See `ModuleParts.names`."""
        return tuple(self._once("names", lambda: list(self._parts.names)))

    def part_of(self, qualname: str) -> str:
        """See `ModuleParts.part_of`."""
        part = part_of_qualname(qualname)
        return part if part in self.names else TOP_LEVEL

    def names_used_by(self, name: str) -> tuple[str, ...]:
        """See `pv.source.names.names_used_by`."""
        return tuple(self._once(f"used by {name}", lambda: list(self._parts.names_used_by(name))))

    def files_named_in(self, name: str) -> frozenset[str]:
        """The texts in the part `name` that look like the name of a file."""
        return frozenset(self._once(f"files named in {name}", lambda: sorted(names_in(self._parts.nodes(name)))))

    def imports(self, module: str) -> tuple[str, ...]:
        """What it imports when it is called `module`: see `imported_modules`."""
        is_package = self.path.endswith("/__init__.py")
        asked = f"imports as {'package ' if is_package else ''}{module}"
        return tuple(self._once(asked, lambda: list(imported_modules(self._source, module, is_package, self.path))))

    @property
    def is_bare(self) -> bool:
        """Whether it holds nothing but perhaps a docstring."""
        return bool(self._once("is bare", lambda: _is_bare(self._parts.tree)))

    def _once(self, asked: str, answer: Callable[[], Any]) -> Any:
        if asked not in self._told:
            self._told[asked] = answer()
        return self._told[asked]

    @cached_property
    def _source(self) -> str:
        return decode_source(self._data, self.path)

    @cached_property
    def _parts(self) -> ModuleParts:
        return module_parts(self._source, self.path)

    def _is_python(self) -> bool:
        try:
            return bool(self._parts)
        except PvError:
            return False


def _digest_of(parsed: ModuleParts, name: str) -> str | None:
    if name == TOP_LEVEL:
        return parsed.top_level_digest()
    return parsed.whole_digest() if name == WHOLE else parsed.digest(name) or parsed.definition_digest(name)


def _is_bare(tree: ast.Module) -> bool:
    return not tree.body or (len(tree.body) == 1 and ast.get_docstring(tree) is not None)
