"""The Litestar app, built from what the core's domains and the hooks returned."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec
from litestar import Litestar, Request, Response
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.plugins.core import MsgspecDIPlugin
from litestar.response.base import ASGIResponse

from armillary.api import API, Answer, Call, Failure, Route, Routes, SocketRoute, uuid_text
from armillary.discovery import SERVER, told
from armillary.errors import ArmillaryError, PluginFailed
from armillary.front import SERVER_FAULT, App, Front, answer_for, perform
from armillary.lane import Lane
from armillary.openapi import document_routes

if TYPE_CHECKING:
    from armillary.core import Core

_log = logging.getLogger("armillary.app")


class _App(Litestar):
    """Litestar without its look for pydantic, which costs 270 ms and 7 MB where it is installed."""

    _get_default_plugins = staticmethod(lambda plugins: [*plugins, MsgspecDIPlugin()])


class Declared(msgspec.Struct, frozen=True):
    """What this process's share of the routes is."""

    http: Sequence[Route]
    sockets: Sequence[SocketRoute]
    foreign: Sequence[Any]
    """Handlers that are Litestar's own."""
    page: Failure | None


def build(core: Core) -> Front:
    """Build the ASGI app of this process; PluginFailed for routes that do not go together."""
    try:
        return in_front(core, routed(core))
    except ArmillaryError:
        raise
    except Exception as error:
        guilty = _guilty(core)
        if guilty is None:
            raise
        raise PluginFailed(guilty, f"its routes cannot be served ({told(error)})") from error


def _guilty(core: Core) -> str | None:
    """Find the plugin of somebody else's with which alone the app cannot be built."""
    found = core.plugins.found
    others = [name for name in core.plugins.enabled if found[name].distribution]
    for name in others:
        try:
            routed(core, without={*others} - {name})
        except Exception:  # noqa: BLE001 - which one it is was asked, not why
            return name
    return others[-1] if others else None


def routed(core: Core, *, without: Collection[str] = ()) -> App:
    """Build what answers all that is not hot: one such app serves any core of equal settings."""
    return assembled(declared_by(core, without))


def assembled(declared: Declared) -> App:
    """Have Litestar take what was declared, which takes it a tenth of a second."""
    http = [*declared.http, *document_routes(declared.http).http]
    failures = _Failures(declared.page)
    litestar = _App(
        route_handlers=[*_handlers(http), *declared.foreign],
        guards=[scope_guard],
        exception_handlers={
            ArmillaryError: failures.deliberate,
            HTTPException: failures.unrouted,
            Exception: failures.fault,
        },
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    return cast("App", litestar)


def in_front(core: Core, inner: App) -> Front:
    """Put before it what a core is needed for: who asks, of which workspace, and the hot lane."""
    declared = declared_by(core)
    hot = [route for route in declared.http if route.mount == API]
    lane = Lane(hot, declared.sockets)
    return Front(core, lane, inner)


def declared_by(core: Core, without: Collection[str] = ()) -> Declared:
    """Gather the routes of this process, without those of some plugins."""
    from armillary.system.routes import routes as system  # noqa: PLC0415

    own = list(core_routes(core))
    collected = core.plugins.collect("register_routes", core)
    handed = [entry for plugin, entry in collected if plugin not in without]
    declared = [entry for entry in handed if isinstance(entry, Routes)]
    with_sockets = [*own, *declared] if core.plugins.serves(SERVER) else declared
    return Declared(
        http=[
            *system.http,
            *(route for routes in own for route in routes.http if core.plugins.serves(route.group)),
            *(route for routes in declared for route in routes.http),
        ],
        sockets=[route for routes in with_sockets for route in routes.sockets],
        foreign=[entry for entry in handed if not isinstance(entry, Routes)],
        page=next((routes.failure for routes in declared if routes.failure), None),
    )


def core_routes(core: Core) -> Iterable[Routes]:
    """The routes of the core's domains, where this process serves any of them."""
    if not core.plugins.serves_core():
        return ()
    from armillary.deployments.routes import ROUTES as DEPLOYMENTS  # noqa: PLC0415
    from armillary.flow_runs.bulk import bulk_routes as flow_run_bulk  # noqa: PLC0415
    from armillary.flow_runs.lists import list_routes as flow_run_lists  # noqa: PLC0415
    from armillary.flow_runs.routes import routes as flow_runs  # noqa: PLC0415
    from armillary.flows.routes import routes as flows  # noqa: PLC0415
    from armillary.jobs.routes import routes as jobs  # noqa: PLC0415
    from armillary.summaries.routes import routes as summaries  # noqa: PLC0415
    from armillary.task_runs.background.routes import routes as task_workers  # noqa: PLC0415
    from armillary.task_runs.lists import list_routes as task_run_lists  # noqa: PLC0415
    from armillary.task_runs.routes import routes as task_runs  # noqa: PLC0415
    from armillary.work_pools.channel.routes import routes as worker_channel  # noqa: PLC0415
    from armillary.work_pools.routes import ROUTES as WORK_POOLS  # noqa: PLC0415

    return (
        flows,
        flow_runs,
        flow_run_lists,
        flow_run_bulk,
        task_runs,
        task_run_lists,
        task_workers,
        summaries,
        *DEPLOYMENTS,
        *WORK_POOLS,
        worker_channel,
        jobs,
    )


def _handlers(http: Iterable[Route]) -> list[BaseRouteHandler]:
    return [_handler(route) for route in http]


def _handler(route: Route) -> HTTPRouteHandler:
    """Give a declared route to Litestar."""
    uuids = [
        part[1:-1].partition(":")[0]
        for part in route.path.split("/")
        if part.startswith("{") and part.endswith(":uuid}")
    ]

    async def handle(request: Request[Any, Any, Any]) -> ASGIResponse:
        call: Call = request.scope["armillary.call"]  # type: ignore[typeddict-item]
        parameters = {name: str(value) for name, value in request.path_params.items()}
        for name in uuids:
            parameters[name] = uuid_text(parameters[name])
        call.path = parameters
        answer = await perform(route, call, request.receive)  # type: ignore[arg-type]
        return ASGIResponse(
            body=answer.body,
            status_code=answer.status,
            media_type=_without_charset(answer.media_type),
            headers=dict(answer.headers or {}),
        )

    path = re.sub(r"\{(\w+)(?::uuid)?\}", r"{\1:str}", route.path)
    return HTTPRouteHandler(
        route.mount + path,
        http_method=route.method,  # type: ignore[arg-type]
        status_code=200,  # what a DELETE has by default allows no annotated answer
        opt={"scope": route.scope, "route": route},
    )(handle)


async def scope_guard(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """Compare the scope a route declares with the actor's.

    Not a plain function, which Litestar would call in a thread, for each request.
    """
    call: Call | None = connection.scope.get("armillary.call")  # type: ignore[assignment]
    if call is not None:
        call.actor.require(handler.opt.get("scope"))


class _Failures:
    """Answers what went wrong: in the API's shapes, or, outside of it, with a page."""

    def __init__(self, page: Failure | None) -> None:
        self._page = page

    def deliberate(self, request: Request[Any, Any, Any], error: ArmillaryError) -> Response[bytes]:
        """Answer what a handler refused."""
        return self._answer(request, answer_for(error), str(error))

    def unrouted(self, request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
        """Answer what no handler takes."""
        path, status = request.scope["path"], error.status_code
        words = {404: "Not Found", 405: "Method Not Allowed"}.get(status, error.detail)
        answer = Answer.json({"detail": words}, status)
        reason = f"This server has nothing at {path}." if status == 404 else words
        response = self._answer(request, answer, reason)
        if status == 405:
            response.headers.update(error.headers or {})
        return response

    def fault(self, request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        """Answer what nobody foresaw; the log says more."""
        _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return self._answer(
            request, SERVER_FAULT, "Something went wrong; the server's log says more."
        )

    def _answer(
        self, request: Request[Any, Any, Any], answer: Answer, reason: str
    ) -> Response[bytes]:
        call: Call | None = request.scope.get("armillary.call")  # type: ignore[assignment]
        inside = f"{request.scope['path']}/".startswith(f"{API}/")
        if self._page is not None and call is not None and not inside:
            answer = self._page(call, answer.status, reason)
        return Response(
            answer.body,
            status_code=answer.status,
            media_type=_without_charset(answer.media_type),
            headers=dict(answer.headers or {}),
        )


def _without_charset(media_type: str) -> str:
    """Litestar adds that to whatever is text."""
    return media_type.removesuffix("; charset=utf-8")
