"""Limits that hold: of a tag, of a name, and of a rate."""

from itertools import pairwise

from tests.end_to_end.programs import Prefect, eventually, printed


def test_no_more_tasks_of_a_tag_run_at_once_than_its_limit(prefect: Prefect) -> None:
    prefect.cli("concurrency-limit", "create", "narrow", "1")
    script = """
        import json
        import time
        from prefect import flow, task

        spans = []

        @task(tags=["narrow"])
        def takes_turns(number):
            begun = time.time()
            time.sleep(0.2)
            spans.append((begun, time.time()))

        @flow
        def limited_by_tag():
            takes_turns.map(range(3)).wait()

        limited_by_tag()
        print("RESULT " + json.dumps(sorted(spans)))
    """
    spans = printed(prefect.run(script))
    assert len(spans) == 3
    assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))
    assert "narrow" in prefect.cli("concurrency-limit", "ls")
    assert "narrow" in prefect.cli("concurrency-limit", "inspect", "narrow")
    limit = prefect.get("/concurrency_limits/tag/narrow")
    assert (limit["concurrency_limit"], limit["active_slots"]) == (1, [])
    prefect.cli("concurrency-limit", "delete", "narrow")


def test_the_tags_of_a_block_are_on_every_run_in_it(prefect: Prefect) -> None:
    prefect.run("""
        from prefect import flow, tags, task

        @task(tags=["db"])
        def tagged_task():
            pass

        @flow
        def tagged():
            tagged_task()

        with tags("nightly"):
            tagged()
    """)
    run = prefect.flow_run("tagged")
    assert run["tags"] == ["nightly"]
    (task,) = prefect.task_runs(run)
    assert set(task["tags"]) == {"db", "nightly"}
    found = prefect.post("/flow_runs/filter", {"flow_runs": {"tags": {"all_": ["nightly"]}}})
    assert [run["id"]] == [each["id"] for each in found]


def test_a_named_limit_holds_between_processes(prefect: Prefect) -> None:
    prefect.cli("gcl", "create", "database", "--limit", "1")
    script = """
        import json
        import time
        from prefect.concurrency.sync import concurrency

        with concurrency("database", occupy=1, timeout_seconds=30):
            begun = time.time()
            time.sleep(1)
            print("RESULT " + json.dumps([begun, time.time()]), flush=True)
    """
    with prefect.starting(script) as one, prefect.starting(script) as other:
        for program in (one, other):
            program.process.wait(60)
        spans = sorted(printed(program.said) for program in (one, other))
    assert spans[0][1] <= spans[1][0]
    shown = prefect.cli("gcl", "inspect", "database")
    assert "database" in shown
    limit = prefect.get("/v2/concurrency_limits/database")
    assert limit["active_slots"] == 0
    prefect.cli("gcl", "update", "database", "--limit", "5")
    assert "database" in prefect.cli("gcl", "ls")
    prefect.cli("gcl", "disable", "database")
    assert prefect.get("/v2/concurrency_limits/database")["active"] is False
    prefect.cli("gcl", "enable", "database")
    prefect.cli("gcl", "delete", "database")
    prefect.cli("gcl", "inspect", "database", code=1)


def test_a_slot_that_is_held_makes_an_impatient_one_give_up(prefect: Prefect) -> None:
    prefect.cli("gcl", "create", "held", "--limit", "1")
    holder = """
        import time
        from prefect.concurrency.sync import concurrency

        with concurrency("held", occupy=1):
            print("held", flush=True)
            time.sleep(60)
    """
    with prefect.starting(holder) as program:
        program.says("held")
        limit = eventually(
            lambda: prefect.get("/v2/concurrency_limits/held")["active_slots"], "the slot"
        )
        assert limit == 1
        said = prefect.run("""
            from prefect.concurrency.sync import concurrency

            try:
                with concurrency("held", occupy=1, timeout_seconds=1):
                    pass
            except TimeoutError as error:
                print("RESULT true")
        """)
        assert printed(said) is True


def test_a_rate_limit_spreads_calls(prefect: Prefect) -> None:
    prefect.cli("gcl", "create", "rate", "--limit", "1", "--slot-decay-per-second", "1")
    said = prefect.run("""
        import json
        import time
        from prefect.concurrency.sync import rate_limit

        begun = time.time()
        for _ in range(3):
            rate_limit("rate")
        print("RESULT " + json.dumps(time.time() - begun))
    """)
    assert printed(said) >= 1
