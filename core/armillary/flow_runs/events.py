"""The event a flow run's state change is announced with.

Source: the shape of ``prefect.flow-run.<state name>`` events.  Event id = state id and event
time = state time, because clients match the two.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from armillary.events.envelope import Event
from armillary.orchestration.states import State, StateType

_FOLLOWS_WITHIN = timedelta(minutes=5)
_MESSAGE_LIMIT = 100_000
_MESSAGE_KEPT = 50_000


class RunContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a flow run's events are related to, by id and name."""

    name: str
    flow_id: str
    flow_name: str
    deployment_id: str | None = None
    deployment_name: str | None = None
    work_queue_id: str | None = None
    work_queue_name: str | None = None
    work_pool_id: str | None = None
    work_pool_name: str | None = None
    work_pool_type: str | None = None
    parent_task_run_id: str | None = None
    parent_task_run_name: str | None = None
    tags: frozenset[str] = frozenset()
    creator: dict[str, str] | None = None


def state_changed(  # noqa: PLR0913 - one event, all its parts
    run_id: str,
    context: RunContext,
    *,
    initial: State | None,
    state: State,
    intended: tuple[StateType | None, StateType],
    run_count: int,
    received: datetime,
) -> Event:
    """Describe that ``state`` became the run's state."""
    follows = None
    if initial is not None and state.timestamp - initial.timestamp < _FOLLOWS_WITHIN:
        follows = initial.id
    return Event(
        id=state.id,
        occurred=state.timestamp,
        received=received,
        event=f"prefect.flow-run.{state.name}",
        follows=follows,
        resource={
            "prefect.resource.id": f"prefect.flow-run.{run_id}",
            "prefect.resource.name": context.name,
            "prefect.run-count": str(run_count),
            "prefect.state-message": shortened(state.message or ""),
            "prefect.state-name": state.name,
            "prefect.state-timestamp": state.timestamp.isoformat(),
            "prefect.state-type": str(state.type),
        },
        related=related(context),
        payload={
            "intended": {
                "from": str(intended[0]) if intended[0] else None,
                "to": str(intended[1]),
            },
            "initial_state": _payload(initial),
            "validated_state": _payload(state),
        },
    )


def shortened(message: str) -> str:
    """Take the middle out of a message too long for an event."""
    if len(message) <= _MESSAGE_LIMIT:
        return message
    left_out = len(message) - 2 * _MESSAGE_KEPT
    return (
        f"{message[:_MESSAGE_KEPT]}...{left_out} additional characters...{message[-_MESSAGE_KEPT:]}"
    )


def _payload(state: State | None) -> dict[str, Any] | None:
    if state is None:
        return None
    payload: dict[str, Any] = {"type": str(state.type), "name": state.name}
    if state.message:
        payload["message"] = shortened(state.message)
    if state.type is StateType.PAUSED:
        payload["pause_reschedule"] = "true" if state.details.pause_reschedule else "false"
    return payload


def related(context: RunContext) -> list[dict[str, str]]:
    """List the related resources in the order clients know."""
    found = [_one("flow", context.flow_id, context.flow_name)]
    if context.deployment_id is not None and context.deployment_name is not None:
        found.append(_one("deployment", context.deployment_id, context.deployment_name))
    if context.work_queue_id is not None and context.work_queue_name is not None:
        found.append(_one("work-queue", context.work_queue_id, context.work_queue_name))
    if context.work_pool_id is not None and context.work_pool_name is not None:
        pool = _one("work-pool", context.work_pool_id, context.work_pool_name)
        pool["prefect.work-pool.type"] = context.work_pool_type or ""
        found.append(pool)
    if context.parent_task_run_id is not None and context.parent_task_run_name is not None:
        found.append(_one("task-run", context.parent_task_run_id, context.parent_task_run_name))
    found.extend(
        {"prefect.resource.id": f"prefect.tag.{tag}", "prefect.resource.role": "tag"}
        for tag in sorted(context.tags)
    )
    if context.creator is not None:
        found.append(context.creator)
    return found


def _one(kind: str, key: str, name: str) -> dict[str, str]:
    return {
        "prefect.resource.id": f"prefect.{kind}.{key}",
        "prefect.resource.role": kind,
        "prefect.resource.name": name,
    }
