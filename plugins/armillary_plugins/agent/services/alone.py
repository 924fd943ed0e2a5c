"""Runs one command now, tracked by a server: an agent for a single run."""

from __future__ import annotations

import asyncio
import os
import shlex
import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from armillary.clock import Clock
from armillary.ids import Ids
from armillary_plugins.agent.job import Job
from armillary_plugins.agent.launch import Launch, Told, command_launch, machine_environment
from armillary_plugins.agent.outcome import NOT_FOUND, Next, after_command, exit_code
from armillary_plugins.agent.services.link import Away, Link, Turned
from armillary_plugins.agent.services.processes import NotStarted, Spawner
from armillary_plugins.agent.services.proposing import Office
from armillary_plugins.agent.services.shipping import Shipper
from armillary_plugins.agent.services.supervision import Supervision, Terms

Json = Any
_BEAT = 2.0


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be run."""

    argv: Sequence[str]
    name: str
    env: Mapping[str, str] = {}
    timeout: float | None = None
    retries: int = 0
    retry_delay: float = 0
    grace: float = 10.0
    tags: Sequence[str] = ()


class Alone:
    """One run, from its making to its end."""

    def __init__(self, link: Link, spawner: Spawner, clock: Clock, ids: Ids) -> None:
        self._link = link
        self._spawner = spawner
        self._clock = clock
        self._ids = ids
        self._office = Office(link, clock, ids)
        self._shipper = Shipper(link, clock)
        self._session = ids.uuid4()
        self._claim = ids.uuid4()
        self._supervision: Supervision | None = None
        self._stopped = asyncio.Event()
        self._concluded = False
        self.run_id = ""

    def stop(self) -> None:
        """Have the command ended, as if somebody had cancelled the run."""
        self._stopped.set()
        if self._supervision is not None:
            self._supervision.end("cancelled")

    async def run(
        self, wish: Wish, *, began: Callable[[str], None], tee: Callable[[str, bytes], None]
    ) -> int:
        """Run it, and return the exit code to pass on; Away and Turned where it cannot be made."""
        flow = await self._link.ask("POST", "/flows/", {"name": wish.name})
        run = await self._link.ask("POST", "/flow_runs/", _new_run(wish, flow["id"], self._claim))
        self.run_id = run["id"]
        await self._beat(claiming=True)
        began(self.run_id)
        beating = asyncio.create_task(self._keep_beating())
        shipping = asyncio.create_task(self._shipper.run())
        try:
            return await self._attempts(wish, run, flow, tee)
        finally:
            beating.cancel()
            shipping.cancel()
            await asyncio.gather(beating, shipping, return_exceptions=True)
            await self._leave()

    async def _attempts(
        self, wish: Wish, run: Json, flow: Json, tee: Callable[[str, bytes], None]
    ) -> int:
        attempt = 0
        while True:
            attempt += 1
            launch = self._launch(wish, run, flow, attempt)
            answer = await self._office.propose(self.run_id, Next(type="RUNNING"))
            if not answer.accepted:
                self._concluded = True
                return 1
            wanted, code = await self._once(wish, launch, tee)
            due = None
            if wanted is not None:
                answer = await self._office.propose(self.run_id, wanted)
                due = _next_attempt(answer.state or {})
            if due is None:
                self._concluded = True
                return code
            await self._wait_until(due)
            if self._stopped.is_set():
                await self._office.propose(self.run_id, Next(type="CANCELLED"))
                self._concluded = True
                return code

    async def _wait_until(self, due: datetime) -> None:
        wait = due.timestamp() - self._clock.micros() / 1_000_000
        sleep = asyncio.create_task(self._clock.sleep(max(0.0, wait)))
        told = asyncio.create_task(self._stopped.wait())
        await asyncio.wait({sleep, told}, return_when=asyncio.FIRST_COMPLETED)
        sleep.cancel()
        told.cancel()

    async def _once(
        self, wish: Wish, launch: Launch, tee: Callable[[str, bytes], None]
    ) -> tuple[Next | None, int]:
        terms = Terms(run_id=self.run_id, timeout=wish.timeout, grace=wish.grace, tee=tee)
        self._supervision = Supervision(self._spawner, self._clock, self._shipper.add, terms)
        if self._stopped.is_set():
            self._supervision.end("cancelled")
        try:
            ended = await self._supervision.run(launch)
        except NotStarted as error:
            tee("stderr", f"armillary: {error}\n".encode())
            return Next(type="FAILED", message=str(error)), NOT_FOUND
        await self._shipper.flush()
        return after_command(ended), exit_code(ended)

    def _launch(self, wish: Wish, run: Json, flow: Json, attempt: int) -> Launch:
        told = Told(
            run_id=self.run_id,
            run_name=run["name"],
            flow_id=flow["id"],
            flow_name=flow["name"],
            api_url=self._link.api_url,
            agent="",
            attempt=attempt,
        )
        job = Job(command="true", env=wish.env, working_dir=os.getcwd())  # noqa: PTH109 - text
        launch = command_launch(job, {}, told, machine_environment())
        own = None if not os.isatty(0) else b""
        return msgspec.structs.replace(launch, argv=list(wish.argv), stdin=own)

    async def _keep_beating(self) -> None:
        while True:
            await self._clock.sleep(_BEAT)
            try:
                await self._beat()
            except Away:
                continue
            except Turned:
                return

    async def _beat(self, *, claiming: bool = False, leaving: bool = False) -> None:
        supervision = self._supervision
        held = {"id": self.run_id, "claim": self._claim}
        if supervision is not None:
            held["process"] = supervision.pid  # type: ignore[assignment]
        heard = await self._link.ask(
            "POST",
            "/agents/heartbeat",
            {
                "name": f"run {self.run_id}",
                "session": self._session,
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "slots": 1,
                "leaving": leaving,
                "claiming": [held] if claiming else [],
                "runs": [] if claiming or self._concluded else [held],
            },
        )
        if supervision is not None and (heard["cancel"] or heard["ended"] or heard["lost"]):
            supervision.end("cancelled" if heard["cancel"] else "lost")

    async def _leave(self) -> None:
        try:
            await self._beat(leaving=True)
        except (Away, Turned):
            return


def _next_attempt(state: Json) -> datetime | None:
    """Return when a run is to be tried again, where that is what became of it."""
    if state.get("type") != "SCHEDULED":
        return None
    return datetime.fromisoformat(state["state_details"]["scheduled_time"])


def _new_run(wish: Wish, flow_id: str, claim: str) -> Json:
    return {
        "flow_id": flow_id,
        "state": {"type": "PENDING", "state_details": {"transition_id": claim}},
        "tags": list(wish.tags),
        "parameters": {},
        "job_variables": {"command": shlex.join(wish.argv)},
        "empirical_policy": {"retries": wish.retries, "retry_delay": round(wish.retry_delay)},
    }
