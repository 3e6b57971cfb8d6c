"""A bisection as text: what was asked first, the stages, the verdict in a sentence, and what to run next."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from textwrap import wrap
from typing import NamedTuple

from pv.bisect.outcome import Outcome
from pv.bisect.result import Bisection, Label, Ladder, StageJudgement, Verdict
from pv.compare.axes import location_text
from pv.report.grid import heading, print_grid, width
from pv.report.plain import plural
from pv.report.text import one_line
from pv.tensors.place import Place

_WHOLE = 30  # of more stages than these, layers without anything remarkable are shown as one row each
_MOST_NOTES = 8
_MOST_PLACES = 6
_REMARKABLE = (Label.SOURCE, Label.NOT_MEASURED)
_COLUMNS = ("stage", "layer", "error", "floor", "mean", "row", "column", "is")
_WIDE = 86  # columns that these take


def print_bisection(found: Outcome, *, verbose: bool) -> None:
    """All of it; with `verbose` every stage of every layer."""
    result = found.bisection
    heading(f"{found.names[0]} against {found.names[1]}: {plural(len(found.tokens), 'token')}")
    _print_labelled("symptom", result.symptom)
    _print_labelled("weights", (result.weights.removeprefix("weights: "),))
    _print_labelled("paths", result.paths)
    if result.stages:
        _print_stages(stage_rows(result.stages, verbose=verbose))
    print()
    _print_wrapped(verdict_sentence(result))
    said = result.verdict in (Verdict.INCONCLUSIVE, Verdict.INVALID_CAPTURE)  # its first note is the verdict's own
    notes = (*hint_sentences(result), *result.notes[said:])
    for line in notes if verbose else notes[:_MOST_NOTES]:
        _print_wrapped(line, "  ")
    if len(notes) > _MOST_NOTES and not verbose:
        print(f"  and {len(notes) - _MOST_NOTES} notes more: --verbose")
    if result.ladder:
        _print_wrapped(ladder_sentence(result.ladder), "  ")
    for line in pin_sentences(found):
        _print_wrapped(line, "  ")
    for command in found.next:
        print(f"  next: {one_line(command)}")


def _print_stages(rows: list[Row]) -> None:
    print()
    if width() >= _WIDE:
        _print_wrapped(
            "Stages: error and floor are relative L2; mean, row and column what a stage adds, over its noise"
        )
        cells = [(*row[:4], *map(_ratio, row.added), row.label) for row in rows]
        print_grid(_COLUMNS, cells)
    else:
        _print_wrapped("Stages: error and floor are relative L2; added is what a stage adds at worst, over its noise")
        worst = (max((each for each in row.added if each is not None), default=None) for row in rows)
        cells = [
            (f"{row.layer} {row.stage}", row.error, row.floor, _ratio(each), row.label)
            for row, each in zip(rows, worst, strict=True)
        ]
        print_grid(("stage", "error", "floor", "added", "is"), cells)


def _print_labelled(label: str, sentences: Sequence[str]) -> None:
    for at, sentence in enumerate(sentences):
        _print_wrapped(sentence, f"  {label if not at else '':<8} ", " " * 11)


def _print_wrapped(text: str, first: str = "", rest: str | None = None) -> None:
    later = " " * len(first) if rest is None else rest
    lines = wrap(
        one_line(text), max(40, width()), initial_indent=first, subsequent_indent=later, break_on_hyphens=False
    )
    print("\n".join(lines))


class Row(NamedTuple):
    """A line of the table; `added` are the ratios of mean, worst row and worst column."""

    stage: str
    layer: str
    error: str
    floor: str
    added: tuple[float | None, float | None, float | None]
    label: str


def stage_rows(stages: Sequence[StageJudgement], *, verbose: bool) -> list[Row]:
    """A row a stage; where there are many, a row for each layer in which nothing begins."""
    if verbose or len(stages) <= _WHOLE:
        return [_row(stage) for stage in stages]
    rows: list[Row] = []
    for layer, group in groupby(stages, key=lambda stage: stage.place.layer):
        of_layer = list(group)
        if layer is None or any(stage.label in _REMARKABLE for stage in of_layer):
            rows += [_row(stage) for stage in of_layer]
        else:
            rows.append(_layer_row(layer, of_layer))
    return rows


def _row(stage: StageJudgement) -> Row:
    local, layer = stage.local, stage.place.layer
    added = (local.mean, local.row, local.column) if local else (None, None, None)
    number = "-" if layer is None else str(layer)
    return Row(stage.place.stage, number, _small(stage.error), _small(stage.floor), added, stage.label.text)


def _layer_row(layer: int, stages: Sequence[StageJudgement]) -> Row:
    """The worst of the layer in each column, and how many of its stages are what."""
    worst = max(stages, key=lambda stage: stage.error or 0.0)
    local = [stage.local for stage in stages if stage.local]
    mean, row, column = (max((getattr(each, key) for each in local), default=None) for key in ("mean", "row", "column"))
    counts = {label: sum(stage.label is label for stage in stages) for label in Label}
    what = ", ".join(f"{count} {label.text}" for label, count in counts.items() if count)
    return Row(f"all {len(stages)}", str(layer), _small(worst.error), _small(worst.floor), (mean, row, column), what)


def _small(value: float | None) -> str:
    return "-" if value is None else "∞" if math.isinf(value) else "0" if value == 0 else f"{value:.1e}"


def _ratio(value: float | None) -> str:
    return "-" if value is None else "∞" if math.isinf(value) else f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def verdict_sentence(result: Bisection) -> str:
    """The verdict and where, in one sentence."""
    judged = [stage for stage in result.stages if stage.local]
    match result.verdict:
        case Verdict.IDENTICAL:
            return f"identical: {plural(len(judged), 'stage')}, the same bit for bit"
        case Verdict.WITHIN_FLOOR:
            if not judged:
                return "within floor"
            worst = max(judged, key=lambda stage: stage.local.worst if stage.local else 0.0)
            seen = f"{_ratio(worst.local.worst if worst.local else None)} times its noise at {worst.place}"
            return f"within floor: no stage of {len(judged)} adds more than noise; the most is {seen}"
        case Verdict.DIVERGED:
            return _diverged(result)
    return f"{result.verdict.label}: {result.notes[0]}" if result.notes else result.verdict.label


def _diverged(result: Bisection) -> str:
    sources = [stage for stage in result.stages if stage.place in result.at]
    local = max((stage.local.worst for stage in sources if stage.local), default=math.inf)
    worst = next((stage.worst for stage in sources if stage.worst), ())
    what = f"diverged {'within' if result.enclosing else 'at'} {_places(result.at)}"
    subject = "it adds" if len(sources) == 1 else "they add"
    added = (
        f"{subject} {_ratio(local)} times the noise there" if math.isfinite(local) else f"what {subject} is no noise"
    )
    where = f", most at {location_text(worst)}" if worst else ""
    hidden = f"; it hides {_places(result.enclosing)}, of which each may be the one" if result.enclosing else ""
    return f"{what}: {added}{where}{hidden}; {_upstream(result)}{_more(result)}"


def _upstream(result: Bisection) -> str:
    """What is known of the stages before the first that is to blame."""
    places = [stage.place for stage in result.stages]
    first = min((places.index(place) for place in result.at if place in places), default=0)
    judged = [stage for stage in result.stages[:first] if stage.local]
    before = [stage for stage in judged if stage.label is not Label.SOURCE]
    narrow = [stage.place for stage in judged if stage.label is Label.SOURCE]
    said = f"{len(before)} stages before it are within floor" if before else "no stage before it was judged"
    return f"{said}; {_places(narrow)} before it only computes in a narrower dtype" if narrow else said


def _more(result: Bisection) -> str:
    return f"; another source: {'; another: '.join(map(_places, result.more))}" if result.more else ""


def _places(places: Iterable[Place]) -> str:
    found = list(map(str, places))
    shown = (
        found if len(found) <= _MOST_PLACES else [*found[: _MOST_PLACES - 1], f"{len(found) - _MOST_PLACES + 1} more"]
    )
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def hint_sentences(result: Bisection) -> Iterator[str]:
    """What the shape of the error speaks for, once each."""
    hints = (f"hint: {stage.hint}" for stage in result.stages if stage.place in result.at and stage.hint)
    yield from dict.fromkeys(hints)


def ladder_sentence(ladder: Ladder) -> str:
    """What repeating both sides in wider dtypes says."""
    where = f" at {_places(ladder.at)}" if ladder.at else ""
    rungs = ", ".join(f"{rung.dtype} {rung.verdict.label if rung.verdict else rung.said}" for rung in ladder.rungs)
    said = f": {ladder.said}" if ladder.said else ""
    return f"ladder: {ladder.meaning.value}{where}{said} ({rungs})"


def pin_sentences(found: Outcome) -> Iterator[str]:
    """What was pinned, and why something was not."""
    for row in found.pins:
        if row.path:
            did = "pinned" if row.new else "pinned already:"
            yield f"{did} {row.path}: what {row.place} was given, as a case of {row.test}"
        else:
            yield f"not pinned: {row.place}: {row.said}"
