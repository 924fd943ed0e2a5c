"""The agent: looks for runs that are due, takes as many as it may, and looks after them.

::

    say hello ──▶ look for due runs ──▶ say which it will claim ──▶ an execution each
       ▲               │ every `interval`                                │
       │          heartbeat: what it runs ──▶ cancelled? lost? ──▶ end it │
       └── server away: what runs goes on, its lines wait ───────────────┘
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from armillary import Service
from armillary.errors import ConfigError
from armillary_plugins.agent.config import Config
from armillary_plugins.agent.launch import machine_environment
from armillary_plugins.agent.pool import LOCAL
from armillary_plugins.agent.services.control import Control
from armillary_plugins.agent.services.deploying import ensure_local_pool
from armillary_plugins.agent.services.desk import Desk, Taken
from armillary_plugins.agent.services.execution import Execution, gathered
from armillary_plugins.agent.services.http import HttpLink
from armillary_plugins.agent.services.inside import InsideLink
from armillary_plugins.agent.services.link import Away, Link, Turned
from armillary_plugins.agent.services.pools import Pools
from armillary_plugins.agent.services.processes import Spawner, SystemSpawner
from armillary_plugins.agent.services.proposing import Office
from armillary_plugins.agent.services.pythons import Pythons
from armillary_plugins.agent.services.shipping import Shipper

if TYPE_CHECKING:
    from armillary import Core

Json = Any
_BEAT_BUSY = 2.0
_BEAT_IDLE = 20.0
_AFTERMATH = 60.0
"""Seconds the process of a flow may go on for once its run has ended."""
_EMBEDDED = "server"
_TAKEN = 409


class Agent(Service):
    """Takes runs of its pools and runs them as processes."""

    name = "agent"

    def __init__(
        self, core: Core, *, link: Link | None = None, spawner: Spawner | None = None
    ) -> None:
        super().__init__(core)
        config = core.config(Config)
        self.config = config
        self.clock = core.clock
        self.embedded = not config.server and link is None
        made = link or (HttpLink(config.server) if config.server else InsideLink(core))
        self.link: Link = made
        self.spawner: Spawner = spawner or SystemSpawner(grace=config.grace, ids=core.ids)
        self.session = core.ids.uuid4()
        self.host, self.pid = socket.gethostname(), os.getpid()
        self.title = config.name or (_EMBEDDED if self.embedded else self.host)
        machine = machine_environment()
        self.desk = Desk(
            config=config,
            clock=self.clock,
            office=Office(self.link, self.clock, core.ids),
            shipper=Shipper(self.link, self.clock),
            spawner=self.spawner,
            control=Control(self.clock, core.ids),
            pythons=Pythons(self.spawner, machine, named=config.python),
            machine=machine,
            name=self.title,
            in_touch=self._in_touch,
        )
        self.executions: dict[str, Execution] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._draining = False
        self._known = False
        self._replaces: str | None = None
        self._beaten = float("-inf")
        self._spoken = asyncio.Event()
        self._complaint = ""
        self._within = _BEAT_IDLE
        self._let_go = False
        """Whether a run is over that the server has not been told is let go of."""
        self._pools = Pools(self.link, self.clock, core.ids, names=config.pools)

    async def run(self) -> None:
        """Look for runs until cancelled."""
        shipping = asyncio.create_task(self.desk.shipper.run(), name="agent logs")
        try:
            while True:
                await self._turn()
                await self._pause()
        finally:
            await gathered({shipping})

    async def drain(self) -> None:
        """Take nothing new, and let what runs end, for as long as the settings say."""
        self._draining = True
        if not self.executions:
            return
        self.log.warning(
            "waiting up to %g s for what runs (%d); a second signal ends it at once",
            self.config.drain, len(self.executions),
        )  # fmt: skip
        if await self._emptied(self.config.drain):
            return
        for execution in self.executions.values():
            execution.end("stopped")
        await self._emptied(self.config.grace + 5)

    async def close(self) -> None:
        """Say goodbye, end what is left, and leave the runs of that to the server."""
        left = dict(self.executions)
        await gathered(set(self._tasks))
        if self._known:
            self._draining = True
            self.executions = left
            try:
                await self._beat(leaving=True)
            except (Away, Turned) as error:
                self.log.info("left without a word: %s", error)
        self.desk.control.close()
        self.spawner.close()
        await self.link.close()

    async def _emptied(self, seconds: float) -> bool:
        until = self.clock.monotonic() + seconds
        while self.executions and self.clock.monotonic() < until:
            await self.clock.sleep(0.1)
        return not self.executions

    async def _pause(self) -> None:
        sleep = asyncio.create_task(self.clock.sleep(self.config.interval))
        wake = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait({sleep, wake}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            wake.cancel()
            self._wake.clear()

    async def _turn(self) -> None:
        """Do what is due; the server being away is said once."""
        try:
            if not self._known:
                await self._hello()
            now = self.clock.monotonic()
            busy = self.executions or self._let_go
            if now - self._beaten >= min(self._within, _BEAT_BUSY if busy else _BEAT_IDLE):
                await self._beat()
            if not self._draining:
                await self._look()
        except (Away, Turned) as error:
            if self._known and isinstance(error, Turned) and error.status == _TAKEN:
                self._make_way()
            self._complain(str(error))
        except ConfigError:
            raise
        except Exception:
            self.log.exception("a turn failed; the next one comes in %g s", self.config.interval)
        else:
            if self._complaint:
                self.log.info("the server answers again")
                self._complaint = ""

    def _complain(self, complaint: str) -> None:
        if complaint != self._complaint:
            self._complaint = complaint
            self.log.warning("%s; tried again every %g s", complaint, self.config.interval)

    async def _hello(self) -> None:
        """Take the name, and see that the pool `local` is there where it is served."""
        try:
            await self._beat()
        except Turned as error:
            if error.status != _TAKEN:
                raise
            holder = (error.document or {}).get("holder") or {}
            if not self._is_dead(holder):
                if self.embedded:
                    raise
                message = f"{error} (setting agent.name)"
                raise ConfigError(message) from error
            self._replaces = holder["session"]
            await self._beat()
        if any(pool.name == LOCAL for pool in self._pools.pools):
            await ensure_local_pool(self.link)
        self._known = True
        self.signal("known", self.title)
        if not self.embedded:
            self.log.info("%s works for %s", self.title, self.link.api_url)

    def _make_way(self) -> None:
        """Give up what runs: this agent was silent for so long that another has its name."""
        self._known = False
        for run_id in self.executions:
            self._end(run_id, "lost")

    def _is_dead(self, holder: dict[str, Json]) -> bool:
        """Tell whether who has the name was a process of this machine that is no more."""
        if holder.get("host") != self.host:
            return False
        pid = int(holder.get("pid") or 0)
        if pid == self.pid:
            return True
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return False

    async def _beat(self, *, claiming: list[Taken] | None = None, leaving: bool = False) -> None:
        body = {
            "name": self.title,
            "session": self.session,
            "host": self.host,
            "pid": self.pid,
            "pools": list(self.config.pools),
            "slots": self.config.limit,
            "draining": self._draining,
            "leaving": leaving,
            "replaces": self._replaces,
            "claiming": [{"id": each.id, "claim": each.claim} for each in claiming or ()],
            "runs": [
                {"id": run_id, "claim": each.taken.claim, "process": each.pid}
                for run_id, each in self.executions.items()
            ],
        }
        # One that was not claimed when this was said may still be anybody's.
        claimed = {run_id for run_id, each in self.executions.items() if each.claimed}
        self._let_go = False
        # Who sleeps before it reads the answer has an old one.
        asked = self.clock.monotonic()
        heard = await self.link.ask("POST", "/agents/heartbeat", body)
        self._beaten = asked
        self._within = float(heard["within"])
        for run_id in heard["cancel"]:
            self._end(run_id, "cancelled")
        for run_id in heard["lost"]:
            if run_id in claimed:
                self._end(run_id, "lost")
        for run_id in heard["ended"]:
            execution = self.executions.get(run_id)
            if execution is not None and not self._may_go_on(execution):
                self._end(run_id, "lost")
        self._spoken.set()
        self._spoken = asyncio.Event()

    async def _in_touch(self) -> None:
        """Wait for the next word of the server where the last is older than it waits for ours.

        An agent that slept may have lost a run that it is about to start, and somebody else has it.
        """
        while self.clock.monotonic() - self._beaten > self._within:
            self._wake.set()
            await self._spoken.wait()

    def _may_go_on(self, execution: Execution) -> bool:
        """Tell whether a run that has ended may still have its process: a flow ends after it."""
        now = self.clock.monotonic()
        execution.ended_at = execution.ended_at or now
        return execution.says_its_own_end and now - execution.ended_at < _AFTERMATH

    def _end(self, run_id: str, cause: Any) -> None:
        execution = self.executions.get(run_id)
        # One that waits to be claimed may still be anybody's.
        if execution is not None and execution.claimed and execution.cause is None:
            self.log.info("run %s is %s", run_id, cause)
            execution.end(cause)

    async def _look(self) -> None:
        """Take what is due, as far as there is room."""
        taken = await self._pools.due(
            room=self.config.limit - len(self.executions),
            within=self.config.interval,
            known=self.executions,
            title=self.title,
        )
        if not taken:
            return
        await self._beat(claiming=taken)
        for each in taken:
            execution = Execution(self.desk, each)
            self.executions[each.id] = execution
            task = asyncio.create_task(execution.run(), name=f"run {each.id}")
            self._tasks.add(task)
            task.add_done_callback(self._over(each.id))

    def _over(self, run_id: str) -> Callable[[asyncio.Task[None]], None]:
        def over(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            self.executions.pop(run_id, None)
            self._let_go = True
            self._wake.set()
            self.signal("over", run_id)

        return over
