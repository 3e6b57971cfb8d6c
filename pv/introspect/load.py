"""A model that can run: built by the loader that `[tool.pv.models]` names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pv.finding import Exit, PvError
from pv.models import NamedModel


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """Text to tokens and back.

    `prompt` are the tokens of a text that is to go on, where they are others than those of a text; None for a tokenizer
    that ends a text with a token of its own, which a model is not given to read.
    """

    tokenize: Callable[[str], list[int]]
    decode: Callable[[list[int]], str]
    prompt: Callable[[str], list[int]] | None = None

    def label(self, token: int) -> str:
        """A token as people read it: its text, or that it begins and ends one, and its id; where it has no text the id."""
        if token in self.tokenize(""):
            return f"BOS ({token})"
        try:
            return f"{self.decode([token])!r} ({token})"
        except (ValueError, LookupError):  # a checkpoint may have more tokens than the tokenizer has texts
            return str(token)


@dataclass(frozen=True, slots=True)
class Setting:
    """How a model is to run, by the names that torch and transformers use; "" is as the model is by itself."""

    dtype: str = ""
    device: str = ""
    attention: str = ""


@dataclass(frozen=True, slots=True)
class Running:
    """A model in memory, and its tokenizer where it has one. `call` takes the model and tokens [n], and returns logits."""

    model: Any
    tokenizer: Tokenizer | None
    call: Callable[[Any, Any], Any] = lambda model, tokens: model(tokens)

    def read(self, tokens: Sequence[int]) -> Any:
        """The logits [n, V] for `tokens`. Raises PvError (`Exit.MEND`) where the model returns something else."""
        import torch

        device = next((weight.device for weight in self.model.parameters()), None)
        logits = self.call(self.model, torch.tensor(tokens, dtype=torch.int64, device=device))
        if not isinstance(logits, torch.Tensor) or logits.ndim != 2 or len(logits) != len(tokens):
            is_tensor = isinstance(logits, torch.Tensor)
            seen = f"of shape {list(logits.shape)}" if is_tensor else f"a {type(logits).__name__}"
            raise PvError(
                f"the model returns {seen}; logits [{len(tokens)}, vocabulary] are needed",
                exit=Exit.MEND,
                hint="name in [tool.pv.models] a `load` whose model returns the logits",
            )
        return logits


@contextmanager
def running(root: Path, sources: Sequence[str], named: NamedModel, path: Path | None, seed: int) -> Iterator[Running]:
    """The model `named`: of the checkpoint at `path`, or fresh of `seed`. Its code can be imported within the block.

    Raises PvError: `Exit.RUN` without torch, `Exit.ASK` where the checkpoint cannot be loaded, `Exit.MEND` where the loader
    or the tokenizer is not there.
    """
    require_torch()
    from pv.falsify.load import Loader
    from pv.falsify.trace import Tracer

    loader = Loader(root, sources, Tracer(root))
    with loader.active():
        loader.fresh([target.partition(".")[0] for target in (named.load, named.tokenizer) if target])
        load = loader.target(named.load)
        tokenizer = _tokenizer(loader, named)
        try:
            model = load(path, seed=seed)
        except (ValueError, OSError) as error:
            raise PvError(
                f"{named.name} cannot be loaded: {error}", exit=Exit.ASK, hint="mend `load` in [tool.pv.models]"
            ) from error
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            raise PvError(f"{named.load} raised {said}", exit=Exit.MEND, hint="mend the loader") from error
        if not isinstance(model, require_torch().nn.Module):
            raise PvError(
                f"{named.load} returned a {type(model).__name__}, no torch.nn.Module",
                exit=Exit.MEND,
                hint="return the module itself",
            )
        yield Running(model, tokenizer)


def _tokenizer(loader: Any, named: NamedModel) -> Tokenizer | None:
    if not named.tokenizer:
        return None
    return Tokenizer(loader.target(f"{named.tokenizer}:tokenize"), loader.target(f"{named.tokenizer}:decode"))


def require_torch() -> Any:
    """Imported before anything is watched, which would make it twice as slow."""
    try:
        import torch
    except ImportError as error:
        hint = "pip install 'pv-contracts[torch]'"
        raise PvError("a model must run for this, and torch is not installed", exit=Exit.RUN, hint=hint) from error
    return torch
