"""The job that deletes what hangs below deleted things."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from armillary.deleting.deletions import JOB
from armillary.jobs import Job

if TYPE_CHECKING:
    from armillary.jobs.running import Running

_PAUSE = 0.005
"""Seconds between two units: the writer is everybody's."""


async def _delete_below(running: Running, *, table: str, ids: list[str]) -> None:
    core = running.core
    deleted, ended = 0, False
    while not ended:
        some, ended = await core.database.write(
            partial(core.deletions.go_on, table=table, ids=ids), workspace=running.workspace
        )
        deleted += some
        await running.get_on(f"{deleted} rows deleted")
        await core.clock.sleep(_PAUSE)


DELETE_BELOW = Job(name=JOB, work=_delete_below)
