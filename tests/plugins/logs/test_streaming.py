"""The websocket of log lines against a real server."""

from collections.abc import AsyncIterator

import httpx
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from armillary.core import Core
from armillary.testing import eventually
from armillary_plugins.logs.news import news_of
from tests.plugins.event_websockets.serving import PATIENCE, Serving, received

RUN = "018f0000-0000-7000-8000-000000000001"
OTHER = "018f0000-0000-7000-8000-000000000002"
OF_RUN = {"flow_run_id": {"any_": [RUN]}}


@pytest.fixture
def core_flags() -> dict[str, object]:
    return {"targets": ("event_websockets", "logs")}


@pytest.fixture
async def serving(core: Core) -> AsyncIterator[Serving]:
    async with Serving(core) as made:
        yield made


async def post(serving: Serving, *messages: str, run: str = RUN, level: int = 20) -> None:
    at = "2026-01-01T12:00:00Z"
    lines = [
        {"name": "n", "level": level, "message": text, "timestamp": at, "flow_run_id": run}
        for text in messages
    ]
    address = serving.address.replace("ws://", "http://")
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        assert (await client.post(f"{address}/logs/", json=lines)).status_code == 201


async def listening(serving: Serving) -> None:
    """Wait until the stream knows where it begins."""
    await eventually(lambda: len(news_of(serving.core)) == 1)


async def closed(client: ClientConnection) -> tuple[int | None, str | None]:
    with pytest.raises(ConnectionClosed):
        await received(client)
    return client.close_code, client.close_reason


async def test_lines_of_the_run_asked_for_come_as_they_are_stored(serving: Serving) -> None:
    await post(serving, "before")
    async with serving.stream(OF_RUN, path="/logs/out") as client:
        await listening(serving)
        await post(serving, "of another run", run=OTHER)
        await post(serving, "one", "two")
        frames = [await received(client), await received(client)]
    assert [frame["type"] for frame in frames] == ["log", "log"]
    assert [frame["log"]["message"] for frame in frames] == ["one", "two"]
    assert sorted(frames[0]["log"]) == [
        "created", "flow_run_id", "id", "level", "message", "name", "task_run_id", "timestamp",
        "updated",
    ]  # fmt: skip


async def test_more_lines_than_one_page_all_come(serving: Serving) -> None:
    async with serving.stream({"level": {"ge_": 30}}, path="/logs/out") as client:
        await listening(serving)
        await post(serving, *map(str, range(600)), level=30)
        found = [(await received(client))["log"]["message"] for _ in range(600)]
    assert found == list(map(str, range(600)))


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("not json", "Expected 'filter' message"),
        ('{"type":"else"}', "Expected 'filter' message"),
        ('{"type":"filter","filter":{"level":{"ge_":"x"}}}', "Invalid filter: "),
    ],
)
async def test_whoever_does_not_ask_rightly_is_told_so(
    serving: Serving, message: str, reason: str
) -> None:
    async with serving.open("/logs/out") as client:
        await client.send(message)
        code, said = await closed(client)
    assert code == 1002
    assert (said or "").startswith(reason)


async def test_nothing_listens_any_more_once_the_client_has_gone(serving: Serving) -> None:
    async with serving.stream(OF_RUN, path="/logs/out"):
        await listening(serving)
    await eventually(lambda: len(news_of(serving.core)) == 0)


async def test_whoever_speaks_after_the_filter_is_sent_away(serving: Serving) -> None:
    async with serving.stream(OF_RUN, path="/logs/out") as client:
        await client.send("more")
        assert (await closed(client))[0] == 1002
