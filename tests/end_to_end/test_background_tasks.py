"""Background tasks with the real Prefect: asked for by `.delay()`, run by a task worker."""

from tests.end_to_end.programs import Prefect, eventually, printed

TASKS = """
from prefect import task

@task(log_prints=True, retries=1, retry_delay_seconds=0)
def double(number):
    print("doubling", number)
    return 2 * number

@task
def shout(text="hello", *, mark="!"):
    return text.upper() + mark

@task
def fail():
    raise ValueError("as expected")
"""


def test_a_task_worker_does_what_was_asked_for_before_it_came_and_results_are_read(
    prefect: Prefect,
) -> None:
    prefect.write("my_tasks.py", TASKS)
    asked = printed(
        prefect.run("""
        import json
        from my_tasks import double
        print("RESULT", json.dumps([str(double.delay(n).task_run_id) for n in range(3)]))
        """)
    )
    runs = [prefect.get(f"/task_runs/{run_id}") for run_id in asked]
    assert {run["state_name"] for run in runs} == {"Scheduled"}
    assert all(run["state"]["state_details"]["task_parameters_id"] for run in runs)
    key = runs[0]["task_key"]
    of_double = {"task_worker_filter": {"task_keys": [key]}}
    assert prefect.post("/task_workers/filter", of_double) == []

    served = [f"my_tasks.py:{name}" for name in ("double", "fail", "shout")]
    with prefect.starting_cli("task", "serve", *served, "--limit", "1") as worker:
        eventually(
            lambda: all(
                prefect.get(f"/task_runs/{run_id}")["state_type"] == "COMPLETED" for run_id in asked
            ),
            "the end of what waited",
        )
        (listed,) = prefect.post("/task_workers/filter", of_double)
        assert key in listed["task_keys"]
        assert len(listed["task_keys"]) == 3

        results = printed(
            prefect.run("""
            import json
            from my_tasks import double, fail, shout
            from prefect import flow

            @flow
            def asks():
                return double.delay(21).result(timeout=40)

            futures = [double.delay(5), shout.delay("hi", mark="?"), shout.delay()]
            failed = fail.delay()
            failed.wait(timeout=40)
            print("RESULT", json.dumps({
                "results": [future.result(timeout=40) for future in futures],
                "failed": [failed.state.name, failed.state.message],
                "of a flow": asks(),
            }))
            """)
        )
        assert results["results"] == [10, "HI?", "HELLO!"]
        assert results["of a flow"] == 42
        assert results["failed"][0] == "Failed"
        assert "as expected" in results["failed"][1]
        worker.says("doubling 21")
        names = [state["name"] for state in prefect.get("/task_run_states/", task_run_id=asked[0])]
        assert names == ["Scheduled", "Pending", "Running", "Completed"]
    eventually(lambda: prefect.post("/task_workers/filter", of_double) == [], "the worker's going")
