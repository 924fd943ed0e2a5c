"""What travels over the worker channel.  An unknown type or member is an error on both sides."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta

from armillary.api import decode
from armillary.errors import Invalid
from armillary.work_pools.schemas import Count, Seconds, WorkPool

VERSION = "work_pool_worker_channel.v1"
HEARTBEAT = "worker_heartbeat.v1"
SNAPSHOT = "work_pool_snapshot.v1"
CLEANUP = "cleanup_delivery.v1"
REQUIRED = (HEARTBEAT, SNAPSHOT)
"""The capabilities every worker asks for."""

Text: TypeAlias = Annotated[str, Meta(min_length=1)]
Kind: TypeAlias = Literal["cancelling_timeout_teardown.v1", "pending_claim_teardown.v1"]


class HelloPayload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who the worker is and what it can do."""

    consumer_id: UUID
    worker_name: Text
    worker_type: Text
    heartbeat_interval_seconds: Seconds
    supported_channel_versions: Annotated[list[Text], Meta(min_length=1)]
    requested_capabilities: Annotated[list[Text], Meta(min_length=1)]
    work_queue_names: list[Text] = []
    handled_cleanup_kinds: list[Kind] = []
    max_cleanup_concurrency: Count = 0
    create_pool_if_not_found: bool = False
    default_base_job_template: dict[str, msgspec.Raw] = {}
    worker_metadata: dict[str, msgspec.Raw] | None = None


class HeartbeatPayload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The worker lives; the members are those of its hello."""

    consumer_id: UUID
    worker_name: Text
    heartbeat_interval_seconds: Seconds


class OperationPayload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a worker says about a cleanup it was given."""

    message_id: UUID
    reservation_token: Text


class ReleasePayload(OperationPayload, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why it gives the cleanup back."""

    reason: Text


class Frame(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"
):
    """What every frame has."""

    id: UUID
    sent_at: datetime


class Hello(Frame, frozen=True, kw_only=True, tag="worker.hello.v1"):
    """The first frame of a worker."""

    payload: HelloPayload


class Heartbeat(Frame, frozen=True, kw_only=True, tag="worker.heartbeat.v1"):
    """A sign of life."""

    payload: HeartbeatPayload


class Acknowledge(Frame, frozen=True, kw_only=True, tag="cleanup.ack.v1"):
    """A cleanup is done."""

    payload: OperationPayload


class Release(Frame, frozen=True, kw_only=True, tag="cleanup.release.v1"):
    """A cleanup is for somebody else."""

    payload: ReleasePayload


class Renew(Frame, frozen=True, kw_only=True, tag="cleanup.renew.v1"):
    """A cleanup takes longer."""

    payload: OperationPayload


FromWorker: TypeAlias = Hello | Heartbeat | Acknowledge | Release | Renew


class Queue(msgspec.Struct, frozen=True):
    """A queue the worker takes runs from."""

    id: str
    name: str


class SnapshotPayload(msgspec.Struct, frozen=True, kw_only=True):
    """The pool as it is, numbered from 1 on each connection."""

    snapshot_sequence: int
    reason: str
    work_pool: WorkPool


class ReadyPayload(msgspec.Struct, frozen=True, kw_only=True):
    """What was agreed upon."""

    consumer_id: UUID
    worker_id: None = None
    selected_channel_version: str = VERSION
    effective_heartbeat_interval_seconds: int
    accepted_capabilities: tuple[str, ...]
    rejected_capabilities: tuple[str, ...]
    effective_max_cleanup_concurrency: int = 0
    resolved_work_queues: tuple[Queue, ...]
    initial_snapshot: SnapshotPayload


class Ready(Frame, frozen=True, kw_only=True, tag="worker.ready.v1"):
    """The answer to a hello."""

    payload: ReadyPayload


class Snapshot(Frame, frozen=True, kw_only=True, tag="work_pool.snapshot.v1"):
    """News of the pool."""

    payload: SnapshotPayload


ToWorker: TypeAlias = Ready | Snapshot


def read_frame(text: str) -> FromWorker:
    """Read what a worker sent; Invalid if it is no frame of a worker."""
    frame: FromWorker = decode(FromWorker, text.encode())  # type: ignore[arg-type]  # a union
    if frame.sent_at.tzinfo is None:
        message = "sent_at has no time zone."
        raise Invalid(message)
    return frame
