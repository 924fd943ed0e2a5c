"""Commands run by an agent in the server and by one beside it, while either is killed or frozen."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak.commanded import Evidence, Ran, evidence, under_way
from tests.soak.load import Client, Load, until
from tests.soak.server import Recovery, Soaked, spread
from tests.soak.work import MARK, WORKS, left_behind, written

Say = Callable[[str], None]
POOLS = {"local": "server", "far": "beside"}
"""Who takes the runs of a pool: the agent in the server, and the one beside it."""
TROUBLES = ("server", "agent", "both", "frozen", "stopped", "restarted", "replaced")
EVERY = 4
"""Seconds between two runs of those that are on a schedule."""
_SCHEDULED = ("quick", "fails")
_SETTLES = 300.0
_LEAVES = 60.0
_SILENCE = 45.0
"""Seconds after which an agent is gone, by default."""
_TAKES = 8.0
"""Seconds for a new agent to have the name, and runs of its own."""
_HASTE = {
    "ARMILLARY_SCHEDULER_INTERVAL": "2",
    "ARMILLARY_SCHEDULER_MIN_TIME": "20",
    "ARMILLARY_SCHEDULER_MIN_RUNS": "1",
    "ARMILLARY_PLUGINS_DISABLE": "ui",
}
_OF_AGENTS = {"ARMILLARY_AGENT_GRACE": "2", "ARMILLARY_AGENT_DRAIN": "4"}


@dataclass(frozen=True)
class Plan:
    """For how long, how far apart the troubles are, and how they are drawn."""

    seconds: float = 300.0
    troubles: tuple[str, ...] = ()
    """In this order, where they are not drawn."""
    apart: tuple[float, float] = (2.0, 10.0)
    frozen: tuple[float, float] = (1.0, 70.0)
    away: tuple[float, float] = (0.0, 3.0)
    silence: float | None = None
    """Seconds after which an agent is gone, where it is not to be as by default."""
    pause: tuple[float, float] = (0.1, 0.8)
    """Seconds between two runs that somebody asks for."""
    seed: int = 0


@dataclass
class Outcome:
    """What the troubles came to."""

    recoveries: list[Recovery] = field(default_factory=list)
    blows: list[tuple[float, str]] = field(default_factory=list)
    """When an agent was killed, frozen or stopped, and which."""
    evidence: Evidence = field(default_factory=Evidence)
    wrong: list[str] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)

    def told(self) -> str:
        """It in a few lines."""
        answering = spread([each.answering for each in self.recoveries])
        crashed = spread([*filter(None, map(self._after, self.evidence.ran))])
        return (
            f"  {len(self.blows)} blows; answers: {self.answers}\n"
            f"  answering again after the start: {answering}\n"
            f"  from the blow to Crashed: {crashed}\n"
            f"  runs: {self.evidence.told()}\n"
            f"  wrong: {self.wrong[:10] or 'nothing'}"
        )

    def _after(self, run: Ran) -> float | None:
        """Seconds from what befell a run's agent to the run's end by it."""
        if run.type != "CRASHED":
            return None
        before = [at for at, who in self.blows if who == POOLS[run.pool] and at < run.since]
        return run.since - max(before) if before else None


class Agent:
    """The agent beside the server."""

    def __init__(self, folder: Path, url: str, name: str = "agent") -> None:
        self._folder, self._url, self._name = folder, url, name
        self._log = folder / f"{name}.log"
        self._home = folder / name
        self._environ = {
            **{key: value for key, value in os.environ.items() if not key.startswith("ARMILL")},
            **_OF_AGENTS,
            "ARMILLARY_AGENT_SERVER": url,
            "ARMILLARY_AGENT_NAME": POOLS["far"],
            "ARMILLARY_AGENT_POOLS": "far",
            MARK: str(folder),
        }
        self._process: subprocess.Popen[bytes]

    def another(self) -> Agent:
        """One of the same name as the server knows it."""
        return Agent(self._folder, self._url, f"{self._name}+")

    def ended(self) -> int:
        """Wait for its end; its exit code."""
        return self._process.wait(_LEAVES)

    def launch(self) -> None:
        words = ["start", "--target", "agent", "--home", str(self._home)]
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "armillary", *words],
                stdout=log, stderr=subprocess.STDOUT, env=self._environ,
            )  # fmt: skip

    def tell(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Have it end as it does by itself; its exit code."""
        self._process.terminate()
        return self.ended()

    def faults(self) -> list[str]:
        """The lines of its log that tell of a fault."""
        words = (" error ", " critical ", "Traceback")
        lines = self._log.read_text().splitlines()
        return [line for line in lines if any(word in line for word in words)]


class Orders(Load):
    """A load of commands: some on schedules, some that somebody asks for."""

    def __init__(self, port: int, folder: Path, plan: Plan) -> None:
        super().__init__(port, seed=plan.seed)
        self.pause = plan.pause
        self.deployments: list[str] = []
        self._script = written(folder)

    async def prepare(self) -> None:
        client = Client(self)
        await client.ask("POST", "/work_pools/", {"name": "far", "type": "process"})

        async def known() -> bool:
            return (await client.ask("GET", "/work_pools/local")).good

        await until(known, within=_LEAVES)
        for name, work in WORKS.items():
            flow = (await client.ask("POST", "/flows/", {"name": name})).document
            schedule = {"interval": EVERY, "anchor_date": "2026-01-01T00:00:00Z"}
            for pool in POOLS:
                body = {
                    "name": f"{name} {pool}", "flow_id": flow["id"], "work_pool_name": pool,
                    "job_variables": work.job_variables(self._script),
                    "schedules": [{"schedule": schedule}] if name in _SCHEDULED else [],
                }  # fmt: skip
                made = await client.ask("POST", "/deployments/", body)
                self.deployments.append(made.document["id"])
        client.close()

    async def calm(self) -> None:
        """Let schedules make no more runs."""
        client = Client(self)
        for deployment in self.deployments:
            await client.ask("PATCH", f"/deployments/{deployment}", {"paused": True})
        client.close()


class Person(Client):
    """Asks for runs of any command in either pool."""

    load: Orders

    async def once(self) -> None:
        path = f"/deployments/{self.chance.choice(self.load.deployments)}/create_flow_run"
        run = (await self.ask("POST", path, {"idempotency_key": self.uuid()})).document
        self.ledger.flow_runs.add(run["id"])
        await asyncio.sleep(self.chance.uniform(*self.load.pause))


class Scene:
    """A server and an agent, and what befalls them."""

    def __init__(self, server: Soaked, agent: Agent, plan: Plan, outcome: Outcome) -> None:
        self._server = server
        self.agent = agent
        self._plan = plan
        self._outcome = outcome
        self._chance = random.Random(plan.seed)  # noqa: S311 - the same moments every time

    def drawn(self) -> str:
        return self._chance.choice(TROUBLES)

    async def pause(self) -> None:
        await asyncio.sleep(self._chance.uniform(*self._plan.apart))

    async def befall(self, trouble: str) -> None:
        """Let one thing happen, and be over."""
        if trouble == "replaced":
            await self._replace()
            return
        if trouble in {"agent", "both", "restarted"}:
            self._blow("beside")
            self.agent.kill()
        if trouble in {"server", "both"}:
            self._blow("server")
            self._server.kill()
        if trouble == "stopped":
            self._blow("beside")
            code = await asyncio.to_thread(self.agent.stop)
            if code != 0:
                self._outcome.wrong.append(f"the agent was asked to end, and ended with {code}")
        if trouble == "frozen":
            self._blow("beside")
            self.agent.tell(signal.SIGSTOP)
            await asyncio.sleep(self._chance.uniform(*self._plan.frozen))
            self.agent.tell(signal.SIGCONT)
            return
        if trouble != "restarted":
            await asyncio.sleep(self._chance.uniform(*self._plan.away))
        if trouble != "server":
            self.agent.launch()
        if trouble in {"server", "both"}:
            self._outcome.recoveries.append(await self._server.recover())

    async def _replace(self) -> None:
        """Have the agent sleep until another has its name; when it wakes it has to go."""
        sleeper, self.agent = self.agent, self.agent.another()
        self._blow("beside")
        sleeper.tell(signal.SIGSTOP)
        await asyncio.sleep((self._plan.silence or _SILENCE) + _TAKES)
        self.agent.launch()
        await asyncio.sleep(_TAKES)
        sleeper.tell(signal.SIGCONT)
        if await asyncio.to_thread(sleeper.ended) == 0:
            self._outcome.wrong.append("an agent whose name another has ended as if all was well")

    def _blow(self, who: str) -> None:
        self._outcome.blows.append((time.time(), who))


async def commands(database_url: str, folder: Path, plan: Plan, say: Say) -> Outcome:
    """Let commands be run under troubles; look when all has ended, and everybody is gone."""
    outcome = Outcome()
    hurried = {} if plan.silence is None else {
        "ARMILLARY_MARK_CRASHED_RUNS_SILENCE": str(plan.silence),
        "ARMILLARY_MARK_CRASHED_RUNS_INTERVAL": "1",
    }  # fmt: skip
    marked = {MARK: str(folder)}
    server = Soaked(folder, database_url, **_HASTE, **_OF_AGENTS, **hurried, **marked)
    load = Orders(server.port, folder, plan)
    scene = Scene(server, Agent(folder, server.url), plan, outcome)
    try:
        await server.recover()
        scene.agent.launch()
        await load.prepare()
        load.start({Person: 1})
        await _troubled(scene, plan, say)
        await load.end()
        await load.calm()
        outcome.wrong += await _ended(database_url)
        faults = [*server.faults(), *scene.agent.faults()]
        outcome.wrong += [f"in the log: {line}" for line in faults[:5]]
        if scene.agent.stop() != 0 or server.interrupt() != 0:
            outcome.wrong.append(f"they did not end cleanly: {server.log()[-500:]}")
        await until(lambda: not left_behind(folder), within=_LEAVES)
        outcome.wrong += [f"still there: {process}" for process in left_behind(folder)]
        outcome.evidence = await evidence(database_url, folder, load.ledger)
        outcome.wrong += outcome.evidence.wrong
    finally:
        await load.abandon()
        scene.agent.kill()
        server.kill()
    outcome.answers = dict(load.ledger.answers)
    return outcome


async def _troubled(scene: Scene, plan: Plan, say: Say) -> None:
    began = time.monotonic()
    for trouble in plan.troubles:
        await scene.pause()
        await scene.befall(trouble)
    while not plan.troubles and time.monotonic() < began + plan.seconds:
        await scene.pause()
        trouble = scene.drawn()
        await scene.befall(trouble)
        say(f"  {time.monotonic() - began:.0f} s: {trouble}")


async def _ended(database_url: str) -> list[str]:
    """Wait until no run is under way or waits any more."""
    left = 0

    async def look() -> bool:
        nonlocal left
        left = await under_way(database_url)
        await asyncio.sleep(0.3)
        return not left

    ended = await until(look, within=_SETTLES)
    return [] if ended is not None else [f"{left} runs have not ended"]
