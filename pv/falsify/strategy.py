"""`pv.cases`: the cases of an equation for tests outside of `pv`."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from pv.contract.model import Contract, Equation
from pv.contract.quote import nearest
from pv.contract.read import read_contract
from pv.contract.strata import named_by
from pv.falsify.cases import Case, regions
from pv.falsify.declare import stratum_in
from pv.falsify.drawn import Strata
from pv.falsify.strata import with_own
from pv.finding import Exit, PvError
from pv.root import CONTRACTS, FALSIFIERS, find_root
from pv.source.falsifiers import index_falsifiers


def cases(contract: str | Path, equation: str, stratum: str = "") -> st.SearchStrategy[Case]:
    """A Hypothesis strategy of the cases that `pv falsify` draws for an equation: every stratum that its arguments declare.

    `contract` is a path, or the name of a contract of the project around the working directory; `stratum` limits the
    cases to one region, as `pv falsify` names it: `"x.huge"`, `"x.float32"`, `"x.grad"`. A case has the arguments by name,
    and unpacks in the order of the equation:

        @given(case=pv.cases("contracts/microgpt-v1.yaml", "rms_norm"))
        def test_signs_pass_through(case):
            assert torch.equal(rms_norm(-case.x), -rms_norm(*case))

    >>> import pv
    >>> from hypothesis import find
    >>> find(pv.cases("microgpt-v1", "rms_norm"), lambda case: len(case.x) > 1).x.shape[0]
    2

    Raises PvError when there is no such contract, equation or stratum, or the contract is not valid.
    """
    path = _path(contract)
    file = read_contract(path, path.as_posix())
    if file.contract is None:
        said = file.findings[0].message
        raise PvError(f"{path} is no valid contract: {said}", exit=Exit.MEND, hint=f"pv validate {path}")
    found = _equation(file.contract, equation)
    every = regions(found, _strata(path, found))
    chosen = [region for region in every if stratum in ("", region.name)]
    if not chosen:
        names = [region.name for region in every]
        raise PvError(f"{equation} has no stratum {stratum!r}", hint=nearest(stratum, names))
    return st.one_of([region.strategy.filter(region.holds) for region in chosen])


def _path(contract: str | Path) -> Path:
    path = Path(contract)
    if path.is_file():
        return path
    root = find_root(Path.cwd())
    found = sorted(root.joinpath(CONTRACTS).rglob(f"{path.name}.yaml")) if root is not None else []
    if not found:
        raise PvError(
            f"there is no contract {str(contract)!r}, neither as a file nor in a project around {Path.cwd()}",
            hint="name the file, or run it inside the project",
        )
    return found[0]


def _equation(contract: Contract, name: str) -> Equation:
    found = contract.equation(name)
    if found is None:
        names = [equation.name for equation in contract.equations]
        raise PvError(f"{contract.name} has no equation {name!r}", hint=nearest(name, names))
    return found


def _strata(contract: Path, equation: Equation) -> Strata:
    """The known strata and those of the project around `contract` that the equation names, which are imported."""
    from importlib import import_module

    root = find_root(contract.parent)
    entries = index_falsifiers(root, root / FALSIFIERS).strata_of(named_by(equation)) if root is not None else ()
    names = [(entry.path.removesuffix(".py").replace("/", "."), entry.function) for entry in entries]
    return with_own(stratum_in(import_module(module), function) for module, function in names)
