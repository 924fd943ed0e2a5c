"""The websockets of events against a real server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from armillary.core import Core
from armillary.db.unit import Unit
from armillary.testing import eventually
from armillary_plugins.event_websockets import plugin
from armillary_plugins.event_websockets.config import Config
from armillary_plugins.event_websockets.subscriptions import (
    QUEUE,
    Subscriber,
    subscriptions_of,
)
from tests.plugins.event_websockets.serving import PATIENCE, Serving, ids, received
from tests.plugins.events.samples import body_of, event, number, store

LONG = "2030-01-01T00:00:00Z"


@pytest.fixture
def core_flags() -> dict[str, object]:
    return {"targets": ("event_websockets",)}


@pytest.fixture
async def serving(core: Core) -> AsyncIterator[Serving]:
    async with Serving(core) as made:
        yield made


def now(core: Core, seconds: float = 0) -> datetime:
    return core.clock.now() + timedelta(seconds=seconds)


def wanting(core: Core, **more: Any) -> dict[str, Any]:
    """The filter the SDK sends: from a minute ago, for a long time."""
    since = now(core, -60).isoformat()
    return {"occurred": {"since": since, "until": LONG}, **more}


async def emit(core: Core, *numbers: int, workspace: int = 1, **more: Any) -> None:
    async def work(unit: Unit) -> None:
        for n in numbers:
            unit.emit(event(n, **more).emitted())

    await core.database.write(work, workspace=workspace)


async def subscribed(core: Core, count: int = 1) -> None:
    await eventually(lambda: len(subscriptions_of(core)) == count)


async def closed(client: Any) -> tuple[int | None, str]:
    with pytest.raises(ConnectionClosed):
        async with asyncio.timeout(PATIENCE):
            await client.recv()
    return client.close_code, client.close_reason


async def outbox(core: Core) -> list[str]:
    return [
        r[0] for r in await core.database.read(None).all("select event_id from outbox order by id")
    ]


async def kept(core: Core, *numbers: int) -> None:
    """Wait until as many events are durable; they have to be these."""
    rows: list[str] = []
    async with asyncio.timeout(PATIENCE):
        while len(rows) < len(numbers):
            rows = await outbox(core)
    assert rows == [number(n) for n in numbers]


async def test_events_taken_from_a_socket_are_kept_in_their_order(
    serving: Serving, core: Core
) -> None:
    async with serving.open("/events/in") as client:
        for n in range(300):
            await client.send(body_of(event(n)))
    await kept(core, *range(300))


async def test_old_clients_send_without_a_handshake(serving: Serving, core: Core) -> None:
    async with connect(f"{serving.address}/events/in") as client:
        await client.send(body_of(event(1)))
    await kept(core, 1)


@pytest.mark.parametrize(
    "frame", ["{", "[]", "7", '{"id": "x"}', '"\\ud800"', body_of(event(1, resource={})), b"\xff"]
)
async def test_a_frame_that_is_no_event_closes_the_socket_and_keeps_those_before_it(
    serving: Serving, core: Core, frame: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving.open("/events/in") as client:
        await client.send(body_of(event(1)))
        await client.send(frame)
        code, reason = await closed(client)
    assert (code, bool(reason)) == (1007, True)
    await kept(core, 1)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("path", ["/events/in", "/events/out"])
async def test_a_frame_over_the_limit_closes_the_socket(
    serving: Serving, core: Core, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving.open(path) as client:
        with contextlib.suppress(ConnectionClosed):  # it may close while we still send
            await client.send("x" * (16 * 1024 * 1024 + 1))
        assert (await closed(client))[0] == 1009
    assert await outbox(core) == []
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("path", ["/events/in", "/events/out"])
@pytest.mark.parametrize("frame", ["{", "{}", '{"type":"filter"}', "[]"])
async def test_whoever_does_not_say_who_he_is_is_sent_away(
    serving: Serving, path: str, frame: str
) -> None:
    async with connect(f"{serving.address}{path}", subprotocols=["prefect"]) as client:  # type: ignore[list-item]
        await client.send(frame)
        assert await closed(client) == (1008, "Expected 'auth' message")


async def test_pings_are_answered_before_the_handshake(serving: Serving) -> None:
    async with connect(f"{serving.address}/events/in", subprotocols=["prefect"]) as client:  # type: ignore[list-item]
        async with asyncio.timeout(PATIENCE):
            await (await client.ping())


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("{", "Expected 'filter' message"),
        ('{"type":"auth"}', "Expected 'filter' message"),
        ('{"type":"filter"}', "Invalid filter: "),
        ('{"type":"filter","filter":{"order":"UP"}}', "Invalid filter: "),
        ('{"type":"filter","filter":{"text":{"query":"\\u0000"}}}', "Invalid filter: "),
    ],
)
async def test_whoever_asks_for_nothing_sensible_is_told_so(
    serving: Serving, frame: str, reason: str
) -> None:
    async with serving.open("/events/out") as client:
        await client.send(frame)
        code, said = await closed(client)
    assert (code, said[: len(reason)]) == (1002, reason)


async def test_whoever_speaks_while_he_should_listen_is_sent_away(
    serving: Serving, core: Core
) -> None:
    async with serving.stream(wanting(core)) as client:
        await subscribed(core)
        await client.send("hello")
        assert (await closed(client))[0] == 1002
    await subscribed(core, 0)


async def test_live_events_come_as_they_are_stored(serving: Serving, core: Core) -> None:
    async with serving.stream(wanting(core, event={"name": ["this"]})) as client:
        await subscribed(core)
        await emit(core, 1, name="that")
        await emit(core, 2, name="this")
        frame = await received(client)
        assert frame["event"] == msgspec.json.decode(body_of(event(2, "this")))
    await subscribed(core, 0)


async def test_stored_events_come_first_and_oldest_first(serving: Serving, core: Core) -> None:
    at = [now(core, -50 + n / 10) for n in range(300)]
    await store(core, *[event(n, occurred=at[n]) for n in reversed(range(300))])
    async with serving.stream(wanting(core, order="DESC")) as client:
        assert await ids(client, 300) == [number(n) for n in range(300)]
        await emit(core, 500)
        assert await ids(client, 1) == [number(500)]


async def test_what_is_committed_and_not_stored_yet_is_not_missed(
    serving: Serving, core: Core
) -> None:
    await emit(core, 1, 2)
    await emit(core, 3, workspace=2)
    await store(core, event(0))
    async with serving.stream(wanting(core)) as client:
        assert await ids(client, 3) == [number(n) for n in range(3)]


async def test_what_is_in_store_and_outbox_comes_once(serving: Serving, core: Core) -> None:
    await emit(core, 1, 2)
    await store(core, event(1))
    async with serving.stream(wanting(core)) as client:
        assert await ids(client, 2) == [number(1), number(2)]
        await emit(core, 3)
        assert await ids(client, 1) == [number(3)]


async def test_without_a_gap_or_a_repeat_while_much_is_happening(
    serving: Serving, core: Core
) -> None:
    """Streams begin at any moment of a flood of events that is stored meanwhile."""
    await serving.store_events()
    total = 1200

    async def flood() -> None:
        for start in range(0, total, 20):
            await emit(core, *range(start, start + 20), occurred=now(core))

    async def read(delay: int) -> list[str]:
        while len(await core.database.read(1).all("select 1 from event limit ?", delay)) < delay:
            pass
        async with serving.stream(wanting(core)) as client:
            return await ids(client, total)

    flooding = asyncio.create_task(flood())
    streams = await asyncio.gather(*(read(delay) for delay in (0, 100, 400, 800)))
    await flooding
    for seen in streams:
        assert sorted(seen) == [number(n) for n in range(total)]


async def test_without_backfill_only_what_happens_from_now_on_comes(
    serving: Serving, core: Core
) -> None:
    await store(core, event(1))
    async with serving.stream(wanting(core), backfill=False) as client:
        await subscribed(core)
        await emit(core, 2)
        assert await ids(client, 1) == [number(2)]


async def test_nothing_older_than_a_quarter_of_an_hour_comes(serving: Serving, core: Core) -> None:
    await store(core, event(1, occurred=now(core, -901)), event(2, occurred=now(core, -899)))
    async with serving.stream(
        {"occurred": {"since": "2020-01-01T00:00:00Z", "until": LONG}}
    ) as client:
        assert await ids(client, 1) == [number(2)]


async def test_nothing_comes_that_occurred_after_the_end_of_the_filter(
    serving: Serving, core: Core
) -> None:
    wanted = {"occurred": {"since": now(core, -60).isoformat(), "until": now(core, 5).isoformat()}}
    async with serving.stream(wanted) as client:
        await subscribed(core)
        await emit(core, 1, occurred=now(core, 6))
        await emit(core, 2, occurred=now(core, 5))
        assert await ids(client, 1) == [number(2)]


async def test_workspaces_do_not_hear_each_other(serving: Serving, core: Core) -> None:
    account, workspace = core.ids.uuid7(), core.ids.uuid7()
    await core.database.write(
        lambda unit: unit.run(
            "insert into workspace (key, id, account_id, name, handle, created)"
            " values (2, ?, ?, 'w', 'w', 0)",
            workspace,
            account,
        ),
        workspace=None,
    )
    prefix = f"/accounts/{account}/workspaces/{workspace}"
    async with (
        serving.stream(wanting(core)) as mine,
        serving.stream(wanting(core), path=f"{prefix}/events/out") as theirs,
        serving.open(f"{prefix}/events/in") as sending,
    ):
        await subscribed(core, 2)
        await sending.send(body_of(event(2)))
        assert await ids(theirs, 1) == [number(2)]
        await emit(core, 1)
        assert await ids(mine, 1) == [number(1)]


async def test_an_event_that_comes_too_fast_for_one_is_dropped_for_him_alone(core: Core) -> None:
    hub = subscriptions_of(core)
    slow = Subscriber(lambda _: True, lambda: None)
    quick = Subscriber(lambda _: True, lambda: None)
    hub.add(1, slow)
    hub.add(1, quick)
    lost = 0
    for n in range(QUEUE + 3):
        lost += hub.publish(1, body_of(event(n)))
        quick.queue.clear()
    assert (lost, slow.dropped, quick.dropped, len(slow.queue)) == (3, 3, 0, QUEUE)


async def test_a_reader_who_does_not_read_stops_nobody(serving: Serving, core: Core) -> None:
    async with serving.stream(wanting(core)) as idle, serving.stream(wanting(core)) as client:
        await subscribed(core, 2)
        idle.transport.pause_reading()
        large = {"filler": "x" * 100_000}
        for n in range(400):
            await emit(core, n, payload=large)
            assert await ids(client, 1) == [number(n)]
        await eventually(lambda: core.metrics.value("armillary_events_out_dropped") > 0)
        idle.transport.abort()


async def test_a_healthy_stream_is_closed_at_shutdown_so_that_clients_come_again(
    serving: Serving, core: Core
) -> None:
    async with serving.stream(wanting(core)) as client:
        await subscribed(core)
        await asyncio.gather(serving.end(), closed(client))
        assert client.close_code == 1012


def test_streams_can_be_turned_off() -> None:
    class Off:
        def config(self, _: object) -> Config:
            return Config(stream_out=False)

    [routes] = plugin.register_routes(Off())  # type: ignore[arg-type]
    assert [route.path for route in routes.sockets] == ["/events/in"]


async def test_a_pong_says_that_every_event_before_the_ping_is_durable(
    serving: Serving, core: Core
) -> None:
    async with serving.open("/events/in") as client:
        for n in range(200):
            await client.send(body_of(event(n)))
        async with asyncio.timeout(PATIENCE):
            await (await client.ping())
        assert await outbox(core) == [number(n) for n in range(200)]


async def test_a_ping_before_anybody_signed_in_is_answered_at_once(serving: Serving) -> None:
    async with connect(
        f"{serving.address}/events/in", subprotocols=[Subprotocol("prefect")]
    ) as client:
        async with asyncio.timeout(PATIENCE):
            await (await client.ping())
