"""A stage map held against one model: which places it has, and what each is computed from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

from pv.contract.quote import shorten
from pv.finding import Exit, PvError
from pv.stages.map import RESIDUAL, TOKENS, Stage, StageMap
from pv.tensors.place import Place

ALL = "all"
"""Every stage that the map of the model declares."""


def attribute(model: Any, path: str, layer: int | None = None) -> Any:
    """What lies at the dotted `path` of `model`, with {layer} the number of a layer; None where nothing does."""
    found = model
    for part in path.replace("{layer}", str(layer)).split("."):
        if part.isdecimal() and isinstance(found, list | tuple):
            found = found[int(part)] if int(part) < len(found) else None
        else:
            found = getattr(found, part, None)
        if found is None:
            return None
    return found


def layer_count(model: Any, stage_map: StageMap) -> int:
    """How many layers `model` has. Raises PvError (`Exit.MEND`) where the map names no list of it."""
    if not stage_map.layers:
        return 1
    layers = attribute(model, stage_map.layers)
    if layers is None:
        seen = f"{stage_map.path} has the layers at {stage_map.layers}, and {type(model).__name__} has nothing there"
        raise PvError(seen, exit=Exit.MEND, hint="name the list of its layers in the stage map")
    return len(layers)


def places_of(
    model: Any, stage_map: StageMap, stages: Sequence[str] | str = ALL, layers: range | None = None
) -> tuple[Place, ...]:
    """The places of `stages` in `layers` (default: all) that `model` has and shows, in the order of computation.

    `layers` limits the stages of layers alone, not those of the whole model. Raises PvError for a stage that the map has
    not, one asked for by name that this model has not or does not show or that `layers` leaves nothing of, a layer out of
    range, and where no place is left.
    """
    count = layer_count(model, stage_map)
    names = (stages,) if isinstance(stages, str) else stages
    if not isinstance(names, Collection) or not all(isinstance(name, str) for name in names):
        seen = f"stages are names, not {shorten(str(stages))}"
        raise PvError(seen, hint='stages=["attention", "ffn_out"], or "all"')
    named = stage_map.choose(name for name in names if name != ALL)  # beside `all` they have to be there as well
    chosen = stage_map.stages if ALL in names else named
    _require_shown(model, stage_map, named, count)
    wanted = _require_layers(layers, count)
    found = tuple(
        Place(stage.name, layer)
        for stage, layer in _order(stage_map, chosen, count)
        if (layer is None or layer in wanted) and _has(model, stage, layer) and _shows(model, stage)
    )
    _require_left(named if found else chosen, found, layers)
    return found


def _require_left(chosen: Sequence[Stage], found: Sequence[Place], layers: range | None) -> None:
    """Raises PvError where there is nothing of one of `chosen`: what is left out without a word is taken for recorded."""
    left = {place.stage for place in found}
    names = ", ".join(stage.name for stage in chosen if stage.name not in left)
    if found and not names:
        return
    asked = f"{names} in layers {layers.start}..{layers.stop}" if layers is not None else names
    raise PvError(
        f"this model has nothing to record of {asked or 'no stage at all'}",
        hint="leave out the stages that these layers have not, or --layers" if names else "name a stage, or all",
    )


def _require_shown(model: Any, stage_map: StageMap, chosen: Sequence[Stage], count: int) -> None:
    for stage in chosen:
        if not _shows(model, stage):
            runs = attention_of(model)
            seen = f"{stage.name} is seen with {stage.attention} attention only, and this model runs {runs}"
            raise PvError(seen, hint=f"run it with {stage.attention} attention: --attn {stage.attention}")
        if not any(_has(model, stage, layer) for _, layer in _order(stage_map, [stage], count)):
            raise PvError(
                f"this model has no {stage.name}: there is nothing at {stage.when.replace('{layer}', '0')}",
                hint="leave it out",
            )


def require_apart(model: Any, stage_map: StageMap, stages: Iterable[str]) -> None:
    """Raises PvError where one module is that of several layers or places of `stages`: hooks cannot tell them."""
    seen: dict[int, tuple[str, str]] = {}
    count = layer_count(model, stage_map)
    for stage in map(stage_map.stage, stages):
        for path in _modules_of(stage):
            layers: dict[int, list[int]] = {}
            for layer in range(count if "{layer}" in path else 1):
                if (found := attribute(model, path, layer)) is None:
                    continue
                layers.setdefault(id(found), []).append(layer)
                where = path.replace("{layer}", str(layer))
                other, name = seen.setdefault(id(found), (where, stage.name))
                if other != where and len(layers[id(found)]) == 1:
                    raise _not_apart(f"{other} and {where} are one module: what is {name} and what {stage.name}")
            if shared := next((each for each in layers.values() if len(each) > 1), None):
                where = path.replace("{layer}", str(shared[0]))
                numbers = ", ".join(map(str, shared))
                raise _not_apart(f"layers {numbers} share one module, {where}: what is {stage.name} of which")


def _not_apart(what: str) -> PvError:
    return PvError(f"{what} cannot be told", hint="name the stages to capture, without it; or copy the module")


def _modules_of(stage: Stage) -> Iterator[str]:
    """The paths of the modules that `stage` is seen at."""
    for kind in ("module", "before_bias", "after_bias"):
        found = stage.hook.get(kind, ())
        yield from filter(None, [found] if isinstance(found, str) else found)


def _require_layers(layers: range | None, count: int) -> range:
    if layers is None:
        return range(count)
    if not isinstance(layers, range):
        seen = f"layers are a range, not {shorten(str(layers))}"
        raise PvError(seen, hint="range(0, 2): its end is not part of it")
    if layers.step != 1 or layers.start < 0 or layers.stop > count or not layers:
        seen = f"layers {layers.start}..{layers.stop} were asked for; the model has {count}: 0..{count}"
        raise PvError(seen, hint="the end of a range is not part of it")
    return layers


def _order(stage_map: StageMap, chosen: Sequence[Stage], count: int) -> Iterator[tuple[Stage, int | None]]:
    """Every application of the stages `chosen`: what stands above the stages of layers in the map is computed before them."""
    within = [at for at, stage in enumerate(stage_map.stages) if stage.scope == "layer"]
    first = within[0] if within else 0
    whole = [(stage_map.stages.index(stage), stage) for stage in chosen if stage.scope == "model"]
    yield from ((stage, None) for at, stage in whole if at < first)
    for layer in range(count):
        yield from (
            (stage, layer) for stage in chosen if stage.scope == "layer" or (stage.scope, layer) == ("first", 0)
        )
    yield from ((stage, None) for at, stage in whole if at >= first)


def _has(model: Any, stage: Stage, layer: int | None) -> bool:
    return not stage.when or attribute(model, stage.when, layer) is not None


def _shows(model: Any, stage: Stage) -> bool:
    return not stage.attention or attention_of(model) in ("", stage.attention)


def attention_of(model: Any) -> str:
    """The implementation of attention that `model` says it runs; "" where it says nothing."""
    found = attribute(model, "config._attn_implementation")
    return found if isinstance(found, str) else ""


def hidden_places(model: Any, stage_map: StageMap) -> tuple[Place, ...]:
    """The places that `model` computes and does not show, because it runs another implementation of attention."""
    count = layer_count(model, stage_map)
    hidden = [stage for stage in stage_map.stages if not _shows(model, stage)]
    return tuple(
        Place(stage.name, layer) for stage, layer in _order(stage_map, hidden, count) if _has(model, stage, layer)
    )


def input_places(stage_map: StageMap, place: Place, seen: Collection[Place], layers: int) -> tuple[Place | None, ...]:
    """What the stage at `place` is computed from: for each of its inputs the first that is `seen`, else the first there is.

    `layers` is how many the model has. None stands for the tokens.
    """
    return tuple(
        _input(stage_map, place, names, lambda found: found in seen, layers)
        for names in stage_map.stage(place.stage).inputs
    )


def _input(
    stage_map: StageMap, place: Place, names: Sequence[str], seen: Callable[[Place], bool], layers: int
) -> Place | None:
    if names[0] == TOKENS:
        return None
    found = [_place_of(stage_map, place, name, layers) for name in names]
    return next(filter(seen, found), found[0])


def _place_of(stage_map: StageMap, place: Place, name: str, layers: int) -> Place:
    """Where the input `name` of what is computed at `place` lies."""
    layer = place.layer
    if name == RESIDUAL and stage_map.residual:
        first, then = stage_map.residual
        name, layer = (then, layer - 1) if layer else (first, layer)
    scope = stage_map.stage(name).scope
    if scope == "first":
        return Place(name, 0)
    if scope == "model":
        return Place(name, None)
    return Place(name, layers - 1 if layer is None else layer)


def weights_of(model: Any, stage_map: StageMap, place: Place) -> tuple[Any, ...]:
    """The weights and buffers of `model` that the stage at `place` is computed with; None for one that it has not."""
    return tuple(attribute(model, path, place.layer) for path in stage_map.stage(place.stage).weights)


def options_of(model: Any, stage_map: StageMap, place: Place) -> dict[str, Any]:
    """What the operation at `place` is told, with the parameters of `model` for their names; None for one it has not."""
    options = stage_map.stage(place.stage).options
    return {key: _parameter(model, stage_map, place, value) for key, value in options.items()}


def _parameter(model: Any, stage_map: StageMap, place: Place, value: float | str) -> Any:
    if not isinstance(value, str):
        return value
    found = stage_map.parameters[value]
    return attribute(model, found, place.layer) if isinstance(found, str) else found
