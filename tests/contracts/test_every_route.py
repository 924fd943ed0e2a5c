"""Every declared route can be asked for as this folder says, and asks for a scope of its own."""

from __future__ import annotations

import httpx
import pytest

from armillary.access import SCOPES, Actor
from armillary.core import Core
from armillary.front import Front
from armillary.testing import app_of
from tests.api import Api
from tests.contracts.bodies import BODIES
from tests.contracts.every_route import (
    http_routes,
    in_order,
    name_of,
    prefixed,
    request_of,
    sockets,
    takes_json,
)
from tests.contracts.peer import Peer
from tests.contracts.world import a_world

PUBLIC = {
    "GET /health", "GET /ready", "GET /hello", "GET /csrf-token", "GET /openapi.json",
    "GET /dashboard", "GET /flow-runs", "GET /flow-runs/flow-run/{id}",
    "GET /flow-runs/task-run/{id}", "GET /ui/static/{path:path}", "GET /patterns",
    "GET /docs", "GET /docs/{name}",
}  # fmt: skip
"""What anybody may ask for: whether we live, what we speak, where pages moved, our own files."""
EXPECTED = {
    "GET /csrf-token": 422, "GET /ui/static/{path:path}": 404,
    "GET /commands/command/{id}": 404, "POST /commands/command/{id}": 404,
    "POST /commands/new": 422,
    "POST /concurrency-limits/new": 422,
    "POST /concurrency-limits/concurrency-limit/{id}/change": 422,
    "POST /blocks/catalog/{slug}/create": 422,
    "POST /variables/new": 422, "POST /variables/variable/{id}": 422,
    "POST /system/jobs/{id}/discard": 409, "POST /jobs/{id}/retry": 409, "DELETE /jobs/{id}": 409,
}  # fmt: skip
"""What a request in order is answered with where that is no success: the one dead job is no longer
dead once the page has tried it again, the deployment is no plain command, and forms that are
empty lack a name or a value."""


@pytest.fixture
def api(client: httpx.AsyncClient) -> Api:
    return Api(client)


def let_in(monkeypatch: pytest.MonkeyPatch, scopes: frozenset[str]) -> None:
    """From now on, whoever asks has these scopes."""
    actor = Actor("00000000-0000-4000-8000-00000000000b", "somebody", scopes)
    monkeypatch.setattr(Front, "_actor", lambda _: actor)


def test_every_route_with_a_body_has_one_in_order(core: Core) -> None:
    assert {name_of(route) for route in http_routes(core) if takes_json(route)} == set(BODIES)


async def test_every_request_in_order_is_taken(core: Core, api: Api) -> None:
    world = await a_world(core, api)
    wrong = []
    for route in in_order(http_routes(core)):
        made = request_of(route, world)
        body = {"json": made.body} if made.has_body else {}
        answer = await api.client.request(
            made.method, prefixed(route, made.path, "/api"), follow_redirects=True, **body
        )
        gone = route.method == "DELETE" and answer.status_code == 404  # with what it was part of
        expected = EXPECTED.get(name_of(route))
        if not gone and not (answer.is_success or answer.status_code == expected):
            wrong.append(f"{name_of(route)}: {answer.status_code} {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)


def test_every_route_asks_for_a_scope_there_is_or_is_meant_for_anybody(core: Core) -> None:
    routes = http_routes(core)
    assert {name_of(route) for route in routes if route.scope is None} == PUBLIC
    asked = {route.scope for route in routes} | {route.scope for route in sockets(core)}
    assert asked - {None} <= SCOPES


async def test_whoever_lacks_a_routes_scope_is_refused(
    core: Core, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await a_world(core, api)
    wrong = []
    for route in in_order(http_routes(core)):
        made = request_of(route, world)
        body = {"json": made.body} if made.has_body else {}
        for scopes in (SCOPES - {route.scope}, frozenset[str]()):
            let_in(monkeypatch, scopes)
            answer = await api.client.request(
                made.method, prefixed(route, made.path, "/api"), **body
            )
            refused = answer.status_code == 403 and (
                route.mount == "" or f"the scope {route.scope}" in answer.json()["detail"]
            )
            if refused != (route.scope is not None):
                wrong.append(f"{name_of(route)}: {answer.status_code} {answer.text[:100]}")
    assert not wrong, "\n".join(wrong)


async def test_whoever_lacks_a_websockets_scope_is_not_let_in(
    core: Core, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.pool("w")
    app = app_of(core)
    for route in sockets(core):
        let_in(monkeypatch, SCOPES - {route.scope})
        peer = Peer(app, "/api" + route.path.replace("{name}", "w"))
        assert (await peer.message())["type"] == "websocket.close"


async def test_both_spellings_of_every_path_are_the_same_route(
    core: Core, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await a_world(core, api)
    let_in(monkeypatch, frozenset())
    wrong = []
    for route in http_routes(core):
        if not route.mount or route.scope is None:
            continue
        path, _, query = request_of(route, world).path.partition("?")
        for spelling in (path.rstrip("/"), path.rstrip("/") + "/"):
            answer = await api.client.request(route.method, f"/api{spelling}?{query}")
            if answer.status_code != 403:
                wrong.append(f"{route.method} {spelling}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)
