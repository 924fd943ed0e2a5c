"""The contract report: every operation is called, and what it answers has the shape agreed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import httpx

from armillary.api import Route
from armillary.core import Core
from tests.api import OTHER_KEY, OTHER_PREFIX, Api, add_other_workspace
from tests.contracts.contract import check_answer, operations
from tests.contracts.every_route import http_routes, in_order, name_of, prefixed, request_of
from tests.contracts.world import a_world

REFUSED = {"GET /csrf-token": (422, {"detail": "CSRF protection is disabled."})}
"""What Prefect's server refuses as well unless it is set up otherwise, and in which words."""
EMPTY = {"POST /task_workers/filter"}
"""Lists with nothing in them here: a task worker is one while its websocket is open."""
LOOKS = (
    "filter", "count", "history", "paginate", "lateness", "get_runs", "get_scheduled_flow_runs",
)  # fmt: skip


class Report:
    """Notes whose answer was looked at and found in order, and what is wrong with the others'."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.agreed = {f"{method} {path}" for method, path in operations()}
        self.sound: set[str] = set()
        self.wrong: dict[str, str] = {}
        self._client = client

    @property
    def line(self) -> str:
        return f"{len(self.sound)} of {len(self.agreed)} operations answer as agreed"

    @property
    def left(self) -> list[str]:
        return sorted(self.agreed - self.sound)

    @property
    def faults(self) -> str:
        return "\n".join(f"{each}: {self.wrong.get(each, 'never asked for')}" for each in self.left)

    async def ask(self, core: Core, routes: Iterable[Route], prefix: str, *, key: int) -> None:
        world = await a_world(core, Api(self._client, prefix), key=key)
        for route in routes:
            made = request_of(route, world)
            body = {"json": made.body} if made.has_body else {}
            path = prefixed(route, made.path, prefix)
            answer = await self._client.request(made.method, path, **body)
            self._note(route, answer)

    def _note(self, route: Route, answer: httpx.Response) -> None:
        name = name_of(route)
        try:
            if name in REFUSED:
                assert (answer.status_code, answer.json()) == REFUSED[name]
            else:
                _check(route, answer)
        except AssertionError as error:
            self.wrong[name] = str(error)
        else:
            self.sound.add(name)


def _check(route: Route, answer: httpx.Response) -> None:
    status = answer.status_code
    assert answer.is_success, f"{status} {answer.text[:200]}"
    assert status in route.answers, f"{status} is not documented"
    if status == 204:
        assert answer.content == b"", "204 comes without a body"
        return
    if not answer.headers["content-type"].startswith("application/json"):
        return  # a file, of which the contract says no more
    assert answer.content, f"{status} comes without a body"
    found = answer.json()
    assert found != [] or name_of(route) in EMPTY, "nothing is in the list to look at"
    method, path = name_of(route).split()
    check_answer(method, path, status, found)


def changes(route: Route) -> bool:
    """Whether it does more than look, and is asked for when all that looks has been."""
    return route.method != "GET" and route.path.rpartition("/")[2] not in LOOKS


def of_others(route: Route) -> bool:
    """Whether it deletes neither runs nor what is theirs, and comes after what does."""
    return not route.path.startswith(("/flow_runs/", "/task_runs/", "/artifacts/"))


async def test_every_operation_answers_as_agreed(
    core: Core, client: httpx.AsyncClient, record_property: Callable[[str, object], None]
) -> None:
    """What is gone with what it was part of is deleted in a second workspace, where it is first."""
    report = Report(client)
    await add_other_workspace(core)
    agreed = [route for route in http_routes(core) if name_of(route) in report.agreed]
    routes = sorted(in_order(agreed), key=changes)
    await report.ask(core, routes, "/api", key=1)
    again = [route for route in reversed(routes) if route.method == "DELETE"]
    again = [route for route in again if name_of(route) not in report.sound]
    await report.ask(core, sorted(again, key=of_others), OTHER_PREFIX, key=OTHER_KEY)
    record_property("contract", f"{core.database.dialect.name.lower()}: {report.line}")
    assert report.left == [], report.faults
