"""The one ASGI layer before Litestar: workspace prefix off, actor found, hot operations answered.

::

    request ──▶ base path and workspace prefix off ──▶ version, origin, size ──▶ actor
                                                                                   │
                             Litestar ◀── not hot ── lane ◀────────────────────────┘
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, TypeAlias

from armillary.access import LOCAL_OWNER, Actor
from armillary.api import API, Answer, Call, Route, decode, group_of
from armillary.api_socket import Socket, SocketClosed
from armillary.bodies import Bodies, Body
from armillary.errors import ArmillaryError, Invalid, NotFound
from armillary.fast_path import Found, Headers
from armillary.hosts import Hosts
from armillary.incoming import (
    Receive,
    by_name,
    client_of,
    query_of,
    read_body,
    refuse_other_origins,
)
from armillary.lane import Lane
from armillary.workspaces import DEFAULT, Workspace

if TYPE_CHECKING:
    from armillary.core import Core

Scope: TypeAlias = MutableMapping[str, Any]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = logging.getLogger("armillary.front")
_WORKSPACE = re.compile(r"/accounts/([0-9a-fA-F-]{36})/workspaces/([0-9a-fA-F-]{36})(/.*|$)")
_PAGES = "pages"
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class Front:
    """Serves the API's hot part itself and hands everything else on."""

    def __init__(self, core: Core, lane: Lane, inner: App) -> None:
        self._core = core
        self._lane = lane
        self._inner = inner
        self._base_path = core.settings.server.base_path.rstrip("/")
        self._hosts = Hosts(core.settings.server)
        self._bodies = Bodies()

    @property
    def at_once(self) -> bool:
        """Whether an answer from one row is made without waiting."""
        return self._core.database.at_once

    def find(self, method: str, path: str) -> Found | None:
        """The hot operation at a path that needs no workspace looked up, and whose answer is whole.

        What has a prefix goes the long way, and so does what is sent in parts.
        """
        if self._base_path or not path.startswith(API):
            return None
        found = self._lane.http(method, path[len(API) :])
        return None if found is None or found[0].streams else found

    async def answer(self, found: Found, headers: Headers, query: bytes, body: bytes) -> Answer:
        """Answer a hot request that has come as a whole."""
        route, parameters = found
        began = self._core.clock.monotonic()
        try:
            named = by_name(headers)
            self._refuse_strangers(named, reads=route.method in _READS)
            answer = await carry_out(route, self._call(query, named, DEFAULT, parameters), body)
        except ArmillaryError as error:
            answer = answer_for(error)
        except Exception:  # noqa: BLE001 - the last resort: logged, and answered by 500
            _log.exception("%s %s failed", route.method, route.path)
            answer = SERVER_FAULT
        self._measure(route.group, answer.status, began)
        return answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        kind = scope["type"]
        if kind == "http":
            await self._http(scope, receive, send)
        elif kind == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._inner(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = self._core.clock.monotonic()
        headers = by_name(scope["headers"])
        method = scope["method"]
        group = UNROUTED
        body: Body | None = None
        try:
            path, workspace = await self._locate(scope["path"])
            self._refuse_strangers(headers, reads=method in _READS)
            found = self._lane.http(method, path[len(API) :]) if path.startswith(API) else None
            query = scope.get("query_string") or b""
            call = self._call(query, headers, workspace, found[1] if found else {})
            body = Body(receive, headers, self._bodies)
            if found is None:
                asked = _group(method, path)
                handed = {**scope, "path": path, "raw_path": path.encode(), "armillary.call": call}
                measured = self._measured(send, asked, began)
                if method == "HEAD" and asked == _PAGES:
                    handed["method"], measured = "GET", _headers_alone(measured)
                await self._inner(handed, body.receive, measured)
                return
            group = found[0].group
            answer = await perform(found[0], call, body.receive)
        except ArmillaryError as error:
            answer = answer_for(error)
        except Exception:  # noqa: BLE001 - the last resort: logged, and answered by 500
            _log.exception("%s %s failed", method, scope["path"])
            answer = SERVER_FAULT
        finally:
            if body is not None:
                body.end()
        self._measure(group, answer.status, began)
        await send_answer(send, answer)

    def _refuse_strangers(self, headers: Mapping[str, str], *, reads: bool) -> None:
        """Let no page of another site do anything here, nor read it, whatever its name leads to.

        Browsers themselves keep such pages from reading answers, but not from opening websockets.
        """
        self._hosts.refuse_strange(headers.get("host"))
        if not reads:
            refuse_other_origins(headers)

    def _measure(self, group: str, status: int, began: float) -> None:
        """Count one answer and the time until it began."""
        seconds = self._core.clock.monotonic() - began
        self._core.metrics.took(
            "armillary_request_seconds", seconds, group=group, status=str(status)
        )

    def _measured(self, send: Send, group: str, began: float) -> Send:
        async def measure(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self._measure(group, message["status"], began)
            await send(message)

        return measure

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            path, workspace = await self._locate(scope["path"])
            found = self._lane.socket(path[len(API) :]) if path.startswith(API) else None
            if found is None:
                await send({"type": "websocket.close", "code": 1000, "reason": "Not Found"})
                return
            route, parameters = found
            headers = by_name(scope["headers"])
            self._refuse_strangers(headers, reads=False)
            query = scope.get("query_string") or b""
            call = self._call(query, headers, workspace, parameters)
            call.actor.require(route.scope)
        except ArmillaryError as error:
            await send({"type": "websocket.close", "code": 1008, "reason": str(error)})
            return
        socket = Socket(scope, receive, send)
        try:
            await route.handler(call, socket)
        except SocketClosed:
            return
        except ArmillaryError as error:
            await socket.close(1002, str(error))
        except Exception:  # noqa: BLE001 - the last resort: logged, and closed by 1011
            _log.exception("websocket %s failed", scope["path"])
            await socket.close(1011, "Internal Server Error")

    async def _locate(self, path: str) -> tuple[str, Workspace]:
        """Take the base path and the workspace prefix off; NotFound for an unknown workspace.

        So is a path with NUL in it: no database takes that even to look for it.
        """
        if "\0" in path:
            raise NotFound("Not Found")
        if self._base_path and f"{path}/".startswith(f"{self._base_path}/"):
            path = path[len(self._base_path) :] or "/"
        if not path.startswith("/api/accounts/"):
            return path, DEFAULT
        found = _WORKSPACE.fullmatch(path[len(API) :])
        if found is None:
            return path, DEFAULT
        workspace = await self._core.workspaces.find(found[1].lower(), found[2].lower())
        if workspace is None:
            message = "Not Found"
            raise NotFound(message)
        return API + (found[3] or "/"), workspace

    def _call(
        self,
        query: bytes,
        headers: Mapping[str, str],
        workspace: Workspace,
        parameters: Mapping[str, str],
    ) -> Call:
        return Call(
            self._core,
            workspace=workspace.key,
            workspace_id=workspace.id,
            account_id=workspace.account_id,
            actor=self._actor(),
            client=client_of(headers.get("user-agent", ""), headers.get("x-prefect-api-version")),
            received=self._core.clock.micros(),
            path=parameters,
            query=query_of(query),
            headers=headers,
        )

    def _actor(self) -> Actor:
        return LOCAL_OWNER


UNROUTED = "server"
"""The request group of what fails before its route is known."""


def _group(method: str, path: str) -> str:
    """Name the request group of what Litestar answers."""
    return group_of(method, path) if f"{path}/".startswith(f"{API}/") else _PAGES


def _headers_alone(send: Send) -> Send:
    """Answer a HEAD as the GET would be; what sends on hears that nobody is there any more."""

    async def start(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b""})

    return start


async def perform(route: Route, call: Call, receive: Receive) -> Answer:
    """Check the scope, decode the body, and let the route's handler answer."""
    call.actor.require(route.scope)
    return await carry_out(route, call, b"" if route.body is None else await read_body(receive))


async def carry_out(route: Route, call: Call, body: bytes) -> Answer:
    """Do the same with a body that is here already."""
    call.actor.require(route.scope)
    if route.body is None:
        return await route.handler(call)
    decoded = decode(
        route.body, body, nul=route.nul, unknown=lambda member: _ignored(route, call, member)
    )
    try:
        return await route.handler(call, decoded)
    except RecursionError as error:  # documents that pass through are walked later than decoded
        raise Invalid("The body is nested too deeply.", kind="recursion_loop") from error


def _ignored(route: Route, call: Call, member: str) -> None:
    """Count a request with a member nobody here knows; clients may be newer than we are."""
    call.core.metrics.count_some(
        "armillary_unknown_members_total", operation=f"{route.method} {route.path}", member=member
    )


SERVER_FAULT = Answer(b'{"exception_message":"Internal Server Error"}', 500)


def answer_for(error: ArmillaryError) -> Answer:
    """Turn a deliberate error into its answer."""
    answer = Answer.json(error.body, error.status)
    answer.headers = error.headers
    return answer


async def send_answer(send: Send, answer: Answer) -> None:
    """Send a whole answer, or one in parts, whose length nobody knows beforehand."""
    headers = [] if answer.stream else [(b"content-length", b"%d" % len(answer.body))]
    if answer.body or answer.stream:
        headers.append((b"content-type", answer.media_type.encode()))
    if answer.headers:
        headers.extend(
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in answer.headers.items()
        )
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if answer.stream:
        async for part in answer.stream:
            await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": answer.body})
