"""The API as tests speak it: JSON in, JSON out, and the status that is expected."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

from armillary.core import Core
from armillary.workspaces import DEFAULT_ACCOUNT
from tests.documented import undocumented

OTHER_WORKSPACE = "00000000-0000-4000-8000-000000000002"
OTHER_KEY = 2
OTHER_PREFIX = f"/api/accounts/{DEFAULT_ACCOUNT}/workspaces/{OTHER_WORKSPACE}"
NOBODY = "00000000-0000-4000-8000-0000000000ff"


class Api:
    """One workspace over HTTP, with short ways to make what most tests need."""

    def __init__(self, client: httpx.AsyncClient, prefix: str = "/api") -> None:
        self.client = client
        self.prefix = prefix

    async def call(
        self, method: str, path: str, body: Any = None, *, status: int = 200, **more: Any
    ) -> Any:
        answer = await self.client.request(
            method, self.prefix + path, json=body, follow_redirects=False, **more
        )
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        assert not undocumented(method, f"/api{path}", status), f"{method} {path}: {status}"
        return answer.json() if answer.content else None

    async def get(self, path: str, *, status: int = 200) -> Any:
        return await self.call("GET", path, status=status)

    async def post(self, path: str, body: Any = None, *, status: int = 200, **more: Any) -> Any:
        return await self.call("POST", path, {} if body is None else body, status=status, **more)

    async def patch(self, path: str, body: Any, *, status: int = 204) -> Any:
        return await self.call("PATCH", path, body, status=status)

    async def delete(self, path: str, *, status: int = 204) -> Any:
        return await self.call("DELETE", path, status=status)

    async def flow(self, name: str = "etl", **more: Any) -> str:
        """The id of a new flow."""
        return (await self.post("/flows/", {"name": name, **more}, status=201))["id"]

    async def deployment(
        self, flow_id: str | None = None, name: str = "nightly", **more: Any
    ) -> dict[str, Any]:
        """A new deployment, of a new flow if none is given."""
        body = {"name": name, "flow_id": flow_id or await self.flow(), **more}
        return await self.post("/deployments/", body, status=201)

    async def pool(self, name: str = "pool", **more: Any) -> dict[str, Any]:
        """A new pool of processes."""
        return await self.post(
            "/work_pools/", {"name": name, "type": "process", **more}, status=201
        )

    async def queue(self, name: str, pool: str = "pool", **more: Any) -> dict[str, Any]:
        """A new queue."""
        return await self.post(f"/work_pools/{pool}/queues", {"name": name, **more}, status=201)

    async def run(self, deployment_id: str, **more: Any) -> dict[str, Any]:
        """A new run of a deployment."""
        return await self.post(f"/deployments/{deployment_id}/create_flow_run", more, status=201)

    async def set_state(self, run_id: str, kind: str, *, force: bool = True, **more: Any) -> Any:
        """What the gate answers to a proposed state."""
        body = {"state": {"type": kind, **more}, "force": force}
        answer = await self.client.post(f"{self.prefix}/flow_runs/{run_id}/set_state", json=body)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()

    async def runs(self, **more: Any) -> list[dict[str, Any]]:
        """Flow runs in the order of their scheduled times."""
        return await self.post(
            "/flow_runs/filter", {"sort": "NEXT_SCHEDULED_START_TIME_ASC", **more}
        )

    async def poll(self, pool: str = "pool", **more: Any) -> list[dict[str, Any]]:
        """What a worker of a pool is given."""
        return await self.post(f"/work_pools/{pool}/get_scheduled_flow_runs", more)


async def events(core: Core, topic: str = "events") -> list[dict[str, Any]]:
    """Every event that was announced so far, oldest first."""
    rows = await core.database.read(None).all(
        "select body from outbox where topic = ? order by id", topic
    )
    return [msgspec.json.decode(row[0]) for row in rows]


async def names_of_events(core: Core, *, since: int = 0) -> list[str]:
    """The names of the announced events, without their common beginning."""
    return [each["event"].removeprefix("prefect.") for each in (await events(core))[since:]]


async def add_other_workspace(core: Core) -> None:
    """A second workspace, as nobody can make one over HTTP yet."""

    async def insert(unit: Any) -> None:
        await unit.run(
            "insert into workspace (key, id, account_id, name, handle, created)"
            " values (?, ?, ?, 'Other', 'other', ?)",
            OTHER_KEY, OTHER_WORKSPACE, DEFAULT_ACCOUNT, unit.micros,
        )  # fmt: skip

    await core.database.write(insert, workspace=None)
