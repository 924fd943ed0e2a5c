"""What may be said when on the worker channel."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from armillary.work_pools.channel.frames import Queue
from armillary.work_pools.channel.protocol import Channel, Closing, Reason, Stamp
from armillary.work_pools.schemas import WorkPool

WORKER = "00000000-0000-4000-8000-000000000001"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
STAMP = Stamp(UUID(int=7), NOW)


def frame(kind: str, payload: dict[str, Any], **more: Any) -> str:
    whole = {"type": kind, "id": WORKER, "sent_at": "2026-01-01T00:00:00Z", "payload": payload}
    return msgspec.json.encode(whole | more).decode()


def hello(**more: Any) -> str:
    payload = {
        "consumer_id": WORKER,
        "worker_name": "w",
        "worker_type": "process",
        "heartbeat_interval_seconds": 30,
        "supported_channel_versions": ["work_pool_worker_channel.v1"],
        "requested_capabilities": ["worker_heartbeat.v1", "work_pool_snapshot.v1"],
    }
    return frame("worker.hello.v1", payload | more)


def heartbeat(**more: Any) -> str:
    payload = {"consumer_id": WORKER, "worker_name": "w", "heartbeat_interval_seconds": 30}
    return frame("worker.heartbeat.v1", payload | more)


def pool(updated: datetime = NOW) -> WorkPool:
    nothing = msgspec.Raw(b"{}")
    return WorkPool(
        id=WORKER, created=NOW, updated=updated, name="p", description=None, type="process",
        base_job_template=nothing, is_paused=False, concurrency_limit=None, status="READY",
        default_queue_id=WORKER, storage_configuration=nothing, active_slots=None,
    )  # fmt: skip


def greeted() -> Channel:
    channel = Channel()
    channel.hello(hello())
    channel.ready(pool(), [], STAMP)
    return channel


def test_a_hello_is_answered_with_what_was_agreed_and_the_first_snapshot() -> None:
    channel = Channel()
    capabilities = ["cleanup_delivery.v1", "work_pool_snapshot.v1", "worker_heartbeat.v1", "x"]
    channel.hello(hello(requested_capabilities=capabilities, max_cleanup_concurrency=2))
    ready = msgspec.json.decode(
        msgspec.json.encode(channel.ready(pool(), [Queue(WORKER, "default")], STAMP))
    )
    assert ready["type"] == "worker.ready.v1"
    assert ready["id"] == str(STAMP.id)
    snapshot = ready["payload"].pop("initial_snapshot")
    assert (snapshot["snapshot_sequence"], snapshot["reason"]) == (1, "initial")
    assert snapshot["work_pool"]["name"] == "p"
    assert ready["payload"] == {
        "consumer_id": WORKER,
        "worker_id": None,
        "selected_channel_version": "work_pool_worker_channel.v1",
        "effective_heartbeat_interval_seconds": 30,
        "accepted_capabilities": ["worker_heartbeat.v1", "work_pool_snapshot.v1"],
        "rejected_capabilities": ["cleanup_delivery.v1", "x"],
        "effective_max_cleanup_concurrency": 0,
        "resolved_work_queues": [{"id": WORKER, "name": "default"}],
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "nonsense",
        "{}",
        '{"type":"worker.hello.v1"}',
        heartbeat(),
        frame("worker.ready.v1", {}),
        frame("worker.hello.v2", {}),
        hello(unknown=1),
        hello(consumer_id="w"),
        hello(worker_name=""),
        hello(worker_type=None),
        hello(heartbeat_interval_seconds=0),
        hello(heartbeat_interval_seconds=2**40),
        hello(supported_channel_versions=[]),
        hello(requested_capabilities=["worker_heartbeat.v1"]),
        hello(work_queue_names=[""]),
        hello(work_queue_names=["a\0b"]),
        hello(handled_cleanup_kinds=["everything"]),
        hello(max_cleanup_concurrency=1),
        hello(handled_cleanup_kinds=["cancelling_timeout_teardown.v1"]),
        hello(default_base_job_template=[]),
        hello().replace("2026-01-01T00:00:00Z", "2026-01-01T00:00:00"),
        hello().replace("2026-01-01T00:00:00Z", "yesterday"),
        hello()[:-1] + ',"more":1}',
        "[" * 100_000,
    ],
)
def test_a_first_frame_that_is_no_proper_hello_is_a_protocol_error(text: str) -> None:
    with pytest.raises(Closing) as caught:
        Channel().hello(text)
    assert caught.value.reason is Reason.PROTOCOL_ERROR


def test_a_worker_of_another_version_is_told_so() -> None:
    with pytest.raises(Closing) as caught:
        Channel().hello(hello(supported_channel_versions=["work_pool_worker_channel.v9"]))
    assert caught.value.reason is Reason.UNSUPPORTED_VERSION


def test_a_heartbeat_like_the_hello_is_taken() -> None:
    assert greeted().heartbeat(heartbeat()).worker_name == "w"


@pytest.mark.parametrize(
    "text",
    [
        hello(),
        heartbeat(consumer_id=str(UUID(int=9))),
        heartbeat(worker_name="x"),
        heartbeat(heartbeat_interval_seconds=31),
        heartbeat(unknown=1),
        frame("cleanup.ack.v1", {"message_id": WORKER, "reservation_token": "t"}),
        frame("cleanup.renew.v1", {"message_id": WORKER, "reservation_token": "t"}),
        frame(
            "cleanup.release.v1", {"message_id": WORKER, "reservation_token": "t", "reason": "r"}
        ),
        frame("work_pool.snapshot.v1", {}),
        "nonsense",
    ],
)
def test_anything_else_after_the_hello_is_a_protocol_error(text: str) -> None:
    with pytest.raises(Closing) as caught:
        greeted().heartbeat(text)
    assert caught.value.reason is Reason.PROTOCOL_ERROR


def test_snapshots_are_numbered_and_news_is_a_row_that_changed() -> None:
    channel = greeted()
    later = pool(NOW + timedelta(seconds=1))
    assert not channel.is_news(pool())
    assert channel.is_news(later)
    sequence = [
        channel.snapshot(each, "updated", STAMP).payload.snapshot_sequence
        for each in (later, later)
    ]
    assert sequence == [2, 3]
    assert not channel.is_news(later)
