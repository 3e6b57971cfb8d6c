"""The operands of `pv bisect`: models that are run, one model on two paths, captures; recorded one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pv.bisect.paths import Route, attend_as_usual, on_route, options_of, ran_of
from pv.cli.models import asked_of, families_of, opened, project_here, why_not
from pv.finding import Exit, PvError
from pv.introspect.load import Setting
from pv.tensors.manifest import MANIFEST

if TYPE_CHECKING:
    from pv.bisect.doors import Widening
    from pv.bisect.record import Recorded
    from pv.bisect.side import Side
    from pv.cli.models import Opened
    from pv.stages.map import StageMap
    from pv.tensors.folder import StoredCapture


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked on the command line, besides the operands."""

    text: str | None = None
    tokens: str | None = None
    prompt: str | None = None
    map: Path | None = None
    shapes: Path | None = None
    weights: str | None = None

    @property
    def reads(self) -> bool:
        """Whether it says what the models are to read."""
        return (self.text, self.tokens, self.prompt) != (None, None, None)


class Sides(NamedTuple):
    """Both operands recorded; `stage_map` describes the reference, `model` holds its weights."""

    reference: Recorded
    candidate: Recorded
    stage_map: StageMap
    model: Any


class _Open(NamedTuple):
    """A model that runs now."""

    model: Any
    stage_map: StageMap
    ids: tuple[int, ...] | None


def record_operands(words: tuple[str, str], routes: tuple[Route, Route], wanted: Wanted) -> Sides:
    """Two models, two captures, or a model and a capture of one that was run elsewhere. One after the other: project code
    that both use is imported anew for each."""
    stored = [_stored(word, wanted) for word in words]
    for word, capture, route in zip(words, stored, routes, strict=True):
        if capture and str(route):
            raise PvError(f"{word} is a capture: how it ran is past", hint="leave --path out")
    if wanted.shapes is not None and not any(stored):
        raise PvError("--shapes is for captures, and neither of the two is one", hint="leave --shapes out")
    if stored[0]:
        return _captures(stored[0], stored[1], words, wanted)
    if wanted.weights is not None:
        raise PvError(f"--weights is for captures; {words[0]} has its own", hint="leave --weights out")
    from pv.bisect.record import record_stored

    known = stored[1].tokens if stored[1] else ()
    if known and wanted.reads:
        raise PvError(f"{words[1]} says itself which tokens were read", hint="leave --text, --tokens and --prompt out")
    one, stage_map, model = _run(words[0], routes[0], wanted, known, None)
    if stored[1]:
        return Sides(one, record_stored(words[1], stored[1], stage_map), stage_map, model)
    other, _, _ = _run(words[1], routes[1], wanted, one.tokens, stage_map)
    return Sides(one, other, stage_map, model)


def _run(
    word: str, route: Route, wanted: Wanted, known: tuple[int, ...], reference_map: StageMap | None
) -> tuple[Recorded, StageMap, Any]:
    """One model, recorded on `known` tokens or on those that were asked for; a `reference_map` makes it the candidate."""
    from pv.bisect.record import call_of, record_model

    is_candidate, asked = reference_map is not None, bool(known)
    with (
        _model(word, route, wanted, is_candidate=is_candidate, tokens_known=asked) as found,
        on_route(route, found.model) as placed,
    ):
        call = call_of(placed, known or _required(found.ids), options_of(route, placed))
        named = f"{word} ({route})" if str(route) else word
        own, ran = found.stage_map, ran_of(placed, route)
        return record_model(named, placed, call, own, reference_map or own, ran), own, found.model


def widening_of(words: tuple[str, str], routes: tuple[Route, Route], wanted: Wanted, sides: Sides) -> Widening:
    """Both operands opened once more for each rung of the ladder. Raises PvError (`Exit.ASK`) where one is a capture."""
    from pv.bisect.doors import Wider
    from pv.bisect.record import call_of, record_wider, widen

    if sides.reference.model is None or sides.candidate.model is None:
        raise PvError(
            "--ladder runs both again, and a capture cannot be run", hint="leave --ladder out, or name models"
        )

    def one(at: int, rounded: Any, dtype: Any) -> tuple[Side, Any]:
        with (
            _model(words[at], routes[at], wanted, is_candidate=bool(at), tokens_known=True) as found,
            on_route(routes[at], widen(found.model, rounded, dtype)) as placed,
        ):
            call = call_of(placed, sides.reference.tokens, options_of(routes[at], placed))
            return record_wider(placed, call, found.stage_map, sides.stage_map), found.model

    def wider(rounded: Any, dtype: Any) -> Wider:
        (reference, model), (candidate, _) = one(0, rounded, dtype), one(1, rounded, dtype)
        return Wider(reference, candidate, model)

    return wider


def _required(ids: tuple[int, ...] | None) -> tuple[int, ...]:
    if ids is None:
        raise PvError("a model has to read something", hint="give --text, --prompt or --tokens 0,5,13")
    return ids


def _captures(
    reference: StoredCapture, candidate: StoredCapture | None, names: tuple[str, str], wanted: Wanted
) -> Sides:
    if candidate is None:
        hint = "turn them round: the reference is the one whose weights stages are computed again with"
        raise PvError(f"{names[0]} is a capture and {names[1]} a model", hint=hint)
    if wanted.reads:
        raise PvError("captures say themselves which tokens were read", hint="leave --text, --tokens and --prompt out")
    word = wanted.weights
    if word is None:
        hint = f"--weights MODEL: what {names[0]} was captured from ({reference.manifest.model or 'it does not say'})"
        raise PvError("captures hold no weights, and stages are computed again with those of the reference", hint=hint)
    dtype = reference.manifest.dtype
    with _model(word, Route(), wanted, tokens_known=True) as found:
        if dtype in (ran_of(found.model).dtype, ""):
            return _with_weights(found, word, (reference, candidate), names)
    del found  # one model in memory at a time
    # It was captured in another dtype than its files have.
    with _model(word, Route(dtype=dtype), wanted, tokens_known=True) as found:
        return _with_weights(found, word, (reference, candidate), names)


def _with_weights(
    found: _Open, word: str, stored: tuple[StoredCapture, StoredCapture], names: tuple[str, str]
) -> Sides:
    from pv.bisect.record import record_stored, require_weights

    require_weights(found.model, stored[0], word)
    one, other = (record_stored(name, each, found.stage_map) for name, each in zip(names, stored, strict=True))
    return Sides(one, other, found.stage_map, found.model)


def _stored(word: str, wanted: Wanted) -> StoredCapture | None:
    """The capture in the folder `word`; None for anything else."""
    folder = Path(word)
    has_manifest = (folder / MANIFEST).is_file()
    if not has_manifest and (wanted.shapes is None or not folder.is_dir() or (folder / "config.json").exists()):
        return None
    from pv.tensors.folder import open_capture

    return open_capture(folder, None if has_manifest else wanted.shapes)


@contextmanager
def _model(
    word: str, route: Route, wanted: Wanted, *, is_candidate: bool = False, tokens_known: bool = False
) -> Iterator[_Open]:
    """The model `word` in memory as `route` says, its map and the tokens that were asked for.

    Where no route is given, a candidate runs with the attention that its users get, the reference with the one that shows
    most.
    """
    project = project_here()
    setting = Setting(route.dtype or "", route.device or "", route.attn or "")
    with opened(project, families_of(project), word, None, run=True, setting=setting) as found:
        if found.running is None:
            raise why_not(found)
        if is_candidate and not str(route):
            attend_as_usual(found.running.model)
        ids = None if tokens_known or not wanted.reads else _asked(found, wanted)
        yield _Open(found.running.model, _map(found, wanted), ids)


def _asked(found: Opened, wanted: Wanted) -> tuple[int, ...]:
    return asked_of(found, wanted.text, wanted.tokens, wanted.prompt).tokens


def _map(found: Opened, wanted: Wanted) -> StageMap:
    if wanted.map is not None:
        from pv.stages.read import read_map_file

        return read_map_file(wanted.map)
    if found.stage_map is None:
        raise PvError(f"no stage map is known for {found.described.name}", exit=Exit.ASK, hint="give one: --map FILE")
    return found.stage_map
