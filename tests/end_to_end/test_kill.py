"""kill -9 in the middle of everything: what was acknowledged is there, and nothing by halves."""

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.end_to_end.killable import SECONDS, Killable
from tests.end_to_end.wire import Gone, Wire

CLIENTS = 200
ACKNOWLEDGED = 900
"""Answers after which the server is killed: every client is then somewhere in its life cycles."""
CONFIRMED = 1500
"""Events after which it is killed."""
LENGTHS = (1, 2, 3, 4, 5, 6)
"""Of life cycles in turn, so that clients do not march in step."""
PAGE = 200


class Cycle:
    """One life cycle as its client knows it: what is still to do, and what was answered."""

    def __init__(self, flow_id: str, length: int) -> None:
        self.path = ["RUNNING"] * length + ["COMPLETED"]
        self.create = {
            "flow_id": flow_id,
            "idempotency_key": str(uuid4()),
            "state": {"type": "PENDING", "name": "Pending"},
        }
        self.left = [
            {"type": kind, "state_details": {"transition_id": str(uuid4())}} for kind in self.path
        ]
        self.run_id = ""
        self.acknowledged: list[str] = []
        """The ids of the states the server said the run is in now."""

    @property
    def ended(self) -> bool:
        return bool(self.run_id) and not self.left

    async def step(self, wire: Wire) -> None:
        """Ask for the next thing; what is not answered is asked for again by the next call."""
        if not self.run_id:
            self.run_id = (await wire.post("/flow_runs/", self.create))["id"]
            return
        told = await wire.post(f"/flow_runs/{self.run_id}/set_state", {"state": self.left[0]})
        if told["status"] == "ACCEPT":
            self.acknowledged.append(told["state"]["id"])
        else:
            # It was made before the kill, and only its answer was lost.
            assert "already made this state transition" in told["details"]["reason"], told
        self.left.pop(0)


@pytest.fixture
def killable(tmp_path: Path, database_url: str) -> Iterator[Killable]:
    server = Killable(tmp_path, database_url)
    with server.running():
        yield server


async def all_runs(wire: Wire) -> dict[str, Any]:
    """Every flow run by its id."""
    runs: dict[str, Any] = {}
    for offset in itertools.count(0, PAGE):
        page = await wire.post("/flow_runs/filter", {"limit": PAGE, "offset": offset})
        runs |= {run["id"]: run for run in page}
        if len(page) < PAGE:
            break
    return runs


async def histories(wire: Wire, run_ids: list[str]) -> dict[str, list[Any]]:
    """The states of each run, oldest first."""
    return {key: await wire.get(f"/flow_run_states/?flow_run_id={key}") for key in run_ids}


async def stored_events(wire: Wire, prefix: str, wanted: Collection[str]) -> set[str]:
    """The stored events with such a name, once the wanted ones are there and each is there once."""
    occurred = {"since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}
    asked = {"filter": {"event": {"prefix": [prefix]}, "occurred": occurred}, "limit": 50}
    found: Counter[str] = Counter()
    # While more is being stored pages overlap; an event stored twice would overlap for ever.
    async with asyncio.timeout(SECONDS):
        while not (found.keys() >= set(wanted) and found.total() == len(found)):
            page = await wire.post("/events/filter", asked)
            found = Counter(each["id"] for each in page["events"])
            while page["total"] >= len(wanted) and page["next_page"]:
                page = await wire.get(page["next_page"].partition("/api")[2])
                found.update(each["id"] for each in page["events"])
    return set(found)


async def test_what_was_acknowledged_before_a_kill_is_there_and_everybody_goes_on(
    killable: Killable,
) -> None:
    wires = [Wire(killable.port) for _ in range(CLIENTS)]
    flow = await wires[0].post("/flows/", {"name": "killed"})
    cycles: list[Cycle] = []
    answers = itertools.count(1)

    async def work(wire: Wire) -> None:
        while True:
            cycle = Cycle(flow["id"], LENGTHS[len(cycles) % len(LENGTHS)])
            cycles.append(cycle)
            while not cycle.ended:
                await cycle.step(wire)
                if next(answers) == ACKNOWLEDGED:
                    # At this very moment, with 199 requests under way.
                    killable.kill()

    ends = await asyncio.gather(*map(work, wires), return_exceptions=True)
    assert all(isinstance(end, Gone) for end in ends), ends
    begun = [cycle for cycle in cycles if cycle.run_id]
    assert len([cycle for cycle in begun if cycle.left]) > CLIENTS / 4, "few were under way"

    killable.start()
    states = await histories(wires[0], list(await all_runs(wires[0])))
    assert {cycle.run_id for cycle in begun} <= set(states)
    for cycle in begun:
        known = [state["id"] for state in states[cycle.run_id]]
        assert [each for each in known if each in cycle.acknowledged] == cycle.acknowledged

    async def finish(wire: Wire, cycle: Cycle) -> None:
        while not cycle.ended:
            await cycle.step(wire)

    left = [cycle for cycle in cycles if not cycle.ended]
    await asyncio.gather(*map(finish, wires, left))
    await everything_agrees(wires[0], {cycle.run_id: cycle.path for cycle in cycles})
    assert killable.faults() == []
    for wire in wires:
        wire.close()


async def everything_agrees(wire: Wire, paths: Mapping[str, list[str]]) -> None:
    """Each run ended, by each state once, heads and histories and events telling the same."""
    runs = await all_runs(wire)
    assert runs.keys() == paths.keys()
    states = await histories(wire, list(runs))
    for key, run in runs.items():
        assert [state["type"] for state in states[key]] == ["PENDING", *paths[key]]
        assert run["state_type"] == "COMPLETED"
        assert run["state_id"] == run["state"]["id"] == states[key][-1]["id"]
    made = [state["id"] for history in states.values() for state in history]
    assert len(set(made)) == len(made)
    assert await stored_events(wire, "prefect.flow-run.", made) == set(made)


def event(number: int) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": "told.before",
        "resource": {"prefect.resource.id": f"told.{number}"},
        "payload": {"text": "x" * 500},
    }


async def opened(killable: Killable) -> ClientConnection:
    """A socket of events, with the handshake of the SDK behind it."""
    socket = await connect(f"{killable.sockets}/events/in", subprotocols=[Subprotocol("prefect")])
    await (await socket.ping())
    await socket.send(json.dumps({"type": "auth", "token": None}))
    assert json.loads(await socket.recv()) == {"type": "auth_success"}
    return socket


async def test_events_that_a_ping_has_confirmed_outlive_a_kill(killable: Killable) -> None:
    confirmed: list[str] = []

    async def tell() -> None:
        socket = await opened(killable)
        while True:
            told = [event(number) for number in range(100)]
            for each in told:
                await socket.send(json.dumps(each))
            await (await socket.ping())
            confirmed.extend(each["id"] for each in told)
            if len(confirmed) == CONFIRMED:
                # At this very moment, so that nothing has time to become durable later.
                killable.kill()

    async with asyncio.timeout(SECONDS):
        ends = await asyncio.gather(*(tell() for _ in range(8)), return_exceptions=True)
    assert all(isinstance(end, ConnectionClosed) for end in ends), ends

    killable.start()
    wire = Wire(killable.port)
    assert await stored_events(wire, "told.before", confirmed) >= set(confirmed)
    wire.close()
