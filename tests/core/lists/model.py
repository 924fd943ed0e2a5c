"""What filters mean, said slowly: one row at a time, in plain Python."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.core.lists.world import Row, World, instant

Asked = dict[str, Any]


def given(asked: Asked | None, name: str) -> Any:
    return None if asked is None else asked.get(name)


def combined(asked: Asked, conditions: list[bool]) -> bool:
    if asked.get("operator") == "or_" and conditions:
        return any(conditions)
    return all(conditions)


def chosen(asked: Asked, value: str | None) -> list[bool]:
    found = []
    if asked.get("any_") is not None:
        found.append(value in asked["any_"])
    if asked.get("not_any_"):
        found.append(value is not None and value not in asked["not_any_"])
    if asked.get("is_null_") is not None:
        found.append((value is None) == asked["is_null_"])
    return found


def plain(asked: Asked, value: str | None) -> bool:
    """`any_` and `not_any_`; `is_null_` is not known here."""
    return all(chosen({**asked, "is_null_": None}, value))


def like(text: str, value: str) -> bool:
    pattern = "".join({"%": ".*", "_": "."}.get(char, re.escape(char)) for char in text)
    return re.search(pattern, value, re.IGNORECASE | re.DOTALL) is not None


def named(asked: Asked, value: str) -> bool:
    liked = not asked.get("like_") or like(asked["like_"], value)
    return liked and plain({"any_": asked.get("any_")}, value)


def tagged(asked: Asked, tags: list[str]) -> bool:
    found = []
    if asked.get("all_"):
        found.append(set(asked["all_"]) <= set(tags))
    if asked.get("any_") is not None:
        found.append(bool(set(asked["any_"]) & set(tags)))
    if asked.get("is_null_") is not None:
        found.append((not tags) == asked["is_null_"])
    return combined(asked, found)


def timed(asked: Asked, value: int | None, *, null: int | str | None = "never") -> bool:
    found = []
    if asked.get("before_"):
        found.append(value is not None and instant(value) <= micros(asked["before_"]))
    if asked.get("after_"):
        found.append(value is not None and instant(value) >= micros(asked["after_"]))
    if null != "never" and asked.get("is_null_") is not None:
        found.append((null is None) == asked["is_null_"])
    return all(found)


def micros(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * 1_000_000


def in_state(asked: Asked, row: Row) -> bool:
    found = []
    for name, value in (("type", row.state_type), ("name", row.state_name)):
        part = asked.get(name)
        if part is not None:
            both = part.get("any_") is not None and part.get("not_any_") is not None
            found.append(both or plain(part, value))
    return combined(asked, found)


def all_parts(asked: Asked, parts: dict[str, Callable[[Asked], bool]]) -> bool:
    found = [says(asked[name]) for name, says in parts.items() if asked.get(name) is not None]
    return combined(asked, found)


def flow(world: World, asked: Asked, row: Row) -> bool:
    deployed = any(each.flow_id == row.id for each in world.rows["deployment"])
    return all_parts(
        asked,
        {
            "id": lambda part: plain(part, row.id),
            "deployment": lambda part: part.get("is_null_") is None or part["is_null_"] != deployed,
            "name": lambda part: named(part, row.name),
            "tags": lambda part: tagged(part, row.tags),
        },
    )


def deployment(world: World, asked: Asked, row: Row) -> bool:
    of = world.find("flow", row.flow_id)

    def either(part: Asked) -> bool:
        text = part.get("like_")
        return not text or like(text, row.name) or (of is not None and like(text, of.name))

    return all_parts(
        asked,
        {
            "id": lambda part: plain(part, row.id),
            "name": lambda part: named(part, row.name),
            "flow_or_deployment_name": either,
            "paused": lambda part: part.get("eq_") is None or part["eq_"] == row.paused,
            "tags": lambda part: tagged(part, row.tags),
            "work_queue_name": lambda part: plain(part, row.work_queue_name),
        },
    )


def pool(_: World, asked: Asked, row: Row) -> bool:
    return all_parts(
        asked,
        {
            "id": lambda part: plain(part, row.id),
            "name": lambda part: plain(part, row.name),
            "type": lambda part: plain(part, row.type),
        },
    )


def queue(_: World, asked: Asked, row: Row) -> bool:
    def begins(part: Asked) -> bool:
        prefixes = part.get("startswith_")
        fits = not prefixes or any(row.name.lower().startswith(p.lower()) for p in prefixes)
        return fits and plain({"any_": part.get("any_")}, row.name)

    return all_parts(asked, {"id": lambda part: plain(part, row.id), "name": begins})


def run(world: World, asked: Asked, row: Row) -> bool:
    parent = world.find("task", row.parent_task_run_id)
    when = row.start_time if row.start_time is not None else row.expected_start_time

    def child(part: Asked) -> bool:
        return part.get("any_") is None or (
            parent is not None and parent.flow_run_id in part["any_"]
        )

    def created(part: Asked) -> bool:
        by = row.created_by or {}
        found = []
        if part.get("id_") is not None:
            found.append(by.get("id") in part["id_"])
        if part.get("type_") is not None:
            found.append(by.get("type") in part["type_"])
        if part.get("is_null_") is not None:
            found.append((not by) == part["is_null_"])
        return combined(part, found)

    return all_parts(
        asked,
        {
            "id": lambda part: plain(part, row.id),
            "name": lambda part: named(part, row.name),
            "tags": lambda part: tagged(part, row.tags),
            "deployment_id": lambda part: combined(part, chosen(part, row.deployment_id)),
            "work_queue_name": lambda part: combined(part, chosen(part, row.work_queue_name)),
            "state": lambda part: in_state(part, row),
            "flow_version": lambda part: plain(part, row.flow_version),
            "start_time": lambda part: timed(part, when, null=row.start_time),
            "end_time": lambda part: timed(part, row.end_time, null=row.end_time),
            "expected_start_time": lambda part: timed(part, row.expected_start_time),
            "next_scheduled_start_time": lambda part: timed(part, row.next_scheduled_start_time),
            "parent_flow_run_id": child,
            "parent_task_run_id": lambda part: combined(part, chosen(part, row.parent_task_run_id)),
            "idempotency_key": lambda part: plain(part, row.idempotency_key),
            "created_by": created,
        },
    )


def task(world: World, asked: Asked, row: Row) -> bool:
    has_subflow = any(each.parent_task_run_id == row.id for each in world.rows["run"])

    def of_run(part: Asked) -> bool:
        if part.get("is_null_"):
            return row.flow_run_id is None
        if part.get("any_") is not None:
            return row.flow_run_id in part["any_"]
        return row.flow_run_id is not None

    return all_parts(
        asked,
        {
            "id": lambda part: plain(part, row.id),
            "name": lambda part: named(part, row.name),
            "tags": lambda part: tagged(part, row.tags),
            "state": lambda part: in_state(part, row),
            "start_time": lambda part: timed(part, row.start_time, null=row.start_time),
            "end_time": lambda part: timed(part, row.end_time, null=row.end_time),
            "expected_start_time": lambda part: timed(part, row.expected_start_time),
            "subflow_runs": lambda part: (
                part.get("exists_") is None or part["exists_"] == has_subflow
            ),
            "flow_run_id": of_run,
        },
    )


MATCHES = {"flow": flow, "deployment": deployment, "pool": pool, "queue": queue, "run": run,
           "task": task}  # fmt: skip
KINDS = {
    "flows": "flow", "flow_runs": "run", "task_runs": "task", "deployments": "deployment",
    "work_pools": "pool", "work_pool_queues": "queue",
}  # fmt: skip


def related(world: World, row: Row, kind: str) -> list[Row]:
    """The rows of another kind that a row is related to."""
    if row.kind == kind:
        return [row]
    reach: dict[tuple[str, str], Callable[[], list[Row | None]]] = {
        ("flow", "run"): lambda: [r for r in world.rows["run"] if r.flow_id == row.id],
        ("flow", "deployment"): lambda: [
            d for d in world.rows["deployment"] if d.flow_id == row.id
        ],
        ("run", "flow"): lambda: [world.find("flow", row.flow_id)],
        ("run", "task"): lambda: [t for t in world.rows["task"] if t.flow_run_id == row.id],
        ("run", "deployment"): lambda: [world.find("deployment", row.deployment_id)],
        ("run", "queue"): lambda: [world.find("queue", row.work_queue_id)],
        ("deployment", "flow"): lambda: [world.find("flow", row.flow_id)],
        ("deployment", "run"): lambda: [r for r in world.rows["run"] if r.deployment_id == row.id],
        ("deployment", "queue"): lambda: [world.find("queue", row.work_queue_id)],
        ("queue", "pool"): lambda: [world.find("pool", row.work_pool_id)],
        ("task", "run"): lambda: [world.find("run", row.flow_run_id)],
    }
    if (row.kind, kind) in reach:
        return [each for each in reach[row.kind, kind]() if each is not None]
    through = {
        ("flow", "task"): "run", ("flow", "pool"): "deployment", ("run", "pool"): "queue",
        ("deployment", "pool"): "queue", ("deployment", "task"): "run",
        ("task", "flow"): "run", ("task", "deployment"): "run",
    }[row.kind, kind]  # fmt: skip
    return [far for near in related(world, row, through) for far in related(world, near, kind)]


def answer(world: World, kind: str, asked: Asked) -> set[str]:
    """The names of the rows of a kind that a request means."""
    return {
        row.id
        for row in world.rows[kind]
        if all(
            any(MATCHES[KINDS[key]](world, asked[key], other)
                for other in related(world, row, KINDS[key]))
            for key in KINDS
            if asked.get(key) is not None
        )
    }  # fmt: skip
