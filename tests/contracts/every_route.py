"""Every declared route, with a request to each that is in order, for one workspace's objects.

It is complete by test: whoever declares a route says here and in :mod:`tests.contracts.bodies`
how it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

import msgspec

from armillary.api import Route, Routes, SocketRoute
from armillary.app import core_routes
from armillary.core import Core
from armillary.forms import Form
from armillary.openapi import document_routes
from armillary.system.routes import routes as system
from tests.contracts.bodies import BODIES
from tests.contracts.world import World

Json = Any


class Request(msgspec.Struct, frozen=True):
    """One request in order; ``path`` lies below the workspace's prefix, or below nothing."""

    method: str
    path: str
    body: Json = None
    has_body: bool = False


class Placed(Protocol):
    """A route, or what the contract says of one."""

    @property
    def method(self) -> str: ...

    @property
    def path(self) -> str: ...


Some = TypeVar("Some", bound=Placed)


def declared(core: Core) -> list[Routes]:
    handed = core.collect("register_routes", core)
    found = [system, *core_routes(core), *(each for each in handed if isinstance(each, Routes))]
    return [*found, document_routes([])]


def http_routes(core: Core) -> list[Route]:
    return [route for routes in declared(core) for route in routes.http]


def sockets(core: Core) -> list[SocketRoute]:
    return [route for routes in declared(core) for route in routes.sockets]


def name_of(route: Placed) -> str:
    return f"{route.method} {route.path.replace(':uuid}', '}')}"


QUERIES: dict[str, Callable[[World], str]] = {
    "GET /flow_run_states/": lambda w: f"?flow_run_id={w.run}",
    "GET /task_run_states/": lambda w: f"?task_run_id={w.task}",
    "GET /ui/fragments/deployments": lambda _: "?flowOrDeploymentName=nothing",
    "GET /block_documents/{id}": lambda _: "?include_secrets=true",
    "GET /csrf-token": lambda _: "?client=me",
    "GET /events/filter/next": lambda w: f"?page-token={w.page_token}",
}
_PLACES = (
    ("/schedules/{schedule_id}", "schedule"), ("/leases/{lease_id}", "lease"),
    ("concurrency_limits/tag/{tag}", "=t"), ("/v2/concurrency_limits/{id_or_name}", "limit"),
    ("concurrency_limits/{id}", "tag_limit"), ("/concurrency-limit/{id}", "tag_limit"),
    ("/jobs/{id}", "job"), ("/automations/{id}", "automation"),
    ("/automation/{id}", "automation"),
    ("/artifacts/key/{key}", "=k"), ("/artifact/{id}", "artifact"),
    ("/artifacts/{id}", "artifact"), ("/artifacts/{key}", "=k"),
    ("/variables/{id}", "variable"), ("/variable/{id}", "variable"),
    ("/variables/name/{name}", "=region"),
    ("/saved_searches/{id}", "saved_search"),
    ("/flow_run_states/{id}", "state"), ("/task_run_states/{id}", "task_state"),
    ("/deployments/name/{flow_name}/{deployment_name}", "=etl/nightly"),
    ("/work_pools/{work_pool_name}", "=pool"), ("/queues/{name}", "=fast"),
    ("/workers/{name}", "=w"), ("/work_pools/{name}", "=pool"), ("/work-pool/{name}", "=pool"),
    ("/worker/{id}", "worker"),
    ("/work_queues/name/{name}", "=fast"), ("/flows/name/{name}", "=etl"), ("/input/{key}", "=k"),
    ("/flow_runs/{id}", "run"), ("/flow-run/{id}", "run"), ("/task_runs/{id}", "task"),
    ("/task-run/{id}", "task"), ("/deployments/{id}", "deployment"),
    ("/deployment/{id}", "deployment"), ("/command/{id}", "deployment"),
    ("/work_queues/{id}", "queue"),
    ("/work-queue/{id}", "queue"), ("/flows/{id}", "flow"), ("/flow/{id}", "flow"),
    ("/catalog/{slug}", "=creds"), ("/block/{id}", "block"),
    ("/block_types/{id}", "block_type"), ("/block_schemas/{id}", "block_schema"),
    ("/block_documents/{id}", "block"), ("/block_types/slug/{slug}", "=creds"),
    ("/name/{block_document_name}", "=mine"), ("/checksum/{checksum}", "checksum"),
    ("/{resource_id}", "deployment"), ("/views/{view}", "=aggregate-worker-metadata"),
    ("/count-by/{countable}", "=event"), ("/static/{path:path}", "=nothing.css"),
    ("/docs/{name}", "=flow-runs"), ("/event/{occurred}", "=2026-01-01"),
    ("/2026-01-01/{id}", "event"),
)  # fmt: skip
"""How paths are filled: the end of a fixed part with its parameter, and a member of the world,
or, after ``=``, a name as it is."""


def path_of(route: Placed, world: World) -> str:
    """The path to one of the world's objects, with the query the route needs."""
    path = route.path.replace(":uuid}", "}")
    for template, value in _PLACES:
        if template in path:
            head, _, names = template.partition("{")
            filled = value[1:] if value.startswith("=") else getattr(world, value)
            path = path.replace(f"{head}{{{names}", f"{head}{filled}")
    assert "{" not in path, f"{route.path}: say in _PLACES what {path} is filled with"
    query = QUERIES.get(name_of(route))
    return path + (query(world) if query else "")


def takes_json(route: Route) -> bool:
    """Whether a route takes a body as programs send it; an empty form is in order as well."""
    return route.body is not None and route.body is not Form


def request_of(route: Route, world: World) -> Request:
    name = name_of(route)
    has_body = takes_json(route)
    body = BODIES[name](world) if has_body else None
    return Request(route.method, path_of(route, world), body, has_body)


def in_order(routes: list[Some]) -> list[Some]:
    """What only reads first, then what changes, then what deletes, the innermost first."""

    def place(route: Some) -> tuple[bool, bool, int]:
        deletes = route.method == "DELETE" or route.path.endswith(("bulk_delete", "/delete"))
        return (deletes, route.method != "GET", -len(re.findall("/", route.path)))

    return sorted(routes, key=place)


def prefixed(route: Route, path: str, prefix: str) -> str:
    """Where a route lies for a workspace; pages have no workspace but the first."""
    return prefix + path if route.mount else path


def with_bodies(core: Core) -> Iterator[Route]:
    return (route for route in in_order(http_routes(core)) if takes_json(route))
