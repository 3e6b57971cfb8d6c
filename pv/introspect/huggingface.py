"""A model in a folder as `save_pretrained` writes it, read by transformers: from that folder alone, running no code of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pv.contract.quote import nearest, shorten
from pv.finding import Exit, PvError
from pv.introspect.load import Running, Setting, Tokenizer, require_torch

EAGER = "eager"


def load_folder(folder: Path, setting: Setting) -> Running:
    """The causal language model in `folder` and its tokenizer, as `setting` says; eager attention where that says nothing,
    because all stages of it can be seen.

    Nothing is fetched. Raises PvError: `Exit.RUN` without transformers or the device, `Exit.ASK` where the folder cannot be
    loaded, or lacks a weight that would then be random.
    """
    require_torch()
    transformers = _transformers()
    dtype, device = dtype_of(setting.dtype), device_of(setting.device)
    with _quiet(transformers):
        try:
            model, told = transformers.AutoModelForCausalLM.from_pretrained(
                folder,
                dtype=dtype or "auto",
                attn_implementation=setting.attention or EAGER,
                local_files_only=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
        except Exception as error:  # whatever a library of many models raises on a folder that is none
            said = str(error).strip().partition("\n")[0]
            raise PvError(
                f"{folder} cannot be loaded: {type(error).__name__}: {said}",
                hint="see that transformers loads it by itself",
            ) from error
        tokenizer = _tokenizer(transformers, folder)
    _require_whole(folder, told)
    return Running(model.eval().to(device), tokenizer, _logits)


def dtype_of(name: str) -> Any:
    """The floating torch dtype called `name`; None for "". Raises PvError for any other name."""
    torch = require_torch()
    known = ("float32", "bfloat16", "float16", "float64")
    if name and name not in known:
        raise PvError(f"there is no dtype {shorten(name)} to run a model in", hint=nearest(name, known))
    return getattr(torch, name) if name else None


def device_of(name: str) -> Any:
    """The torch device called `name`, cpu for "".

    Raises PvError: `Exit.ASK` for what is no name of one, `Exit.RUN` where it is not there.
    """
    torch = require_torch()
    try:
        device = torch.device(name or "cpu")
    except RuntimeError as error:
        raise PvError(f"there is no device {shorten(name)}", hint="cpu, cuda, cuda:1, mps …") from error
    if device.type == "meta":
        raise PvError("nothing is computed on the device meta", hint="cpu, cuda, cuda:1, mps …")
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:  # torch asserts that it was compiled with CUDA
        said = str(error).strip().partition("\n")[0]
        raise PvError(f"there is no {device} here: {said}", exit=Exit.RUN, hint="run it where there is one") from error
    return device


def _logits(model: Any, tokens: Any) -> Any:
    """One pass over all tokens at once, with no cache: [n, V]."""
    return model(input_ids=tokens[None], use_cache=False).logits[0]


def _transformers() -> Any:
    try:
        import transformers
    except ImportError as error:
        hint = "pip install 'pv-contracts[hf]'"
        raise PvError(
            "a Hugging Face folder needs transformers, which is not installed", exit=Exit.RUN, hint=hint
        ) from error
    return transformers


@contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """What loading has to say is said by us, or is nothing that anybody asked for."""
    logging = transformers.utils.logging
    level, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()


def _require_whole(folder: Path, told: Any) -> None:
    lacking = sorted(map(str, told["missing_keys"]))
    other = sorted(str(row[0] if isinstance(row, tuple) else row) for row in told["mismatched_keys"])
    if lacking or other:
        what, names = ("has no", lacking) if lacking else ("has another shape for", other)
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        seen = f"{folder} {what} {', '.join(names[:3])}{more}: the model would run on random values"
        raise PvError(seen, hint="save the model again, whole")


def _tokenizer(transformers: Any, folder: Path) -> Tokenizer | None:
    """The tokenizer of `folder`; None where it has none that can be read."""
    try:
        found = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception:  # a folder without one raises as many things as there are tokenizers; --tokens needs none
        return None
    return Tokenizer(
        tokenize=lambda text: list(found(text)["input_ids"]),
        decode=lambda tokens: str(found.decode(tokens)),
        prompt=lambda text: list(found(text, add_special_tokens=False)["input_ids"]),
    )
