"""What a model is asked to read: a text, or token ids as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pv.contract.quote import shorten
from pv.families.sizes import Size
from pv.finding import PvError
from pv.introspect.load import Tokenizer


@dataclass(frozen=True, slots=True)
class Asked:
    """Tokens to read, and those that follow each of them as far as they are known: of a text all, of ids all but the last."""

    tokens: tuple[int, ...]
    targets: tuple[int | None, ...]


def read_text(text: str, tokenizer: Tokenizer | None, sizes: Mapping[str, Size]) -> Asked:
    """The tokens of `text`. Raises PvError where the tokenizer drops something of it or knows more tokens than the model, and
    where it is too long for the model."""
    if tokenizer is None:
        raise PvError("this model has no tokenizer, so a text says nothing to it", hint="give --tokens 0,5,13")
    tokens = tokenizer.tokenize(text)
    back = tokenizer.decode(tokens)
    if back != text:
        lost = "".join(dict.fromkeys(character for character in text if character not in back))
        seen = (
            f"the model's vocabulary has no {shorten(lost or text)}: {shorten(text)} would be read as {shorten(back)}"
        )
        raise PvError(seen, hint="write the text with what it has")
    return _fitting(Asked(tuple(tokens[:-1]), tuple(tokens[1:])), sizes)


def read_ids(text: str, sizes: Mapping[str, Size]) -> Asked:
    """The token ids in `0,5,13`. Raises PvError for what is no token of the model, none at all, and more than it reads."""
    words = [word.strip() for word in text.split(",")]
    wrong = next((word for word in words if not (word.isascii() and word.isdecimal() and len(word) < 19)), None)
    if wrong is not None:
        raise PvError(f"{shorten(wrong)} is no token id", hint="give whole numbers with commas between: 0,5,13")
    tokens = [int(word) for word in words]
    return _fitting(Asked(tuple(tokens), (*tokens[1:], None)), sizes)


def _fitting(asked: Asked, sizes: Mapping[str, Size]) -> Asked:
    vocabulary = sizes.get("vocab_size")
    tokens = [*asked.tokens, *(token for token in asked.targets if token is not None)]
    beyond = next((token for token in tokens if vocabulary and token >= vocabulary.value), None)
    if beyond is not None and vocabulary:
        raise PvError(f"token {beyond} is outside 0 … {int(vocabulary.value) - 1}, the model's vocabulary")
    longest = sizes.get("context_length")
    if longest and len(asked.tokens) > longest.value:
        seen = f"{len(asked.tokens)} tokens; the model reads at most {int(longest.value)}"
        raise PvError(seen, hint="give a shorter text")
    return asked
