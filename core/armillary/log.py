"""One line for each event, to read or as JSON; the logger is named after the plugin."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import msgspec

from armillary.clock import from_micros
from armillary.settings import LogSettings

_PREFIX = "armillary."


class _Line(msgspec.Struct):
    time: str
    level: str
    logger: str
    message: str
    trace: str | None = None


def _named(record: logging.LogRecord) -> str:
    return record.name.removeprefix("armillary_plugins.").removeprefix(_PREFIX)


def _moment(record: logging.LogRecord) -> str:
    return from_micros(int(record.created * 1_000_000)).isoformat().replace("+00:00", "Z")


class JsonLines(logging.Formatter):
    """Each event as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Shape one event."""
        line = _Line(
            time=_moment(record),
            level=record.levelname.lower(),
            logger=_named(record),
            message=record.getMessage(),
            trace=self.formatException(record.exc_info) if record.exc_info else None,
        )
        return msgspec.json.encode(line).decode()


class ConsoleLines(logging.Formatter):
    """Each event as a line to read, with the trace below it."""

    def format(self, record: logging.LogRecord) -> str:
        """Shape one event."""
        line = f"{_moment(record)[11:19]} {record.levelname.lower():7} {_named(record)}: "
        line += record.getMessage()
        if record.exc_info:
            line += f"\n{self.formatException(record.exc_info)}"
        return line


def configure(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Send everything that is logged to one stream, by default the standard error."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if settings.format == "json" else ConsoleLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    for chatty in ("uvicorn", "asyncio", "aiosqlite", "websockets"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # It tells by traces of lost connections, of which every request that met one has told already.
    logging.getLogger("asyncpg").setLevel(logging.ERROR)
