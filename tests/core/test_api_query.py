"""Parameters of a query are read into what a route declares; what is wrong is named."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest

from armillary.api import Answer, Call, Routes
from armillary.api_query import read_query
from armillary.errors import Invalid
from tests.api import NOBODY


class Query(msgspec.Struct, frozen=True):
    """Some of each kind."""

    run: UUID
    hidden: bool = False
    since: datetime | None = None
    page_size: int = msgspec.field(default=7, name="page-size")
    version: str | None = None


def read(**given: str) -> Query:
    return read_query(Query, {"run": NOBODY, **given})


def test_what_is_not_given_has_its_default_and_what_nobody_declared_is_ignored() -> None:
    assert read(strange="1") == Query(UUID(NOBODY))


def test_each_kind_is_read_from_text() -> None:
    found = read(hidden="Yes", version="null", **{"page-size": "3"})
    assert found == Query(UUID(NOBODY), hidden=True, page_size=3, version="null")


@pytest.mark.parametrize("sign", ["+", " "])
def test_a_plus_sign_of_a_time_may_have_become_a_space(sign: str) -> None:
    found = read(since=f"2026-01-01T12:00:00{sign}02:00").since
    assert found is not None
    assert found.astimezone(UTC) == datetime(2026, 1, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("run", "7", "type_error"), ("hidden", "perhaps", "type_error"),
        ("since", "yesterday", "type_error"), ("page-size", "9" * 5000, "type_error"),
        ("version", "a\0b", "nul"),
    ],
)  # fmt: skip
def test_the_parameter_that_is_wrong_is_named(name: str, text: str, kind: str) -> None:
    with pytest.raises(Invalid, match=f"The query parameter {name} ") as refused:
        read(**{name: text})
    assert refused.value.problems[0]["loc"] == ["query", name]
    assert refused.value.problems[0]["type"] == kind
    assert len(str(refused.value)) < 300


def test_one_that_is_missing_is_named() -> None:
    with pytest.raises(Invalid, match="The query parameter run is missing") as refused:
        read_query(Query, {})
    assert refused.value.problems[0]["type"] == "missing"


def test_a_handler_says_by_a_parameter_which_query_it_reads() -> None:
    routes = Routes(tag="Moons")

    @routes.get("/moons", scope=None)
    async def list_moons(call: Call, *, query: Query) -> Answer:
        """List moons."""
        return Answer.json([call.workspace, query])

    (route,) = routes.http
    assert route.query is Query
    assert route.summary == "List moons."
