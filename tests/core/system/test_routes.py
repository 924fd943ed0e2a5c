"""What the server says of itself: health, readiness, versions, settings, figures."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from armillary.core import Core
from armillary.db.unit import Unit
from armillary.errors import Unavailable
from armillary.jobs import Wanted
from armillary.jobs.store import enqueue
from armillary.services.check import Check


@pytest.fixture
def core_flags(request: pytest.FixtureRequest) -> Mapping[str, object]:
    return {"plugins.disable": ("ui",), **getattr(request, "param", {})}


async def answered(client: httpx.AsyncClient, path: str) -> tuple[int, Any]:
    answer = await client.get(f"/api{path}")
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/health", True),
        ("/ready", {"message": "OK"}),
        ("/version", "0.8.4"),
        ("/admin/version", "3.8.8"),
    ],
)
@pytest.mark.parametrize(
    "core_flags", [{}, {"targets": ("logs",)}, {"targets": ("flow_run_reads",)}], indirect=True
)
async def test_every_process_that_answers_requests_says_how_it_is(
    client: httpx.AsyncClient, path: str, expected: object
) -> None:
    assert await answered(client, path) == (200, expected)


@pytest.mark.parametrize("core_flags", [{"targets": ("logs",)}], indirect=True)
async def test_a_process_with_other_targets_serves_no_domain(client: httpx.AsyncClient) -> None:
    assert (await client.post("/api/flows/filter", json={})).status_code == 404
    assert (await client.post("/api/logs/filter", json={})).status_code == 200


async def test_dead_jobs_are_a_warning_of_a_server_that_is_ready(
    core: Core, client: httpx.AsyncClient
) -> None:
    async def die(unit: Unit) -> None:
        for key in ("a", "b"):
            wanted = Wanted(id=core.ids.uuid7(), queue="moon", job="dig", key=key, arguments={})
            await enqueue(unit, wanted)
        await unit.run("update job set state = 'dead'")

    await core.database.write(die, workspace=1)
    status, answer = await answered(client, "/ready")
    assert status == 200
    assert answer["message"] == "OK"
    [warning] = answer["warnings"]
    assert warning.startswith("Jobs that failed in every attempt: 2; the page /system")


async def test_a_check_that_does_not_pass_is_told(core: Core, client: httpx.AsyncClient) -> None:
    states: dict[str, str | None] = {"moon": None, "sun": None}

    def check(name: str) -> Check:
        async def passes() -> str | None:
            return states[name]

        return Check(name=name, passes=passes)

    core.checks[:] = [check("moon"), check("sun")]
    assert await answered(client, "/ready") == (200, {"message": "OK"})
    states["moon"] = "it is new"
    assert await answered(client, "/ready") == (503, {"message": "moon: it is new"})
    states["sun"] = "it is night"
    assert await answered(client, "/ready") == (
        503,
        {"message": "moon: it is new; sun: it is night"},
    )


class Away:
    """A database that cannot be reached."""

    def read(self, _workspace: int | None) -> "Away":
        return self

    async def one(self, _sql: str, *_args: object) -> None:
        message = "no route to host"
        raise Unavailable(message)


async def test_without_its_database_a_process_is_not_ready(
    core: Core, client: httpx.AsyncClient
) -> None:
    real, core.database = core.database, Away()  # type: ignore[assignment]
    try:
        assert await answered(client, "/ready") == (503, {"message": "Database is not available"})
        assert await answered(client, "/health") == (200, True)
    finally:
        core.database = real


async def test_settings_show_where_clients_look_and_no_secret(client: httpx.AsyncClient) -> None:
    status, shown = await answered(client, "/admin/settings")
    assert status == 200
    assert shown["server"]["analytics_enabled"] is False
    assert shown["armillary"]["server.port"] == 4200


async def test_no_token_is_needed(client: httpx.AsyncClient) -> None:
    status, body = await answered(client, "/csrf-token?client=x")
    assert (status, body["detail"]) == (422, "CSRF protection is disabled.")


async def test_requests_are_counted_by_group_and_status(client: httpx.AsyncClient) -> None:
    nobody = "00000000-0000-4000-8000-0000000000ff"
    await client.get(f"/api/flow_runs/{nobody}")
    await client.post("/api/flow_runs/filter", json={})
    await client.post("/api/task_runs/", content=b"{")
    await client.get("/api/nowhere")
    await client.post("/api/flows/", json={"name": "f"}, headers={"origin": "http://evil"})
    figures = (await client.get("/api/metrics")).text
    counted = {
        line.removeprefix("armillary_request_seconds_count")
        for line in figures.splitlines()
        if line.startswith("armillary_request_seconds_count")
    }
    assert counted == {
        '{group="flow_run_reads",status="404"} 1',
        '{group="flow_run_reads",status="200"} 1',
        '{group="task_run_writes",status="422"} 1',
        '{group="server",status="404"} 1',
        '{group="server",status="403"} 1',
    }


async def test_a_body_that_is_too_large_is_counted_once(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/flows/", content=b"x" * (16 * 1024 * 1024 + 1))
    assert (answer.status_code, "16 MiB" in answer.json()["detail"]) == (413, True)
    assert 'group="server",status="413"} 1' in (await client.get("/api/metrics")).text
