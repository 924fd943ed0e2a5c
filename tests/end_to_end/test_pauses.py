"""Runs that wait for somebody: paused in their process, or suspended and taken up again."""

from tests.end_to_end.programs import Prefect, eventually, printed
from tests.end_to_end.working import deploy, run_deployment, work_pool, working

RESUME = """
    from prefect.flow_runs import resume_flow_run

    resume_flow_run("{run}", run_input={given})
"""


def test_a_paused_flow_goes_on_with_what_it_is_given(prefect: Prefect) -> None:
    script = """
        import json
        from prefect import flow, pause_flow_run, task
        from prefect.input import RunInput

        class Approval(RunInput):
            approved: bool
            reason: str = "none given"

        @task
        def prepare():
            return 1

        @flow
        def asks_a_person():
            prepare()
            answer = pause_flow_run(
                wait_for_input=Approval.with_initial_data(description="May it?", reason="?"),
                timeout=60, poll_interval=1,
            )
            return [answer.approved, answer.reason]

        print("RESULT " + json.dumps(asks_a_person()), flush=True)
    """
    with prefect.starting(script) as program:
        program.says("Pausing flow")
        run = prefect.flow_run("asks-a-person")
        prefect.reached(run["id"], "Paused")
        asked = f"/flow_runs/{run['id']}/input/paused-1-schema"
        schema = eventually(  # the client says what it asks for once it is paused
            lambda: found.json() if (found := prefect.api.get(asked)).is_success else None,
            "the schema of the input",
        )
        assert schema["required"] == ["approved"]
        wrong = prefect.post(f"/flow_runs/{run['id']}/resume", {"run_input": {"reason": "?"}})
        assert wrong["status"] == "REJECT"
        prefect.run(RESUME.format(run=run["id"], given={"approved": True, "reason": "tested"}))
        program.process.wait(30)
        assert printed(program.said) == [True, "tested"]
    run = prefect.flow_run("asks-a-person")
    assert prefect.states(run) == ["Pending", "Running", "Paused", "Running", "Completed"]


def test_a_pause_that_nobody_ends_fails_the_run(prefect: Prefect) -> None:
    prefect.run(
        """
        from prefect import flow, pause_flow_run

        @flow
        def forgotten():
            pause_flow_run(timeout=1, poll_interval=1)

        forgotten()
    """,
        code=1,
    )
    ended = prefect.ended(prefect.flow_run("forgotten")["id"])
    assert ended["state_type"] == "FAILED"


def test_a_suspended_run_leaves_its_worker_and_is_taken_up_again(prefect: Prefect) -> None:
    prefect.write(
        "my_flows.py",
        """
        from prefect import flow, suspend_flow_run, task
        from prefect.input import RunInput

        class Answer(RunInput):
            number: int

        @task(persist_result=True)
        def prepare():
            return 1

        @flow(log_prints=True, persist_result=True)
        def leaves():
            prepare()
            answer = suspend_flow_run(wait_for_input=Answer, timeout=600)
            print("it is", answer.number + 1)
    """,
    )
    work_pool(prefect, "suspended")
    deploy(prefect, "leaves", "leaves", "suspended")
    with working(prefect, "suspended") as worker:
        run = run_deployment(prefect, "leaves/leaves")
        prefect.reached(run, "Suspended")
        worker.says("is paused.")
        prefect.run(RESUME.format(run=run, given={"number": 41}))
        ended = prefect.ended(run)
        prefect.logs(run, "it is 42")
    assert ended["state_type"] == "COMPLETED", ended["state"]
    assert ended["run_count"] == 1
    names = prefect.states(ended)
    assert names[names.index("Suspended") :] == [
        "Suspended", "Resuming", "Pending", "Submitting", "Running", "Completed"
    ]  # fmt: skip


def test_a_suspended_run_is_cancelled_at_once(prefect: Prefect) -> None:
    prefect.write(
        "my_flows.py",
        """
        from prefect import flow, suspend_flow_run

        @flow
        def abandoned():
            suspend_flow_run(timeout=600)
    """,
    )
    work_pool(prefect, "abandoned")
    deploy(prefect, "abandoned", "abandoned", "abandoned")
    with working(prefect, "abandoned"):
        run = run_deployment(prefect, "abandoned/abandoned")
        prefect.reached(run, "Suspended")
    prefect.cli("flow-run", "cancel", run)
    assert prefect.get(f"/flow_runs/{run}")["state_type"] == "CANCELLED"
