"""Jobs under a few kills, with either queue: `make soak` has them for minutes."""

from pathlib import Path

import pytest

from tests.servers import running_redis
from tests.soak.jobs import Plan, jobs

KILLED = Plan(troubles=("server",), apart=(0.3, 0.5), removers=2, cancellers=1, seed=1)
OVER_REDIS = Plan(
    troubles=("redis", "cut"), apart=(0.3, 0.5), away=(0, 0.2), removers=2, cancellers=1, seed=1
)


@pytest.mark.timeout(400)
async def test_jobs_of_a_killed_server_are_done_and_leave_no_orphan(
    copied_sqlite: str, tmp_path: Path
) -> None:
    outcome = await jobs(copied_sqlite, tmp_path, None, KILLED, lambda _: None)
    assert outcome.wrong == []
    assert outcome.jobs["delete_below done"]
    assert outcome.jobs["end_cancellation done"]


@pytest.mark.timeout(400)
async def test_a_redis_that_is_killed_and_cut_off_costs_no_job(
    copied_sqlite: str, tmp_path: Path
) -> None:
    with running_redis() as redis:
        outcome = await jobs(copied_sqlite, tmp_path, redis, OVER_REDIS, lambda _: None)
    assert outcome.wrong == []
    assert outcome.jobs["delete_below done"]
    assert outcome.befallen.keys() == {"redis", "cut"}
