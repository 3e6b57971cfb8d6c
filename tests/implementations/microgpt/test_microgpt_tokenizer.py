"""The tokenizer: both directions, what it drops, what it refuses."""

import string

import pytest

from implementations.microgpt.config import BOS, VOCAB_SIZE
from implementations.microgpt.tokenizer import decode, round_trip, tokenize


def test_a_name_becomes_its_letters_between_two_bos():
    assert tokenize("emma") == [BOS, 5, 13, 13, 1, BOS]
    assert tokenize("") == [BOS, BOS]


def test_the_alphabet_fills_the_vocabulary():
    assert {BOS, *tokenize(string.ascii_lowercase)} == set(range(VOCAB_SIZE))


def test_every_other_character_is_dropped():
    assert tokenize("aBé-z `{\n") == tokenize("az")


@pytest.mark.parametrize("text", ["", "a", "zoe", string.ascii_lowercase])
def test_lower_case_letters_survive_the_round_trip(text):
    assert round_trip(text) == (tokenize(text), text)


def test_what_was_dropped_does_not_come_back():
    assert round_trip("O'neil") == ([BOS, 14, 5, 9, 12, BOS], "neil")


def test_decode_drops_bos_wherever_it_stands():
    assert decode([1, BOS, BOS, 26]) == "az"


@pytest.mark.parametrize("token", [-1, 27, 99])
def test_decode_refuses_a_token_outside_the_vocabulary(token):
    with pytest.raises(ValueError, match=f"token {token} is outside 0 … 26"):
        decode([BOS, token])
