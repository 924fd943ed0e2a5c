"""Log lines on both databases: what is stored comes back, by run, level, time and text."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from armillary.core import Core
from armillary_plugins.logs import repository
from armillary_plugins.logs.ingest import Batch, batch_of
from armillary_plugins.logs.schemas import CreateLog, LogFilter

RUN = "018f0000-0000-7000-8000-000000000001"
OTHER = "018f0000-0000-7000-8000-000000000002"
TASK = "018f0000-0000-7000-8000-00000000000a"
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def line(message: str, *, at: float = 0, level: int = 20, **more: object) -> CreateLog:
    given = {"name": "prefect.flow_runs", "flow_run_id": RUN, **more}
    moment = START + timedelta(seconds=at)
    return CreateLog(message=message, level=level, timestamp=moment, **given)  # type: ignore[arg-type]


async def store(core: Core, *lines: CreateLog, workspace: int = 1) -> None:
    batch: Batch = batch_of(lines, workspace=workspace, created=core.clock.micros())
    await core.database.perform(repository.INSERT_LOGS, batch)


async def found(core: Core, logs: object = None, **more: object) -> Sequence[str]:
    options = {"sort": "TIMESTAMP_ASC", "limit": 200, "offset": 0, "workspace": 1, **more}
    reader = core.database.read(options.pop("workspace"))  # type: ignore[arg-type]
    conditions = None if logs is None else msgspec.convert(logs, LogFilter, strict=False)
    rows = await repository.filter_logs(reader, conditions, **options)  # type: ignore[arg-type]
    return [row.message for row in rows]


async def test_lines_come_back_by_time_not_by_arrival(core: Core) -> None:
    await store(core, line("second", at=2), line("first", at=1), line("third", at=2))
    assert await found(core) == ["first", "second", "third"]
    assert await found(core, sort="TIMESTAMP_DESC") == ["third", "second", "first"]
    assert await found(core, limit=1, offset=1) == ["second"]


@pytest.mark.parametrize(
    ("logs", "expected"),
    [
        ({"level": {"ge_": 30}}, ["failed"]),
        ({"level": {"le_": 20}}, ["started", "elsewhere"]),
        ({"flow_run_id": {"any_": [RUN]}}, ["started", "failed"]),
        ({"flow_run_id": {"any_": [RUN, OTHER]}}, ["started", "failed", "elsewhere"]),
        ({"flow_run_id": {"any_": []}}, []),
        ({"task_run_id": {"any_": [TASK]}}, ["failed"]),
        ({"task_run_id": {"is_null_": True}}, ["started", "elsewhere"]),
        ({"timestamp": {"before_": "2026-01-01 12:00:01+00:00"}}, ["started", "failed"]),
        ({"timestamp": {"after_": "2026-01-01T12:00:02Z"}}, ["elsewhere"]),
        ({"text": {"query": "FAIL else"}}, ["failed", "elsewhere"]),
        ({"text": {"query": "-failed"}}, ["started", "elsewhere"]),
        ({"text": {"query": "+e +w"}}, ["started", "failed", "elsewhere"]),
        ({"text": {"query": "%"}}, []),
        ({"operator": "or_", "level": {"ge_": 40}, "flow_run_id": {"any_": [OTHER]}},
         ["failed", "elsewhere"]),
    ],
)  # fmt: skip
async def test_a_filter_lets_through_what_it_names(
    core: Core, logs: object, expected: list[str]
) -> None:
    await store(
        core,
        line("started", at=0),
        line("failed", at=1, level=40, task_run_id=TASK),
        line("elsewhere", at=2, flow_run_id=OTHER),
    )
    assert await found(core, logs) == expected


async def test_workspaces_do_not_see_each_others_lines(core: Core) -> None:
    await store(core, line("mine"), line("bad", level=40))
    await store(core, line("theirs"), workspace=2)
    assert await found(core, {"flow_run_id": {"any_": [RUN]}}) == ["mine", "bad"]
    assert await found(core, {"flow_run_id": {"any_": [RUN]}}, workspace=2) == ["theirs"]
    theirs = core.database.read(2)
    assert await repository.count_notable(theirs, [RUN]) == {}
    tail = await repository.tail(theirs, RUN, after=None, level=None, limit=10)
    assert [log.message for log in tail.lines] == ["theirs"]
    pages = [page async for page in repository.each_page(theirs, RUN, size=10)]
    assert [log.message for page in pages for log in page] == ["theirs"]
    await core.database.write(
        lambda unit: repository.delete_for_flow_run(unit, RUN, limit=10), workspace=2
    )
    assert await found(core) == ["mine", "bad"]


async def test_a_batch_larger_than_a_statement_is_stored_whole(core: Core) -> None:
    lines = [line(str(number), at=number) for number in range(250)]
    await store(core, *lines)
    pages = [page async for page in repository.each_page(core.database.read(1), RUN, size=100)]
    assert [len(page) for page in pages] == [100, 100, 50]
    assert [log.message for page in pages for log in page] == [str(n) for n in range(250)]


async def test_every_line_has_an_id_of_its_own(core: Core) -> None:
    await store(core, *[line("x") for _ in range(30)])
    rows = await repository.filter_logs(
        core.database.read(1), None, sort="TIMESTAMP_ASC", limit=200, offset=0
    )
    assert len({row.id for row in rows}) == 30


async def test_a_tail_gives_what_was_there_by_time_and_then_what_arrives(core: Core) -> None:
    reader = core.database.read(1)
    await store(core, line("b", at=2), line("a", at=1), line("c", at=3))
    first = await repository.tail(reader, RUN, after=None, level=None, limit=2)
    assert ([log.message for log in first.lines], first.more) == (["a", "b"], True)
    await store(core, line("late", at=1.5))
    second = await repository.tail(reader, RUN, after=first.cursor, level=None, limit=2)
    assert ([log.message for log in second.lines], second.more) == (["c"], False)
    third = await repository.tail(reader, RUN, after=second.cursor, level=None, limit=2)
    assert [log.message for log in third.lines] == ["late"]
    fourth = await repository.tail(reader, RUN, after=third.cursor, level=None, limit=2)
    assert fourth.lines == []
    await store(core, line("d", at=4), line("quiet", at=5, level=10))
    fifth = await repository.tail(reader, RUN, after=fourth.cursor, level=20, limit=9)
    assert [log.message for log in fifth.lines] == ["d"]


async def test_warnings_and_errors_of_a_run_are_counted(core: Core) -> None:
    await store(core, line("a"), line("b", level=30), line("c", level=40), line("d", level=50))
    counted = await repository.count_notable(core.database.read(1), [RUN, OTHER])
    assert counted == {RUN: repository.Notable(warnings=1, errors=2)}


async def test_lines_are_deleted_no_more_at_once_than_asked(core: Core) -> None:
    await store(core, *[line(str(number), at=number) for number in range(5)])
    await store(core, line("kept", flow_run_id=OTHER))

    async def delete() -> int:
        return await core.database.write(
            lambda unit: repository.delete_for_flow_run(unit, RUN, limit=3), workspace=1
        )

    assert [await delete(), await delete(), await delete()] == [3, 2, 0]
    assert await found(core) == ["kept"]
