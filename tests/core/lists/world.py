"""A small random world of flows, deployments, pools and runs, and the filters to ask it with."""

import itertools
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import strategies as st

from armillary.db.unit import Unit

NAMES = ("alpha", "Beta", "al_ha", "b%ta", "back\\slash")
TAGS = ("a", "b", "c")
STATES = ("SCHEDULED", "PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED", "PAUSED")
STATE_NAMES = ("Late", "Running", "Failed")
KINDS = ("flow", "pool", "queue", "deployment", "run", "task")
SOME = 3


@dataclass
class Row:
    kind: str
    place: int
    columns: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.columns[name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass
class World:
    rows: dict[str, list[Row]] = field(default_factory=lambda: {kind: [] for kind in KINDS})

    def find(self, kind: str, name: str | None) -> Row | None:
        return next((row for row in self.rows[kind] if row.id == name), None)


def name_of(kind: str, place: int) -> str:
    return f"@{kind}{place}"


def ids(kind: str) -> st.SearchStrategy[str]:
    return st.sampled_from([name_of(kind, place) for place in range(SOME + 1)])


moments = st.integers(0, 4)
tag_lists = st.lists(st.sampled_from(TAGS), max_size=3, unique=True)
names = st.sampled_from(NAMES)
maybe_moment = st.none() | moments
state_types = st.sampled_from(STATES)
state_names = st.sampled_from(STATE_NAMES)

_COLUMNS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "flow": st.fixed_dictionaries({"tags": tag_lists}),
    "pool": st.fixed_dictionaries({"type": st.sampled_from(["process", "docker"])}),
    "queue": st.fixed_dictionaries({"work_pool_id": ids("pool")}),
    "deployment": st.fixed_dictionaries(
        {
            "name": names,
            "flow_id": ids("flow"),
            "paused": st.booleans(),
            "tags": tag_lists,
            "work_queue_name": st.none() | names,
            "work_queue_id": st.none() | ids("queue"),
        }
    ),
    "run": st.fixed_dictionaries(
        {
            "name": names,
            "flow_id": ids("flow"),
            "deployment_id": st.none() | ids("deployment"),
            "work_queue_id": st.none() | ids("queue"),
            "work_queue_name": st.none() | names,
            "state_type": state_types,
            "state_name": state_names,
            "flow_version": st.none() | st.sampled_from(["1", "2"]),
            "parent_task_run_id": st.none() | ids("task"),
            "expected_start_time": moments,
            "next_scheduled_start_time": maybe_moment,
            "start_time": maybe_moment,
            "end_time": maybe_moment,
            "total_run_time": st.sampled_from([0.0, 1.5]),
            "tags": tag_lists,
            "created_by": st.none()
            | st.fixed_dictionaries(
                {"id": ids("deployment"), "type": st.sampled_from(["SCHEDULE", "AUTOMATION"])}
            ),
        }
    ),
    "task": st.fixed_dictionaries(
        {
            "name": names,
            "flow_run_id": st.none() | ids("run"),
            "state_type": state_types,
            "state_name": state_names,
            "expected_start_time": maybe_moment,
            "next_scheduled_start_time": maybe_moment,
            "start_time": maybe_moment,
            "end_time": maybe_moment,
            "tags": tag_lists,
        }
    ),
}


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """References may lead nowhere; flows, pools and queues have a name each of their own."""
    world = World()
    for kind in KINDS:
        for place in range(draw(st.integers(0 if kind != "flow" else 1, SOME))):
            columns = {"name": NAMES[place], **draw(_COLUMNS[kind])}
            world.rows[kind].append(Row(kind, place, {"id": name_of(kind, place), **columns}))
    _make_possible(world)
    return world


def _make_possible(world: World) -> None:
    """A run has a flow; keys are unique where the database says so."""
    flows = [row.id for row in world.rows["flow"]]
    for row in [*world.rows["run"], *world.rows["deployment"]]:
        if row.flow_id not in flows:
            row.columns["flow_id"] = flows[0]
    for place, row in enumerate(world.rows["deployment"]):
        row.columns["name"] = NAMES[place]
    for row in world.rows["run"]:
        row.columns["idempotency_key"] = row.id if row.place % 2 else None


_DEFAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "flow": ("flow", {"labels": "{}"}),
    "pool": (
        "work_pool",
        {"base_job_template": "{}", "is_paused": 0, "storage_configuration": "{}"},
    ),
    "queue": (
        "work_queue",
        {"description": "", "is_paused": 0, "priority": 1, "status": "NOT_READY"},
    ),
    "deployment": (
        "deployment",
        {
            "job_variables": "{}",
            "parameters": "{}",
            "labels": "{}",
            "status": "NOT_READY",
            "enforce_parameter_schema": 1,
        },
    ),
    "run": (
        "flow_run",
        {
            "run_count": 0,
            "auto_scheduled": 0,
            "empirical_policy": "{}",
            "parameters": "{}",
            "context": "{}",
            "labels": "{}",
        },
    ),
    "task": (
        "task_run",
        {
            "run_count": 0,
            "flow_run_run_count": 0,
            "total_run_time": 0.0,
            "empirical_policy": "{}",
            "task_inputs": "{}",
            "labels": "{}",
        },
    ),
}
_numbers = itertools.count(1000)


class Placed:
    """A world in a workspace of its own, with real ids and times."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.workspace = next(_numbers)

    def id(self, name: str) -> str:
        kind, place = name[1:-1], int(name[-1])
        return str(UUID(int=(self.workspace << 32) + (KINDS.index(kind) << 8) + place))

    def name(self, found: str) -> str:
        number = UUID(found).int
        return name_of(KINDS[(number >> 8) & 0xFF], number & 0xFF)

    def real(self, value: Any) -> Any:
        """Replace names of rows by ids, everywhere."""
        if isinstance(value, dict):
            return {key: self.real(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.real(each) for each in value]
        if isinstance(value, str) and value.startswith("@"):
            return self.id(value)
        return value

    async def write(self, unit: Unit) -> None:
        for kind, rows in self.world.rows.items():
            for row in rows:
                await self._insert(unit, kind, row)

    async def _insert(self, unit: Unit, kind: str, row: Row) -> None:
        table, defaults = _DEFAULTS[kind]
        columns = {
            "workspace": self.workspace, "created": 0, "updated": 0, **defaults,
            **{name: _stored(name, self.real(value)) for name, value in row.columns.items()},
        }  # fmt: skip
        if kind == "task":
            columns |= {"task_key": "t", "dynamic_key": str(row.place)}
        if kind == "run":
            columns["state_timestamp"] = 0
        marks = ", ".join("?" * len(columns))
        await unit.run(
            f"insert into {table} ({', '.join(columns)}) values ({marks})", *columns.values()
        )
        if kind == "run":
            for tag in row.tags:
                await unit.run(
                    "insert into flow_run_tag (workspace, tag, expected_start_time, flow_run_id,"
                    " state_type, state_name, started) select workspace, ?, expected_start_time,"
                    " id, state_type, state_name, coalesce(start_time, expected_start_time)"
                    " from flow_run where id = ?",
                    tag,
                    columns["id"],
                )


def _stored(name: str, value: Any) -> Any:
    if isinstance(value, (dict, list)):
        return msgspec.json.encode(value).decode()
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int) and name.endswith("_time"):
        return instant(value)
    return value


def instant(moment: int) -> int:
    """A moment of the world in microseconds since the epoch: every one is 40 minutes long."""
    return 1_700_000_000_000_000 + moment * 2_400_000_000
