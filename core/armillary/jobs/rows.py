"""The rows of a plugin's jobs as SAQ asks for them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any

import msgspec
from saq.job import Job as SaqJob
from saq.job import Status
from saq.queue import Queue

from armillary.jobs import Wanted, store

if TYPE_CHECKING:
    from saq.types import CountKind, QueueInfo, WorkerInfo

    from armillary.core import Core
    from armillary.db.unit import Row

_STATUS = {
    "waiting": Status.QUEUED,
    "active": Status.ACTIVE,
    "done": Status.COMPLETE,
    "dead": Status.FAILED,
    "aborted": Status.ABORTED,
}
STATE = {status: state for state, status in _STATUS.items()}


class Rows(Queue):
    """Puts jobs into our database and finds them there."""

    def __init__(self, core: Core, name: str, **more: Any) -> None:
        super().__init__(name=name, dump=None, load=None, **more)
        self._core = core

    @abstractmethod
    def wake(self) -> None:
        """Let whoever looks after the queue look."""

    def _write(self, work: Any) -> Any:
        return self._core.database.write(work, workspace=None)

    async def _enqueue(self, job: SaqJob) -> SaqJob | None:
        wanted = Wanted(
            id=self._core.ids.uuid7(),
            queue=self.name,
            job=job.function,
            key=job.key,
            arguments=job.kwargs or {},
            start=int(job.scheduled * 1e6),
            group=job.group_key,
            attempts=job.retries,
        )
        added = await self._write(lambda unit: store.enqueue(unit, wanted, workspace=1))
        self.wake()
        return job if added else None

    async def job(self, job_key: str) -> SaqJob | None:
        """Read a job by its key."""
        return (await self.jobs([job_key]))[0]

    async def jobs(self, job_keys: Iterable[str]) -> list[SaqJob | None]:
        """Read jobs by their keys."""
        keys = list(job_keys)
        rows = await store.rows_by_key(self._core.database.read(None), self.name, keys)
        found = {row[1]: self._stored(row) for row in rows}
        return [found.get(key) for key in keys]

    def _stored(self, row: Row) -> SaqJob:
        return SaqJob(
            function=row[2],
            kwargs=msgspec.json.decode(row[3]),
            queue=self,
            key=row[1],
            status=_STATUS[row[4]],
            attempts=row[5],
            retries=row[6],
            progress=row[7],
            error=row[8],
            meta={"id": row[0]},
        )

    async def iter_jobs(
        self, statuses: list[Status] | None = None, batch_size: int = 100
    ) -> AsyncIterator[SaqJob]:
        """Go through the jobs of some states."""
        place, reader = "", self._core.database.read(None)
        while True:
            rows = await reader.all(
                "select key from job where queue = ? and key > ? order by key limit ?",
                self.name, place, batch_size,
            )  # fmt: skip
            for job in await self.jobs([row[0] for row in rows]):
                if job is not None and (statuses is None or job.status in statuses):
                    yield job
            if len(rows) < batch_size:
                return
            place = rows[-1][0]

    async def count(self, kind: CountKind) -> int:
        """Count what waits, is under way, or has no end yet."""
        states = {"queued": "'waiting'", "active": "'active'"}.get(kind, "'waiting', 'active'")
        return int(
            await self._core.database.read(None).value(
                f"select count(*) from job where queue = ? and state in ({states})", self.name
            )
        )

    async def info(self, jobs: bool = False, offset: int = 0, limit: int = 10) -> QueueInfo:  # noqa: ARG002, FBT001, FBT002 - SAQ's
        """Tell how much there is; the list of jobs is our own API's."""
        waiting, active = await self.count("queued"), await self.count("active")
        return {
            "workers": {}, "name": self.name, "queued": waiting, "active": active,
            "scheduled": 0, "jobs": [],
        }  # fmt: skip

    async def write_worker_info(self, worker_id: str, info: WorkerInfo, ttl: int) -> None:
        """Keep nothing: who is at what stands in the rows."""
