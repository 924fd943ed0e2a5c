"""The stream of changes: what is told, to whom, and what is kept for those who come late."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from armillary.core import Core
from armillary.services.supervisor import Supervisor
from armillary.testing import Ear, ManualClock, app_of
from armillary_plugins.ui.config import Config
from armillary_plugins.ui.consumers import TellPages, changed
from armillary_plugins.ui.services import Heartbeat
from armillary_plugins.ui.streams import BEAT, EVERYTHING, KEPT, RUNS, WAITING, Stream, Streams
from armillary_plugins.ui.streams import message as told
from tests.api import OTHER_PREFIX, Api, add_other_workspace
from tests.plugins.ui.pages import Pages

RUN = "0199b1c2-7d3e-7a41-9c55-2f6b8d0e4a17"


class Browser:
    """One open stream, as the server sees it."""

    def __init__(self) -> None:
        self.started: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.messages: asyncio.Queue[Any] = asyncio.Queue()
        self.last_id = ""
        self._gone = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, event: dict[str, Any]) -> None:
        if event["type"] == "http.response.start":
            self.started.set_result(event)
            return
        for line in event.get("body", b"").decode().splitlines():
            if line.startswith("data: "):
                self.messages.put_nowait(json.loads(line[6:]))
            elif line.startswith("id: "):
                self.last_id = line[4:]

    def leave(self) -> None:
        self._gone.set()

    async def hears(self, *, runs: int = 1) -> list[Any]:
        """All messages but beats until so many of lists came."""
        heard: list[Any] = []
        async with asyncio.timeout(60):
            while sum(one == {"kind": "runs"} for one in heard) < runs:
                one = await self.messages.get()
                if one["kind"] != "beat":
                    heard.append(one)
        return heard


@asynccontextmanager
async def listening(
    core: Core, query: str = "", headers: tuple[tuple[bytes, bytes], ...] = ()
) -> AsyncIterator[tuple[Browser, asyncio.Task[None]]]:
    browser = Browser()
    scope = {
        "type": "http", "method": "GET", "path": "/ui/stream", "raw_path": b"/ui/stream",
        "query_string": query.encode(), "headers": list(headers), "http_version": "1.1",
        "scheme": "http", "server": ("127.0.0.1", 4200), "client": ("127.0.0.1", 1),
        "root_path": "", "asgi": {"version": "3.0"}, "state": {},
    }  # fmt: skip
    app = app_of(core)

    async def serve() -> None:
        await app(scope, browser.receive, browser.send)  # type: ignore[arg-type]

    task = asyncio.create_task(serve())
    async with asyncio.timeout(60):
        start = await browser.started
        assert start["status"] == 200
        assert (b"content-type", b"text/event-stream") in start["headers"]
        yield browser, task
        browser.leave()
        await task


@pytest.fixture
async def teller(core: Core) -> AsyncIterator[TellPages]:
    consumer = TellPages(core)
    supervisor = Supervisor([consumer])
    await supervisor.start()
    yield consumer
    await supervisor.stop()


async def new_run(api: Api, flow: str = "etl") -> str:
    flow_id = (await api.client.post(f"{api.prefix}/flows/", json={"name": flow})).json()["id"]
    body = {"flow_id": flow_id, "state": {"type": "PENDING"}}
    return (await api.post("/flow_runs/", body, status=201))["id"]


@pytest.mark.usefixtures("teller")
async def test_a_changed_run_is_told_with_its_list(core: Core, api: Api) -> None:
    async with listening(core) as (browser, _):
        run = await new_run(api)
        assert await browser.hears() == [{"kind": "run", "id": run}, {"kind": "runs"}]


@pytest.mark.usefixtures("teller")
async def test_lines_of_a_log_are_told_once_they_are_stored(core: Core, api: Api) -> None:
    line = {"name": "n", "level": 20, "message": "m", "timestamp": "2026-01-01T12:00:00Z"}
    async with listening(core) as (browser, _):
        lines = [{**line, "flow_run_id": RUN}] * 3 + [line]
        await api.post("/logs/", lines, status=201)
        run = await new_run(api)
        assert await browser.hears() == [
            {"kind": "logs", "id": RUN}, {"kind": "run", "id": run}, {"kind": "runs"},
        ]  # fmt: skip


@pytest.mark.usefixtures("teller")
async def test_other_workspaces_hear_nothing(core: Core, api: Api) -> None:
    await add_other_workspace(core)
    async with listening(core) as (browser, _):
        await new_run(Api(api.client, OTHER_PREFIX))
        run = await new_run(api)
        assert await browser.hears() == [{"kind": "run", "id": run}, {"kind": "runs"}]


async def test_what_happens_before_the_stream_is_open_is_told_when_it_opens(
    core: Core, api: Api, pages: Pages, teller: TellPages
) -> None:
    ear = Ear(teller)
    [body] = (await pages.open("/runs")).all("body")
    address = body.attributes["data-stream"] or ""
    run = await new_run(api)
    await ear.hear("handled")
    async with listening(core, address.partition("?")[2]) as (browser, _):
        heard = await browser.hears()
        assert {"kind": "run", "id": run} in heard
        place = browser.last_id
    second = await new_run(api)
    await ear.hear("handled")
    headers = ((b"last-event-id", place.encode()),)
    async with listening(core, address.partition("?")[2], headers) as (browser, _):
        assert await browser.hears() == [{"kind": "run", "id": second}, {"kind": "runs"}]


async def test_a_stop_ends_streams_and_those_that_come_meanwhile(
    core: Core, teller: TellPages
) -> None:
    async with listening(core) as (_, task):
        teller.wind_down()
        async with asyncio.timeout(60):
            await task
    async with listening(core) as (_, late):
        await late


@pytest.mark.usefixtures("teller")
async def test_a_page_that_is_closed_is_forgotten(core: Core) -> None:
    async with listening(core):
        assert "armillary_page_streams 1" in core.metrics.text()
    assert "armillary_page_streams 0" in core.metrics.text()


async def test_streams_give_a_sign_of_life(core: Core, clock: ManualClock) -> None:
    supervisor = Supervisor([Heartbeat(core, Config())])
    await supervisor.start()
    async with listening(core) as (browser, _):
        assert await browser.messages.get() == {"kind": "beat"}
        await clock.advance(14)
        assert browser.messages.empty()
        await clock.advance(1)
        assert await browser.messages.get() == {"kind": "beat"}
        assert await browser.messages.get() == {"kind": "time"}
    await supervisor.stop()


@pytest.mark.parametrize(
    ("event", "own", "related", "expected"),
    [
        ("prefect.flow-run.Running", "flow-run.1", (), [told("run", "1"), RUNS]),
        ("prefect.task-run.Running", "task-run.2", ("flow-run.1",), [told("run", "1")]),
        ("prefect.task-run.Running", "task-run.2", (), [told("run", "2")]),
        ("prefect.deployment.ready", "deployment.3", ("flow-run.1",), [told("deployments")]),
        ("prefect.flow-run.heartbeat", "other.1", (), []),
    ],
)
def test_an_event_concerns_the_pages_of_its_run(
    event: str, own: str, related: tuple[str, ...], expected: list[str]
) -> None:
    body = {
        "event": event,
        "resource": {"prefect.resource.id": f"prefect.{own}"},
        "related": [{"prefect.resource.id": f"prefect.{one}"} for one in related],
    }
    assert changed(json.dumps(body)) == expected


def _nobody() -> None:
    return None


def test_a_message_waits_once_however_often_it_comes() -> None:
    stream = Stream(_nobody)
    for _ in range(9):
        stream.offer(RUNS)
    assert stream.take() == [RUNS]
    assert stream.take() == []


def test_a_slow_stream_is_told_everything_in_one() -> None:
    stream = Stream(_nobody)
    for number in range(WAITING + 1):
        stream.offer(told("run", str(number)))
    assert stream.take() == [EVERYTHING]


@given(st.lists(st.sampled_from("abc"), max_size=30), st.integers(0, 30))
def test_nothing_is_missed_after_a_place(kinds: list[str], cut: int) -> None:
    streams = Streams(7)
    place = streams.place
    for number, kind in enumerate(kinds):
        if number == cut:
            place = streams.place
        streams.tell(1, kind)
    if cut >= len(kinds):
        place, kinds = streams.place, []
    late = Stream(_nobody)
    streams.add(1, late, after=place)
    assert set(late.take()) == {BEAT, *kinds[cut:]}


def test_where_nobody_listens_or_can_come_back_nothing_is_told() -> None:
    streams = Streams(7)
    unheard = [streams.unheard]
    place = streams.place  # a page is made
    for skipped in (KEPT, 1):
        streams.skip(skipped)
        unheard.append(streams.unheard)
    assert unheard == [True, False, True]
    late = Stream(_nobody)
    streams.add(1, late, after=place)
    assert late.take() == [BEAT, EVERYTHING]
    assert not streams.unheard


@pytest.mark.parametrize("place", ["7-0", "8-1", "7-99999", "nonsense", "7-", "-1", "7-²"])
def test_who_missed_too_much_is_told_everything(place: str) -> None:
    streams = Streams(7)
    for number in range(KEPT + 5):
        streams.tell(1, str(number))
    late = Stream(_nobody)
    streams.add(1, late, after=place)
    assert late.take() == [BEAT, EVERYTHING]
