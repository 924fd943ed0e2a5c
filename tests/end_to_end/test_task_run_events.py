"""Task runs as clients tell of them: in any order, again and again, over many connections."""

import asyncio
import itertools
import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.end_to_end.killable import Killable
from tests.end_to_end.wire import Wire

RUNS = {
    "sqlite": int(os.environ.get("SOAK_TASK_RUNS", "4000")),
    "postgres": int(os.environ.get("SOAK_TASK_RUNS", "1000")),
}
"""Task runs of five events each; `make soak` takes 20,000."""
PATHS = (
    ("Pending", "Running", "AwaitingRetry", "Retrying", "Completed"),
    ("Pending", "Running", "AwaitingRetry", "Retrying", "Failed"),
    ("Pending", "Running", "AwaitingRetry", "Retrying", "Crashed"),
)
TYPES = {"AwaitingRetry": "SCHEDULED", "Retrying": "RUNNING"}
SOCKETS = 5
BATCH = 100
CHECKPOINT = 700
REPEATED = 0.1
"""The share of events that come a second time, from another client."""
PAGE = 200


def told(flow_run: str, run: int, place: int, start: datetime) -> dict[str, Any]:
    """The event of one state of one run, in the shape the SDK sends."""
    name = PATHS[run % len(PATHS)][place]
    occurred = (start + timedelta(seconds=run * 0.001 + place)).isoformat()
    related = {
        "prefect.resource.id": f"prefect.flow-run.{flow_run}",
        "prefect.resource.role": "flow-run",
    }
    return {
        "id": str(UUID(int=run * 10 + place + 1, version=4)),
        "occurred": occurred,
        "event": f"prefect.task-run.{name}",
        "resource": {
            "prefect.resource.id": f"prefect.task-run.{UUID(int=run + 1, version=4)}",
            "prefect.orchestration": "client",
        },
        "related": [related],
        "payload": {
            "intended": {"from": None, "to": TYPES.get(name, name.upper())},
            "initial_state": None,
            "validated_state": {
                "type": TYPES.get(name, name.upper()),
                "name": name,
                "message": "",
                "state_details": {},
                "data": None,
            },
            "task_run": {
                "name": f"work-{run}",
                "task_key": "work-1234",
                "dynamic_key": str(run),
                "run_count": (0, 1, 1, 2, 2)[place],
                "flow_run_run_count": 1,
                "empirical_policy": {},
                "tags": [],
                "labels": {},
                "task_inputs": {},
            },
        },
    }


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Killable]:
    made = Killable(tmp_path, database_url)
    with made.running():
        yield made


async def over_socket(server: Killable, events: list[str]) -> None:
    """Send as the SDK does, with a checkpoint now and then."""
    address = f"{server.sockets}/events/in"
    async with connect(address, subprotocols=[Subprotocol("prefect")]) as socket:
        await socket.send(json.dumps({"type": "auth", "token": None}))
        await socket.recv()
        for start in range(0, len(events), CHECKPOINT):
            for each in events[start : start + CHECKPOINT]:
                await socket.send(each)
            await (await socket.ping())


async def over_http(server: Killable, events: list[str]) -> None:
    wire = Wire(server.port)
    for start in range(0, len(events), BATCH):
        await wire.post("/events", [json.loads(each) for each in events[start : start + BATCH]])
    wire.close()


async def heads(wire: Wire) -> dict[str, Any]:
    """The state and the count of every task run, by name."""
    found: dict[str, Any] = {}
    for offset in itertools.count(0, PAGE):
        rows = await wire.post(
            "/task_runs/filter", {"limit": PAGE, "offset": offset, "sort": "ID_DESC"}
        )
        found |= {row["name"]: (row["state"]["name"], row["run_count"]) for row in rows}
        if len(rows) < PAGE:
            break
    return found


@pytest.mark.timeout(600)
async def test_task_runs_end_as_they_ended_whatever_order_their_events_come_in(
    server: Killable, dialect: str
) -> None:
    count = RUNS[dialect]
    chance = random.Random(20)  # noqa: S311 - the same disorder every time
    wire = Wire(server.port)
    flow = await wire.post("/flows/", {"name": "disordered"})
    flow_run = (await wire.post("/flow_runs/", {"flow_id": flow["id"]}))["id"]
    wire.close()  # a server closes what has nothing to say for a minute, and a soak takes longer
    start = datetime.now(UTC)
    events = [
        json.dumps(told(flow_run, run, place, start))
        for run in range(count)
        for place in range(len(PATHS[0]))
    ]
    sent = events + chance.sample(events, int(len(events) * REPEATED))
    chance.shuffle(sent)

    share = -(-len(sent) // (SOCKETS + 1))
    parts = [sent[first : first + share] for first in range(0, len(sent), share)]
    await asyncio.gather(
        over_http(server, parts[0]), *(over_socket(server, part) for part in parts[1:])
    )

    found = await heads(wire)
    assert found == {f"work-{run}": (PATHS[run % len(PATHS)][-1], 2) for run in range(count)}
    for run in chance.sample(range(count), 20):
        key = UUID(int=run + 1, version=4)
        states = await wire.get(f"/task_run_states/?task_run_id={key}")
        assert [state["name"] for state in states] == list(PATHS[run % len(PATHS)])
    assert await stored(wire, len(events)) == Counter(
        {
            f"prefect.task-run.{name}": number
            for name, number in Counter(
                name for run in range(count) for name in PATHS[run % len(PATHS)]
            ).items()
        }
    )
    assert server.faults() == []
    wire.close()


async def stored(wire: Wire, total: int) -> Counter[str]:
    """How many events of task runs there are of each name, once as many are stored."""
    occurred = {"since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}
    asked = {"filter": {"event": {"prefix": ["prefect.task-run."]}, "occurred": occurred}}
    counts: Counter[str] = Counter()
    async with asyncio.timeout(60):
        while counts.total() < total:
            rows = await wire.post("/events/count-by/event", asked)
            counts = Counter({row["value"]: row["count"] for row in rows})
            await asyncio.sleep(0.1)
    return counts
