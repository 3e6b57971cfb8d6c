"""The parts of a project's code that a verdict depends on, and their digests today; by parsing, never by importing."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from pv.contract.model import Binding
from pv.digest import sha256
from pv.finding import Exit, PvError
from pv.ledger.receipt import FILE, WHOLE, Part
from pv.source.code import TOP_LEVEL, module_path
from pv.source.data import DataFiles
from pv.source.falsifiers import FalsifierIndex
from pv.source.imports import Imports
from pv.source.memory import Memory
from pv.source.module import Module
from pv.source.pins import pin_files
from pv.source.target import command_files

ABSENT = sha256(b"there is no such file")


class Code:
    """Digests of one project's code, each file read and parsed at most once; `memory` knows what some of them came to."""

    def __init__(self, root: Path, sources: Sequence[str], memory: Memory | None = None) -> None:
        self._root = root
        self._sources = tuple(sources)
        self._memory = memory or Memory()
        self._modules: dict[str, Module | PvError] = {}
        self._imports = Imports(root, sources, self._imported)
        self._beside: dict[str, Imports] = {}
        self._closures: dict[str, tuple[str, ...]] = {}
        self._digests: dict[tuple[object, ...], str | None] = {}
        self._data = DataFiles(root)

    def content(self, path: str) -> str | None:
        """The SHA-256 of the module at `path` as it was when it was read; None when it was not."""
        found = self._modules.get(path)
        return found.content if isinstance(found, Module) else None

    def anew(self) -> Code:
        """The same project, of which nothing has been read yet."""
        return Code(self._root, self._sources, self._memory)

    def digest(self, path: str, name: str) -> str | None:
        """Today's digest of a part; None when it is gone, or its file no longer parses."""
        if name == FILE:
            return self._of_file(path)
        key = path, name
        if key not in self._digests:
            module = self._module(path)
            self._digests[key] = None if module is None else module.digest(name)
        return self._digests[key]

    def _of_file(self, path: str) -> str | None:
        """Of what is there at this moment: data may be written while others are judged."""
        file = f"{self._root}{os.sep}{path}"
        try:
            now = os.stat(file)  # noqa: PTH116 -- tens of thousands are asked for, and a Path takes longer than the question
            key = path, now.st_mtime_ns, now.st_ctime_ns, now.st_size, now.st_ino
            if key not in self._digests:
                self._digests[key] = sha256(Path(file).read_bytes())
            return self._digests[key]
        except FileNotFoundError:
            return ABSENT  # asked for and not there: once it is, the evidence is stale
        except OSError:
            return None

    def falsifier(
        self,
        index: FalsifierIndex,
        contract: str,
        test: str,
        invariants: Collection[str],
        strata: Collection[tuple[str, str]] = (),
    ) -> tuple[Part, ...]:
        """The falsifier of `test`, the faults of `invariants`, the project's own among `strata` (by type and name), what these
        use, the modules theirs import, the project's files that one of these names, and pinned cases.
        """
        entries = [(entry.path, entry.function) for entry in index.falsifiers_of(contract, test)]
        entries += [(entry.path, entry.function) for entry in index.faults_for(contract, invariants)]
        entries += [(entry.path, entry.function) for entry in index.strata_of(strata)]
        names = {(path, used) for path, function in entries for used in self._used(path, function)}
        for path in {path for path, _ in entries}:
            names |= {(other, WHOLE) for other in self.closure(path) if other != path and not other.startswith("pv/")}
        names |= {(path, FILE) for path in (*self._named_in(names), *pin_files(self._root, contract, test))}
        return self._parts(names)

    def subject(self, entered: Iterable[tuple[str, str]], opened: Iterable[str], imported: Iterable[tuple[str, str]],
                target: tuple[str, str], *, seen: bool = True) -> tuple[Part, ...]:  # fmt: skip
        """What a trial ran: functions entered, top levels of their modules and of all those import, files opened or named.

        `imported` are functions entered while the project's modules were imported; they count where their module does.
        `target` is (path, name) of the bound function. Where tracing did not see it, or not all that ran (`seen`), its module
        and those that were entered count as a whole, and every module that they import.
        Raises PvError for code that ran and cannot be digested.
        """
        names = self.functions(entered)
        files = {path for path, _ in names} | {target[0]}
        modules = {other for path in files for other in self.closure(path)} | files
        names |= {(path, TOP_LEVEL) for path in modules}
        names |= {(path, self._part(path, name)) for path, name in imported if path in modules}
        if not seen or not any(path == target[0] for path, _ in entered):
            names = {(path, WHOLE) for path in modules}
        names |= {(path, FILE) for path in self._named_in(names)}
        names |= {(path, FILE) for path in opened if not path.endswith((".py", ".pyc"))}
        # Read as data, and perhaps executed; a module that is not there is asked for like any other file.
        names |= {(path, WHOLE if self._module(path) else FILE) for path in opened if path.endswith(".py")}
        unknown = [f"{path}: {name}" for path, name in sorted(names) if self.digest(path, name) is None]
        if unknown:
            # Left out, it could change and nobody would know.
            raise PvError(
                f"{unknown[0]} was run, but no digest can be taken of it",
                exit=Exit.MEND,
                hint="mend the syntax of that file; what is run has to lie in the project as source",
            )
        return self._parts(names)

    def functions(self, entered: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """(path, name) of the outermost functions behind those entered, and of every method beside one: it may run later."""
        names = {(path, self._part(path, name)) for path, name in entered}
        return names | {(path, method) for path, name in names for method in self._siblings(path, name)}

    def command(self, command: Sequence[str]) -> tuple[Part, ...]:
        """What another process runs, as far as it can be told without tracing: the project's files that `command` names.

        A Python script counts with the modules it imports, from beside it or from the project, each as a whole.
        """
        names = set()
        for path, home in command_files(self._root, command):
            names |= {(module, WHOLE) for module in self._script(path, home)} or {(path, FILE)}
        return self._parts(names)

    def modules_of(self, binding: Binding) -> set[str]:
        """Paths of the project's modules that the code of `binding` may import, those in which it stands included."""
        if binding.command:
            return {part.path for part in self.command(binding.command)}
        named = {name.partition(":")[0] for name in (binding.target, binding.factory) if name}
        paths = {path for name in named if (path := module_path(self._root, self._sources, name)) is not None}
        return {other for path in paths for other in self.closure(path)}

    def whole(self, modules: Iterable[str], files: Iterable[str] = ()) -> tuple[Part, ...]:
        """`modules` by what they mean, and `files` byte by byte."""
        data = {(path, FILE) for path in files if not path.endswith((".py", ".pyc"))}
        return self._parts({(path, WHOLE) for path in modules} | data)

    def shared(self, one: Collection[str], other: Collection[str]) -> tuple[str, ...]:
        """The modules in both, without packages that hold nothing but their docstring."""
        return tuple(sorted(path for path in {*one} & {*other} if not self._is_bare(path)))

    def _is_bare(self, path: str) -> bool:
        module = self._module(path) if path.endswith("__init__.py") else None
        return module is not None and module.is_bare

    def _script(self, path: str, home: str) -> tuple[str, ...]:
        """The modules that running the Python file at `path` may import, itself included; none for what is no Python.

        They are looked for in the folder `home` first.
        """
        if not path.endswith(".py"):
            return ()
        name = path.removeprefix("" if home == "." else f"{home}/").removesuffix(".py").replace("/", ".")
        try:
            if home not in self._beside:
                self._beside[home] = Imports(self._root, (home, *self._sources), self._imported)
            return self._beside[home].closure(name.removesuffix(".__init__"))
        except PvError:
            return ()

    def closure(self, path: str) -> tuple[str, ...]:
        """Paths of the project's modules that the module at `path` imports, transitively, itself included."""
        if path not in self._closures:
            try:
                self._closures[path] = self._imports.closure(self.module_name(path))
            except PvError:  # something it imports does not parse; that file has no digest, which makes it stale
                self._closures[path] = (path,)
        return self._closures[path]

    def module_name(self, path: str) -> str:
        """The dotted name under which the module at `path` is imported."""
        return _module_name(path, self._sources)

    def _named_in(self, names: Collection[tuple[str, str]]) -> set[str]:
        """The project's files whose names stand in these parts; contracts and evidence are no data of code."""
        asked = ((self._module(path), name) for path, name in names)
        texts = {text for module, name in asked if module is not None for text in module.files_named_in(name)}
        found = {path for text in texts for path in self._data.called(text)}
        return {path for path in found if not path.startswith(("contracts/", "ledger/"))}

    def _part(self, path: str, qualname: str) -> str:
        module = self._module(path)
        return TOP_LEVEL if module is None else module.part_of(qualname)

    def _siblings(self, path: str, name: str) -> tuple[str, ...]:
        """The methods of the class that a method entered belongs to: others may run later, as backward after forward."""
        module, owner = self._module(path), name.rpartition(".")[0]
        if module is None or not owner:
            return ()
        return tuple(other for other in module.names if other.rpartition(".")[0] == owner)

    def _used(self, path: str, function: str) -> tuple[str, ...]:
        module = self._module(path)
        return () if module is None else module.names_used_by(function)

    def _imported(self, path: str, name: str) -> tuple[str, ...]:
        found = self._read(path)
        if isinstance(found, PvError):
            raise found
        return found.imports(name)

    def _parts(self, names: Iterable[tuple[str, str]]) -> tuple[Part, ...]:
        found = ((path, name, self.digest(path, name)) for path, name in sorted(set(names)))
        return tuple(Part(path, name, digest) for path, name, digest in found if digest is not None)

    def _module(self, path: str) -> Module | None:
        """The module at `path`; None where there is none, or no Python."""
        found = self._read(path)
        return found if isinstance(found, Module) and found.is_python else None

    def _read(self, path: str) -> Module | PvError:
        if path not in self._modules:
            try:
                self._modules[path] = Module(path, (self._root / path).read_bytes(), self._memory)
            except OSError as error:
                seen = f"{path} cannot be read: {error.strerror or error}"
                self._modules[path] = PvError(seen, exit=Exit.MEND, hint="restore it, or run again what depended on it")
        return self._modules[path]


def _module_name(path: str, sources: Sequence[str]) -> str:
    """`implementations/microgpt/kernels.py` → `implementations.microgpt.kernels`, below its source folder."""
    inside = max((source for source in sources if source != "." and path.startswith(f"{source}/")), key=len, default="")
    stem = path.removeprefix(f"{inside}/" if inside else "").removesuffix(".py").removesuffix("/__init__")
    return stem.replace("/", ".")
