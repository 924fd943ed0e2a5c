"""The real agent under simulated time: its commands are tasks that outlive it, until it is missed.

::

    the agent's process ──▶ the real Agent ──▶ network ──▶ server
              │ spawns                 ▲
              ▼                        │ lines
    a process of its own: writes, and ends, hangs or ignores what it is told
              ▲
              └── the guard: ends it a moment after the agent was killed
"""

from __future__ import annotations

import asyncio
import contextvars
import sqlite3
from typing import Any, cast

from armillary.clock import Clock
from armillary.core import Core
from armillary.ids import Ids
from armillary_plugins.agent.config import Config
from armillary_plugins.agent.launch import Launch
from armillary_plugins.agent.pool import local_pool
from armillary_plugins.agent.services.agent import Agent
from armillary_plugins.agent.services.link import API_VERSION, Away, Turned, explain
from tests.plugins.agent.fakes import FakeProcess
from tests.simulation.clients import GaveUp, Person
from tests.simulation.ledger import Ledger
from tests.simulation.moment import Moment
from tests.simulation.network import Lost
from tests.simulation.timeline import Process, here

Json = Any
_LATER = frozenset({408, 429, 500, 502, 503, 504})
_ENDS = frozenset({"COMPLETED", "FAILED"})
_GUARD = 1.0
_ORDER = 40.0
_COMMANDS: dict[str, dict[str, Any]] = {
    "quick": {"command": "quick"},
    "fails": {"command": "fails", "retries": 1, "retry_delay": 5},
    "hangs": {"command": "hangs", "timeout": 40},
}
_UNDER_WAY = """
select r.id, r.state_type from flow_run r join work_queue q on q.id = r.work_queue_id
  join work_pool p on p.id = q.work_pool_id
where p.name = 'local' and r.state_type in ('PENDING', 'RUNNING', 'CANCELLING')
"""


class _Command(FakeProcess):
    """A process that the system runs, whoever started it."""

    def __init__(self, commander: Commander, launch: Launch, pid: int) -> None:
        super().__init__(pid, launch)
        self.run_id = launch.env["PREFECT__FLOW_RUN_ID"]
        self.process = Process(f"command of {self.run_id}")
        self.written: set[str] = set()
        self.stubborn = commander.chance.random() < 0.3
        self._commander = commander
        self._kind = launch.argv[0]
        loop = commander.network.server.loop
        loop.within(self.process, lambda: loop.create_task(self._live()))

    async def _live(self) -> None:
        chance = self._commander.chance
        for _ in range(chance.randrange(5)):
            await asyncio.sleep(chance.expovariate(1 / 5))
            line = self._commander.uuid()
            self.written.add(line)
            self.out.write(f"{line}\n".encode())
        await asyncio.sleep(10_000.0 if self._kind == "hangs" else chance.expovariate(1 / 10))
        self.end(1 if self._kind == "fails" and chance.random() < 0.7 else 0)

    def end(self, code: int = 0) -> None:
        super().end(code)
        self.process.kill()


class _Spawner:
    def __init__(self, commander: Commander) -> None:
        self._commander = commander
        self.commands: dict[str, _Command] = {}
        agent = here()
        if agent is not None:
            agent.on_death.append(self._missed)

    async def spawn(self, launch: Launch) -> _Command:
        commander, ledger = self._commander, self._commander.ledger
        command = _Command(commander, launch, 100 + len(self.commands))
        other = ledger.executing.get(command.run_id)
        if other is not None and other.alive and command.run_id not in ledger.called_off:
            commander.complain(f"run {command.run_id} is run twice")
        ledger.executing[command.run_id] = command.process
        self.commands[command.run_id] = command
        return command

    def close(self) -> None:
        """Nothing is held."""

    def _missed(self) -> None:
        """The guard ends what a killed agent leaves behind."""
        loop = self._commander.network.server.loop
        for command in self.commands.values():
            loop.call_later(_GUARD, command.end, -15, context=contextvars.Context())


class _Link:
    """The network as the agent sees it, and what is noted of what it says."""

    api_url = "http://127.0.0.1:4200/api"

    def __init__(self, commander: Commander, spawner: _Spawner) -> None:
        self._commander = commander
        self._spawner = spawner
        self._taken: set[str] = set()
        self._offered: Json = []
        """The lines that were sent last, whatever became of them."""

    async def ask(self, method: str, path: str, body: Json = None) -> Json:
        commander = self._commander
        if path == "/logs/":
            self._offered = body
        try:
            answer = await commander.network.call(method, f"{commander.place.prefix}{path}", body)
        except Lost as error:
            raise Away("lost") from error
        if answer.status in _LATER:
            if answer.status == 500:
                commander.complain(f"{method} {path} was answered 500: {answer.document}")
            raise Away(str(answer.status))
        if answer.status >= 400:
            reason = explain(answer.status, answer.document)
            raise Turned(answer.status, reason, answer.document)
        self._note(path, body, answer.document)
        return answer.document

    def _note(self, path: str, body: Json, document: Json) -> None:
        ledger = self._commander.ledger
        if path == "/logs/" or (path == "/logs/filter" and document):
            self._taken.update(line.message for line in self._offered)
            ledger.lines.update((line.message, line.flow_run_id) for line in self._offered)
        if not path.endswith("/set_state"):
            return
        run_id = path.split("/")[2]
        ledger.state(run_id, document["state"])
        kind = body["state"]["type"]
        if kind not in _ENDS or document["status"] == "ABORT":
            return
        if document["status"] == "ACCEPT":
            ledger.finished[run_id] = kind
        command = self._spawner.commands.get(run_id)
        missing = command.written - self._taken if command is not None else set()
        if missing:
            self._commander.complain(f"run {run_id} ended without its lines {sorted(missing)}")

    async def close(self) -> None:
        """Nothing is open."""


class _Machine:
    """What the agent needs of a core that is not there: it is on another machine."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self.clock = clock
        self.ids = ids

    def config(self, _: type[Config]) -> Config:
        return Config(limit=4)


class Commander(Person):
    """Has the agent run commands, and orders some of them."""

    async def live(self) -> None:
        self.begin(self._order())
        self.network.headers = ((b"x-prefect-api-version", API_VERSION.encode()),)
        spawner = _Spawner(self)
        core = cast("Core", _Machine(self.clock, Ids(self.clock, self.chance)))
        agent = Agent(core, link=_Link(self, spawner), spawner=spawner)
        agent.title, agent.host, agent.pid = self.name, "its machine", 7
        await agent.run()

    async def _order(self) -> None:
        made: dict[str, str] = {}
        while True:
            await asyncio.sleep(self.chance.expovariate(1 / _ORDER))
            name = self.chance.choice(sorted(_COMMANDS))
            try:
                if name not in made:
                    made[name] = await self._deploy(name)
                path = f"/deployments/{made[name]}/create_flow_run"
                for _ in range(self.chance.randrange(1, 4)):
                    body = {"idempotency_key": self.uuid()}
                    self.ledger.run(await self.make(path, body), self.place)
            except GaveUp:
                made.pop(name, None)

    async def _deploy(self, name: str) -> str:
        """Make a deployment of a plain command; the pool is there once the agent was."""
        await self.ask("POST", "/work_pools/", local_pool())
        flow = await self.make("/flows/", {"name": name})
        body = {
            "name": name, "flow_id": flow["id"], "work_pool_name": "local",
            "job_variables": _COMMANDS[name],
        }  # fmt: skip
        return str((await self.make("/deployments/", body))["id"])


def commanded_wrongly(rows: sqlite3.Connection, _: Ledger, moment: Moment) -> list[str]:
    """Runs of agents that are still under way with no agent left."""
    if not moment.settled:
        return []
    return [
        f"run {run} is {state}, and its agent is gone" for run, state in rows.execute(_UNDER_WAY)
    ]
