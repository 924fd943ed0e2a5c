"""Values as people read them: spans, ages, moments, sizes, numbers and states. All pure."""

import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from markupsafe import Markup

from armillary_web.ansi import ansi_to_html

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_YEAR = 365 * _DAY
_NOTHING = "\N{EN DASH}"


class StateLook(msgspec.Struct, frozen=True):
    """How a state is shown: never by colour alone."""

    css: str
    icon: str
    word: str


_BY_TYPE: Mapping[str, StateLook] = {
    "SCHEDULED": StateLook("scheduled", "calendar-clock", "Scheduled"),
    "PENDING": StateLook("pending", "circle-dashed", "Pending"),
    "RUNNING": StateLook("running", "circle-play", "Running"),
    "PAUSED": StateLook("paused", "circle-pause", "Paused"),
    "CANCELLING": StateLook("cancelling", "circle-slash", "Cancelling"),
    "CANCELLED": StateLook("cancelled", "ban", "Cancelled"),
    "COMPLETED": StateLook("completed", "circle-check", "Completed"),
    "FAILED": StateLook("failed", "circle-x", "Failed"),
    "CRASHED": StateLook("crashed", "triangle-alert", "Crashed"),
}

_BY_NAME: Mapping[str, tuple[str, str]] = {
    "Late": ("late", "clock-alert"),
    "AwaitingRetry": ("scheduled", "rotate-cw"),
    "AwaitingConcurrencySlot": ("scheduled", "hourglass"),
    "Resuming": ("scheduled", "play"),
    "Retrying": ("running", "refresh-cw"),
    "Rerunning": ("running", "refresh-cw"),
    "Cached": ("completed", "database-zap"),
    "RolledBack": ("completed", "undo-2"),
    "TimedOut": ("failed", "timer-off"),
}

_NO_STATE = StateLook("none", "circle-question-mark", "No state")

STATE_TYPES = tuple(_BY_TYPE)


def state_look(state_type: str | None, name: str | None = None) -> StateLook:
    """Class, icon and word of a state; the name says more than the type where they differ."""
    by_type = _BY_TYPE.get(state_type or "", _NO_STATE)
    css, icon = _BY_NAME.get(name or "", (by_type.css, by_type.icon))
    return StateLook(css, icon, _spaced(name) if name else by_type.word)


def _spaced(name: str) -> str:
    """`AwaitingRetry` as `Awaiting retry`; names a person chose keep their form."""
    if name not in _BY_NAME:
        return name
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return words.strip().capitalize()


def duration(seconds: float | None) -> str:
    """A span of time in at most two units."""
    if seconds is None or math.isnan(seconds):
        return _NOTHING
    if seconds < 0:
        return f"\N{MINUS SIGN}{duration(-seconds)}"
    return _short(seconds) if seconds < 59.5 else _long(round(seconds))


def _short(seconds: float) -> str:
    if seconds < 0.9995:
        return f"{round(seconds * 1000)} ms"
    return f"{seconds:.1f} s" if seconds < 9.95 else f"{round(seconds)} s"


def _long(whole: int) -> str:
    if whole < _HOUR:
        return _two(whole, (_MINUTE, "m"), (1, "s"))
    if whole < _DAY:
        return _two(whole, (_HOUR, "h"), (_MINUTE, "m"))
    return _two(whole, (_DAY, "d"), (_HOUR, "h"))


def _two(whole: int, large: tuple[int, str], small: tuple[int, str]) -> str:
    first, rest = divmod(whole, large[0])
    second = rest // small[0]
    return f"{first}{large[1]} {second}{small[1]}" if second else f"{first}{large[1]}"


def age(moment: datetime | None, now: datetime) -> str:
    """How long ago a moment was, or how far off it is, in one unit."""
    if moment is None:
        return _NOTHING
    seconds = (now - moment).total_seconds()
    distance = abs(seconds)
    if distance < 5:
        return "now"
    text = _one(distance)
    return f"{text} ago" if seconds > 0 else f"in {text}"


def _one(distance: float) -> str:
    for size, unit in ((_YEAR, "y"), (_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if distance >= size:
            return f"{int(distance // size)} {unit}"
    return f"{int(distance)} s"


def iso(moment: datetime) -> str:
    """The moment as machines read it, for `<time datetime>`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc(moment: datetime | None) -> str:
    """The full moment as people read it."""
    if moment is None:
        return _NOTHING
    there = moment.astimezone(UTC)
    return f"{there.day} {there:%b %Y, %H:%M:%S} UTC"


def local(moment: datetime) -> str:
    """A moment in the zone it is given in, with that zone's distance from UTC."""
    seconds = "" if moment.second == 0 else ":%S"
    offset = f"{moment:%z}"
    away = "UTC" if offset == "+0000" else f"UTC{offset[:3]}:{offset[3:5]}"
    return f"{moment:%a} {moment.day} {moment:%b %Y}, {moment:%H:%M{seconds}} ({away})"


def clock(moment: datetime) -> str:
    """The time of day to the millisecond, for logs."""
    return moment.astimezone(UTC).strftime("%H:%M:%S.%f")[:-3]


def day(moment: datetime) -> str:
    there = moment.astimezone(UTC)
    return f"{there:%A}, {there.day} {there:%B %Y}"


def size(count: float | None) -> str:
    """A number of bytes in the unit that leaves one to three digits."""
    if count is None:
        return _NOTHING
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 1023.5 or unit == "TiB":
            return f"{value:.0f} {unit}" if unit == "B" or value >= 99.95 else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError  # the last unit always returns


def number(value: float | None) -> str:
    """A number with narrow spaces between thousands."""
    if value is None:
        return _NOTHING
    text = f"{value:,d}" if isinstance(value, int) else f"{value:,.2f}".rstrip("0").rstrip(".")
    return text.replace(",", "\u202f")


def count(value: int, one: str, many: str | None = None) -> str:
    """A number with its noun: `1 run`, `2 runs`."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def plain_json(value: Any) -> str:
    """JSON over several lines; text that already is JSON is set anew, other text stays."""
    if isinstance(value, str | bytes | bytearray):
        text = value if isinstance(value, str) else bytes(value).decode(errors="replace")
        try:
            return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            return text
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def ansi(text: str) -> Markup:
    """Terminal colours as classes; everything else escaped."""
    return Markup(ansi_to_html(text))  # noqa: S704 - ansi_to_html escapes all text it is given


FILTERS: Mapping[str, Callable[..., object]] = {
    "age": age,
    "ansi": ansi,
    "clock": clock,
    "count": count,
    "day": day,
    "duration": duration,
    "iso": iso,
    "local": local,
    "number": number,
    "plain_json": plain_json,
    "size": size,
    "state_look": state_look,
    "utc": utc,
}
