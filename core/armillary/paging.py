"""Lists in parts: the members ``limit``, ``offset`` and ``page``, and the answer to a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from armillary.api import Body, OrDefault, page_limit
from armillary.errors import Invalid

MAX_BULK = 50


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list."""

    results: Sequence[Any]
    count: int
    limit: int
    pages: int
    page: int


class Slice(Body):
    """The members of a request for a part of a list."""

    limit: int | None = None
    offset: OrDefault[int] = 0

    def bounds(self) -> tuple[int, int]:
        """Check and return limit and offset."""
        return page_limit(self.limit), at_least(self.offset, 0, "offset")


class PageSlice(Body):
    """The members of a request for a page of a list, counted from 1."""

    limit: int | None = None
    page: OrDefault[int] = 1

    def bounds(self) -> tuple[int, int]:
        """Check and return limit and offset."""
        limit = page_limit(self.limit)
        return limit, (at_least(self.page, 1, "page") - 1) * limit

    def answer(self, results: Sequence[Any], count: int) -> Page:
        """Put a page together."""
        limit = page_limit(self.limit)
        return Page(
            results=results,
            count=count,
            limit=limit,
            pages=-(-count // limit) if limit else 0,
            page=self.page,
        )


def at_least(value: int, least: int, name: str) -> int:
    """Return the value; Invalid if it is too small, or too large for any database."""
    if least <= value < 2**31:
        return value
    raise Invalid(
        f"{name} must be at least {least} and less than {2**31}, not {value}.",
        loc=("body", name),
        kind="greater_than_equal",
    )


def bulk_limit(limit: int) -> int:
    """Check the ``limit`` of a request that changes many objects."""
    if 1 <= limit <= MAX_BULK:
        return limit
    raise Invalid(
        f"limit must be between 1 and {MAX_BULK}, not {limit}.",
        loc=("body", "limit"),
        kind="less_than_equal",
    )
