"""The link to the server in the same process: the same requests, without a connection."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from armillary.access import LOCAL_OWNER
from armillary.api import Call, Route
from armillary.errors import ArmillaryError, Unavailable
from armillary.exact_json import read_any
from armillary.front import perform
from armillary.lane import Lane
from armillary.orchestration.transition import Client
from armillary.workspaces import DEFAULT
from armillary_plugins.agent.services.link import API_VERSION, Away, Turned, explain

if TYPE_CHECKING:
    from armillary import Core

Json = Any
_CLIENT = Client(api=tuple(map(int, API_VERSION.split("."))))
_log = logging.getLogger("armillary_plugins.agent")
_encode = msgspec.json.Encoder().encode


class InsideLink:
    """Asks the core by the routes themselves."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @property
    def api_url(self) -> str:
        """Return the address this process listens at."""
        return f"{self._core.address}/api"

    async def ask(self, method: str, path: str, body: Json = None) -> Json:
        """Let the route answer."""
        found = self._lane.http(method, path)
        if found is None:
            message = f"there is no route {method} {path}"
            raise Turned(404, message)
        route, parameters = found
        core = self._core
        call = Call(
            core,
            workspace=DEFAULT.key,
            workspace_id=DEFAULT.id,
            account_id=DEFAULT.account_id,
            actor=LOCAL_OWNER,
            client=_CLIENT,
            received=core.clock.micros(),
            path=parameters,
            query={},
            headers={},
        )
        content = _encode({} if body is None else body)

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        try:
            answer = await perform(route, call, receive)
        except Unavailable as error:
            raise Away(str(error)) from error
        except ArmillaryError as error:
            document = msgspec.to_builtins(error.body)
            raise Turned(error.status, explain(error.status, document), document) from error
        except Exception as error:
            _log.exception("%s %s failed", method, path)
            message = f"the server failed at {method} {path}; its log says more"
            raise Away(message) from error
        return read_any(answer.body) if answer.body else None

    async def close(self) -> None:
        """Nothing is open."""

    @cached_property
    def _lane(self) -> Lane:
        """The routes an agent asks, found as the hot ones are."""
        from armillary.deployments.routes import ROUTES as DEPLOYMENTS  # noqa: PLC0415 - heavy
        from armillary.flow_runs.routes import routes as flow_runs  # noqa: PLC0415
        from armillary.flows.routes import routes as flows  # noqa: PLC0415
        from armillary.work_pools.routes import ROUTES as WORK_POOLS  # noqa: PLC0415
        from armillary_plugins.logs.routes import routes as logs  # noqa: PLC0415
        from armillary_plugins.mark_crashed_runs.routes import routes as agents  # noqa: PLC0415

        asked = (flow_runs, flows, *DEPLOYMENTS, *WORK_POOLS, logs, agents)
        return Lane([_looked_up(route) for routes in asked for route in routes.http], ())


def _looked_up(route: Route) -> Route:
    return msgspec.structs.replace(route, hot=True)
