"""What `make seed` puts in is what a server would have written itself."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from armillary import database_command
from armillary.core import Core
from armillary.db.unit import Unit
from armillary.discovery import Found, discover
from armillary.errors import ConfigError
from armillary.settings import Settings, load
from armillary_plugins.events.repository.storing import insert_events, new_event
from tests.speed.seeding.command import fill
from tests.speed.seeding.rows import Rows
from tests.speed.seeding.runs import Runs
from tests.speed.seeding.shape import Shape
from tests.speed.seeding.sinks import sink_of

NOW = 1_795_000_000_000_000
SHAPE = Shape(
    runs=300, now=NOW, flows=9, deployments=20, tags=12, pools=3, scheduled=50, graph=40,
    log_days=30, event_days=30,
)  # fmt: skip
_OTHER_HEAD = """
select count(*) from {kind} r left join {kind}_state s on s.id = r.state_id
where s.id is null or s.{kind}_id <> r.id or s.type <> r.state_type or s.name <> r.state_name
  or s.timestamp <> r.state_timestamp
  or s.timestamp <> (select max(timestamp) from {kind}_state o where o.{kind}_id = r.id)
"""
_WRONG = {
    "a run whose state is not its newest": _OTHER_HEAD.format(kind="flow_run"),
    "a task run whose state is not its newest": _OTHER_HEAD.format(kind="task_run"),
    "a tag that says another thing than its run": """
        select count(*) from flow_run_tag t join flow_run r on r.id = t.flow_run_id
        where (t.expected_start_time, t.state_type, t.state_name, t.started) <> (
            r.expected_start_time, r.state_type, r.state_name,
            coalesce(r.start_time, r.expected_start_time))""",
    "a run that ended and has no end, or the other way round": """
        select count(*) from flow_run
        where (state_type in ('COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED')) = (end_time is null)
    """,
    "a run that waits and is never due": """
        select count(*) from flow_run
        where (state_type = 'SCHEDULED') = (next_scheduled_start_time is null)""",
    "a time after the last one": f"""
        select count(*) from flow_run where coalesce(end_time, start_time) > {NOW}""",
    "a task run that began before its flow run": """
        select count(*) from task_run t join flow_run r on r.id = t.flow_run_id
        where t.start_time < r.start_time""",
    "a task run that ended after its flow run": """
        select count(*) from task_run t join flow_run r on r.id = t.flow_run_id
        where coalesce(t.end_time, t.start_time) > r.end_time""",
    "a queue of another name than its run says": """
        select count(*) from flow_run r left join work_queue q on q.id = r.work_queue_id
        where r.work_queue_id is not null and (q.name is null or q.name <> r.work_queue_name)""",
    "an event of a place that is not its own": """
        select count(*) from event_resource r left join event e on e.key = r.event_key
        where e.key is null or e.occurred <> r.occurred""",
}


def found_in(url: str, statements: Sequence[str], home: Path) -> list[str]:
    """The first column of the first row of each, as text."""

    async def work(core: Core) -> list[str]:
        reader = core.database.read(None)
        return [str(await reader.value(statement)) for statement in statements]

    settings, found = _settings(url, home)
    return database_command.with_database(settings, found, work)


def _settings(url: str, home: Path) -> tuple[Settings, Mapping[str, Found]]:
    found = discover()
    return load(found, environ={}, flags={"database.url": url, "home": str(home)}), found


def _tags(url: str, home: Path) -> list[str]:
    async def work(core: Core) -> list[str]:
        rows = await core.database.read(None).all("select id, tags from flow_run order by id")
        said = [(key, tag) for key, tags in rows for tag in sorted(msgspec.json.decode(tags))]
        kept = await core.database.read(None).all(
            "select flow_run_id, tag from flow_run_tag order by flow_run_id, tag"
        )
        return ["as said"] if said == [tuple(row) for row in kept] else ["otherwise"]

    return database_command.with_database(*_settings(url, home), work)


def _next_event(url: str, home: Path) -> list[str]:
    """Store an event as the server does, made of one that was put in."""

    async def work(core: Core) -> list[str]:
        row = await core.database.read(None).one("select id, body, key from event limit 1")
        assert row is not None
        body = row[1].replace(row[0], "01a20131-bab0-7000-9329-53da701fe6a9")

        async def store(unit: Unit) -> int:
            return await insert_events(unit, [new_event(1, body)])

        return [str(await core.database.write(store, workspace=1))]

    return database_command.with_database(*_settings(url, home), work)


def test_a_filled_database_is_consistent(database_url: str, tmp_path: Path) -> None:
    with sink_of(database_url) as sink:
        seeded = fill(sink, SHAPE)
    assert database_command.audit(*_settings(database_url, tmp_path)) == [
        "every row belongs to something"
    ]
    wrong = found_in(database_url, list(_WRONG.values()), tmp_path)
    assert dict(zip(_WRONG, wrong, strict=True)) == dict.fromkeys(_WRONG, "0")
    counts = [f"select count(*) from {table}" for table in seeded.counts]
    assert found_in(database_url, counts, tmp_path) == [str(n) for n in seeded.counts.values()]
    assert _tags(database_url, tmp_path) == ["as said"]
    assert _next_event(database_url, tmp_path) == ["1"]
    with sink_of(database_url) as sink, pytest.raises(ConfigError, match="holds runs already"):
        fill(sink, SHAPE)


def test_there_are_as_many_as_were_asked_for() -> None:
    rows = made(SHAPE)
    counts = {table: len(some) for table, some in rows.of.items()}
    assert counts["flow_run"] == SHAPE.runs + SHAPE.scheduled + 1
    assert counts["deployment"] == SHAPE.deployments
    assert 0.7 < (counts["task_run"] - SHAPE.graph) / (SHAPE.runs * SHAPE.tasks) < 1.3
    names = {row[8] for row in rows.of["flow_run"]}
    assert names >= {"Completed", "Failed", "Running", "Scheduled", "Late"}


def test_the_same_seed_gives_the_same_rows_and_another_does_not() -> None:
    assert made(SHAPE).of == made(SHAPE).of
    assert made(SHAPE).of["flow_run"] != made(replace(SHAPE, seed=2)).of["flow_run"]


def test_events_are_stored_under_what_they_say() -> None:
    for row in made(SHAPE).of["event"]:
        _, workspace, key, occurred, _, name, resource, follows, body = row
        header = new_event(1, str(body)).header
        assert (header.id, header.event, header.resource.id, header.follows, workspace) == (
            key, name, resource, follows, 1,
        )  # fmt: skip
        assert round(header.occurred.timestamp() * 1e6) == occurred


def made(shape: Shape) -> Rows:
    """Every row of a shape."""
    rows = Rows()
    for _ in Runs(shape, rows).make():
        assert not rows.full(), "a test makes few"
    return rows
