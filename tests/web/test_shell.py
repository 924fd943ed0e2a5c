"""Preferences from cookies, htmx's headers, and where bars lie."""

from datetime import UTC, datetime, timedelta

import pytest

from armillary_web import htmx
from armillary_web.shell import Preferences, read_preferences
from armillary_web.timeline import WIDTH, Span, segments

BEGIN = datetime(2026, 3, 9, tzinfo=UTC)


def test_preferences_are_read_from_cookies() -> None:
    cookies = {"armillary_theme": "dark", "armillary_palette": "red-green", "other": "x"}
    assert read_preferences(cookies) == Preferences(theme="dark", palette="red-green")


def test_an_unknown_preference_counts_as_not_given() -> None:
    assert read_preferences({"armillary_theme": '"><script>'}) == Preferences()


@pytest.mark.parametrize(
    ("headers", "fragment"),
    [({"hx-request": "true"}, True), ({}, False), ({"hx-target": "runs"}, False)],
)
def test_only_the_request_header_makes_a_fragment(
    headers: dict[str, str], *, fragment: bool
) -> None:
    assert htmx.is_fragment(headers) is fragment


def test_a_fragment_is_redirected_by_header() -> None:
    assert htmx.redirect("/runs", fragment=True) == (204, {"HX-Redirect": "/runs"})
    assert htmx.redirect("/runs", fragment=False) == (303, {"Location": "/runs"})
    assert htmx.push_url("/runs") == {"HX-Push-Url": "/runs"}
    assert htmx.replace_url("/runs") == {"HX-Replace-Url": "/runs"}


def _span(start: float, end: float) -> Span:
    return Span(
        state_type="RUNNING",
        state_name=None,
        start=BEGIN + timedelta(seconds=start),
        end=BEGIN + timedelta(seconds=end),
        title="",
    )


@pytest.mark.parametrize(
    ("start", "end", "whole", "x", "width"),
    [
        (0, 50, 100, 0, 500),
        (25, 75, 100, 250, 500),
        (-50, 150, 100, 0, 1000),
        (50, 50, 100, 500, 3),
        (100, 100, 100, 997, 3),
        (0, 0, 0, 0, 1000),
        (300, 400, 100, 997, 3),
    ],
)
def test_a_bar_lies_within_the_picture_and_can_be_seen(
    start: float, end: float, whole: float, x: float, width: float
) -> None:
    (bar,) = segments([_span(start, end)], begin=BEGIN, end=BEGIN + timedelta(seconds=whole))
    assert (bar.x, bar.width) == (x, width)
    assert bar.x + bar.width <= WIDTH
