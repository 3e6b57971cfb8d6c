"""`pv validate`: contracts against the schema and the rules."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from pv.finding import Exit, Finding, PvError, worst

if TYPE_CHECKING:
    from pv.report.findings import Answer
    from pv.rules.config import Selection
    from pv.validate.answers import Asked
    from pv.validate.run import Outcome
    from pv.validate.settle import Settled


class Options(NamedTuple):
    """What the answer depends on besides the files."""

    form: str
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    baseline: Path | None
    update: bool
    colour: bool
    whole: bool


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github", "junit"]),
    default="text",
    show_default=True,
    help="For people, programs, code scanning, GitHub's annotations, test reports.",
)
@click.option(
    "--select", multiple=True, metavar="CODES", help="Only these rules: codes or their beginnings, PV2,PV301."
)
@click.option("--ignore", multiple=True, metavar="CODES", help="Not these rules.")
@click.option("--baseline", type=click.Path(path_type=Path), help="Known findings, which are not reported again.")
@click.option(
    "--update-baseline", is_flag=True, help="Take out of the baseline what is mended; write it if there is none."
)
@click.option("--no-cache", is_flag=True, help="Judge every file, also those that have not changed.")
def validate(
    paths: tuple[Path, ...],
    form: str,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    baseline: Path | None,
    update_baseline: bool,
    no_cache: bool,
) -> Exit:
    """Check contracts: well-formed, closed, resolved, and not claiming what no run supports.

    PATHS are files or folders, inside a project names of contracts too; without any, the contracts of the project. A file
    named here is judged as a contract whatever it holds; in a folder, YAML files that say they are something else are
    skipped, by name. Nothing that a contract names is imported or run.

    \b
      pv validate contracts
      pv validate contracts --format sarif > pv.sarif
      pv validate contracts --select PV2 --baseline known.json
    """
    if update_baseline and baseline is None:
        hint = "pv validate --baseline known.json --update-baseline"
        raise PvError("--update-baseline needs --baseline FILE", hint=hint)
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    colour = form == "text" and sys.stdout.isatty() and not plain
    options = Options(form, select, ignore, baseline, update_baseline, colour, not paths)
    operands = tuple(map(_file_of, paths)) or (_own_contracts(),)
    asked = None if no_cache or update_baseline else _ask(operands, options)
    known = None if asked is None else asked.answer()
    if known is None:
        text, exit = _find_out(operands, options, asked)
    else:
        text, exit = known[0], Exit(known[1])
    click.echo(text)
    return exit


def _file_of(operand: Path) -> Path:
    """`operand`; where nothing is there, the file of the project's contract of that name, with the nearest names if none is."""
    from pv.root import CONTRACTS, find_root

    root = find_root(Path.cwd())
    if os.path.lexists(operand) or len(operand.parts) > 1 or operand.suffix or root is None:
        return operand
    from pv.project import yaml_paths

    paths = list(yaml_paths(root / CONTRACTS))
    found = [_shown()(path) for path in paths if path.stem == str(operand)]
    if len(found) > 1:
        raise PvError(f"{operand} is {' and '.join(found)}", hint="name the file")
    if not found:
        from difflib import get_close_matches

        near = get_close_matches(str(operand), [path.stem for path in paths], n=3)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "name a contract, a file or a folder"
        raise PvError(f"there is neither a file nor a contract {str(operand)!r}", hint=hint)
    return Path(found[0])


def _own_contracts() -> Path:
    """The contracts folder of the project here."""
    from pv.root import CONTRACTS, find_root

    root = find_root(Path.cwd())
    if root is None:
        from pv.project import open_project

        root = open_project().root  # which says that there is none
    return Path(_shown()(root / CONTRACTS))


def _shown() -> Callable[[Path], str]:
    """Paths as they can be opened from the working directory: relative where that is shorter to read."""
    here = Path.cwd()

    def shown(path: Path) -> str:
        inside = path.is_absolute() and path.is_relative_to(here)
        return (path.relative_to(here) if inside else path).as_posix()

    return shown


def _ask(operands: Sequence[Path], options: Options) -> Asked | None:
    from pv.validate.items import FEW, list_items

    shown = _shown()
    items = [item for operand in operands for item in list_items(operand, shown)]
    if len(items) < FEW:
        return None
    from pv.validate.answers import ask
    from pv.validate.surroundings import file_sha256

    known = None if options.baseline is None else [str(options.baseline), file_sha256(str(options.baseline))]
    return ask([str(operand) for operand in operands], items, [*options._replace(baseline=None), known])


def _find_out(operands: Sequence[Path], options: Options, asked: Asked | None) -> tuple[str, Exit]:
    """Judge the files, and say what came of it."""
    from pv.report.findings import answer_text
    from pv.rules import Codes, count_judging
    from pv.rules.config import read_selection
    from pv.validate.run import run
    from pv.validate.settle import settle

    codes = Codes()
    selection = read_selection(options.select, options.ignore, codes)
    cache = None if asked is None else asked.open_cache()
    outcome = run(operands, _shown(), cache, whole=options.whole)
    answer = _answer(
        outcome, settle(outcome, codes, selection, Path), count_judging(predecessor=_has_predecessor(outcome))
    )
    if options.baseline is not None:
        answer = _without_known(answer, options.baseline, selection, outcome, update=options.update)
    text = answer_text(answer, options.form, colour=options.colour)
    exit = worst(severity.exit for severity in {finding.severity for finding in answer.findings})
    if asked is not None:
        asked.keep(text, int(exit), outcome.names)
    return text, exit


def _has_predecessor(outcome: Outcome) -> bool:
    from pv.validate.judgement import Kind

    return any(one.kind is Kind.PREDECESSOR for one in outcome.judgements)


def _answer(outcome: Outcome, settled: Settled, rules: int) -> Answer:
    from pv.report.findings import Answer
    from pv.validate.judgement import Kind
    from pv.validate.lines import Lines

    lines = Lines(Path)

    def names_of(findings: Sequence[Finding]) -> list[str]:
        from pv.validate.known import Portable, name_all

        return name_all(findings, lines, Portable())

    judged = tuple(one.path for one in outcome.judgements if one.kind is not Kind.SKIPPED)
    return Answer(
        findings=settled.findings,
        checked={"files": len(judged), **outcome.counts._asdict(), "rules": rules},
        judged=judged,
        skipped=tuple(one.path for one in outcome.judgements if one.kind is Kind.SKIPPED),
        hidden=dict(settled.hidden),
        line_of=lines.of,
        names_of=names_of,
    )


def _without_known(answer: Answer, baseline: Path, selection: Selection, outcome: Outcome, *, update: bool) -> Answer:
    from pv.validate.known import Judged, Portable, leave_out_known

    path_of = Portable().of
    whole = any(group.whole for group in outcome.groups)
    judged = Judged({path_of(path) for path in answer.judged}, selection, whole)
    names = answer.names_of(answer.findings)
    left, known = leave_out_known(answer.findings, names, baseline, path_of, judged, update=update)
    hidden = {**answer.hidden, "in the baseline": known} if known else answer.hidden
    return answer._replace(findings=tuple(left), hidden=hidden)
