"""What workers are given: by priority, then time, within limits, past pauses."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from armillary.clock import from_micros
from armillary.core import Core
from armillary.db.unit import Unit
from armillary.work_pools.repository import polling
from tests.api import Api

queues = st.fixed_dictionaries(
    {
        "paused": st.sampled_from([0, 0, 0, 1]),
        "limit": st.sampled_from([None, None, 0, 1, 2, 3]),
        "runs": st.lists(
            st.tuples(
                st.sampled_from(["SCHEDULED"] * 4 + ["RUNNING", "PENDING", "CANCELLING"]),
                st.integers(1, 5),
                st.sampled_from([None, None, "in_process", "reschedule"]),
            ),
            max_size=6,
        ),
    }
)
worlds = st.fixed_dictionaries(
    {
        "paused": st.sampled_from([0, 0, 0, 1]),
        "limit": st.sampled_from([None, None, 0, 1, 3, 5]),
        "queues": st.lists(queues, min_size=1, max_size=4),
        "asked": st.none() | st.sets(st.integers(0, 3)),
        "bounds": st.tuples(st.none() | st.integers(0, 6), st.none() | st.integers(0, 6)),
        "most": st.integers(0, 8),
    }
)


def wanted(world: dict) -> list[str]:
    """The slow and obvious way."""
    if world["paused"]:
        return []
    found: list[tuple[int, int, str]] = []
    active = 0
    after, before = world["bounds"]
    for place, queue in enumerate(world["queues"]):
        busy = sum(run[0] in {"RUNNING", "PENDING"} for run in queue["runs"])
        active += busy
        named = world["asked"] and world["asked"] & set(range(len(world["queues"])))
        if queue["paused"] or (named and place not in named):
            continue
        due = sorted(
            (place, run[1], f"{place}-{number}")
            for number, run in enumerate(queue["runs"])
            if run[0] == "SCHEDULED"
            and run[2] != "in_process"
            and (before is None or run[1] <= before)
            and (after is None or run[1] >= after)
        )
        found += due if queue["limit"] is None else due[: max(0, queue["limit"] - busy)]
    room = world["most"]
    if world["limit"] is not None:
        room = min(room, max(0, world["limit"] - active))
    return [run for _, _, run in sorted(found)[:room]]


async def fill(unit: Unit, world: dict) -> None:
    for table in ("flow_run", "work_queue", "work_pool"):
        await unit.run(f"delete from {table}")
    await unit.run(
        """insert into work_pool (id, workspace, created, updated, name, type, base_job_template,
          is_paused, concurrency_limit, storage_configuration)
        values ('p', 1, 0, 0, 'pool', 'process', '{}', ?, ?, '{}')""",
        world["paused"], world["limit"],
    )  # fmt: skip
    for place, queue in enumerate(world["queues"]):
        await unit.run(
            """insert into work_queue (id, workspace, created, updated, name, description,
              is_paused, concurrency_limit, priority, work_pool_id, status)
            values (?, 1, 0, 0, ?, '', ?, ?, ?, 'p', 'READY')""",
            f"q{9 - place}", f"q{place}", queue["paused"], queue["limit"], place + 1,
        )  # fmt: skip
        for number, (kind, at, retry) in enumerate(queue["runs"]):
            await unit.run(
                """insert into flow_run (id, workspace, created, updated, name, flow_id,
                  state_type, state_name, work_queue_id, run_count, next_scheduled_start_time,
                  total_run_time, auto_scheduled, retry_type, empirical_policy, parameters, context,
                  tags, labels)
                values (?, 1, 0, 0, 'n', 'f', ?, 'x', ?, 0, ?, 0.0, 0, ?, '{}', '{}', '{}', '[]',
                  '{}')""",
                f"{place}-{number}", kind, f"q{9 - place}", at * 1_000_000, retry,
            )  # fmt: skip


async def check(core: Core, world: dict) -> None:
    await core.database.write(lambda unit: fill(unit, world), workspace=1)
    reader = core.database.read(1)
    asked = world["asked"] or set()
    names = [f"q{place}" for place in asked if place < len(world["queues"])]
    polled = await polling.look_up(reader, "pool", names)
    after, before = (
        None if bound is None else from_micros(bound * 1_000_000) for bound in world["bounds"]
    )
    found = await polling.due_runs(
        reader, polled, before=before, after=after, limit=world["most"], now=0
    )
    assert [each.flow_run.id for each in found] == wanted(world)


async def test_polls_are_answered_as_a_slow_model_answers_them(core: Core) -> None:
    loop = asyncio.get_running_loop()
    examples: list[dict] = []

    @settings(max_examples=60, deadline=None, database=None, derandomize=True)
    @given(worlds)
    def collect(world: dict) -> None:
        examples.append(world)

    await loop.run_in_executor(None, collect)
    for world in examples:
        await check(core, world)


async def test_unknown_queues_are_404(api: Api) -> None:
    await api.pool()
    path = "/work_pools/pool/get_scheduled_flow_runs"
    await api.post(path, {"work_queue_names": ["default", "nobody"]}, status=404)
    await api.post(path, {"limit": 201}, status=422)


async def test_a_polled_run_is_whole_but_for_its_state(api: Api) -> None:
    pool = await api.pool()
    made = await api.deployment(work_pool_name="pool")
    run = await api.run(made["id"], parameters={"a": 1})
    [item] = await api.poll(scheduled_before="2026-01-01 12:00:10.5+00:00")
    assert (item["work_pool_id"], item["work_queue_id"]) == (
        pool["id"], pool["default_queue_id"],
    )  # fmt: skip
    given_run = item["flow_run"]
    assert given_run["state"] is None
    for name in set(run) - {"state", "work_pool_id", "work_pool_name", "work_queue_name"}:
        assert given_run[name] == run[name], name
    assert set(run) - set(given_run) == {"work_pool_id", "work_pool_name"}


async def test_late_runs_are_given_and_nobody_claims_them(api: Api) -> None:
    await api.pool()
    made = await api.deployment(work_pool_name="pool")
    run = await api.run(made["id"])
    await api.set_state(run["id"], "SCHEDULED", name="Late")
    for _ in range(2):
        assert [each["flow_run"]["id"] for each in await api.poll()] == [run["id"]]
    await api.set_state(run["id"], "PENDING", force=False)
    assert await api.poll() == []
