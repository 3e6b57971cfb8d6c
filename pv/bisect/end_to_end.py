"""An implementation run end to end, without anything watching: forward, forward again, and generating."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any

from pv.bisect.symptom import LEAST_ROOM, ROOM_IN_ROUNDINGS, Behaviour, Generated, agreement, apart
from pv.finding import Exit, PvError
from pv.stages.fault import faults_of

if TYPE_CHECKING:
    from torch import Tensor

NEW_TOKENS = 16
"""How many tokens are generated, where a model has `generate`: a fault of decoding may show only after some steps."""


def room_of(model: Any) -> float:
    """The relative distance between two orders of the same computation that is not worth a word.

    Sixteen roundings of the least precise floating weight, and 1e-4 at least: several times what 32 layers add up to
    (1.8e-2 in bfloat16), far below what changes an answer.
    """
    import torch

    weights = [weight.dtype for weight in model.parameters()] if hasattr(model, "parameters") else []
    floating = [torch.finfo(dtype).eps for dtype in weights if dtype.is_floating_point]
    return max(LEAST_ROOM, ROOM_IN_ROUNDINGS * max(floating, default=0.0))


def logits_of(model: Any, tokens: Tensor, **options: Any) -> Tensor:
    """The logits [n, V] of one forward pass, whether the model returns them, holds them in `.logits`, or with a batch of one.

    Raises PvError (`Exit.MEND`) where the model raises, or returns something else.
    """
    import torch

    with faults_of(type(model).__name__), torch.no_grad():
        out = model(tokens, **options)
    found = getattr(out, "logits", out[0] if isinstance(out, (tuple, list)) and out else out)
    count = tokens.shape[-1]
    if isinstance(found, torch.Tensor) and found.ndim == 3 and len(found) == 1:
        found = found[0]
    if not isinstance(found, torch.Tensor) or found.ndim != 2 or len(found) != count:
        seen = f"of shape {list(found.shape)}" if isinstance(found, torch.Tensor) else f"a {type(found).__name__}"
        raise PvError(
            f"{type(model).__name__} returns {seen}; logits [{count}, vocabulary] are needed",
            exit=Exit.MEND,
            hint="bind what returns the logits of every position",
        )
    return found.detach().clone()


def generated_by(model: Any, tokens: Tensor, **options: Any) -> Generated | None:
    """What greedy decoding appends to `tokens`, held against one forward pass over all of it; None where there is no
    `generate` that takes `max_new_tokens`, or no room for a token."""
    generate = getattr(model, "generate", None)
    count = min(NEW_TOKENS, _positions_left(model, tokens))
    if not callable(generate) or count < 1:
        return None
    asked = _greedy(model, tokens, count, **options)
    if asked is None:
        return None
    new, steps, scores = _decoded(model, generate, tokens, asked)
    if not len(new):
        return None
    import torch

    whole = torch.cat([tokens.reshape(-1), new[:-1]]).reshape(*tokens.shape[:-1], -1)
    expected = logits_of(model, whole, **options)[-len(new) :].double()
    gaps = expected.amax(-1) - expected.gather(-1, new[:, None])[:, 0]
    distances = gaps / (expected - expected.mean(-1, keepdim=True)).square().mean(-1).sqrt()
    if steps is not None:
        distances = apart(expected, steps)
    worst = int(distances.nan_to_num(math.inf).argmax())
    chosen = (expected if scores is None else scores).to("cpu", torch.float64)
    return Generated(tuple(new.tolist()), distances[worst].item(), worst, chosen, count)


def _positions_left(model: Any, tokens: Tensor) -> int:
    """How many more tokens the model reads, as far as its configuration says."""
    config = getattr(model, "config", None)
    longest = getattr(config, "max_position_embeddings", None)
    return longest - tokens.shape[-1] if isinstance(longest, int) else NEW_TOKENS


def _greedy(model: Any, tokens: Tensor, count: int, **options: Any) -> dict[str, Any] | None:
    """The arguments that ask its `generate` for `count` tokens, always the likeliest; None where it takes no count."""
    import torch

    try:
        known = inspect.signature(model.generate).parameters
    except (TypeError, ValueError):
        return None
    anything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values())
    if "max_new_tokens" not in known and not anything:
        return None
    asked: dict[str, Any] = {"max_new_tokens": count, "do_sample": False, "num_beams": 1, **options}
    if anything and "generation_config" in known:  # transformers
        asked |= {
            "num_return_sequences": 1,
            "return_dict_in_generate": True,
            "output_logits": True,
            "output_scores": True,
        }
        preparing = getattr(model, "prepare_inputs_for_generation", model.forward)
        if "attention_mask" in inspect.signature(preparing).parameters:  # without one a token of padding is not read
            asked |= {"attention_mask": torch.ones_like(tokens)}
    return {key: value for key, value in asked.items() if key in known or anything}


def _decoded(
    model: Any, generate: Any, tokens: Tensor, asked: dict[str, Any]
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """The tokens appended, and where `generate` gives them the logits of each step: before anything bends them, and after."""
    import torch

    hint = "see that it generates by itself on these tokens"
    with faults_of(f"{type(model).__name__}.generate", hint=hint), torch.no_grad():
        out = generate(tokens, **asked)
    sequence = getattr(out, "sequences", out)
    steps, scores = (getattr(out, name, None) for name in ("logits", "scores"))
    if not isinstance(sequence, torch.Tensor) or not torch.equal(
        sequence.reshape(-1)[: tokens.numel()], tokens.reshape(-1).to(sequence.device)
    ):
        seen = f"{type(model).__name__}.generate returns something else than the tokens it was given and new ones"
        raise PvError(seen, exit=Exit.MEND, hint="let it return what `generate` of transformers does")
    new = sequence.reshape(-1)[tokens.numel() :].to(tokens.device)
    plain, bent = (torch.stack([step[0] for step in each]) if each else None for each in (steps, scores))
    return new, plain, bent


def behaviour_of(model: Any, tokens: Tensor, first: Tensor, captured: Tensor | None, **options: Any) -> Behaviour:
    """How one implementation behaves; `first` are the logits of one pass, `captured` those of the pass that was recorded."""
    room = room_of(model)
    again = logits_of(model, tokens, **options)
    seen = None if captured is None else agreement(first, captured, room)
    return Behaviour(agreement(first, again, room), seen, generated_by(model, tokens, **options), room)
