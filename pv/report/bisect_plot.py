"""A bisection as a plot: error over the noise floor, by stage in the order of computation; SVG, or PNG through matplotlib."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any

from pv.bisect.outcome import Outcome
from pv.bisect.result import Label, StageJudgement
from pv.finding import Exit, PvError
from pv.report.bisect import verdict_sentence
from pv.report.templates import svg
from pv.report.text import one_line
from pv.write import write_whole

SUFFIXES = (".svg", ".png")
_WIDTH, _HEIGHT = 960, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 940, 56, 370
_MOST_CAPTIONS = 6
_LEAST, _MOST = 1e-2, 1e9  # ratios beyond these are drawn at the edge


@dataclass(frozen=True, slots=True)
class Dot:
    """One stage: its place in the order, what it adds over its noise and all error over the floor (None: not known)."""

    at: int
    stage: StageJudgement

    @property
    def added(self) -> float | None:
        """What the stage adds."""
        return self.stage.local.worst if self.stage.local else None

    @property
    def inherited(self) -> float | None:
        """All that has come up to it."""
        return self.stage.inherited.worst if self.stage.inherited else None

    @property
    def is_source(self) -> bool:
        """Whether the error begins here."""
        return self.stage.label is Label.SOURCE


def require_plot(path: Path) -> None:
    """Raises PvError for a file that no plot can be written to; `Exit.RUN` for a PNG without matplotlib."""
    if path.suffix not in SUFFIXES:
        raise PvError(f"--plot {path}: a plot is {' or '.join(SUFFIXES)}", hint="name the file so")
    if not path.parent.is_dir() or path.is_dir():
        raise PvError(
            f"--plot {path}: {path.parent if path.suffix else path} is no folder that a file can lie in",
            hint="name a file in a folder that is there",
        )
    if path.suffix == ".png":
        _matplotlib()


def write_plot(path: Path, found: Outcome) -> None:
    """Write the plot of `found` to `path`, as its suffix says. Raises PvError where it cannot be written."""
    data = png_bytes(found) if path.suffix == ".png" else svg_text(found).encode()
    try:
        write_whole(path, data)
    except OSError as error:
        raise PvError(
            f"cannot write {path}: {error.strerror or error}",
            hint="see that its folder is there, that you may write to it, and that there is room",
        ) from error


def svg_text(found: Outcome) -> str:
    """The plot as SVG: no script, nothing from elsewhere."""
    dots = _dots(found)
    lowest, highest = _decades(dots)
    known = [dot for dot in dots if dot.inherited is not None]
    return svg(
        "bisect.svg",
        width=_WIDTH, height=_HEIGHT, left=_LEFT, right=_RIGHT, top=_TOP, bottom=_BOTTOM,
        title=one_line(_title(found)),
        said=one_line(verdict_sentence(found.bisection)),
        ticks=[
            {"y": _y(10.0**power, lowest, highest), "label": f"{10.0**power:g}×", "is_floor": power == 0}
            for power in range(lowest, highest + 1)
        ],
        layers=[{"x": _x(at, len(dots)), "label": label} for at, label in _layers(dots)],
        line=" ".join(f"{_x(dot.at, len(dots))},{_y(dot.inherited or 0.0, lowest, highest)}" for dot in known),
        dots=[
            {"x": _x(dot.at, len(dots)), "y": _y(dot.added or 0.0, lowest, highest), "kind": _kind(dot),
             "label": one_line(_label(dot))}
            for dot in dots
        ],
        captions=[
            {"x": _x(dot.at, len(dots)), "y": _y(dot.added or 0.0, lowest, highest) - 9, "text": one_line(text)}
            for dot, text in _captions(found, dots)
        ],
    )  # fmt: skip


def png_bytes(found: Outcome) -> bytes:
    """The plot as PNG. Raises PvError (`Exit.RUN`) without matplotlib."""
    figure_of = _matplotlib()
    dots = _dots(found)
    lowest, highest = _decades(dots)
    figure = figure_of(figsize=(_WIDTH / 100, _HEIGHT / 100), dpi=150, layout="constrained")
    axes = figure.subplots()
    known = [dot for dot in dots if dot.inherited is not None]
    axes.plot(
        [dot.at for dot in known],
        [_clipped(dot.inherited or 0.0) for dot in known],
        color="0.5",
        lw=1.2,
        label="all error so far",
    )
    for kind, colour, label in (("added", "#2a6f97", "added by a stage"), ("source", "#c1121f", "a source")):
        chosen = [dot for dot in dots if _kind(dot) == kind]
        axes.scatter(
            [dot.at for dot in chosen],
            [_clipped(dot.added or 0.0) for dot in chosen],
            s=16,
            color=colour,
            label=label,
            zorder=3,
        )
    for dot, text in _captions(found, dots):
        there = (dot.at, _clipped(dot.added or 0.0))
        axes.annotate(_plain(text), there, xytext=(4, 6), textcoords="offset points", fontsize=8)
    axes.axhline(1.0, color="0.3", ls="--", lw=0.8)
    axes.set_yscale("log")
    axes.set_ylim(10.0**lowest / 2, 10.0**highest * 2)
    axes.set_xticks([at for at, _ in _layers(dots)], [_plain(label) for _, label in _layers(dots)], fontsize=7)
    axes.set_ylabel("over the noise floor")
    axes.set_title(_plain(_title(found)), fontsize=9)
    axes.legend(fontsize=7)
    written = BytesIO()
    figure.savefig(written, format="png", metadata={"Software": None})
    return written.getvalue()


def _matplotlib() -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        seen = "a PNG needs matplotlib, which is not installed"
        raise PvError(seen, exit=Exit.RUN, hint="pip install 'pv-contracts[plot]', or --plot FILE.svg") from error
    return Figure


def _plain(text: str) -> str:
    """matplotlib would read what stands between dollar signs as a formula."""
    return one_line(text).replace("$", r"\$")


def _title(found: Outcome) -> str:
    return f"{found.names[0]} against {found.names[1]}"


def _dots(found: Outcome) -> list[Dot]:
    return [Dot(at, stage) for at, stage in enumerate(found.bisection.stages)]


def _captions(found: Outcome, dots: Sequence[Dot]) -> list[tuple[Dot, str]]:
    """What is written beside the first dot of each source."""
    by_place = {dot.stage.place: dot for dot in dots}
    groups = [group for group in (found.bisection.at, *found.bisection.more) if group and group[0] in by_place]
    return [(by_place[group[0]], " and ".join(map(str, group))) for group in groups[:_MOST_CAPTIONS]]


def _kind(dot: Dot) -> str:
    return "source" if dot.is_source else "unseen" if dot.added is None else "added"


def _label(dot: Dot) -> str:
    added = "not measured" if dot.added is None else f"adds {dot.added:.3g} times its noise"
    so_far = "" if dot.inherited is None else f", all error so far is {dot.inherited:.3g} times the floor"
    return f"{dot.stage.place}: {dot.stage.label.text}, {added}{so_far}"


def _layers(dots: Sequence[Dot]) -> list[tuple[int, str]]:
    """Where a layer begins, and its number."""
    groups = groupby(dots, key=lambda dot: dot.stage.place.layer)
    return [(next(group).at, "" if layer is None else str(layer)) for layer, group in groups]


def _decades(dots: Sequence[Dot]) -> tuple[int, int]:
    """The powers of ten that the ratios lie between."""
    values = [_clipped(value) for dot in dots for value in (dot.added, dot.inherited) if value is not None]
    values += [_LEAST for dot in dots if dot.added is None]  # where they are drawn
    lowest, highest = min([*values, 0.1]), max([*values, 10.0])
    return math.floor(math.log10(lowest)), math.ceil(math.log10(highest))


def _clipped(value: float) -> float:
    return _MOST if math.isnan(value) else min(max(value, _LEAST), _MOST)


def _x(at: int, count: int) -> float:
    return round(_LEFT + (_RIGHT - _LEFT) * (at + 0.5) / max(count, 1), 1)


def _y(value: float, lowest: int, highest: int) -> float:
    share = (math.log10(_clipped(value)) - lowest) / (highest - lowest)
    return round(_BOTTOM - (_BOTTOM - _TOP) * share, 1)
