"""Lists in parts: the members ``limit``, ``offset`` and ``page``, and the answer to a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from armillary.api import page_limit
from armillary.db.listing import Span
from armillary.errors import Invalid

MAX_BULK = 50


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list."""

    results: Sequence[Any]
    count: int
    limit: int
    pages: int
    page: int


def slice_of(limit: int | None, offset: int) -> Span:
    """Check the members of a request for a part of a list."""
    return Span(page_limit(limit), at_least(offset, 0, "offset"))


def page_of(limit: int | None, page: int) -> Span:
    """Check the members of a request for a page of a list, counted from 1."""
    size = page_limit(limit)
    return Span(size, (at_least(page, 1, "page") - 1) * size)


def paged(results: Sequence[Any], count: int, *, limit: int, page: int) -> Page:
    """Put a page together."""
    return Page(
        results=results,
        count=count,
        limit=limit,
        pages=-(-count // limit) if limit else 0,
        page=page,
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
