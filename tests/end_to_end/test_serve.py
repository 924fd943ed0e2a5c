"""`flow.serve(...)`: one process that runs what its deployment has scheduled."""

from tests.end_to_end.programs import Prefect, eventually

CRON = """
    from prefect import flow

    @flow
    def every_five_seconds(greeting="hello"):
        print(greeting)

    if __name__ == "__main__":
        every_five_seconds.serve(
            name="ticks", cron="* * * * * */5", parameters={"greeting": "ciao"}
        )
"""


def test_a_served_flow_runs_on_its_schedule_until_it_is_shut_down(prefect: Prefect) -> None:
    with prefect.starting(CRON) as program:
        runs = eventually(
            lambda: [
                run
                for run in prefect.flow_runs("every-five-seconds")
                if run["state_type"] == "COMPLETED"
            ],
            "a run of the schedule",
        )
        said = program.interrupt()
    assert "Pausing all deployments" in said
    run = runs[0]
    assert run["auto_scheduled"] is True
    assert run["created_by"]["type"] == "SCHEDULE"
    assert run["parameters"] == {"greeting": "ciao"}
    assert "auto-scheduled" in run["tags"]
    assert prefect.states(run) == ["Scheduled", "Pending", "Submitting", "Running", "Completed"]

    deployment = prefect.get("/deployments/name/every-five-seconds/ticks")
    assert deployment["paused"] is True
    left = {run["state_type"] for run in prefect.flow_runs("every-five-seconds")}
    assert "SCHEDULED" not in left


def test_a_served_run_is_cancelled_from_the_command_line(prefect: Prefect) -> None:
    script = """
        import time
        from prefect import flow

        def note(flow, flow_run, state):
            print("cleaned up after", flow_run.name, flush=True)

        @flow(on_cancellation=[note])
        def endless():
            time.sleep(600)

        if __name__ == "__main__":
            endless.serve(name="endless", interval=3600, pause_on_shutdown=False)
    """
    with prefect.starting(script) as program:
        program.says("polling for scheduled runs")
        prefect.cli("deployment", "run", "endless/endless")
        (run,) = eventually(
            lambda: [run for run in prefect.flow_runs("endless") if run["state_type"] == "RUNNING"],
            "the run",
        )
        prefect.cli("flow-run", "cancel", run["id"])
        ended = prefect.ended(run["id"])
        assert (ended["state_type"], ended["state_name"]) == ("CANCELLED", "Cancelled")
        assert prefect.states(run)[-2:] == ["Cancelling", "Cancelled"]
        program.says("cleaned up after")
        program.interrupt()
    assert prefect.get("/deployments/name/endless/endless")["paused"] is False


def test_a_scheduled_run_that_has_not_begun_is_cancelled_at_once(prefect: Prefect) -> None:
    prefect.run("""
        from prefect import flow

        @flow
        def not_begun():
            pass

        if __name__ == "__main__":
            from prefect.runner import Runner
            runner = Runner(pause_on_shutdown=False)
            runner.add_flow(not_begun, name="later", cron="0 4 1 1 *", tags=["yearly"])
    """)
    prefect.cli("deployment", "run", "not-begun/later", "--start-in", "2 hours")
    (run,) = [run for run in prefect.flow_runs("not-begun") if not run["auto_scheduled"]]
    prefect.cli("flow-run", "cancel", run["id"])
    cancelled = prefect.get(f"/flow_runs/{run['id']}")
    assert (cancelled["state_type"], cancelled["run_count"]) == ("CANCELLED", 0)
