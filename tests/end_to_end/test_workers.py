"""Work pools, deployments and a process worker, as the command line drives them."""

import json

import pytest

from tests.end_to_end.programs import Prefect, eventually
from tests.end_to_end.working import deploy, run_deployment, work_pool, working

FLOWS = """
    import time
    from prefect import flow
    from prefect.deployments import run_deployment

    @flow(log_prints=True)
    def greet(name="world"):
        print("hello", name)
        return name

    @flow
    def sleepy(seconds=600.0):
        time.sleep(seconds)

    @flow
    def calls(deployment="greet/adhoc"):
        run = run_deployment(deployment, parameters={"name": "child"}, timeout=60)
        assert run.state.is_completed(), run.state
"""


@pytest.fixture
def pool(prefect: Prefect, request: pytest.FixtureRequest) -> str:
    """A new work pool with a folder of flows beside it."""
    name = f"pool-{request.node.name[5:40].strip('_').replace('_', '-')}"
    prefect.write("my_flows.py", FLOWS)
    return work_pool(prefect, name)


def test_a_worker_runs_what_is_asked_for_and_what_is_scheduled(prefect: Prefect, pool: str) -> None:
    prefect.write(
        "prefect.yaml",
        f"""
        name: tour
        deployments:
          - name: adhoc
            entrypoint: my_flows.py:greet
            parameters: {{name: yaml}}
            tags: [tour]
            work_pool: {{name: {pool}}}
            schedules:
              - {{interval: 3600, anchor_date: "2020-01-01T00:00:00+00:00", timezone: UTC}}
        """,
    )
    prefect.cli("deploy", "--all")
    deployment = prefect.get("/deployments/name/greet/adhoc")
    assert deployment["work_pool_name"] == pool
    of_it = {"deployments": {"id": {"any_": [deployment["id"]]}}}
    scheduled = eventually(lambda: prefect.post("/flow_runs/filter", of_it), "runs of the schedule")
    assert {run["state_name"] for run in scheduled} == {"Scheduled"}

    with working(prefect, pool):
        adhoc = run_deployment(prefect, "greet/adhoc", "--param", "name=ada")
        soon = run_deployment(prefect, "greet/adhoc", "--start-in", "3 seconds")
        assert prefect.ended(adhoc)["state_type"] == "COMPLETED"
        assert prefect.ended(soon)["state_type"] == "COMPLETED"
        prefect.logs(adhoc, "hello ada")
        (worker,) = prefect.post(f"/work_pools/{pool}/workers/filter")
        assert (worker["name"], worker["status"]) == (f"of {pool}", "ONLINE")
        assert prefect.get(f"/work_pools/{pool}")["status"] == "READY"
        assert prefect.get("/deployments/name/greet/adhoc")["status"] == "READY"
    run = prefect.get(f"/flow_runs/{adhoc}")
    assert run["parameters"] == {"name": "ada"}
    assert run["infrastructure_pid"]
    assert (run["work_pool_name"], run["work_queue_name"]) == (pool, "default")
    assert prefect.states(run) == ["Scheduled", "Pending", "Submitting", "Running", "Completed"]
    assert prefect.get(f"/flow_runs/{soon}")["parameters"] == {"name": "yaml"}


def test_a_run_of_a_worker_is_cancelled(prefect: Prefect, pool: str) -> None:
    deploy(prefect, "sleepy", "sleepy", pool)
    with working(prefect, pool):
        run = run_deployment(prefect, "sleepy/sleepy")
        prefect.reached(run, "RUNNING")
        prefect.cli("flow-run", "cancel", run)
        assert prefect.ended(run)["state_name"] == "Cancelled"


def test_a_flow_deployed_from_code_runs_and_calls_another_deployment(
    prefect: Prefect, pool: str
) -> None:
    deploy(prefect, "greet", "child", pool)
    prefect.run(f"""
        from pathlib import Path
        from prefect import flow

        flow.from_source(source=str(Path.cwd()), entrypoint="my_flows.py:calls").deploy(
            name="from-code", work_pool_name="{pool}", parameters=dict(deployment="greet/child")
        )
    """)
    with working(prefect, pool):
        run = run_deployment(prefect, "calls/from-code")
        ended = prefect.ended(run)
        assert ended["state_type"] == "COMPLETED", ended["state"]["message"]
    (tracking,) = prefect.task_runs(ended)
    child = prefect.get(f"/flow_runs/{tracking['state']['state_details']['child_flow_run_id']}")
    assert child["parent_task_run_id"] == tracking["id"]
    assert child["parameters"] == {"name": "child"}


def test_a_deployment_runs_no_more_at_once_than_its_limit(prefect: Prefect, pool: str) -> None:
    deploy(prefect, "sleepy", "limited", pool, "--concurrency-limit", "1", "--param", "seconds=3")
    limit = prefect.get("/deployments/name/sleepy/limited")["global_concurrency_limit"]
    assert limit["limit"] == 1
    with working(prefect, pool):
        first = run_deployment(prefect, "sleepy/limited")
        prefect.reached(first, "PENDING", "RUNNING")
        second = run_deployment(prefect, "sleepy/limited")
        prefect.reached(second, "AwaitingConcurrencySlot")
        assert prefect.ended(first)["state_type"] == "COMPLETED"
        assert prefect.ended(second)["state_type"] == "COMPLETED"
    first_end = prefect.get(f"/flow_runs/{first}")["end_time"]
    assert prefect.get(f"/flow_runs/{second}")["start_time"] > first_end
    limit = prefect.get("/deployments/name/sleepy/limited")["global_concurrency_limit"]
    assert limit["active_slots"] == 0


def test_a_deployment_is_listed_shown_changed_and_deleted(prefect: Prefect, pool: str) -> None:
    deploy(prefect, "greet", "kept", pool, "--cron", "0 4 * * *", "--timezone", "Europe/Berlin")
    first = prefect.get("/deployments/name/greet/kept")
    deploy(prefect, "greet", "kept", pool, "--cron", "0 5 * * *", "--tag", "again")
    again = prefect.get("/deployments/name/greet/kept")
    assert (again["id"], again["tags"]) == (first["id"], ["again"])
    (schedule,) = again["schedules"]
    assert schedule["schedule"]["cron"] == "0 5 * * *"

    assert "greet/kept" in prefect.cli("deployment", "ls")
    shown = json.loads(prefect.cli("deployment", "inspect", "greet/kept", "--output", "json"))
    assert shown["id"] == first["id"]
    listed = prefect.cli("deployment", "schedule", "ls", "greet/kept")
    assert schedule["id"] in listed
    prefect.cli("deployment", "schedule", "pause", "greet/kept", schedule["id"])
    assert prefect.get("/deployments/name/greet/kept")["schedules"][0]["active"] is False
    prefect.cli("deployment", "schedule", "resume", "greet/kept", schedule["id"])
    assert prefect.get("/deployments/name/greet/kept")["schedules"][0]["active"] is True
    prefect.cli("deployment", "schedule", "create", "greet/kept", "--interval", "600")
    assert len(prefect.get("/deployments/name/greet/kept")["schedules"]) == 2
    made = prefect.cli("sdk", "generate", "--output", "typed.py", "--deployment", "greet/kept")
    assert "SDK generated successfully!" in made
    assert "'greet/kept'" in (prefect.folder / "typed.py").read_text()
    prefect.cli("deployment", "schedule", "clear", "greet/kept", "--accept-yes")
    assert prefect.get("/deployments/name/greet/kept")["schedules"] == []
    prefect.cli("deployment", "delete", "greet/kept")
    prefect.cli("deployment", "inspect", "greet/kept", code=1)


def test_runs_are_listed_shown_cancelled_retried_and_deleted(prefect: Prefect, pool: str) -> None:
    deploy(prefect, "greet", "unworked", pool)
    run = run_deployment(prefect, "greet/unworked")
    assert run in prefect.cli("flow-run", "ls", "--flow-name", "greet")
    assert run in prefect.cli("work-pool", "preview", pool)
    assert run in prefect.cli("work-queue", "preview", "default", "--pool", pool)
    assert "Read 1 runs" in prefect.cli("work-queue", "read-runs", "default", "--pool", pool)
    assert "StateType.SCHEDULED" in prefect.cli("flow-run", "inspect", run)
    prefect.cli("flow-run", "cancel", run)
    assert prefect.get(f"/flow_runs/{run}")["state_type"] == "CANCELLED"
    assert "already" in prefect.cli("flow-run", "cancel", run, code=1)
    prefect.cli("flow-run", "retry", run)
    assert prefect.get(f"/flow_runs/{run}")["state_type"] == "SCHEDULED"
    prefect.cli("flow-run", "delete", run)
    assert "not found" in prefect.cli("flow-run", "inspect", run, code=1)


def test_pools_and_queues_are_listed_paused_limited_and_deleted(prefect: Prefect) -> None:
    prefect.cli("work-pool", "create", "tended", "--type", "process")
    assert "tended" in prefect.cli("work-pool", "ls")
    prefect.cli("work-pool", "pause", "tended")
    assert prefect.get("/work_pools/tended")["status"] == "PAUSED"
    assert "is_paused" in prefect.cli("work-pool", "inspect", "tended")
    prefect.cli("work-pool", "resume", "tended")
    prefect.cli("work-pool", "set-concurrency-limit", "tended", "3")
    prefect.cli("work-pool", "update", "tended", "--description", "for the tour")
    seen = prefect.get("/work_pools/tended")
    assert (seen["is_paused"], seen["concurrency_limit"]) == (False, 3)
    assert seen["description"] == "for the tour"
    slots = json.loads(prefect.cli("work-pool", "slots", "tended", "--output", "json"))
    assert (slots["active_slots"], slots["concurrency_limit"]) == (0, 3)
    assert "No storage" in prefect.cli("work-pool", "storage", "inspect", "tended")
    prefect.cli("work-pool", "clear-concurrency-limit", "tended")
    prefect.cli("work-pool", "preview", "tended")

    prefect.cli("work-queue", "create", "urgent", "--pool", "tended", "--priority", "1")
    assert "urgent" in prefect.cli("work-queue", "ls", "--pool", "tended")
    prefect.cli("work-queue", "pause", "urgent", "--pool", "tended")
    prefect.cli("work-queue", "resume", "urgent", "--pool", "tended")
    prefect.cli("work-queue", "set-concurrency-limit", "urgent", "2", "--pool", "tended")
    assert "urgent" in prefect.cli("work-queue", "inspect", "urgent", "--pool", "tended")
    prefect.cli("work-queue", "delete", "urgent", "--pool", "tended")
    prefect.cli("work-pool", "delete", "tended")
    assert "not found" in prefect.cli("work-pool", "inspect", "tended", code=1)
