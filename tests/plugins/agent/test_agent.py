"""The agent on a core of its own: what it takes, what it tells, and what it survives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from armillary.core import Core
from armillary.errors import ConfigError
from armillary.services.loop import Done
from armillary.testing import ManualClock
from armillary_plugins.agent.pool import local_pool
from armillary_plugins.agent.services.agent import Agent
from armillary_plugins.agent.services.inside import InsideLink
from armillary_plugins.agent.services.link import Away, Turned
from armillary_plugins.agent.services.pools import Pool
from armillary_plugins.agent.services.shipping import Shipper
from armillary_plugins.logs.schemas import CreateLog
from armillary_plugins.mark_crashed_runs.config import Config as MarkCrashedConfig
from armillary_plugins.mark_crashed_runs.services import MarkCrashedRuns
from tests.api import Api
from tests.plugins.agent.fakes import FakeProcess, FakeSpawner, passing

Json = Any
HEARTBEAT = "/agents/heartbeat"


class Shaky:
    """The way to the server, which the test can cut."""

    def __init__(self, core: Core) -> None:
        self._inside = InsideLink(core)
        self.cut = False
        self.deaf = ""
        """A path of which the next answer is lost."""
        self.cut_after = ""
        """A path after whose next answer the way is cut."""
        self.unheard = ""
        """A path that leads nowhere."""
        self.held: asyncio.Event | None = None
        """Until then answers of heartbeats lie unread."""
        self.waiting = False

    @property
    def api_url(self) -> str:
        return "http://here/api"

    async def ask(self, method: str, path: str, body: Json = None) -> Json:
        if self.cut or path == self.unheard:
            raise Away("cut")
        answer = await self._inside.ask(method, path, body)
        if path == self.cut_after:
            self.cut_after, self.cut = "", True
        if path == self.deaf:
            self.deaf = ""
            raise Away("lost")
        if self.held is not None and path == HEARTBEAT:
            self.waiting = True
            await self.held.wait()
        return answer

    async def close(self) -> None:
        """Nothing is open."""


class Scene:
    """A core, an agent with processes that are none, and the API to look at both."""

    def __init__(self, core: Core, api: Api, clock: ManualClock) -> None:
        self.core, self.api, self.clock = core, api, clock
        self.spawner = FakeSpawner("missing")
        self.link = Shaky(core)
        self.agent = self.another(self.spawner)
        self._tasks: list[asyncio.Task[None]] = []

    def another(self, spawner: FakeSpawner) -> Agent:
        return Agent(self.core, link=self.link, spawner=spawner)

    def start(self, agent: Agent) -> asyncio.Task[None]:
        task = asyncio.create_task(agent.run())
        self._tasks.append(task)
        return task

    def end(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def run(self, command: str = "work", **variables: Json) -> str:
        """Ask for a run of a plain command."""
        made = await self.api.deployment(
            name=f"d{len(self.spawner.processes)}{command[:3]}",
            flow_id=await self.api.flow(f"f{self.clock.micros()}"),
            work_pool_name="local",
            job_variables={"command": command, **variables},
        )
        return str((await self.api.run(made["id"]))["id"])

    async def started(self, number: int = 1) -> FakeProcess:
        await passing(self.clock, lambda: len(self.spawner.processes) >= number)
        return self.spawner.processes[number - 1]

    async def reached(self, run_id: str, *names: str) -> Json:
        """The run once it has one of these states."""
        found: Json = None
        for _ in range(2000):
            found = await self.api.get(f"/flow_runs/{run_id}")
            if {found["state_name"], found["state_type"]} & set(names):
                return found
            await self.clock.advance(0.25)
            await asyncio.sleep(0.001)
        raise AssertionError(f"{names} did not come about: {found['state_name']}")

    async def named(self, path: str) -> str:
        """What a run says its process is, once it does."""
        for _ in range(2000):
            if found := (await self.api.get(path))["infrastructure_pid"]:
                return str(found)
            await self.clock.advance(0.25)
        raise AssertionError("no process was named")

    async def states(self, run_id: str) -> list[str]:
        answer = await self.api.get(f"/flow_run_states/?flow_run_id={run_id}")
        return [state["name"] for state in answer]

    async def lines(self, run_id: str) -> list[str]:
        found = await self.api.post(
            "/logs/filter", {"logs": {"flow_run_id": {"any_": [run_id]}}, "limit": 100}
        )
        return [f"{line['name']}: {line['message']}" for line in found]


@asynccontextmanager
async def staged(core: Core, api: Api, clock: ManualClock) -> AsyncIterator[Scene]:
    scene = Scene(core, api, clock)
    try:
        yield scene
    finally:
        scene.end()
        await scene.agent.close()


@pytest.fixture
async def scene(core: Core, api: Api, clock: ManualClock) -> AsyncIterator[Scene]:
    async with staged(core, api, clock) as made:
        made.start(made.agent)
        await passing(clock, lambda: made.agent._known)
        yield made


async def test_the_pool_is_made_and_a_command_run_to_its_end(scene: Scene) -> None:
    assert (await scene.api.get("/work_pools/local"))["type"] == "process"
    run = await scene.run("work --hard")
    process = await scene.started()
    assert process.launch.argv == ["work", "--hard"]
    assert (await scene.reached(run, "RUNNING"))["run_count"] == 1
    process.out.write(b"one\ntw")
    process.out.write(b"o\n")
    process.err.write(b"oops\n")
    await scene.clock.advance(1)
    process.end(0)
    await scene.reached(run, "COMPLETED")
    assert sorted(await scene.lines(run)) == ["stderr: oops", "stdout: one", "stdout: two"]
    assert await scene.states(run) == ["Scheduled", "Pending", "Running", "Completed"]
    (agent,) = await scene.api.get("/agents/")
    assert (agent["alive"], agent["pools"]) == (True, ["local"])


async def test_output_is_with_the_server_while_the_command_runs(scene: Scene) -> None:
    run = await scene.run()
    process = await scene.started()
    process.out.write(b"halfway\n")
    for _ in range(100):
        if await scene.lines(run):
            break
        await scene.clock.advance(0.25)
        await asyncio.sleep(0.001)
    assert await scene.lines(run) == ["stdout: halfway"]
    assert not process.ended


async def test_a_command_that_fails_is_tried_again_as_often_as_is_said(scene: Scene) -> None:
    run = await scene.run(retries=1, retry_delay=60)
    (await scene.started(1)).end(3)
    waiting = await scene.reached(run, "AwaitingRetry")
    assert waiting["empirical_policy"]["retry_type"] is None, "any agent may take it up"
    again = await scene.started(2)
    assert again.launch.env["PREFECT__FLOW_RUN_ATTEMPT"] == "2"
    again.end(3)
    ended = await scene.reached(run, "FAILED")
    assert ended["run_count"] == 2
    assert ended["state"]["message"] == "The command ended with exit code 3."


async def test_a_command_that_is_not_there_fails_with_a_sentence(scene: Scene) -> None:
    run = await scene.run("missing thing")
    ended = await scene.reached(run, "FAILED")
    assert ended["state"]["message"] == "There is no command 'missing'."
    assert await scene.lines(run) == ["agent: There is no command 'missing'."]


async def test_a_parameter_that_is_not_there_fails_with_a_sentence(scene: Scene) -> None:
    run = await scene.run("echo {{ parameters.x }}")
    ended = await scene.reached(run, "FAILED")
    assert "asks for the parameter 'x'" in ended["state"]["message"]


async def test_a_number_nobody_can_hold_keeps_no_run_from_running(scene: Scene) -> None:
    body = msgspec.json.encode({
        "name": "d", "flow_id": await scene.api.flow(), "work_pool_name": "local",
        "job_variables": {"command": "work {{ parameters.x }}"}, "parameters": {"x": "huge"},
    }).replace(b'"huge"', b"1e999")  # fmt: skip
    headers = {"content-type": "application/json"}
    made = await scene.api.client.post("/api/deployments/", content=body, headers=headers)
    await scene.api.run(made.json()["id"])
    assert (await scene.started()).launch.argv == ["work", "1e999"]


async def test_a_cancelled_run_is_asked_to_end_and_then_killed(scene: Scene) -> None:
    run = await scene.run()
    process = await scene.started()
    process.stubborn = True
    await scene.reached(run, "RUNNING")
    await scene.api.set_state(run, "CANCELLING", force=False)
    ended = await scene.reached(run, "CANCELLED")
    assert process.words == ["terminate", "kill"]
    assert "SIGKILL" in ended["state"]["message"]


async def test_a_command_that_takes_too_long_is_ended(scene: Scene) -> None:
    run = await scene.run(timeout=30)
    process = await scene.started()
    ended = await scene.reached(run, "TimedOut")
    assert process.words == ["terminate"]
    assert ended["state_type"] == "FAILED"


async def test_a_run_that_somebody_else_ended_loses_its_process(scene: Scene) -> None:
    run = await scene.run()
    process = await scene.started()
    await scene.reached(run, "RUNNING")
    await scene.api.set_state(run, "FAILED", message="enough")
    await passing(scene.clock, lambda: process.ended)
    await passing(scene.clock, lambda: not scene.agent.executions)
    assert (await scene.api.get(f"/flow_runs/{run}"))["state"]["message"] == "enough"


async def test_what_runs_goes_on_while_the_server_is_away(scene: Scene) -> None:
    run = await scene.run()
    process = await scene.started()
    await scene.reached(run, "RUNNING")
    scene.link.cut = True
    process.out.write(b"said to nobody\n")
    await scene.clock.advance(30)
    process.end(0)
    await scene.clock.advance(30)
    assert (await scene.api.get(f"/flow_runs/{run}"))["state_type"] == "RUNNING"
    scene.link.cut = False
    await scene.reached(run, "COMPLETED")
    assert await scene.lines(run) == ["stdout: said to nobody"]


@pytest.mark.parametrize("kind", ["command", "flow"])
async def test_a_run_that_was_given_to_another_meanwhile_is_not_begun(
    scene: Scene, kind: str
) -> None:
    more = {"entrypoint": "f.py:f"} if kind == "flow" else {}
    job = {"python": "/my/python"} if kind == "flow" else {"command": "work"}
    made = await scene.api.deployment(work_pool_name="local", job_variables=job, **more)
    run = (await scene.api.run(made["id"]))["id"]
    scene.link.cut_after = f"/flow_runs/{run}/set_state"
    await passing(scene.clock, lambda: scene.link.cut)
    service = MarkCrashedRuns(scene.core, MarkCrashedConfig())
    while (await service.turn()) != Done(found=1, changed=1):
        await scene.clock.advance(service.interval)
    await scene.api.set_state(run, "SCHEDULED")
    await scene.api.set_state(run, "PENDING")
    scene.link.cut, scene.link.unheard = False, HEARTBEAT
    await scene.clock.advance(60)
    assert (await scene.api.get(f"/flow_runs/{run}"))["state_type"] == "PENDING"
    scene.link.unheard = ""
    await passing(scene.clock, lambda: not scene.agent.executions)
    assert (await scene.api.get(f"/flow_runs/{run}"))["state_type"] == "PENDING"
    assert scene.spawner.processes == []


async def test_lines_whose_answer_was_lost_are_not_sent_twice(scene: Scene) -> None:
    run = await scene.run()
    process = await scene.started()
    await scene.reached(run, "RUNNING")
    scene.link.deaf = "/logs/"
    process.out.write(b"one\ntwo\n")
    await scene.clock.advance(1)
    process.out.write(b"three\n")
    process.end(0)
    await scene.reached(run, "COMPLETED")
    assert scene.link.deaf == "", "the first answer was lost"
    assert await scene.lines(run) == ["stdout: one", "stdout: two", "stdout: three"]


async def test_a_failure_whose_answer_was_lost_is_not_told_twice(scene: Scene) -> None:
    run = await scene.run(retries=1, retry_delay=300)
    process = await scene.started()
    await scene.reached(run, "RUNNING")
    scene.link.deaf = f"/flow_runs/{run}/set_state"
    process.end(3)
    await scene.reached(run, "AwaitingRetry")
    await passing(scene.clock, lambda: not scene.agent.executions)
    found = await scene.api.get(f"/flow_runs/{run}")
    assert found["state_name"] == "AwaitingRetry", "the second word would have ended it"


async def test_no_more_runs_at_once_than_the_limit(scene: Scene) -> None:
    made = await scene.api.deployment(work_pool_name="local", job_variables={"command": "work"})
    for _ in range(12):
        await scene.api.run(made["id"])
    await scene.started(10)
    await scene.clock.advance(5)
    assert len(scene.spawner.processes) == 10
    scene.spawner.processes[3].end(0)
    await scene.started(11)


async def test_a_stopped_agent_takes_nothing_and_lets_end_what_runs(scene: Scene) -> None:
    first = await scene.run()
    process = await scene.started()
    await scene.reached(first, "RUNNING")
    draining = asyncio.create_task(scene.agent.drain())
    await scene.clock.advance(0.5)
    await scene.run("other")
    await scene.clock.advance(5)
    assert len(scene.spawner.processes) == 1
    process.end(0)
    await passing(scene.clock, draining.done)
    await scene.reached(first, "COMPLETED")


async def test_what_does_not_end_while_draining_is_ended_and_crashes(scene: Scene) -> None:
    run = await scene.run()
    await scene.started()
    await scene.reached(run, "RUNNING")
    await passing(scene.clock, asyncio.create_task(scene.agent.drain()).done, step=1)
    ended = await scene.reached(run, "CRASHED")
    assert "The agent was stopped" in ended["state"]["message"]


async def test_two_agents_with_one_name_is_said_by_the_second(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = scene.another(FakeSpawner())
    second.embedded = False
    monkeypatch.setattr(second, "_is_dead", lambda _: False)
    with pytest.raises(ConfigError, match=r"already running .* give this one another name"):
        await second._hello()


async def test_who_comes_after_one_that_died_takes_its_name(scene: Scene) -> None:
    second = scene.another(FakeSpawner())
    await second._hello()
    assert second._known, "a process of this machine with our own number is no more"
    with pytest.raises(Turned, match="already running"):
        await scene.agent._beat()


async def test_who_slept_says_nothing_of_a_run_that_was_given_up_meanwhile(scene: Scene) -> None:
    run = await scene.run()
    process = await scene.started()
    await scene.reached(run, "RUNNING")
    scene.link.unheard = HEARTBEAT
    await scene.clock.advance(60)
    await scene.api.set_state(run, "CRASHED", message="not heard of")
    process.end(1)
    await scene.clock.advance(10)
    scene.link.unheard = ""
    await passing(scene.clock, lambda: not scene.agent.executions)
    assert (await scene.api.get(f"/flow_runs/{run}"))["state"]["message"] == "not heard of"


async def test_who_slept_before_it_read_an_answer_does_not_believe_it(scene: Scene) -> None:
    run = await scene.run()
    process = await scene.started()
    await scene.reached(run, "RUNNING")
    scene.link.held = answered = asyncio.Event()
    await passing(scene.clock, lambda: scene.link.waiting)
    scene.link.held, scene.link.unheard = None, HEARTBEAT
    await scene.clock.advance(60)
    await scene.api.set_state(run, "CRASHED", message="not heard of")
    answered.set()
    process.end(1)
    await scene.clock.advance(10)
    scene.link.unheard = ""
    await passing(scene.clock, lambda: not scene.agent.executions)
    assert (await scene.api.get(f"/flow_runs/{run}"))["state"]["message"] == "not heard of"


async def test_who_slept_while_another_took_its_name_ends_what_it_runs_and_itself(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.run()
    process = await scene.started()
    await scene.another(FakeSpawner())._hello()
    monkeypatch.setattr(scene.agent, "_is_dead", lambda _: False)
    (running,) = scene._tasks
    await passing(scene.clock, running.done)
    with pytest.raises(ConfigError, match="already running"):
        await running
    assert process.ended


async def test_flows_of_the_sdk_are_run_by_the_python_that_is_named(
    core: Core, api: Api, clock: ManualClock
) -> None:
    async with staged(core, api, clock) as scene:
        await api.post("/work_pools/", local_pool(), status=201)
        scene.start(scene.agent)
        made = await api.deployment(
            work_pool_name="local", entrypoint="f.py:f", job_variables={"python": "/my/python"}
        )
        run = (await api.run(made["id"]))["id"]
        process = await scene.started()
        assert process.launch.argv == ["/my/python", "-m", "prefect.engine"]
        assert process.launch.env["PREFECT__CONTROL_PORT"]
        process.out.write(b"printed\n")
        process.err.write(b"ImportError: no f\n")
        await clock.advance(1)
        process.end(1)
        ended = await scene.reached(run, "CRASHED")
        assert ended["state"]["message"].endswith("ImportError: no f")
        assert await scene.lines(run) == [
            "stdout: printed",
            "agent: The last it wrote:\nImportError: no f",
        ]


async def test_a_flow_that_waits_for_its_own_retry_is_asked_to_end_when_cancelled(
    core: Core, api: Api, clock: ManualClock
) -> None:
    async with staged(core, api, clock) as scene:
        await api.post("/work_pools/", local_pool(), status=201)
        scene.start(scene.agent)
        made = await api.deployment(
            work_pool_name="local", entrypoint="f.py:f", job_variables={"python": "/my/python"}
        )
        path = f"/flow_runs/{(await api.run(made['id']))['id']}"
        process = await scene.started()
        assert (await scene.named(path)).endswith(f":{process.pid}")
        await api.patch(path, {"empirical_policy": {"retries": 1, "retry_type": "in_process"}})
        for state in ("RUNNING", "SCHEDULED", "CANCELLING"):
            name = {"name": "AwaitingRetry"} if state == "SCHEDULED" else {}
            body = {"state": {"type": state, **name}, "force": state == "SCHEDULED"}
            await api.post(f"{path}/set_state", body, status=201)
        assert (await api.get(path))["state_type"] == "CANCELLING"
        await passing(clock, lambda: process.words)
        assert process.words == ["terminate"]
        run = await scene.reached(path.rpartition("/")[2], "CANCELLED")
        assert run["infrastructure_pid"] is None


async def test_an_agent_of_a_queue_leaves_the_others_alone(
    core: Core, api: Api, clock: ManualClock
) -> None:
    await api.pool("shared")
    await api.queue("quick", "shared")
    async with staged(core, api, clock) as scene:
        scene.agent._pools.pools = [Pool(name="shared", queue="quick")]
        scene.start(scene.agent)
        flow = await api.flow()
        for queue in ("default", "quick"):
            made = await api.deployment(
                flow, queue, work_pool_name="shared", work_queue_name=queue,
                job_variables={"command": f"work {queue}"},
            )  # fmt: skip
            await api.run(made["id"])
        process = await scene.started()
        await clock.advance(5)
        assert [each.launch.argv for each in scene.spawner.processes] == [["work", "quick"]]
        process.end(0)


async def test_a_pool_that_is_not_there_or_not_for_processes_keeps_nobody_from_others(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.api.pool("ships", type="docker")
    scene.agent._pools.pools[:0] = [Pool(name="ships", queue=""), Pool(name="gone", queue="")]
    run = await scene.run()
    (await scene.started()).end(0)
    await scene.reached(run, "COMPLETED")
    theirs = [record for record in caplog.records if record.name == "armillary_plugins.agent"]
    gone, ships = sorted(record.getMessage() for record in theirs)
    assert "Work pool 'gone' not found" in gone
    assert "the work pool 'ships' is of type docker" in ships


async def test_what_an_agent_leaves_unfinished_is_left_to_the_server(scene: Scene) -> None:
    run = await scene.run()
    process = await scene.started()
    await scene.reached(run, "RUNNING")
    await scene.agent.close()
    assert process.words == ["kill"]
    service = MarkCrashedRuns(scene.core, MarkCrashedConfig())
    assert (await service.turn()) == Done(found=1, changed=1)
    ended = await scene.api.get(f"/flow_runs/{run}")
    assert "left without a word about this run" in ended["state"]["message"]


async def test_output_waits_in_the_process_while_nobody_takes_it(clock: ManualClock) -> None:
    link = Dam()
    shipper = Shipper(link, clock)
    running = asyncio.create_task(shipper.run())
    line = CreateLog("stdout", 20, "x" * 1000, clock.now(), flow_run_id="r")
    adding = asyncio.create_task(fill(shipper, [line] * 100, times=100))
    await clock.advance(60)
    assert not adding.done()
    assert shipper._characters < 3_000_000, "what waits in memory has a bound"
    link.open = True
    await passing(clock, adding.done)
    await passing(clock, asyncio.create_task(shipper.flush()).done)
    assert link.taken == 10_000
    running.cancel()


async def fill(shipper: Shipper, lines: list[CreateLog], *, times: int) -> None:
    for _ in range(times):
        await shipper.add(lines)


class Dam:
    """A way to the server that lets nothing through until it is opened."""

    api_url = ""

    def __init__(self) -> None:
        self.open = False
        self.taken = 0

    async def ask(self, method: str, path: str, body: Json = None) -> Json:
        if not self.open:
            raise Away(f"{method} {path} does not get through")
        if path == "/logs/filter":
            return []
        self.taken += len(body)
        return None

    async def close(self) -> None:
        """Nothing is open."""
