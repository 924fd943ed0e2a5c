"""What clients send about task runs, as short as a test wants it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from armillary.core import Core
from armillary.db.unit import Row
from armillary.events.schemas import InEvent
from armillary.flow_runs.creating import NewFlowRun
from armillary.orchestration.states import StateType, propose

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
WORKSPACE = 1
OTHER = 2


def uuid(number: int) -> str:
    return f"00000000-0000-7000-8000-{number:012d}"


def moment(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def task_event(
    number: int,
    kind: str,
    *,
    at: float,
    run: str,
    flow_run: str | None,
    task_run: Mapping[str, Any] | None = None,
    state: Mapping[str, Any] | None = None,
    label: str = "client",
) -> InEvent:
    name = kind.capitalize()
    related = []
    if flow_run is not None:
        related.append(
            {
                "prefect.resource.id": f"prefect.flow-run.{flow_run}",
                "prefect.resource.role": "flow-run",
            }
        )
    document = {
        "id": uuid(number),
        "occurred": moment(at),
        "event": f"prefect.task-run.{name}",
        "resource": {
            "prefect.resource.id": f"prefect.task-run.{run}",
            "prefect.orchestration": label,
        },
        "related": related,
        "payload": {
            "intended": {"from": None, "to": kind},
            "initial_state": None,
            "validated_state": {
                "type": kind,
                "name": name,
                "message": "",
                "state_details": {"pause_reschedule": False},
                "data": None,
                **(state or {}),
            },
            "task_run": {
                "name": "say-0",
                "task_key": "say-1234",
                "dynamic_key": "0",
                "empirical_policy": {"retries": 2, "retry_delay": 1},
                "tags": ["loud"],
                "labels": {"prefect.flow.id": uuid(1)},
                "task_inputs": {"word": [{"input_type": "constant", "type": "str"}]},
                "run_count": 0,
                "flow_run_run_count": 1,
                "total_run_time": 0.0,
                **(task_run or {}),
            },
        },
    }
    return msgspec.json.decode(msgspec.json.encode(document), type=InEvent)


def life(run: str, flow_run: str | None, *, first: int = 100, at: float = 0) -> list[InEvent]:
    """The events of a task run that fails once and then completes, in order."""
    started = moment(at + 2)
    common = {"run_count": 1, "start_time": started, "expected_start_time": moment(at)}
    retried = {**common, "run_count": 2, "total_run_time": 1.5}
    ended = {**retried, "end_time": moment(at + 6), "total_run_time": 2.5}
    steps: list[tuple[str, dict[str, Any]]] = [
        ("PENDING", {"expected_start_time": moment(at)}),
        ("RUNNING", common),
        ("SCHEDULED", {**common, "total_run_time": 1.5}),
        ("RUNNING", retried),
        ("COMPLETED", ended),
    ]
    return [
        task_event(
            first + place, kind, at=at + 1 + place, run=run, flow_run=flow_run, task_run=values
        )
        for place, (kind, values) in enumerate(steps)
    ]


async def a_flow_run(core: Core, *, workspace: int = WORKSPACE, number: int = 1) -> str:
    """Make a flow run that is running."""
    flow_id, run_id = uuid(1000 + number), uuid(2000 + number)

    async def insert(unit: Any) -> None:
        await unit.run(
            "insert into workspace (key, id, account_id, name, handle, created) "
            "values (?, ?, ?, ?, ?, 0) on conflict do nothing",
            workspace, uuid(9000 + workspace), uuid(8000), "Another", f"w{workspace}",
        )  # fmt: skip
        await unit.run(
            "insert into flow (id, workspace, created, updated, name, tags, labels) "
            "values (?, ?, 0, 0, ?, '[]', '{\"team\": \"blue\"}')",
            flow_id, workspace, f"flow-{number}",
        )  # fmt: skip

    await core.database.write(insert, workspace=None)
    await core.gate.create_flow_run(
        NewFlowRun(
            workspace=workspace,
            id=run_id,
            name="a run",
            flow_id=flow_id,
            proposal=propose(StateType.RUNNING),
        )
    )
    return run_id


async def task_row(core: Core, run_id: str) -> dict[str, Any] | None:
    """Everything stored of a task run, but when it was written."""
    columns = (
        "id, workspace, name, flow_run_id, task_key, dynamic_key, state_id, state_type, "
        "state_name, state_timestamp, run_count, flow_run_run_count, expected_start_time, "
        "start_time, end_time, total_run_time, empirical_policy, task_inputs, tags, labels"
    )
    row = await core.database.read(None).one(f"select {columns} from task_run where id = ?", run_id)
    return None if row is None else dict(zip(columns.split(", "), row, strict=True))


async def history(core: Core, run_id: str) -> list[tuple[Any, ...]]:
    rows: list[Row] = list(
        await core.database.read(None).all(
            "select id, name from task_run_state where task_run_id = ? order by timestamp", run_id
        )
    )
    return [tuple(row) for row in rows]


def shuffled(chance: random.Random, events: list[InEvent]) -> list[InEvent]:
    mixed = list(events)
    chance.shuffle(mixed)
    return mixed
