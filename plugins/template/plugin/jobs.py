"""The job that begins again at nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from armillary.jobs import Job, Wanted
from armillary.jobs.store import enqueue
from armillary_plugins.example.repository import forget_moments

if TYPE_CHECKING:
    from armillary.api import Call
    from armillary.jobs.running import Running

_NAME = "begin_again"


async def ask_to_begin_again(call: Call) -> None:
    """Have it done once this is committed; asking twice before that is asking once."""
    wanted = Wanted(id=call.core.ids.uuid7(), queue="example", job=_NAME, key=_NAME)
    await call.write(lambda unit: enqueue(unit, wanted))


async def _begin_again(running: Running) -> None:
    await running.core.database.write(forget_moments, workspace=running.workspace)


BEGIN_AGAIN = Job(name=_NAME, work=_begin_again)
