"""The two operands of a bisection: models that are run, or captures that lie on disk, brought into one form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch

from pv.bisect.end_to_end import behaviour_of, logits_of
from pv.bisect.paths import Ran, ran_of
from pv.bisect.relation import Related, Relation, relation_of, relation_of_digests
from pv.bisect.side import Side, live_side, stored_side
from pv.bisect.symptom import Behaviour
from pv.contract.quote import shorten
from pv.finding import Exit, PvError
from pv.stages.capture import capture
from pv.stages.facts import weights_digest
from pv.stages.map import StageMap
from pv.tensors.place import Place

if TYPE_CHECKING:
    from torch import Tensor

    from pv.tensors.folder import StoredCapture

LOGITS = Place("lm_head", None)


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """One operand. `model` and `behaviour` are None of a capture, `logits` where it holds none of all positions."""

    name: str
    side: Side
    tokens: tuple[int, ...]
    logits: Tensor | None
    ran: Ran
    model: Any = None
    behaviour: Behaviour | None = None
    digest: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """How a model is asked: `tokens` as it takes them ([n], or [1, n]), and further arguments."""

    tokens: Tensor
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ids(self) -> tuple[int, ...]:
        """The token ids, without the batch."""
        return tuple(self.tokens.reshape(-1).tolist())


def call_of(model: Any, ids: Sequence[int], options: Mapping[str, Any] | None = None) -> Call:
    """`ids` on the model's device, as its kind takes them: models of transformers a batch of one, others [n]."""
    device = next((weight.device for weight in model.parameters()), None)
    tokens = torch.tensor(ids, dtype=torch.int64, device=device)
    batched = any(base.__name__ == "PreTrainedModel" for base in type(getattr(model, "_orig_mod", model)).__mro__)
    return Call(tokens[None] if batched else tokens, options or {})


def record_model(
    name: str, model: Any, call: Call, own_map: StageMap, reference_map: StageMap, ran: Ran | None = None
) -> Recorded:
    """Run `model` end to end with nothing watching, and once more with its stages recorded; see `behaviour_of`.

    `own_map` says where its stages are seen, `reference_map` in which axes they are compared. Raises PvError where it cannot be
    run, or changes its tokens.
    """
    asked = call.tokens.clone()
    first = logits_of(model, asked, **call.options)
    side, watched = _watched(model, Call(asked, call.options), own_map, reference_map)
    behaviour = behaviour_of(model, asked, first, watched, **call.options)
    if not torch.equal(asked, call.tokens):
        raise PvError(f"{name} changed the tokens that it was given", exit=Exit.MEND, hint="let it read a copy")
    return Recorded(
        name=name,
        side=side,
        tokens=call.ids,
        logits=first,
        ran=ran or ran_of(model),
        model=model,
        behaviour=behaviour,
        notes=(f"{name} is compiled: of its stages the logits alone are visible",)
        if hasattr(model, "_orig_mod")
        else (),
    )


def _watched(model: Any, call: Call, own_map: StageMap, reference_map: StageMap) -> tuple[Side, Tensor]:
    """The stages of one pass, and its logits; of a compiled model the logits alone, as no hook is asked within."""
    compiled = hasattr(model, "_orig_mod")
    with ExitStack() as watching:
        captured = None if compiled else watching.enter_context(capture(model, stage_map=own_map))
        logits = logits_of(model, call.tokens, **call.options)
    side = Side((LOGITS,), lambda place: logits) if captured is None else live_side(captured, reference_map)
    return _here(side), logits


def record_wider(model: Any, call: Call, own_map: StageMap, reference_map: StageMap) -> Side:
    """The stages of one pass, for a rung of the ladder: nothing else is asked of it."""
    return _watched(model, call, own_map, reference_map)[0]


def widen(model: Any, rounded: torch.dtype, wider: torch.dtype) -> Any:
    """`model` in `wider`, changed in place: its weights rounded to `rounded` before, its buffers (frequencies) not."""
    with torch.no_grad():
        for weight in model.parameters():
            if weight.is_floating_point():
                weight.copy_(weight.to(rounded))
    return model.to(wider)


def coarsest(*models: Any) -> torch.dtype:
    """The dtype with the fewest digits that a weight of `models` has; float32 where there is none."""
    found = {weight.dtype for model in models for weight in model.parameters() if weight.is_floating_point()}
    return max(found, key=lambda dtype: torch.finfo(dtype).eps, default=torch.float32)


def _here(side: Side) -> Side:
    """`side` with its tensors on the CPU, where they are judged: in float64, which not every device has."""
    return replace(side, load=lambda place: side.load(place).cpu())


def record_stored(name: str, stored: StoredCapture, reference_map: StageMap) -> Recorded:
    """What lies in a capture. Raises PvError (`Exit.RUN`) for one of the last position alone: no stage can be recomputed."""
    manifest = stored.manifest
    if manifest.position == "last" and len(stored.tokens) > 1:
        seen = f"{name} holds the last position alone, from which no attention can be computed again"
        raise PvError(seen, exit=Exit.RUN, hint="capture it with --position all")
    side = stored_side(stored, reference_map)
    ran = Ran(
        what=manifest.model or "capture",
        device=manifest.device,
        dtype=manifest.dtype,
        attention=manifest.attention,
        mode=manifest.phase,
        versions=tuple(manifest.versions.items()),
    )
    logits = side[LOGITS] if LOGITS in side and LOGITS not in side.changed else None
    whole = logits is not None and logits.ndim == 2 and (not stored.tokens or len(logits) == len(stored.tokens))
    notes = (
        (f"{name} holds files that are none of its capture: {shorten(', '.join(stored.stray))}",)
        if stored.stray
        else ()
    )
    return Recorded(
        name, side, stored.tokens, logits if whole else None, ran, digest=manifest.digest, notes=notes
    )  # fmt: skip


def require_weights(model: Any, stored: StoredCapture, word: str) -> None:
    """Raises PvError where `model`, called `word`, has other weights than the one that `stored` was captured from."""
    known = stored.manifest.digest
    if known and weights_digest(model) != known:
        seen = (
            f"{word} has other weights than the model that {stored.folder} was captured from ({stored.manifest.model})"
        )
        raise PvError(seen, hint="--weights MODEL: that model")


def tokens_of(reference: Recorded, candidate: Recorded) -> tuple[int, ...]:
    """What both read. Raises PvError where they read different tokens (`Exit.ASK`), or nobody says which (`Exit.RUN`)."""
    known = [side.tokens for side in (reference, candidate) if side.tokens]
    if not known:
        hint = "capture.json says which tokens were read; a map of --shapes may: tokens"
        raise PvError("neither capture says which tokens were read", exit=Exit.RUN, hint=hint)
    if known[0] != known[-1]:
        at = next((i for i, (a, b) in enumerate(zip(*known, strict=False)) if a != b), min(map(len, known)))
        seen = f"the two read different tokens: {len(known[0])} and {len(known[-1])}, from position {at} on others"
        raise PvError(seen, hint="capture both on the same tokens")
    return known[0]


def related(reference: Recorded, candidate: Recorded) -> Related:
    """How the weights relate: by value where both are models, else by the digest that each capture names."""
    if reference.model is not None and candidate.model is not None:
        return relation_of(reference.model, candidate.model)
    if reference.digest and candidate.digest:
        return relation_of_digests(reference.digest, candidate.digest)
    return Related(Relation.UNKNOWN, 0)
