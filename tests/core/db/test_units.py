"""What a unit of work promises, on both databases."""

from __future__ import annotations

import asyncio
import logging

import pytest

from armillary.db.database import Database
from armillary.db.unit import Emitted, Unit
from armillary.errors import Conflict, Unavailable
from tests.core.db.things import INSERT, Ask, Counts, Inserts, insert, names, told, value


async def outcomes(*work: object) -> list[object]:
    return await asyncio.gather(*work, return_exceptions=True)  # type: ignore[call-overload]


async def test_a_failing_unit_fails_alone_and_nothing_of_it_is_in(database: Database) -> None:
    async def failing(unit: Unit) -> None:
        await insert("half")(unit)
        message = "on purpose"
        raise LookupError(message)

    done = await outcomes(
        database.write(insert("a"), workspace=1),
        database.write(failing, workspace=1),
        database.write(insert("b"), workspace=1),
    )
    assert [done[0], done[2]] == ["a", "b"]
    assert isinstance(done[1], LookupError)
    assert await names(database) == ["a", "b"]
    assert sorted(await told(database)) == ["a", "b"]


async def test_a_taken_key_is_a_conflict_and_others_go_on(database: Database) -> None:
    await database.write(insert("a", 1), workspace=1)
    done = await outcomes(
        database.write(insert("a", 2), workspace=1), database.write(insert("b"), workspace=1)
    )
    assert isinstance(done[0], Conflict)
    assert done[1] == "b"
    assert await value(database, "a") == 1
    assert await told(database) == ["a", "b"]


async def test_a_wrong_statement_is_a_fault_of_ours_and_not_an_absent_database(
    database: Database,
) -> None:
    async def wrong(unit: Unit) -> None:
        await unit.run("insert into nowhere (id) values (?)", "a")

    async def reads(unit: Unit) -> object:
        return await unit.all("elect 1")

    done = await outcomes(
        database.write(wrong, workspace=1),
        database.write(reads, workspace=1),
        database.read(1).all("select nothing from nowhere"),
        database.read(1).one("select nothing from nowhere"),
        database.write(insert("a"), workspace=1),
    )
    assert done.pop() == "a"
    for each in done:
        assert isinstance(each, Exception)
        assert not isinstance(each, (Unavailable, Conflict))


async def test_a_number_too_large_for_the_column_is_no_absent_database(database: Database) -> None:
    done = await outcomes(
        database.write(insert("a", 2**70), workspace=1),
        database.write(insert("b", 2**62), workspace=1),
    )
    assert isinstance(done[0], Exception)
    assert not isinstance(done[0], (Unavailable, Conflict))
    assert done[1] == "b"
    assert await value(database, "b") == 2**62


async def test_a_unit_sees_its_own_changes_and_readers_see_none_before_the_commit(
    database: Database,
) -> None:
    async def work(unit: Unit) -> tuple[object, object]:
        await unit.run(INSERT, "a", 1)
        own = await unit.value("select value from thing where id = ?", "a")
        return own, await value(database, "a")

    assert await database.write(work, workspace=1) == (1, None)
    assert await value(database, "a") == 1


async def test_touched_rows_are_counted(database: Database) -> None:
    async def work(unit: Unit) -> list[int]:
        return [
            await unit.run(INSERT, "a", 1),
            await unit.run("insert into thing (id, value) values ('a', 2) on conflict do nothing"),
            await unit.run("update thing set value = 3"),
            await unit.run("delete from thing where id = ?", "b"),
        ]

    assert await database.write(work, workspace=1) == [1, 0, 1, 0]


async def test_many_without_rows_does_nothing(database: Database) -> None:
    async def work(unit: Unit) -> None:
        await unit.many(INSERT, [])
        await unit.many(INSERT, iter([("a", 1), ("b", None)]))

    await database.write(work, workspace=1)
    assert await names(database) == ["a", "b"]


async def test_for_each_gives_one_row_an_id_and_none_for_an_unknown_one(
    database: Database,
) -> None:
    async def work(unit: Unit) -> list[str]:
        await unit.many(INSERT, [("a", 1), ("b", 2)])
        rows = await unit.for_each("select id from thing where id {one}", ["b", "x", "a", "b"])
        return sorted(row[0] for row in rows)

    assert await database.write(work, workspace=1) == ["a", "b"]


async def test_a_unit_without_a_workspace_says_so(database: Database) -> None:
    async def work(unit: Unit) -> None:
        unit.emit(Emitted("things", "a", "{}"))

    with pytest.raises(RuntimeError, match="across workspaces"):
        await database.write(work, workspace=None)


async def test_what_listens_is_told_once_a_commit_with_events_and_only_then(
    database: Database,
) -> None:
    calls: list[str] = []
    database.on_events(lambda: calls.append("events"))

    async def quiet(unit: Unit) -> None:
        await unit.run(INSERT, "quiet", 0)
        unit.after_commit(lambda: calls.append("quiet"))

    async def failing(unit: Unit) -> None:
        unit.after_commit(lambda: calls.append("failing"))
        await insert("half")(unit)
        raise LookupError

    await database.write(quiet, workspace=1)
    assert calls == ["quiet"]
    await outcomes(database.write(failing, workspace=1))
    assert calls == ["quiet"]
    await database.write(insert("a"), workspace=1)
    assert calls == ["quiet", "events"]


async def test_what_fails_after_a_commit_changes_nothing_about_it(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise LookupError

    database.on_events(fail)
    operation = Inserts()

    async def work(unit: Unit) -> str:
        unit.after_commit(fail)
        return await insert("a")(unit)

    with caplog.at_level(logging.ERROR):
        assert await database.write(work, workspace=1) == "a"
        asked = [database.perform(operation, Ask(name)) for name in ("b", "c")]
        assert await asyncio.gather(*asked) == ["b", "c"]
    assert await names(database) == ["a", "b", "c"]
    assert sum(map(len, operation.batches)) == 2
    assert "after a commit" in caplog.text


async def test_one_bad_request_of_a_group_is_done_alone(database: Database) -> None:
    operation = Inserts()
    done = await outcomes(
        *(database.perform(operation, Ask(name, "all" if name == "c" else "")) for name in "abcde")
    )
    assert [each for each in done if isinstance(each, str)] == ["a", "b", "d", "e"]
    assert isinstance(done[2], LookupError)
    assert str(done[2]) == "c takes all down"
    assert await names(database) == ["a", "b", "d", "e"]
    assert sorted(await told(database)) == ["a", "b", "d", "e"]


async def test_an_exception_is_an_answer(database: Database) -> None:
    operation = Inserts()
    done = await outcomes(
        *(database.perform(operation, Ask(name, "me" if name == "b" else "")) for name in "abc")
    )
    assert [done[0], done[2]] == ["a", "c"]
    assert isinstance(done[1], LookupError)
    assert await names(database) == ["a", "c"]


async def test_an_operation_that_forgets_an_answer_changes_nothing(database: Database) -> None:
    class Forgetful(Inserts):
        async def execute(self, unit: Unit, _requests: object) -> list[str | Exception]:
            await insert("a")(unit)
            return []

    done = await outcomes(database.perform(Forgetful(), Ask("a")))
    assert isinstance(done[0], Exception)
    assert await names(database) == []


async def test_requests_about_one_thing_are_done_one_after_the_other(database: Database) -> None:
    await database.write(insert("a"), workspace=1)
    await database.write(insert("b"), workspace=1)
    operation = Counts()
    asked = [database.perform(operation, name) for name in "aabab" * 10]
    done = await asyncio.gather(*asked)
    by_name = {name: [n for n, each in zip(done, "aabab" * 10, strict=True) if each == name]
               for name in "ab"}  # fmt: skip
    assert by_name == {"a": list(range(1, 31)), "b": list(range(1, 21))}
    assert all(len(set(batch)) == len(batch) for batch in operation.batches)


async def test_who_goes_away_before_its_turn_disturbs_nobody(database: Database) -> None:
    operation = Inserts()
    asked = [asyncio.ensure_future(database.perform(operation, Ask(name))) for name in "abc"]
    asked[1].cancel()
    done = await outcomes(*asked)
    assert [done[0], done[2]] == ["a", "c"]
    assert isinstance(done[1], asyncio.CancelledError)
    assert await names(database) == ["a", "c"]
    units = [asyncio.ensure_future(database.write(insert(name), workspace=1)) for name in "def"]
    units[0].cancel()
    done = await outcomes(*units)
    assert done[1:] == ["e", "f"]
    assert await names(database) == ["a", "c", "e", "f"]


async def test_closing_lets_what_has_queued_finish_and_refuses_what_comes_later(
    database: Database,
) -> None:
    operation = Inserts()
    asked = [database.perform(operation, Ask(f"{n:03}")) for n in range(200)]
    await database.close()
    assert await asyncio.gather(*asked) == [f"{n:03}" for n in range(200)]
    late = await outcomes(
        asyncio.wait_for(database.write(insert("late"), workspace=1), 60),
        asyncio.wait_for(database.perform(operation, Ask("late")), 60),
    )
    assert all(isinstance(each, Unavailable) for each in late)
    await database.open()
    assert len(await names(database)) == 200
