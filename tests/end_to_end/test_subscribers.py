"""Who listens hears events and log lines as they come, and the command line tells of some."""

from tests.end_to_end.programs import Prefect, eventually, printed

LISTENS = """
    import asyncio
    import json
    import logging
    from prefect import flow, get_run_logger
    from prefect.client.schemas.filters import LogFilter, LogFilterLevel, LogFilterTextSearch
    from prefect.events import Event, emit_event
    from prefect.events.clients import get_events_subscriber
    from prefect.events.filters import EventFilter, EventNameFilter
    from prefect.events.subscribers import FlowRunSubscriber
    from prefect.logging.clients import get_logs_subscriber
    from prefect.runtime import flow_run

    FOLLOWED = []

    async def first(subscriber):
        async for each in subscriber:
            return each

    async def follow(subscriber):
        async with subscriber:
            FOLLOWED.append("follows")
            async for each in subscriber:
                FOLLOWED.append(each.event if isinstance(each, Event) else each.message)

    async def followed(what):
        async with asyncio.timeout(60):
            while what not in FOLLOWED:
                await asyncio.sleep(0.05)

    @flow
    async def tells():
        following = asyncio.create_task(follow(FlowRunSubscriber(flow_run.id)))
        await followed("follows")
        emit_event("sun.rose", resource={"prefect.resource.id": "sun.1"})
        emit_event("moon.rose", resource={"prefect.resource.id": "moon.1"}, payload={"full": True})
        get_run_logger().info("a moon that is too quiet to be heard")
        get_run_logger().warning("the moon rose")
        await followed("moon.rose")
        return following

    async def listens():
        events = get_events_subscriber(filter=EventFilter(event=EventNameFilter(prefix=["moon."])))
        logs = get_logs_subscriber(
            filter=LogFilter(
                level=LogFilterLevel(ge_=logging.WARNING), text=LogFilterTextSearch(query="moon")
            )
        )
        async with events, logs:
            following = await tells()
            event, log = await asyncio.gather(first(events), first(logs))
        await following
        return {
            "event": [event.event, event.resource.id, event.payload],
            "related": sorted(each.role for each in event.related),
            "log": [log.level, log.message, str(log.flow_run_id)],
            "followed": FOLLOWED,
        }

    print("RESULT " + json.dumps(asyncio.run(listens())))
"""


def test_a_program_hears_events_and_log_lines_as_they_come(prefect: Prefect) -> None:
    heard = printed(prefect.run(LISTENS))
    run = prefect.flow_run("tells")
    assert heard["event"] == ["moon.rose", "moon.1", {"full": True}]
    assert heard["related"] == ["flow", "flow-run"]
    assert heard["log"] == [30, "the moon rose", run["id"]]
    followed = heard["followed"]
    assert {"moon.rose", "sun.rose", "the moon rose"} <= set(followed)
    assert "a moon that is too quiet to be heard" in followed
    assert "prefect.flow-run.Completed" in followed


def test_the_command_line_emits_events(prefect: Prefect) -> None:
    told = prefect.cli(
        "events", "emit", "tide.turned", "--resource-id", "sea.north", "--payload", '{"metres": 3}'
    )
    assert "Successfully emitted event 'tide.turned'" in told
    wanted = {"filter": {"event": {"name": ["tide.turned"]}}}
    (event,) = eventually(lambda: prefect.post("/events/filter", wanted)["events"], "the event")
    assert event["id"] in told
    assert event["resource"] == {"prefect.resource.id": "sea.north"}
    assert event["payload"] == {"metres": 3}
    words = ("events", "emit", "tide.turned", "--resource-id", "x", "--payload", "{bad")
    assert "must be valid JSON" in prefect.cli(*words, code=1)
