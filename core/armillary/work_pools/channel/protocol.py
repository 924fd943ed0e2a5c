"""What may be said when on the worker channel, without sockets, clocks or a database.

::

    hello ──▶ greeted ──ready──▶ heartbeats, each recorded ──▶ ...
                                 snapshots, numbered 2, 3, ...
      anything else, or anything that does not match the hello, closes the channel
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from uuid import UUID

import msgspec

from armillary.errors import Invalid
from armillary.work_pools.channel.frames import (
    CLEANUP,
    REQUIRED,
    VERSION,
    Heartbeat,
    Hello,
    HelloPayload,
    Queue,
    Ready,
    ReadyPayload,
    Snapshot,
    SnapshotPayload,
    read_frame,
)
from armillary.work_pools.schemas import WorkPool


class Reason(Enum):
    """Why a channel is closed: the reason's text, which clients read, and the close code."""

    AUTHENTICATION_FAILED = ("authentication_failed", 1008)
    AUTHORIZATION_FAILED = ("authorization_failed", 1008)
    UNSUPPORTED_VERSION = ("unsupported_version", 1008)
    PROTOCOL_ERROR = ("protocol_error", 1002)
    HEARTBEAT_PERSISTENCE_FAILED = ("heartbeat_persistence_failed", 1011)
    TRANSIENT_SERVER_ERROR = ("transient_server_error", 1011)

    @property
    def text(self) -> str:
        """What the close frame says."""
        return self.value[0]

    @property
    def code(self) -> int:
        """The close code."""
        return self.value[1]


class Closing(Exception):
    """The channel ends for a reason; the message is for the log."""

    def __init__(self, reason: Reason, message: str = "") -> None:
        super().__init__(message or reason.text)
        self.reason = reason


class Stamp(msgspec.Struct, frozen=True):
    """The id and the time of a frame to be sent."""

    id: UUID
    sent_at: datetime


class Channel:
    """One worker's side of the talk, as far as it has come."""

    def __init__(self) -> None:
        self._hello: HelloPayload | None = None
        self._sequence = 0
        self._updated: datetime | None = None

    def hello(self, text: str) -> HelloPayload:
        """Take the first frame; Closing if the worker cannot be talked to."""
        frame = _read(text)
        if not isinstance(frame, Hello):
            raise Closing(Reason.PROTOCOL_ERROR, "the first frame has to be worker.hello.v1")
        said = frame.payload
        if VERSION not in said.supported_channel_versions:
            raise Closing(Reason.UNSUPPORTED_VERSION)
        missing = set(REQUIRED) - set(said.requested_capabilities)
        if missing:
            raise Closing(Reason.PROTOCOL_ERROR, f"not requested: {', '.join(sorted(missing))}")
        if CLEANUP not in said.requested_capabilities and (
            said.handled_cleanup_kinds or said.max_cleanup_concurrency
        ):
            raise Closing(Reason.PROTOCOL_ERROR, f"cleanups are handled, but not {CLEANUP}")
        self._hello = said
        return said

    def ready(self, pool: WorkPool, queues: Sequence[Queue], stamp: Stamp) -> Ready:
        """Answer the hello."""
        said = self._greeted()
        return Ready(
            id=stamp.id,
            sent_at=stamp.sent_at,
            payload=ReadyPayload(
                consumer_id=said.consumer_id,
                effective_heartbeat_interval_seconds=said.heartbeat_interval_seconds,
                accepted_capabilities=REQUIRED,
                rejected_capabilities=tuple(
                    dict.fromkeys(
                        each for each in said.requested_capabilities if each not in REQUIRED
                    )
                ),
                resolved_work_queues=tuple(queues),
                initial_snapshot=self._next(pool, "initial"),
            ),
        )

    def heartbeat(self, text: str) -> HelloPayload:
        """Take a frame after the hello; return who lives, as the hello said it."""
        said = self._greeted()
        frame = _read(text)
        if not isinstance(frame, Heartbeat):
            name = type(frame).__name__.lower()
            raise Closing(Reason.PROTOCOL_ERROR, f"no {name} was agreed upon")
        for member in ("consumer_id", "worker_name", "heartbeat_interval_seconds"):
            if getattr(frame.payload, member) != getattr(said, member):
                raise Closing(Reason.PROTOCOL_ERROR, f"{member} is not that of the hello")
        return said

    def snapshot(self, pool: WorkPool, reason: str, stamp: Stamp) -> Snapshot:
        """Tell the worker how its pool is."""
        self._greeted()
        return Snapshot(id=stamp.id, sent_at=stamp.sent_at, payload=self._next(pool, reason))

    def is_news(self, pool: WorkPool) -> bool:
        """Tell whether a pool is not as the worker was told last."""
        return pool.updated != self._updated

    def _next(self, pool: WorkPool, reason: str) -> SnapshotPayload:
        self._sequence += 1
        self._updated = pool.updated
        return SnapshotPayload(snapshot_sequence=self._sequence, reason=reason, work_pool=pool)

    def _greeted(self) -> HelloPayload:
        if self._hello is None:
            message = "nothing comes before the hello"
            raise RuntimeError(message)
        return self._hello


def _read(text: str) -> object:
    try:
        return read_frame(text)
    except Invalid as error:
        raise Closing(Reason.PROTOCOL_ERROR, str(error)) from error
