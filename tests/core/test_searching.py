"""Text search: what is typed, and that a database finds what memory finds."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.db.dialect import Dialect
from armillary.searching import Search, parse


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", Search()),
        ("  ", Search()),
        ("Error timeout", Search(any_of=("error", "timeout"))),
        ("error -debug !trace", Search(any_of=("error",), none_of=("debug", "trace"))),
        ("+required x", Search(any_of=("x",), all_of=("required",))),
        ('"connection timeout"', Search(any_of=("connection timeout",))),
        ('-"a b" +"c d"', Search(none_of=("a b",), all_of=("c d",))),
        ('"say \\"hi\\""', Search(any_of=('say "hi"',))),
        ('"never closed', Search(any_of=("never closed",))),
        ("- a", Search(any_of=("a",))),
        ("+", Search()),
        ("a-b", Search(any_of=("a-b",))),
        ('a"b c"', Search(any_of=("a", "b c"))),
        ('""', Search()),
    ],
)
def test_a_query_is_read_as_it_is_meant(query: str, expected: Search) -> None:
    assert parse(query) == expected


def test_wildcards_of_a_database_are_letters() -> None:
    assert not parse("100%").matches("100 runs")
    assert parse("100%").matches("at 100% now")


ALPHABET = 'abAB%_\\"-+! é'


@given(query=st.text(ALPHABET, max_size=12), text=st.text(ALPHABET, max_size=12))
def test_memory_and_database_find_the_same(query: str, text: str) -> None:
    search = parse(query)
    condition = search.on("?")
    connection = sqlite3.connect(":memory:")
    arguments: list[object] = []
    for argument in condition.args:
        arguments += [text, argument]
    sql = Dialect.SQLITE.sql(f"select {condition.sql}")
    assert bool(connection.execute(sql, arguments).fetchone()[0]) == search.matches(text)
    connection.close()
