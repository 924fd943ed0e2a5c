"""Log lines and filters of them, on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec

from armillary.api import Body, OrDefault, decode
from armillary.criteria import Combining, Ids, IdsOrNone, Times
from armillary.db.filters import Condition, between
from armillary.errors import Invalid
from armillary.searching import TextFilter, parse

Level: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
LogSort: TypeAlias = Literal["TIMESTAMP_ASC", "TIMESTAMP_DESC"]


class CreateLog(msgspec.Struct, frozen=True, gc=False):
    """A line as clients send it."""

    name: str
    level: Level
    message: str
    timestamp: datetime
    flow_run_id: str | None = None
    task_run_id: str | None = None


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """A line as answered."""

    id: str
    created: datetime
    updated: datetime
    name: str
    level: int
    message: str
    timestamp: datetime
    flow_run_id: str | None
    task_run_id: str | None


class Levels(Body):
    """``ge_`` and ``le_``, both inclusive."""

    ge_: Level | None = None
    le_: Level | None = None


class LogFilter(Combining):
    """Conditions on log lines."""

    level: Levels | None = None
    timestamp: Times | None = None
    flow_run_id: Ids | None = None
    task_run_id: IdsOrNone | None = None
    text: TextFilter | None = None

    @property
    def names_runs(self) -> bool:
        """Whether several runs are named: to sort their lines costs less than to go by time."""
        if self.operator != "and_":
            return False
        named = (
            self.flow_run_id and self.flow_run_id.any_,
            self.task_run_id and self.task_run_id.any_,
        )
        return any(runs and len(runs) > 1 for runs in named)

    def on(self) -> Condition:
        """Make the condition."""
        parts = []
        if self.level is not None:
            parts += between("level", self.level.ge_, self.level.le_)
        if self.timestamp is not None:
            parts.append(self.timestamp.on("timestamp"))
        if self.flow_run_id is not None:
            parts.append(self.flow_run_id.on("flow_run_id"))
        if self.task_run_id is not None:
            parts.append(self.task_run_id.on("task_run_id"))
        if self.text is not None:
            parts.append(parse(self.text.query).on("(message || ' ' || name)"))
        return self.combine(parts)


class FilterLogs(Body):
    """Which lines to list."""

    logs: LogFilter | None = None
    limit: int | None = None
    offset: OrDefault[Annotated[int, msgspec.Meta(ge=0, le=2**62)]] = 0
    sort: OrDefault[LogSort] = "TIMESTAMP_ASC"


class LogFrame(msgspec.Struct, frozen=True, tag_field="type", tag="log"):
    """A line as it is streamed."""

    log: Log


class _Request(msgspec.Struct):
    type: str = ""
    filter: msgspec.Raw = msgspec.Raw(b"null")


def read_request(text: str) -> LogFilter:
    """Read the first message of a stream; Invalid says, in its reason, what is wrong with it."""
    try:
        request = msgspec.json.decode(text, type=_Request)
    except (msgspec.DecodeError, RecursionError):
        request = _Request()
    if request.type != "filter":
        raise Invalid("Expected 'filter' message")
    try:
        return decode(LogFilter, bytes(request.filter))
    except Invalid as error:
        raise Invalid(f"Invalid filter: {error}") from error
