"""One turn of the loop that clears away lines of deleted runs."""

from armillary.core import Core
from armillary.testing import ManualClock
from armillary_plugins.logs import repository
from armillary_plugins.logs.config import Config
from armillary_plugins.logs.ingest import batch_of
from armillary_plugins.logs.schemas import CreateLog
from armillary_plugins.logs.services import DeleteLogsOfDeletedRuns


async def run_exists(core: Core, run_id: str, *, workspace: int = 1) -> None:
    columns = {
        "id": run_id, "workspace": workspace, "created": 0, "updated": 0, "name": "r",
        "flow_id": run_id, "run_count": 0, "total_run_time": 0.0, "auto_scheduled": 0,
        "empirical_policy": "{}", "parameters": "{}", "context": "{}", "tags": "[]", "labels": "{}",
    }  # fmt: skip
    sql = f"insert into flow_run ({', '.join(columns)}) values ({', '.join('?' * len(columns))})"
    await core.database.write(lambda unit: unit.run(sql, *columns.values()), workspace=1)


async def logged(core: Core, run_id: str, count: int = 1) -> None:
    line = CreateLog(
        name="n", level=20, message=run_id, timestamp=core.clock.now(), flow_run_id=run_id
    )
    batch = batch_of([line] * count, workspace=1, created=core.clock.micros())
    await core.database.perform(repository.INSERT_LOGS, batch)


async def left(core: Core) -> set[str | None]:
    rows = await repository.filter_logs(
        core.database.read(1), None, sort="TIMESTAMP_ASC", limit=200, offset=0
    )
    return {row.flow_run_id for row in rows}


async def test_lines_go_when_their_run_is_gone(core: Core, clock: ManualClock) -> None:
    kept, gone, fresh = (core.ids.uuid7() for _ in range(3))
    await run_exists(core, kept)
    await logged(core, kept)
    await logged(core, gone, count=25)
    await clock.advance(600)
    await logged(core, fresh)
    service = DeleteLogsOfDeletedRuns(core, Config(batch=10))
    done = await service.run_once()
    assert (done.found, done.changed) == (1, 25)
    assert await left(core) == {kept, fresh}
    assert (await service.run_once()).changed == 0


async def test_a_clock_put_back_keeps_no_lines_of_runs_that_are_gone(
    core: Core, clock: ManualClock
) -> None:
    await logged(core, core.ids.uuid7())
    clock.jump(-3600)
    assert (await DeleteLogsOfDeletedRuns(core, Config()).run_once()).changed == 1


async def test_turns_go_on_where_the_last_one_ended(core: Core, clock: ManualClock) -> None:
    runs = [core.ids.uuid7() for _ in range(5)]
    for run_id in runs:
        await logged(core, run_id)
    await run_exists(core, runs[0])
    await clock.advance(600)
    service = DeleteLogsOfDeletedRuns(core, Config(look_at=2))
    turns = [(await service.run_once()).changed for _ in range(3)]
    assert turns == [1, 2, 1]
    assert await left(core) == {runs[0]}


async def test_nothing_logged_is_nothing_to_do(core: Core) -> None:
    done = await DeleteLogsOfDeletedRuns(core, Config()).run_once()
    assert (done.found, done.changed) == (0, 0)
