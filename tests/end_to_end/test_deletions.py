"""kill -9 while the rest of something deleted goes: it stays unseen, and goes after the restart."""

import time
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.killable import SECONDS, Killable
from tests.servers import PLAIN

LINES = 20_000
"""Many times what goes with the answer, and hundreds of milliseconds of work for the job."""


@pytest.mark.timeout(120)
def test_a_killed_deletion_goes_on_after_the_restart(
    tmp_path: Path, empty_database_url: str
) -> None:
    server = Killable(tmp_path, empty_database_url)
    with (
        server.running(),
        httpx.Client(base_url=server.url, timeout=SECONDS, verify=PLAIN) as client,
    ):
        flow = client.post("/flows/", json={"name": "long"}).json()["id"]
        run = client.post("/flow_runs/", json={"flow_id": flow, "tags": ["a"]}).json()["id"]
        moment = "2026-01-01T12:00:00Z"
        line = {"name": "n", "level": 20, "message": "m", "timestamp": moment, "flow_run_id": run}
        for _ in range(LINES // 1000):
            assert client.post("/logs/", json=[line] * 1000).status_code == 201
        assert client.delete(f"/flows/{flow}").status_code == 204
        _assert_unseen(client, flow, run)
        server.kill()
        server.start()
        _assert_unseen(client, flow, run)
        job = _ended(client)
        assert (job["state"], job["job"]) == ("done", "delete_below")
        _assert_unseen(client, flow, run)
        assert client.post("/flows/", json={"name": "long"}).status_code == 201
    assert server.faults() == []


def _assert_unseen(client: httpx.Client, flow: str, run: str) -> None:
    assert client.get(f"/flows/{flow}").status_code == 404
    assert client.get(f"/flow_runs/{run}").status_code == 404
    lines = {"logs": {"flow_run_id": {"any_": [run]}}}
    assert client.post("/logs/filter", json=lines).json() == []


def _ended(client: httpx.Client) -> dict[str, str]:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        (job,) = client.post("/jobs/filter", json={"queues": ["server_background"]}).json()
        if job["state"] not in {"waiting", "active"}:
            return dict(job)
        time.sleep(0.02)
    raise AssertionError(job)
