"""Values as people read them, as tables."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from armillary_web import filters
from armillary_web.ansi import ansi_to_html

NOTHING = "\N{EN DASH}"
NOW = datetime(2026, 3, 9, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, NOTHING),
        (float("nan"), NOTHING),
        (0, "0 ms"),
        (0.0123, "12 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (9.94, "9.9 s"),
        (9.95, "10 s"),
        (59.4, "59 s"),
        (59.6, "1m"),
        (61, "1m 1s"),
        (3599.6, "1h"),
        (3600, "1h"),
        (3725, "1h 2m"),
        (86_399.9, "1d"),
        (90_000, "1d 1h"),
        (40 * 86_400, "40d"),
        (-75, "\N{MINUS SIGN}1m 15s"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds: float | None, text: str) -> None:
    assert filters.duration(seconds) == text


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (0, "now"),
        (4.9, "now"),
        (-4, "now"),
        (5, "5 s ago"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (7199, "1 h ago"),
        (86_400, "1 d ago"),
        (366 * 86_400, "1 y ago"),
        (-90, "in 1 min"),
    ],
)
def test_an_age_is_told_in_one_unit(ago: float, text: str) -> None:
    assert filters.age(NOW - timedelta(seconds=ago), NOW) == text


def test_moments_are_told_in_utc_whatever_their_zone() -> None:
    there = datetime(2026, 3, 9, 14, 5, 6, 789_000, tzinfo=timezone(timedelta(hours=2)))
    assert filters.iso(there) == "2026-03-09T12:05:06.789Z"
    assert filters.utc(there) == "9 Mar 2026, 12:05:06 UTC"
    assert filters.clock(there) == "12:05:06.789"
    assert filters.day(there) == "Monday, 9 March 2026"


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, NOTHING), (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"),
     (102_400, "100 KiB"), (1_048_575, "1.0 MiB"), (5 * 1024**4, "5.0 TiB"),
     (5000 * 1024**4, "5000 TiB")],
)  # fmt: skip
def test_a_size_is_told_in_the_unit_that_fits(count: int | None, text: str) -> None:
    assert filters.size(count) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, NOTHING),
        (0, "0"),
        (999, "999"),
        (1326, "1\u202f326"),
        (1234.5, "1\u202f234.5"),
        (2.0, "2"),
    ],
)
def test_a_number_has_its_thousands_apart(value: float | None, text: str) -> None:
    assert filters.number(value) == text


def test_a_count_agrees_with_its_noun() -> None:
    assert [filters.count(n, "run") for n in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]
    assert filters.count(2, "entry", "entries") == "2 entries"


@pytest.mark.parametrize(
    ("kind", "name", "look"),
    [
        ("COMPLETED", "Completed", ("completed", "circle-check", "Completed")),
        ("COMPLETED", None, ("completed", "circle-check", "Completed")),
        ("SCHEDULED", "Late", ("late", "clock-alert", "Late")),
        ("SCHEDULED", "AwaitingRetry", ("scheduled", "rotate-cw", "Awaiting retry")),
        ("FAILED", "TimedOut", ("failed", "timer-off", "Timed out")),
        ("COMPLETED", "My OwnName", ("completed", "circle-check", "My OwnName")),
        (None, None, ("none", "circle-question-mark", "No state")),
        ("WHATEVER", None, ("none", "circle-question-mark", "No state")),
    ],
)
def test_a_state_has_class_icon_and_word(
    kind: str | None, name: str | None, look: tuple[str, str, str]
) -> None:
    assert filters.state_look(kind, name) == filters.StateLook(*look)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('{"a":1}', '{\n  "a": 1\n}'),
        ("no json", "no json"),
        (b"[1]", "[\n  1\n]"),
        ({"n": 2**70}, '{\n  "n": 1180591620717411303424\n}'),
    ],
)
def test_json_is_set_over_several_lines(value: object, text: str) -> None:
    assert filters.plain_json(value) == text


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("plain <b>", "plain &lt;b&gt;"),
        ("\x1b[31mred\x1b[0m on", '<span class="ansi-fg1">red</span> on'),
        (
            "\x1b[1;32mok\x1b[22m on",
            '<span class="ansi-bold ansi-fg2">ok</span><span class="ansi-fg2"> on</span>',
        ),
        ("\x1b[38;5;196mx\x1b[39my", '<span class="ansi-fg1">x</span>y'),
        ("\x1b[38;2;0;160;10mx", '<span class="ansi-fg2">x</span>'),
        ("\x1b[48;5;21mx", '<span class="ansi-bg4">x</span>'),
        ("\x1b[95mx", '<span class="ansi-fg5">x</span>'),
        ("a\x1b[2Kb\x1b]0;title\x07c\x00", "abc"),
        ("\x1b[38mx", "x"),
        ('\x1b[31m"<script>\x1b[m', '<span class="ansi-fg1">&quot;&lt;script&gt;</span>'),
    ],
)  # fmt: skip
def test_terminal_colours_become_classes_and_the_rest_is_escaped(text: str, html: str) -> None:
    assert ansi_to_html(text) == html
