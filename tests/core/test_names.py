"""Names by chance and rules for chosen names."""

from __future__ import annotations

import random

import pytest

from armillary.errors import Invalid
from armillary.names import require_key, require_name, slug
from armillary.words import ADJECTIVES, NOUNS


@pytest.mark.parametrize("words", [ADJECTIVES, NOUNS])
def test_there_are_many_plain_words_and_none_twice(words: tuple[str, ...]) -> None:
    assert len(words) >= 150
    assert len(set(words)) == len(words)
    assert all(word.isascii() and word.isalpha() and word.islower() for word in words)


def test_a_slug_is_two_words_and_follows_the_chance_it_is_given() -> None:
    slugs = [slug(random.Random(seed)) for seed in (1, 1, 2)]  # noqa: S311 - nothing secret
    assert slugs[0] == slugs[1] != slugs[2]
    adjective, noun = slugs[0].split("-")
    assert adjective in ADJECTIVES
    assert noun in NOUNS


def test_a_slug_may_name_anything() -> None:
    chance = random.Random(7)  # noqa: S311 - nothing secret
    for _ in range(100):
        name = slug(chance)
        require_name(name, "flow")
        require_key(name, "artifact")


@pytest.mark.parametrize("name", ["flow", "Täglich um neun", "a.b:c", " ", "100", "emoji 🚀"])
def test_a_name_that_fits_an_address_is_allowed(name: str) -> None:
    require_name(name, "flow")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "The flow's name is empty"),
        ("a/b", "'a/b' contains '/'"),
        ("5%", "contains '%'"),
        ("a&b", "contains '&'"),
        ("a>b", "contains '>'"),
        ("<b", "contains '<'"),
    ],
)
def test_a_name_that_breaks_addresses_is_refused(name: str, words: str) -> None:
    with pytest.raises(Invalid, match=words) as caught:
        require_name(name, "flow")
    assert caught.value.problems[0]["loc"] == ["body", "name"]


@pytest.mark.parametrize("key", ["", "a", "my-key-2", "--"])
def test_a_key_of_small_letters_digits_and_dashes_is_allowed(key: str) -> None:
    require_key(key, "artifact")


@pytest.mark.parametrize("key", ["A", "a_b", "a b", "ä", "a\n", "٣"])
def test_any_other_key_is_refused(key: str) -> None:
    with pytest.raises(Invalid, match="lower-case letters, digits and dashes"):
        require_key(key, "artifact")
