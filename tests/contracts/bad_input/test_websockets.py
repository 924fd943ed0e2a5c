"""Websockets that speak out of turn, or nonsense: the close code for it, and nothing changed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from armillary.core import Core
from armillary.testing import app_of
from tests.contracts.every_route import sockets
from tests.contracts.peer import Peer
from tests.contracts.world import World, rows_of

DEEP = '{"x":' + "[" * 10_000 + "]" * 10_000 + "}"
PATHS = {
    "/events/in": 1007, "/events/out": 1002, "/logs/out": 1002,
    "/work_pools/{name}/workers/connect": 1002, "/task_runs/subscriptions/scheduled": 4001,
}  # fmt: skip
"""Every websocket, with the code it closes with for what it does not understand."""
FRAMES: list[str | bytes] = [
    "", "{", "[]", "7", "null", '"x"', '{"type":"strange"}', "\0", '{"type":"\\u0000"}', DEEP,
    '{"type":"\\ud800"}', "x" * 100_000, "é" * 1000, b"\x00", b"{}", "[" * 10_000,
]  # fmt: skip
EVENT = {"event": "e", "id": "00000000-0000-4000-8000-000000000009", "resource": {
    "prefect.resource.id": "r"}, "occurred": "2026-01-01T12:00:00Z"}  # fmt: skip
TIMES = [253402300800, -1e18, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "x", []]
FILTERS = [
    *({"occurred": {"since": each, "until": each}} for each in TIMES),
    *({"timestamp": {"after_": each}} for each in TIMES),
    {"text": {"query": "\0"}}, {"level": {"ge_": 10**30}}, {"flow_run_id": {"any_": ["x"]}},
    {"order": "é" * 500}, {"operator": "é" * 500}, {"id": {"id": ["x"]}}, 7, [], "x",
]  # fmt: skip


@pytest.fixture
def core_flags() -> dict[str, object]:
    return {"plugins.disable": ("ui",)}


def test_every_websocket_is_tried(core: Core) -> None:
    assert {route.path for route in sockets(core)} == PATHS.keys()


@pytest.mark.parametrize("path", PATHS)
async def test_whoever_speaks_before_he_is_known_is_sent_away(
    core: Core, world: World, path: str
) -> None:
    assert world.pool
    before, app = await rows_of(core), app_of(core)
    for frame in (*FRAMES, msgspec.json.encode(EVENT).decode(), b"\xff"):
        peer = Peer(app, "/api" + path.replace("{name}", "pool"))
        peer.say(frame)
        code, reason = await peer.closed()
        expected = 1007 if frame == b"\xff" else 1008
        assert (code, bool(reason)) == (expected, True), frame[:40]
    assert await rows_of(core) == before


async def test_no_page_of_another_site_opens_a_websocket(core: Core) -> None:
    app = app_of(core)
    for path in PATHS:
        for origin in ("https://elsewhere.example", "null", "http://[", "http://here:4201"):
            headers = {"host": "here:4200", "origin": origin}
            peer = Peer(app, "/api" + path.replace("{name}", "pool"), headers=headers)
            assert await peer.message() == {
                "type": "websocket.close", "code": 1008,
                "reason": f"A page of {origin} may not do that on this server.",
            }  # fmt: skip
    ours = {"host": "here:4200", "origin": "http://here:4200"}
    peer = Peer(app, "/api/events/out", headers=ours)
    await peer.greet()
    await peer.leave()


@pytest.mark.parametrize("path", PATHS)
async def test_nonsense_closes_with_the_code_for_it(core: Core, world: World, path: str) -> None:
    assert world.pool
    before, app = await rows_of(core), app_of(core)
    for frame in (*FRAMES, b"\xff"):
        peer = Peer(app, "/api" + path.replace("{name}", "pool"))
        await peer.greet()
        peer.say(frame)
        code, reason = await peer.closed()
        assert (code, bool(reason)) == (1007 if frame == b"\xff" else PATHS[path], True), frame[:40]
        assert len(reason.encode()) <= 123, "no close frame has room for more"
    assert await rows_of(core) == before


@pytest.mark.parametrize("path", ["/events/out", "/logs/out"])
async def test_no_filter_is_a_fault(core: Core, path: str) -> None:
    app = app_of(core)
    for given in FILTERS:
        peer = Peer(app, f"/api{path}")
        await peer.greet()
        peer.say(msgspec.json.encode({"type": "filter", "filter": given}).decode())
        peer.say("out of turn")
        code, reason = await peer.closed()
        assert (code, bool(reason)) == (1002, True), given
        assert len(reason.encode()) <= 123, "no close frame has room for more"


async def test_an_event_of_no_calendar_or_with_an_endless_number_is_refused(core: Core) -> None:
    before, app = await rows_of(core), app_of(core)
    endless: Any = msgspec.Raw(b'{"a":' + b"9" * 4301 + b"}")
    for each in [{"payload": endless}, *({"occurred": time} for time in TIMES)]:
        peer = Peer(app, "/api/events/in")
        await peer.greet()
        peer.say(msgspec.json.encode({**EVENT, **each}).decode())
        code, reason = await peer.closed()
        assert (code, bool(reason)) == (1007, True), each
    assert await rows_of(core) == before


async def test_whoever_leaves_in_the_middle_leaves_nothing_behind(core: Core, world: World) -> None:
    assert world.pool
    before, app = await rows_of(core), app_of(core)
    for path in PATHS:
        early = Peer(app, "/api" + path.replace("{name}", "pool"))
        await early.leave()
        late = Peer(app, "/api" + path.replace("{name}", "pool"))
        await late.greet()
        await late.leave()
    assert await rows_of(core) == before


async def test_where_no_websocket_is_none_is_accepted(core: Core) -> None:
    app = app_of(core)
    for path in (
        "/api/nothing",
        "/api/events/in%00",
        "/api/events/\0",
        "/events/in",
        "/api/",
    ):
        message = await Peer(app, path).message()
        assert message["type"] == "websocket.close"
