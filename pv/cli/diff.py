"""`pv diff`: what changed in a contract, and whether its version says so; with --values, in tensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pv.cli.group import FORMAT
from pv.finding import Exit, PvError, worst

if TYPE_CHECKING:
    from pv.contract.read import ContractFile
    from pv.project import Project
    from pv.semver.diff import Diff

AGAINST = click.option("--against", metavar="REF", help="A git reference: compare with the contracts it had.")


@click.command()
@click.argument("what", nargs=-1, metavar="[OLD NEW | CONTRACT…]")
@AGAINST
@click.option("--values", is_flag=True, help="Compare two files or folders of tensors, the first the reference.")
@click.option("--rtol", type=float, help="With --values and --atol: |Δ| ≤ atol + rtol·|reference|, whatever the dtype.")
@click.option("--atol", type=float, help="As --rtol; without both, what torch.testing has for the looser dtype.")
@click.option("--top", type=click.IntRange(min=0), metavar="N", help="With --values: show the N worst elements; 10.")
@click.option("--shapes", metavar="MAP", help="With --values: axes and sizes of APRT files that no manifest describes.")
@FORMAT
def diff(
    what: tuple[str, ...], against: str | None, values: bool, rtol: float | None, atol: float | None, top: int | None,
    shapes: str | None, form: str,
) -> Exit:  # fmt: skip
    """What changed between two states of a contract, and did its version move as far as that requires?

    Two files, or with --against the project's contracts (all, or those named) and what they were at a git reference;
    without either, the last release. Asking more of callers or promising them less is major, promising more is minor,
    prose is patch. Exits 1 when `metadata.version` moved less, 3 when there is nothing to compare with.

    \b
      pv diff old/softmax-v1.yaml contracts/softmax-v1.yaml
      pv diff --against origin/main
      pv diff softmax-v1 --against v0.3.0 --format json

    With --values: two APRT files, two captures, or the weights of two models (safetensors, GGUF, APR). Shape, axes, layer,
    stage and tokens have to agree before a value is read. Exits 1 when values differ by more than the tolerance, or NaN or
    infinity are not at the same places; 3 when a tensor is on one side only or cannot be decoded, and whatever the values
    where no manifest says which axis is which.

    \b
      pv diff --values eager/ fused/
      pv diff --values a/layer-3/ffn_out.bin b/layer-3/ffn_out.bin --top 20
      pv diff --values model.safetensors model.gguf --rtol 0.02 --atol 0.001

    JSON: contracts, compared. With --values: a, b, kind, verdict, refused, compared{tensors, elements}, layout_verified,
    facts[name, a, b], problems, tensors[name, layer, stage, shape, axes, dtype_a, dtype_b, verdict, reason, note, rounded,
    elements, finite, rtol, atol, exceeding, max_abs_diff, max_abs_diff_index, max_abs_diff_at, rms_diff, relative_l2,
    cosine_sim, ulp{dtype, max, differing, over_one}, worst[at, rms, share], concentration, nonfinite{nan_a, nan_b, inf_a,
    inf_b, mismatched, first}, top_diffs[index, at, a, b, abs_diff]]; those from `rounded` on of what was compared.
    """
    if values:
        if against is not None:
            raise PvError(
                "--values compares two paths, --against one state of contracts with another",
                hint="leave one of them out",
            )
        from pv.cli.diff_values import diff_values

        return diff_values(what, shapes, rtol, atol, top, form)
    if stray := [name for name, value in (("--rtol", rtol), ("--atol", atol), ("--top", top), ("--shapes", shapes))
                 if value is not None]:  # fmt: skip
        raise PvError(f"{stray[0]} is about values", hint="pv diff --values A B")
    return _contracts(what, against, form)


def _contracts(what: Sequence[str], against: str | None, form: str) -> Exit:
    from pv.report.diff import diffs_text, diffs_value
    from pv.report.plain import json_text

    files = against is None and len(what) == 2
    found = [diff_of_files(Path(what[0]), Path(what[1]))] if files else diffs_against(what, against)
    click.echo(json_text(diffs_value(found)) if form == "json" else diffs_text(found))
    return worst(one.moved.exit for one in found)


def diff_of_files(old: Path, new: Path) -> Diff:
    """What changed between two files. Raises PvError when the old one is there and no contract."""
    from pv.contract.read import read_contract
    from pv.semver.diff import diff as compare

    before, after = (read_contract(path, path.as_posix()) for path in (old, new))
    if before.contract is None:
        raise PvError(f"{old} is no valid contract: nothing to compare with", hint=f"pv validate {old}")
    return compare(before, after)


def diffs_against(names: Sequence[str], reference: str | None) -> list[Diff]:
    """What became of the project's contracts (`names`: of these) since `reference`, or since the last release."""
    from pv.project import CONTRACTS, open_project
    from pv.semver.history import contracts_at
    from pv.semver.pairs import diffs

    project = open_project()
    if reference is None:
        return _since_release(project, names)
    new = {file.document.path: file for file in project.contract_files}
    new |= dict(_elsewhere(project, names, new))
    outside = [path for path in new if not path.startswith(f"{CONTRACTS}/")]
    old = contracts_at(project.root, [CONTRACTS, *outside], reference)
    found = _selected(project, list(diffs(old, new, reference)), names)
    if not found:
        hint = f"a contract lies in {CONTRACTS}/ and says `schema: pv/contract-v1`"
        raise PvError(f"there is no contract here and none at {reference!r}", exit=Exit.RUN, hint=hint)
    return found


def _since_release(project: Project, names: Sequence[str]) -> list[Diff]:
    """What became of the contracts since their last releases; comparing with nothing is no pass."""
    from pv.assess.ratchet import strongest
    from pv.project import LEDGER
    from pv.semver.released import diffs_since_release

    promises = strongest(project.promotions).values()
    found = diffs_since_release(project.releases, project.contract_files, promises, LEDGER)
    chosen = _selected(project, list(found), names)
    compared = [one for one in chosen if one.old_version or one.moved.exit is not Exit.OK]
    if not compared or (names and len(compared) < len(chosen)):
        missing = [one.name for one in chosen if one not in compared]
        of = f" of {', '.join(missing)}" if names else ""
        hint = "pv ledger release CONTRACT makes one; or compare with a git reference: --against REF; or two files"
        message = f"there is no release{of} in {LEDGER}/releases to compare with"
        raise PvError(message, exit=Exit.RUN, hint=hint)
    return chosen


def _elsewhere(
    project: Project, names: Sequence[str], known: dict[str, ContractFile]
) -> Iterator[tuple[str, ContractFile]]:
    """Contracts named by a path that is not in the contracts folder."""
    from pv.contract.read import read_contract

    for name in names:
        path = Path(name)
        if path.is_file() and project.shown(path) not in known:
            if not path.resolve().is_relative_to(project.root):
                raise PvError(f"{name} lies outside {project.root}", hint="compare two files: pv diff OLD NEW")
            yield project.shown(path), read_contract(path, project.shown(path))


def _selected(project: Project, found: list[Diff], names: Sequence[str]) -> list[Diff]:
    """Those that `names` name; raises PvError for a name of none."""
    from pv.contract.quote import nearest

    if not names:
        return found
    chosen: dict[int, Diff] = {}
    for name in names:
        here = {name, project.shown(Path(name))}
        hits = {index: one for index, one in enumerate(found) if here & {one.name, one.place.path}}
        if not hits:
            raise PvError(f"there is no contract {name!r}", hint=nearest(name, [one.name for one in found]))
        chosen |= hits
    return list(chosen.values())
