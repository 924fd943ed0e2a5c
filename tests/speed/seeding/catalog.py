"""What runs are runs of: flows, tags, pools with queues, deployments with schedules."""

import datetime as dt
import json
import random
from dataclasses import dataclass

from tests.speed.seeding.rows import Row, Rows
from tests.speed.seeding.shape import DAY, SECOND, Ids, Shape

_TYPES = ("kubernetes", "process", "docker", "ecs")
_STEPS = ("extract", "clean", "join", "enrich", "check", "aggregate", "load", "notify")
_TEMPLATE = json.dumps(
    {
        "job_configuration": {"command": "{{ command }}", "env": "{{ env }}"},
        "variables": {
            "type": "object",
            "properties": {
                "command": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
                "env": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        },
    }
)
_STORAGE = json.dumps(
    dict.fromkeys(
        ("bundle_upload_step", "bundle_execution_step", "default_result_storage_block_id")
    )
)
_PARAMETERS = json.dumps(
    {"type": "object", "title": "Parameters", "properties": {"day": {"type": "string"}}}
)
_AHEAD = 3 * DAY


@dataclass(frozen=True)
class Flow:
    id: str
    name: str
    tasks: tuple[str, ...]
    """The keys of its tasks."""


@dataclass(frozen=True)
class Queue:
    id: str
    name: str
    pool_id: str
    pool_name: str
    pool_type: str


@dataclass(frozen=True)
class Deployment:
    id: str
    name: str
    flow: Flow
    queue: Queue
    tags: tuple[str, ...]
    schedule_id: str
    anchor: int
    interval: int
    """Between two runs of the schedule, in microseconds."""


class Catalog:
    """Everything that is there before the first run."""

    def __init__(self, shape: Shape, chance: random.Random, ids: Ids, rows: Rows) -> None:
        self._chance, self._ids, self._rows = chance, ids, rows
        self._began = shape.now - shape.days * DAY
        self.tags = tuple(f"tag-{place:03}" for place in range(shape.tags))
        self.flows = [self._flow(place) for place in range(shape.flows)]
        queues = [queue for place in range(shape.pools) for queue in self._pool(place)]
        self.pools = list(dict.fromkeys(queue.pool_name for queue in queues))
        runs_ahead = max(1, shape.scheduled // max(1, shape.deployments))
        interval = max(60, _AHEAD // SECOND // runs_ahead) * SECOND
        self.deployments = [
            self._deployment(
                place,
                queue=queues[min(int(chance.expovariate(0.15)), len(queues) - 1)],
                anchor=shape.now - shape.now % SECOND + chance.randrange(interval),
                interval=interval,
            )
            for place in range(shape.deployments)
        ]

    def _flow(self, place: int) -> Flow:
        name = f"flow-{place:03}"
        steps = self._chance.sample(_STEPS, self._chance.randint(3, len(_STEPS)))
        keys = tuple(f"{step}-{self._chance.getrandbits(32):08x}" for step in steps)
        flow = Flow(self._ids.at(self._began), name, keys)
        self._rows.of["flow"].append((flow.id, 1, self._began, self._began, name, "[]", "{}"))
        return flow

    def _pool(self, place: int) -> list[Queue]:
        pool, at = self._ids.at(self._began), self._began
        name, kind = f"pool-{place:02}", _TYPES[place % len(_TYPES)]
        queues = [Queue(self._ids.at(at), each, pool, name, kind) for each in ("default", "high")]
        self._rows.of["work_pool"].append(
            (pool, 1, at, at, name, None, kind, _TEMPLATE, 0, None, queues[0].id, "NOT_READY",
             _STORAGE)
        )  # fmt: skip
        for priority, queue in enumerate(queues, 1):
            self._rows.of["work_queue"].append(
                (queue.id, 1, at, at, queue.name, "", 0, priority, pool, "NOT_READY")
            )
        self._rows.of["worker"].append(
            (self._ids.at(at), 1, at, at, f"worker of {name}", pool, at, 30, "OFFLINE")
        )
        return queues

    def _deployment(self, place: int, *, queue: Queue, anchor: int, interval: int) -> Deployment:
        at = self._began
        flow = self.flows[place % len(self.flows)]
        tags = dict.fromkeys(("bench", *self._chance.sample(self.tags, min(2, len(self.tags)))))
        made = Deployment(
            id=self._ids.at(at),
            name=f"deployment-{place:05}",
            flow=flow,
            queue=queue,
            tags=tuple(tags),
            schedule_id=self._ids.at(at),
            anchor=anchor,
            interval=interval,
        )
        self._rows.of["deployment"].append(_deployment_row(made, at))
        start = dt.datetime.fromtimestamp(anchor / SECOND, dt.UTC).replace(tzinfo=None)
        schedule = {
            "interval": interval / SECOND,
            "anchor_date": f"{start.isoformat()}Z",
            "timezone": "UTC",
        }
        self._rows.of["deployment_schedule"].append(
            (made.schedule_id, 1, at, at, made.id, json.dumps(schedule), 1, "{}")
        )
        return made


def _deployment_row(made: Deployment, at: int) -> Row:
    flow, queue = made.flow, made.queue
    labels = json.dumps({"prefect.flow.id": flow.id})
    return (
        made.id, 1, at, at, made.name, flow.id, "1.0", 0, "{}", '{"day":"today"}',
        json.dumps(made.tags), labels, queue.name, queue.id, "NOT_READY", _PARAMETERS, "/srv/flows",
        f"{flow.name}.py:main", 1,
    )  # fmt: skip
