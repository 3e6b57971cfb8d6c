"""A forward pass captured into a folder: each tensor is copied as the model computes it, and written some at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pv.finding import Exit, PvError
from pv.stages.generic import GENERIC
from pv.stages.map import StageMap
from pv.stages.watch import axes_of, watch
from pv.tensors.place import Place

if TYPE_CHECKING:
    from pv.tensors.writer import CaptureWriter


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be captured of `model`: `places` of `stage_map`, all positions or the last alone.

    `check` has the model read once more beforehand, without hooks. `named` are the stages that were asked for by name.
    """

    model: Any
    stage_map: StageMap
    places: tuple[Place, ...]
    position: str = "all"
    check: bool = True
    named: tuple[str, ...] = ()


def save(
    plan: Plan, read: Callable[[], Any], writer: CaptureWriter, seen: Callable[[Place], None]
) -> tuple[Place, ...]:
    """Give `writer` what is planned of the forward pass that `read` makes; `seen` is told of each place as it comes.

    The places that the pass did not come by, where a model may have such: a map of its own modules lists those too that are
    never called. Raises PvError (`Exit.RUN`) for a place of another map, of a stage that was named, or for all of them; and
    where the output with hooks is not bit for bit the one without.
    """
    import torch

    came: set[Place] = set()

    def take(place: Place, value: Any) -> None:
        axes, dtype = axes_of(plan.stage_map, place, value), str(value.dtype).removeprefix("torch.")
        try:
            writer.add(place, _in_numpy(value), axes, dtype)
        except (ValueError, TypeError) as error:  # a dtype that numpy or the format has not
            raise PvError(f"{place} cannot be captured: {error}", hint="leave it out of --save-tensor") from error
        came.add(place)
        seen(place)

    with torch.no_grad():
        plain = read() if plan.check else None
        with watch(plan.model, plan.stage_map, plan.places, take, position=plan.position):
            output = read()
        if plan.check and not same_bits(plain, output):
            raise _changed(repeats=same_bits(plain, read()))
    missing = tuple(place for place in plan.places if place not in came)
    optional = came and plan.stage_map.family == GENERIC
    _require_all([str(place) for place in missing if not optional or place.stage in plan.named])
    return missing


def _in_numpy(value: Any) -> Any:
    """`value` as numpy has it, memory shared where it can be: bfloat16 and 8-bit floats as float32, which loses nothing."""
    import torch

    plain = value.dtype in (torch.float16, torch.float32, torch.float64) or not value.is_floating_point()
    return value.to("cpu", value.dtype if plain else torch.float32).contiguous().numpy()


def copy(into: Any, values: Any) -> None:
    """Copy one float32 array of numpy [n] into another, on all of torch's threads: between two steps of a model they wait."""
    import torch

    torch.from_numpy(into).copy_(torch.from_numpy(values))


def same_bits(one: Any, other: Any) -> bool:
    """Whether two tensors are the same in dtype, shape and every bit, NaN and signs of zero with it."""
    import torch

    if (one.dtype, one.shape) != (other.dtype, other.shape):
        return False
    return torch.equal(one.contiguous().view(torch.uint8), other.contiguous().view(torch.uint8))


def _changed(*, repeats: bool) -> PvError:
    if repeats:
        seen = "the model's output with hooks is not the one without: looking changes the result"
        return PvError(f"{seen}; nothing was captured", exit=Exit.RUN, hint="--no-check keeps it all the same")
    seen = "the model gives another output each time it reads this"
    return PvError(f"{seen}; nothing was captured", exit=Exit.RUN, hint="make it repeatable, or give --no-check")


def _require_all(missing: list[str]) -> None:
    if missing:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        seen = f"the forward pass did not come by {', '.join(missing[:5])}{more}; nothing was captured"
        raise PvError(seen, exit=Exit.RUN, hint="leave it out of --save-tensor, or mend its hook in the stage map")
