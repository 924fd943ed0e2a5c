"""The worker channel of a core: what it records, what it tells, and how it ends."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from armillary.core import Core
from armillary.errors import Unavailable
from armillary.testing import ManualClock, app_of
from armillary.work_pools.channel.listeners import listeners_of
from tests.api import Api, add_other_workspace
from tests.core.work_pools.test_channel_protocol import frame, heartbeat, hello

PATIENCE = 60.0
TEMPLATE = {"job_configuration": {}, "variables": {"type": "object", "properties": {}}}


class Worker:
    """A websocket without a network."""

    def __init__(self, core: Core, path: str, protocols: tuple[str, ...]) -> None:
        self._to_server: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._to_us: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        scope = {
            "type": "websocket", "path": path, "headers": [], "query_string": b"",
            "subprotocols": list(protocols),
        }  # fmt: skip
        self._to_server.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.ensure_future(app_of(core)(scope, self._to_server.get, self._told))

    async def _told(self, message: Any) -> None:
        self._to_us.put_nowait(message)

    async def message(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            return await self._to_us.get()

    def say(self, text: str) -> None:
        self._to_server.put_nowait({"type": "websocket.receive", "text": text})

    async def frame(self) -> dict[str, Any]:
        return msgspec.json.decode((await self.message())["text"])

    async def snapshot(self) -> tuple[int, str, dict[str, Any]]:
        payload = (await self.frame())["payload"]
        return payload["snapshot_sequence"], payload["reason"], payload["work_pool"]

    async def closed(self) -> tuple[int, str]:
        message = await self.message()
        assert message["type"] == "websocket.close", message
        async with asyncio.timeout(PATIENCE):
            await self.task
        return message["code"], message["reason"]

    async def greet(self, **more: Any) -> None:
        self.say('{"type":"auth","token":null}')
        assert (await self.message())["type"] == "websocket.accept"
        assert await self.frame() == {"type": "auth_success"}
        self.say(hello(**more))

    async def ready(self, **more: Any) -> dict[str, Any]:
        await self.greet(**more)
        frame = await self.frame()
        assert frame["type"] == "worker.ready.v1", frame
        return frame["payload"]

    async def leave(self) -> None:
        self._to_server.put_nowait({"type": "websocket.disconnect", "code": 1001})
        async with asyncio.timeout(PATIENCE):
            await self.task


@contextlib.asynccontextmanager
async def connected(
    core: Core,
    pool: str = "pool",
    *,
    protocols: tuple[str, ...] = ("prefect",),
    prefix: str = "/api",
) -> AsyncIterator[Worker]:
    worker = Worker(core, f"{prefix}/work_pools/{pool}/workers/connect", protocols)
    try:
        yield worker
    finally:
        if not worker.task.done():
            await worker.leave()


async def rows(core: Core) -> list[tuple[Any, ...]]:
    found = await core.database.read(None).all(
        "select workspace, name, status, heartbeat_interval_seconds from worker order by id"
    )
    return [tuple(row) for row in found]


async def test_a_hello_makes_the_worker_online_and_the_pool_ready(core: Core, api: Api) -> None:
    pool = await api.pool()
    async with connected(core) as worker:
        ready = await worker.ready()
    assert await rows(core) == [(1, "w", "ONLINE", 30)]
    assert ready["initial_snapshot"]["work_pool"] == await api.get("/work_pools/pool")
    assert ready["initial_snapshot"]["work_pool"]["status"] == "READY"
    assert ready["resolved_work_queues"] == [{"id": pool["default_queue_id"], "name": "default"}]


async def test_only_the_queues_a_worker_names_are_resolved(core: Core, api: Api) -> None:
    await api.pool()
    queue = await api.queue("q")
    async with connected(core) as worker:
        ready = await worker.ready(work_queue_names=["q"])
    assert ready["resolved_work_queues"] == [{"id": queue["id"], "name": "q"}]


async def test_a_worker_may_bring_its_pool(core: Core, api: Api) -> None:
    async with connected(core) as worker:
        await worker.ready(create_pool_if_not_found=True, default_base_job_template=TEMPLATE)
    pool = await api.get("/work_pools/pool")
    assert (pool["type"], pool["base_job_template"], pool["status"]) == (
        "process", TEMPLATE, "READY",
    )  # fmt: skip


async def test_an_empty_template_is_filled_and_a_full_one_stays(core: Core, api: Api) -> None:
    await api.pool()
    full = {**TEMPLATE, "job_configuration": {"a": 1}}
    for template in (TEMPLATE, full):
        async with connected(core) as worker:
            ready = await worker.ready(default_base_job_template=template)
        assert ready["initial_snapshot"]["work_pool"]["base_job_template"] == TEMPLATE


@pytest.mark.parametrize(
    ("pool", "more"),
    [
        ("unknown", {}),
        ("prefect-x", {"create_pool_if_not_found": True}),
        ("Prefect", {"create_pool_if_not_found": True}),
        ("a&b", {"create_pool_if_not_found": True}),
        ("new", {"create_pool_if_not_found": True, "default_base_job_template": {"a": 1}}),
        ("pool", {"work_queue_names": ["default", "unknown"]}),
    ],
)
async def test_a_worker_that_may_not_work_there_leaves_no_trace(
    core: Core, api: Api, pool: str, more: dict[str, Any]
) -> None:
    await api.pool()
    async with connected(core, pool) as worker:
        await worker.greet(**more)
        assert await worker.closed() == (1008, "authorization_failed")
    assert await rows(core) == []
    assert [each["name"] for each in await api.post("/work_pools/filter")] == ["pool"]


async def test_another_workspace_has_pools_of_its_own(core: Core, api: Api) -> None:
    await add_other_workspace(core)
    await api.pool()
    prefix = "/api/accounts/00000000-0000-4000-8000-000000000000/workspaces/"
    async with connected(core, prefix=f"{prefix}00000000-0000-4000-8000-000000000002") as worker:
        await worker.greet()
        assert await worker.closed() == (1008, "authorization_failed")


async def test_without_the_subprotocol_nobody_is_talked_to(core: Core, api: Api) -> None:
    await api.pool()
    async with connected(core, protocols=()) as worker:
        assert (await worker.message())["type"] == "websocket.accept"
        assert (await worker.closed())[0] == 1008


async def test_without_the_auth_frame_nobody_is_talked_to(core: Core, api: Api) -> None:
    await api.pool()
    async with connected(core) as worker:
        worker.say(hello())
        assert (await worker.message())["type"] == "websocket.accept"
        assert (await worker.closed())[0] == 1008


async def test_another_version_and_nonsense_have_their_reasons(core: Core, api: Api) -> None:
    await api.pool()
    async with connected(core) as worker:
        await worker.greet(supported_channel_versions=["x"])
        assert await worker.closed() == (1008, "unsupported_version")
    async with connected(core) as worker:
        await worker.ready()
        worker.say(frame("worker.heartbeat.v1", {}))
        assert await worker.closed() == (1002, "protocol_error")


@pytest.mark.parametrize(
    "change",
    [
        {"is_paused": True}, {"concurrency_limit": 3}, {"base_job_template": TEMPLATE},
        {"storage_configuration": {"bundle_upload_step": {"a": 1}}}, {"concurrency_limit": None},
    ],
)  # fmt: skip
async def test_a_change_of_what_workers_see_is_told_at_once(
    core: Core, api: Api, change: dict[str, Any]
) -> None:
    await api.pool()
    await api.pool("other")
    async with connected(core) as worker:
        await worker.ready()
        await api.patch("/work_pools/other", change)
        await api.patch("/work_pools/pool", {"description": "nobody is told"})
        await api.patch("/work_pools/pool", change)
        assert await worker.snapshot() == (2, "updated", await api.get("/work_pools/pool"))
        await api.patch("/work_pools/pool", change)
        assert (await worker.snapshot())[0] == 3


async def test_every_worker_of_a_pool_is_told(core: Core, api: Api) -> None:
    await api.pool()
    async with connected(core) as one, connected(core) as other:
        await one.ready()
        await other.ready()
        await api.patch("/work_pools/pool", {"is_paused": True})
        for worker in (one, other):
            assert (await worker.snapshot())[2]["status"] == "PAUSED"


async def test_a_heartbeat_is_recorded_and_finds_what_nobody_told(
    core: Core, api: Api, clock: ManualClock
) -> None:
    await api.pool()
    async with connected(core) as worker:
        await worker.ready()
        await clock.advance(30)
        await api.patch("/work_pools/pool", {"description": "news"})
        worker.say(heartbeat())
        sequence, reason, pool = await worker.snapshot()
        assert (sequence, reason, pool["description"]) == (2, "heartbeat", "news")
    [row] = await api.post("/work_pools/pool/workers/filter")
    assert row["last_heartbeat_time"].startswith("2026-01-01T12:00:30")


async def test_a_deleted_pool_ends_its_channels(core: Core, api: Api) -> None:
    await api.pool()
    async with connected(core) as worker:
        await worker.ready()
        await api.delete("/work_pools/pool")
        assert await worker.closed() == (1008, "authorization_failed")
    assert len(listeners_of(core)) == 0


async def test_heartbeats_that_cannot_be_stored_send_the_worker_away_for_a_while(
    core: Core, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.pool()

    async def away(*_: object, **__: object) -> None:
        message = "the database is away"
        raise Unavailable(message)

    async with connected(core) as worker:
        await worker.ready()
        monkeypatch.setattr(core.database, "write", away)
        worker.say(heartbeat())
        assert await worker.closed() == (1011, "heartbeat_persistence_failed")
    async with connected(core) as worker:
        await worker.greet()
        assert await worker.closed() == (1011, "transient_server_error")


async def test_the_outbox_is_listened_to_only_while_somebody_is_connected(
    core: Core, api: Api
) -> None:
    await api.pool()
    for _ in range(2):
        async with connected(core) as worker:
            await worker.ready()
            assert len(listeners_of(core)) == 1
        assert len(listeners_of(core)) == 0
        assert not [t for t in asyncio.all_tasks() if t.get_name() == "worker channels"]
