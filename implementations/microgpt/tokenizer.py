"""Names as token lists: a = 1 … z = 26, with BOS at both ends."""

from __future__ import annotations

from collections.abc import Iterable

from implementations.microgpt.config import BOS, VOCAB_SIZE


def tokenize(text: str) -> list[int]:
    """`[BOS] + letters + [BOS]`, a = 1 … z = 26. Every character but the 26 ASCII letters a–z is dropped.

    Upper case is dropped with the rest, as are accented letters: lower-casing is the caller's business.
    """
    letters = [ord(character) - ord("a") + 1 for character in text if "a" <= character <= "z"]
    return [BOS, *letters, BOS]


def decode(tokens: Iterable[int]) -> str:
    """The letters of `tokens`, every BOS dropped; so `decode(tokenize(s)) == s` for every `s` in `[a-z]*`.

    Raises ValueError for a token outside 0 … VOCAB_SIZE - 1.
    """
    return "".join(_letter(token) for token in tokens if token != BOS)


def round_trip(text: str) -> tuple[list[int], str]:
    """The equation tokenize_decode as one function: the tokens of `text`, and what they decode to."""
    tokens = tokenize(text)
    return tokens, decode(tokens)


def _letter(token: int) -> str:
    if not 0 <= token < VOCAB_SIZE:
        raise ValueError(f"token {token} is outside 0 … {VOCAB_SIZE - 1}")
    return chr(ord("a") + token - 1)
