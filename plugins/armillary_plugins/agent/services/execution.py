"""One run from its claim to its end.

::

    due ──▶ claim (PENDING) ──▶ plain command: RUNNING ──▶ process ──▶ its exit code decides
                            └─▶ flow of the SDK: its process says all, the agent what it cannot
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from armillary.clock import from_micros
from armillary_plugins.agent.job import Job, JobError, job_of
from armillary_plugins.agent.launch import (
    Launch,
    LaunchError,
    Told,
    command_launch,
    flow_launch,
)
from armillary_plugins.agent.outcome import (
    Cause,
    Ended,
    Next,
    after_command,
    after_flow,
    is_plain,
)
from armillary_plugins.agent.services.desk import Desk, Taken
from armillary_plugins.agent.services.link import Turned
from armillary_plugins.agent.services.processes import NotStarted
from armillary_plugins.agent.services.proposing import Answer
from armillary_plugins.agent.services.supervision import INFO, WARNING, Supervision, Terms
from armillary_plugins.logs.schemas import CreateLog

Json = Any
_ERROR = 40
_log = logging.getLogger("armillary_plugins.agent")


class Execution:
    """Runs one run."""

    def __init__(self, desk: Desk, taken: Taken) -> None:
        self.desk = desk
        self.taken = taken
        self.claimed = False
        self.says_its_own_end = False
        """Whether its process tells the server how it ended, so that the run ends before it."""
        self.ended_at: float | None = None
        """When the agent first heard that the run has ended."""
        self.cause: Cause | None = None
        self._supervision: Supervision | None = None
        self.changed: Callable[[], None] = _nobody

    @property
    def pid(self) -> int | None:
        """The number of its process."""
        return self._supervision.pid if self._supervision is not None else None

    def end(self, cause: Cause) -> None:
        """Have it ended, whatever it is at."""
        if self.cause is None or cause == "lost":
            self.cause = cause
        if self._supervision is not None:
            self._supervision.end(cause)

    async def run(self) -> None:
        """See it to its end; whatever goes wrong, the run is told."""
        try:
            await self._wait_until_due()
            if self.cause is None and await self._claim():
                await self._start()
        except Turned as error:
            await self._give_up(f"The server turned the agent down: {error}")
        except Exception:  # noqa: BLE001 - the last resort: logged, and the run is told
            _log.exception("run %s failed by a fault of the agent", self.taken.id)
            await self._give_up("The agent failed; its own log says more.")

    async def _wait_until_due(self) -> None:
        due = self.taken.due
        early = 0 if due is None else due - self.desk.clock.micros()
        if early > 0:
            await self.desk.clock.sleep(early / 1_000_000)

    async def _claim(self) -> bool:
        answer = await self.desk.office.propose(
            self.taken.id, Next(type="PENDING"), transition=self.taken.claim
        )
        self.claimed = answer.accepted
        return self.claimed

    async def _start(self) -> None:
        office, run = self.desk.office, self.taken.run
        deployment = None
        if run.get("deployment_id"):
            deployment = await office.ask("GET", f"/deployments/{run['deployment_id']}")
        flow = await office.ask("GET", f"/flows/{run['flow_id']}")
        try:
            job = job_of(
                self.taken.template,
                (deployment or {}).get("job_variables") or {},
                run.get("job_variables") or {},
            )
            told = self._told(deployment, flow)
            if is_plain(deployment, job.command):
                await self._command(job, told)
            else:
                await self._flow(job, told)
        except (JobError, LaunchError, NotStarted) as error:
            await self.say(_ERROR, str(error))
            await self._finish(Next(type="FAILED", message=str(error)))

    def _told(self, deployment: dict[str, Json] | None, flow: dict[str, Json]) -> Told:
        run = self.taken.run
        return Told(
            run_id=self.taken.id,
            run_name=run.get("name") or "",
            flow_id=run["flow_id"],
            flow_name=flow["name"],
            api_url=self.desk.office.link.api_url,
            agent=self.desk.name,
            attempt=int(run.get("run_count") or 0) + 1,
            deployment_id=run.get("deployment_id"),
            deployment_name=None if deployment is None else deployment["name"],
        )

    async def _command(self, job: Job, told: Told) -> None:
        """Run a plain command: the agent says all of its states."""
        parameters = self.taken.run.get("parameters") or {}
        launch = command_launch(job, parameters, told, self.desk.machine)
        if job.retries:
            policy = {"retries": job.retries, "retry_delay": round(job.retry_delay or 0)}
            await self.desk.office.ask(
                "PATCH", f"/flow_runs/{self.taken.id}", {"empirical_policy": policy}
            )
        if not await self._running():
            return
        levels = (INFO, WARNING) if job.stream_output else (None, None)
        ended = await self._supervise(launch, job, levels)
        if ended is not None:
            await self._finish(after_command(ended))

    async def _running(self) -> bool:
        """Propose RUNNING until it may; True where the command is to start."""
        while not await self._is_off():
            answer = await self.desk.office.propose(self.taken.id, Next(type="RUNNING"))
            if answer.status != "WAIT":
                return answer.accepted
            await self.desk.clock.sleep(max(answer.seconds, 0.1))
        if self.cause == "cancelled":
            await self._finish(Next(type="CANCELLED", message="It was cancelled before it began."))
        return False

    async def _is_off(self) -> bool:
        """Tell whether it is not to begin, having asked the server where that is long ago."""
        if self.cause is None:
            await self.desk.in_touch()
        return self.cause is not None

    async def _flow(self, job: Job, told: Told) -> None:
        """Run a flow of the SDK: its process says its states, as far as it lives to."""
        self.says_its_own_end = True
        if job.command:
            launch = flow_launch(job, (), told, self.desk.machine)
        else:
            python = await self.desk.pythons.find(job.python)
            launch = flow_launch(job, [python], told, self.desk.machine)
        # What the SDK writes to its error output it logs by itself as well.
        levels = (INFO, None) if job.stream_output else (None, None)
        token, variables = await self.desk.control.invite()
        launch = msgspec.structs.replace(launch, env={**launch.env, **variables})
        await self._is_off()
        try:
            ended = await self._supervise(
                launch, job, levels, warn=lambda: self.desk.control.cancel(token), begun=self._note
            )
        finally:
            self.desk.control.forget(token)
        if ended is None:
            return
        await self._note(None)
        run = await self.desk.office.ask("GET", f"/flow_runs/{self.taken.id}")
        policy = run.get("empirical_policy") or {}
        wanted = after_flow(
            ended,
            run.get("state_type"),
            retried_by_its_process=policy.get("retry_type") == "in_process",
        )
        if wanted is not None and wanted.type == "CRASHED" and ended.last_words:
            await self.say(_ERROR, "\n".join(["The last it wrote:", *ended.last_words]))
        await self._finish(wanted)

    async def _supervise(
        self,
        launch: Launch,
        job: Job,
        levels: tuple[int | None, int | None],
        *,
        warn: Callable[[], Awaitable[None]] | None = None,
        begun: Callable[[int], Awaitable[None]] | None = None,
    ) -> Ended | None:
        if self.cause is not None:
            return Ended(code=0, cause=self.cause)
        self._supervision = Supervision(
            self.desk.spawner,
            self.desk.clock,
            self.desk.shipper.add,
            Terms(
                run_id=self.taken.id,
                timeout=job.timeout,
                grace=self.desk.config.grace,
                levels=levels,
                warn=warn,
                begun=begun,
            ),
        )
        ended = await self._supervision.run(launch)
        if ended.cause == "lost":
            return None
        await self.desk.shipper.flush()
        return ended

    async def _note(self, pid: int | None) -> None:
        """Have the run name its process: one that has none is cancelled without asking anybody.

        The process of a flow lives on while that waits for a retry, and is then to be asked.
        """
        where = None if pid is None else f"{socket.gethostname()}:{pid}"
        path = f"/flow_runs/{self.taken.id}"
        try:
            await self.desk.office.ask("PATCH", path, {"infrastructure_pid": where})
        except Turned as error:
            _log.info("run %s does not name its process: %s", self.taken.id, error)

    async def _finish(self, wanted: Next | None) -> Answer | None:
        await self.desk.in_touch()
        if wanted is None or self.cause == "lost":
            return None
        answer = await self.desk.office.propose(self.taken.id, wanted)
        self.changed()
        return answer

    async def _give_up(self, message: str) -> None:
        if not self.claimed:
            return
        try:
            await self._finish(Next(type="CRASHED", message=message))
        except Turned as error:
            _log.warning("run %s is left as it is: %s", self.taken.id, error)

    async def say(self, level: int, message: str) -> None:
        """Put a line of the agent's own into the run's log."""
        line = CreateLog(
            name="agent",
            level=level,
            message=message,
            timestamp=from_micros(self.desk.clock.micros()),
            flow_run_id=self.taken.id,
        )
        await self.desk.shipper.add([line])
        await self.desk.shipper.flush()


def _nobody() -> None:
    """Nobody wants to know."""


async def gathered(tasks: set[asyncio.Task[None]]) -> None:
    """Wait for tasks that were cancelled."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
