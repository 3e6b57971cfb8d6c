"""What a model is asked to read: a text, or token ids as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pv.contract.quote import shorten
from pv.families.sizes import Size
from pv.finding import PvError
from pv.introspect.load import Tokenizer

_NO_TOKENIZER = "this model has no tokenizer, so a text says nothing to it"
_GIVE_TOKENS = "give --tokens 0,5,13"


@dataclass(frozen=True, slots=True)
class Asked:
    """Tokens to read, and those that follow each of them as far as they are known: of a text all, of ids all but the last."""

    tokens: tuple[int, ...]
    targets: tuple[int | None, ...]


def read_text(text: str, tokenizer: Tokenizer | None, sizes: Mapping[str, Size]) -> Asked:
    """The tokens of `text`. Raises PvError where the tokenizer drops something of it or knows more tokens than the model, and
    where it is too long for the model."""
    if tokenizer is None:
        raise PvError(_NO_TOKENIZER, hint=_GIVE_TOKENS)
    tokens = tokenizer.tokenize(text)
    _require_kept(text, tokens, tokenizer)
    if tokenizer.prompt is not None:
        return _fitting(_open(tokens), sizes)
    return _fitting(Asked(tuple(tokens[:-1]), tuple(tokens[1:])), sizes)


def read_prompt(text: str, tokenizer: Tokenizer | None, sizes: Mapping[str, Size]) -> Asked:
    """The tokens of a text that is to go on: without any that says where a text ends, and, of a tokenizer that knows the
    difference, without special ones. Raises PvError as `read_text`."""
    if tokenizer is None:
        raise PvError(_NO_TOKENIZER, hint=_GIVE_TOKENS)
    tokens = tokenizer.tokenize(text)[:-1] if tokenizer.prompt is None else tokenizer.prompt(text)
    _require_kept(text, tokenizer.tokenize(text) if tokenizer.prompt is None else tokens, tokenizer)
    return _fitting(_open(tokens), sizes)


def _open(tokens: list[int]) -> Asked:
    """Tokens after the last of which anything may follow."""
    if not tokens:
        raise PvError("that is no token at all, and a model must read one", hint="give a text")
    return Asked(tuple(tokens), (*tokens[1:], None))


def _require_kept(text: str, tokens: list[int], tokenizer: Tokenizer) -> None:
    """That the tokens say all that `text` did. Tokenizers of other libraries may add to it, and treat blanks as they like."""
    back = tokenizer.decode(tokens)
    lost = "".join(dict.fromkeys(character for character in text if character not in back))
    if lost.strip() if tokenizer.prompt is not None else back != text:
        seen = (
            f"the model's vocabulary has no {shorten(lost or text)}: {shorten(text)} would be read as {shorten(back)}"
        )
        raise PvError(seen, hint="write the text with what it has")


def read_ids(text: str, sizes: Mapping[str, Size]) -> Asked:
    """The token ids in `0,5,13`. Raises PvError for what is no token of the model, none at all, and more than it reads."""
    words = [word.strip() for word in text.split(",")]
    wrong = next((word for word in words if not (word.isascii() and word.isdecimal() and len(word) < 19)), None)
    if wrong is not None:
        raise PvError(f"{shorten(wrong)} is no token id", hint="give whole numbers with commas between: 0,5,13")
    tokens = [int(word) for word in words]
    return _fitting(_open(tokens), sizes)


def _fitting(asked: Asked, sizes: Mapping[str, Size]) -> Asked:
    vocabulary = sizes.get("vocab_size")
    tokens = [*asked.tokens, *(token for token in asked.targets if token is not None)]
    beyond = next((token for token in tokens if vocabulary and token >= vocabulary.value), None)
    if beyond is not None and vocabulary:
        raise PvError(
            f"token {beyond} is outside 0 … {int(vocabulary.value) - 1}, the model's vocabulary",
            hint="give ids that it has",
        )
    longest = sizes.get("context_length")
    if longest and len(asked.tokens) > longest.value:
        seen = f"{len(asked.tokens)} tokens; the model reads at most {int(longest.value)}"
        raise PvError(seen, hint="give a shorter text")
    return asked
