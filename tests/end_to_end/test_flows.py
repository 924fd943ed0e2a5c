"""`python my_flow.py`: flows that run where they are called, tracked by the server."""

import json
import os
import signal

from tests.end_to_end.programs import Prefect, printed


def by_name(runs: list[dict]) -> dict[str, dict]:
    return {run["name"]: run for run in runs}


def test_a_flow_with_a_subflow_and_mapped_tasks_is_tracked_whole(prefect: Prefect) -> None:
    prefect.run("""
        from prefect import flow, task
        from prefect.logging import get_run_logger

        @task
        def double(number):
            get_run_logger().info("doubling %s", number)
            return 2 * number

        @flow
        def tracked_child(numbers):
            return sum(double.map(numbers).result())

        @flow(log_prints=True)
        def tracked_parent():
            first = double(1)
            total = tracked_child([first, 2, 3])
            print("the total is", total)
            return total

        if __name__ == "__main__":
            assert tracked_parent() == 14
    """)
    parent, child = prefect.flow_run("tracked-parent"), prefect.flow_run("tracked-child")
    assert (parent["state_type"], parent["run_count"]) == ("COMPLETED", 1)
    assert prefect.states(parent) == ["Pending", "Running", "Completed"]
    assert child["parameters"] == {"numbers": [2, 2, 3]}

    tasks = by_name(prefect.task_runs(parent))
    (tracking,) = [run for run in tasks.values() if run["id"] == child["parent_task_run_id"]]
    assert tracking["state"]["state_details"]["child_flow_run_id"] == child["id"]
    assert tracking["state_type"] == "COMPLETED"
    called = next(run for name, run in tasks.items() if name.startswith("double"))
    assert called["start_time"]
    assert called["total_run_time"] >= 0

    mapped = prefect.task_runs(child)
    assert [run["state_name"] for run in mapped] == ["Completed"] * 3
    assert [run["run_count"] for run in mapped] == [1, 1, 1]
    states = prefect.get("/task_run_states/", task_run_id=mapped[0]["id"])
    assert [state["name"] for state in states] == ["Pending", "Running", "Completed"]


def test_what_a_run_logs_and_prints_can_be_read_by_run_and_by_task(prefect: Prefect) -> None:
    prefect.run("""
        from prefect import flow, task
        from prefect.logging import get_run_logger

        @task
        def speak():
            get_run_logger().warning("said by the task")

        @flow(log_prints=True)
        def logged():
            print("printed by the flow")
            speak()

        logged()
    """)
    run = prefect.flow_run("logged")
    (task,) = prefect.task_runs(run)
    wanted = {"logs": {"flow_run_id": {"any_": [run["id"]]}}, "sort": "TIMESTAMP_ASC"}
    lines = prefect.post("/logs/filter", wanted)
    assert "printed by the flow" in [line["message"] for line in lines]
    assert lines[-1]["message"] == "Finished in state Completed()"
    (spoken,) = [line for line in lines if line["message"] == "said by the task"]
    assert (spoken["task_run_id"], spoken["level"]) == (task["id"], 30)
    assert "said by the task" in prefect.cli("flow-run", "logs", run["id"])

    assert task["id"] in prefect.cli("task-run", "ls", "--task-run-name", task["name"])
    shown = json.loads(prefect.cli("task-run", "inspect", task["id"], "--output", "json"))
    assert (shown["name"], shown["state_name"]) == (task["name"], "Completed")
    by_task = prefect.cli("task-run", "logs", task["id"])
    assert "said by the task" in by_task
    assert "printed by the flow" not in by_task
    assert "already finished in 'Completed'" in prefect.cli("flow-run", "watch", run["id"])
    assert "logged" in prefect.cli("flow", "ls")


def test_a_task_is_tried_again_and_a_retry_is_counted(prefect: Prefect) -> None:
    prefect.run("""
        from prefect import flow, task
        from prefect.runtime import task_run

        @task(retries=2, retry_delay_seconds=0.1)
        def flaky():
            if task_run.run_count < 3:
                raise ValueError("not yet")

        @flow
        def retries_its_task():
            flaky()

        retries_its_task()
    """)
    (task,) = prefect.task_runs(prefect.flow_run("retries-its-task"))
    assert (task["state_name"], task["run_count"]) == ("Completed", 3)
    assert task["empirical_policy"]["retries"] == 2
    names = [state["name"] for state in prefect.get("/task_run_states/", task_run_id=task["id"])]
    assert names == [
        "Pending", "Running", "AwaitingRetry", "Retrying", "AwaitingRetry", "Retrying", "Completed"
    ]  # fmt: skip


def test_a_failed_flow_waits_and_runs_again_in_its_process(prefect: Prefect) -> None:
    prefect.run("""
        from prefect import flow
        from prefect.runtime import flow_run

        @flow(retries=1, retry_delay_seconds=1)
        def retries_itself():
            if flow_run.run_count < 2:
                raise ValueError("not yet")

        retries_itself()
    """)
    run = prefect.flow_run("retries-itself")
    assert prefect.states(run) == [
        "Pending", "Running", "AwaitingRetry", "Running", "Completed"
    ]  # fmt: skip
    assert run["run_count"] == 2
    assert run["empirical_policy"]["retries"] == 1


def test_a_flow_that_fails_says_why(prefect: Prefect) -> None:
    prefect.run(
        """
        from prefect import flow, task

        @task
        def breaks():
            raise ValueError("no such table")

        @flow
        def fails():
            breaks()

        fails()
    """,
        code=1,
    )
    run = prefect.flow_run("fails")
    assert run["state_type"] == "FAILED"
    message = "Flow run encountered an exception: ValueError: no such table"
    assert run["state"]["message"] == message
    (task,) = prefect.task_runs(run)
    assert task["state"]["message"] == (
        "Task run encountered an exception ValueError: no such table"
    )


def test_a_flow_whose_process_is_terminated_crashes(prefect: Prefect) -> None:
    script = """
        import time
        from prefect import flow

        @flow
        def terminated():
            print("begun", flush=True)
            time.sleep(60)

        terminated()
    """
    with prefect.starting(script) as program:
        program.says("begun")
        os.kill(program.process.pid, signal.SIGINT)
        program.process.wait(30)
    run = prefect.flow_run("terminated")
    assert (run["state_type"], run["state_name"]) == ("CRASHED", "Crashed")
    assert run["end_time"]


def test_a_cached_result_is_taken_and_a_kept_one_is_found_by_the_next_process(
    prefect: Prefect,
) -> None:
    script = """
        import json
        from prefect import flow, task
        from prefect.cache_policies import INPUTS

        called = []

        @task(cache_policy=INPUTS, persist_result=True)
        def slow(number):
            called.append(number)
            return 10 * number

        @flow(persist_result=True)
        def cached():
            return slow(1) + slow(1) + slow(2)

        assert cached() == 40
        print("RESULT " + json.dumps(called))
    """
    assert printed(prefect.run(script)) == [1, 2]
    assert printed(prefect.run(script)) == []
    first, second = prefect.flow_runs("cached")
    names = [sorted(run["state_name"] for run in prefect.task_runs(run)) for run in (first, second)]
    assert names == [["Cached", "Completed", "Completed"], ["Cached"] * 3]
    assert first["state"]["data"]["storage_key"]
    read = f"""
        import asyncio
        from prefect import get_client

        async def main():
            async with get_client() as client:
                run = await client.read_flow_run("{first["id"]}")
                print("RESULT", await run.state.result())

        asyncio.run(main())
    """
    assert printed(prefect.run(read)) == 40


def test_an_async_flow_runs_its_tasks_at_once(prefect: Prefect) -> None:
    prefect.run("""
        import asyncio
        from prefect import flow, task

        @task
        async def wait(number):
            await asyncio.sleep(0.01)
            return number

        @flow(name="at-once", timeout_seconds=30)
        async def at_once():
            return sum(await asyncio.gather(*[wait(number) for number in range(20)]))

        assert asyncio.run(at_once()) == 190
    """)
    run = prefect.flow_run("at-once")
    tasks = prefect.task_runs(run)
    assert [task["state_type"] for task in tasks] == ["COMPLETED"] * 20
    assert {task["flow_run_id"] for task in tasks} == {run["id"]}
