"""The contract report: every operation is called over HTTP, and its answer looked at.

Nothing of the server is known here but its address, so it may be any: one that was started for
this, or one that is there already.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

import httpx
import msgspec

from tests.api import Api
from tests.contracts.bodies import BODIES
from tests.contracts.contract import check_answer, operations
from tests.contracts.every_route import in_order, path_of
from tests.contracts.world import World, a_world_over, happened_to, mark_of

API = "/api"
REFUSED = {"GET /csrf-token": (422, {"detail": "CSRF protection is disabled."})}
"""What Prefect's server refuses as well unless it is set up otherwise, and in which words."""
EMPTY = {"POST /task_workers/filter"}
"""Lists with nothing in them here: a task worker is one while its websocket is open."""
LOOKS = (
    "filter", "count", "history", "paginate", "lateness", "get_runs", "get_scheduled_flow_runs",
)  # fmt: skip
INNERMOST = ("/artifacts/", "/task_runs/", "/flow_runs/", "/deployments/")
"""What goes with what comes after it."""
_PATIENCE = 60.0
_BLINK = 0.05


class Agreed(msgspec.Struct, frozen=True):
    """One operation of the contract."""

    method: str
    path: str

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def changes(self) -> bool:
        """Whether it does more than look, and is asked for when all that looks has been."""
        return self.method != "GET" and self.path.rpartition("/")[2] not in LOOKS

    @property
    def outside(self) -> int:
        """How many kinds of things go with what it deletes, and come before it."""
        found = [place for place, path in enumerate(INNERMOST) if self.path.startswith(path)]
        return found[0] if found else len(INNERMOST)


class Report:
    """Notes whose answer was looked at and found in order, and what is wrong with the others'."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.agreed = [Agreed(method, path) for method, path in operations()]
        self.sound: set[str] = set()
        self.wrong: dict[str, str] = {}
        self._client = client
        self._documented: dict[str, Any] = {}

    @property
    def line(self) -> str:
        return f"{len(self.sound)} of {len(self.agreed)} operations answer as agreed"

    @property
    def left(self) -> list[str]:
        return sorted(each.name for each in self.agreed if each.name not in self.sound)

    @property
    def faults(self) -> str:
        return "\n".join(f"{each}: {self.wrong.get(each, 'never asked for')}" for each in self.left)

    async def make(self) -> None:
        """Ask for everything; what went with what it was part of is made and deleted once more."""
        served = await self._client.get(f"{API}/openapi.json")
        self._documented = served.raise_for_status().json()["paths"]
        api = Api(self._client)
        world = await a_world_over(api, mark_of(1))
        routes = sorted(in_order(self.agreed), key=lambda each: each.changes)
        await self._ask(routes, msgspec.structs.replace(world, event=await _an_event(api, world)))
        again = [each for each in routes if each.method == "DELETE" and each.name not in self.sound]
        if again:
            left = await api.get("/work_queues/name/fast")  # all else of that world is gone
            await api.delete(f"/work_queues/{left['id']}")
            world = await a_world_over(api, mark_of(2))
            await self._ask(sorted(again, key=lambda each: each.outside), world)

    async def _ask(self, routes: Iterable[Agreed], world: World) -> None:
        for route in routes:
            body = {"json": BODIES[route.name](world)} if route.name in BODIES else {}
            answer = await self._client.request(route.method, API + path_of(route, world), **body)
            self._note(route, answer)

    def _note(self, route: Agreed, answer: httpx.Response) -> None:
        try:
            if route.name in REFUSED:
                assert (answer.status_code, answer.json()) == REFUSED[route.name]
            else:
                self._check(route, answer)
        except AssertionError as error:
            self.wrong[route.name] = str(error)
        else:
            self.sound.add(route.name)

    def _check(self, route: Agreed, answer: httpx.Response) -> None:
        status = answer.status_code
        assert answer.is_success, f"{status} {answer.text[:200]}"
        documented = self._documented[API + route.path][route.method.lower()]["responses"]
        assert str(status) in documented, f"{status} is not documented"
        if status == 204:
            assert answer.content == b"", "204 comes without a body"
            return
        if not answer.headers["content-type"].startswith("application/json"):
            return  # a file, of which the contract says no more
        assert answer.content, f"{status} comes without a body"
        found = answer.json()
        assert found != [] or route.name in EMPTY, "nothing is in the list to look at"
        check_answer(route.method, route.path, status, found)


async def _an_event(api: Api, world: World) -> str:
    """Send an event, and wait until it is found."""
    sent = {
        "occurred": "2026-01-01T12:00:00Z", "event": "e", "id": world.lease,
        "resource": happened_to(world.run),
    }  # fmt: skip
    await api.post("/events", [sent], status=204)
    body = {
        "filter": {
            "occurred": {"since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z"},
            "id": {"id": [world.lease]},
        }
    }
    until = time.monotonic() + _PATIENCE
    while not (await api.post("/events/filter", body))["total"]:
        assert time.monotonic() < until, "An event that was sent is not found."
        await asyncio.sleep(_BLINK)
    return world.lease
