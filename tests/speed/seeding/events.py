"""Events of state changes, in the words in which the server and the SDK announce them."""

from collections.abc import Sequence

import msgspec

from armillary.flow_runs.events import RunContext, related, state_changed
from armillary.orchestration import states as product
from armillary.orchestration.states import StateType
from tests.speed.seeding.rows import Row, Rows
from tests.speed.seeding.states import Run, State, iso, moment_of

_encode = msgspec.json.Encoder().encode


class _Keys:
    """Numbers events in the order in which they are made."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def add(self, at: int, event: dict[str, object] | msgspec.Struct, *, name: str, key: str,
            follows: str | None, resources: Sequence[str]) -> None:  # fmt: skip
        """Append an event and what it has to do with; the first resource is its own."""
        events = self._rows.of["event"]
        number = self._rows.counts["event"] + len(events) + 1
        body = _encode(event).decode()
        events.append((number, 1, key, at, at, name, resources[0], follows, body))
        places = self._rows.of["event_resource"]
        places += [(1, resource, at, number) for resource in dict.fromkeys(resources)]


class Events:
    """What the server announces of flow runs."""

    def __init__(self, rows: Rows) -> None:
        self._keys = _Keys(rows)

    def of_flow_run(self, run: Run) -> None:
        """Announce each state; the first one of what a schedule makes is not announced."""
        context = context_of(run)
        resources = [each["prefect.resource.id"] for each in related(context)]
        before: State | None = None
        for state in run.states:
            if before is not None or not run.auto:
                event = state_changed(
                    run.id,
                    context,
                    initial=before and _as_product(before),
                    state=_as_product(state),
                    intended=(before and StateType(before.type), StateType(state.type)),
                    run_count=run.attempts,
                    received=moment_of(state.timestamp),
                )
                own = f"prefect.flow-run.{run.id}"
                self._keys.add(state.timestamp, event, name=event.event, key=state.id,
                               follows=event.follows, resources=[own, *resources])  # fmt: skip
            before = state


class TaskEvents:
    """What the SDK announces of task runs."""

    def __init__(self, rows: Rows) -> None:
        self._keys = _Keys(rows)

    def of_task_run(self, run: Run, made: str, name: str, key: str, states: Sequence[Row]) -> None:
        """Announce each state with the run as it was."""
        about = related(context_of(run))
        above = {
            "prefect.resource.id": f"prefect.flow-run.{run.id}",
            "prefect.resource.role": "flow-run",
            "prefect.resource.name": run.name,
        }
        resources = [each["prefect.resource.id"] for each in (above, *about)]
        before: Row | None = None
        for state in states:
            at = state[4]
            assert isinstance(at, int)
            own = f"prefect.task-run.{made}"
            follows = None if before is None else str(before[0])
            event = {
                "occurred": iso(at),
                "event": f"prefect.task-run.{state[3]}",
                "resource": {
                    "prefect.resource.id": own,
                    "prefect.resource.name": name,
                    "prefect.run-count": "1",
                    "prefect.state-message": state[5],
                    "prefect.state-type": state[2],
                    "prefect.state-name": state[3],
                    "prefect.state-timestamp": iso(at),
                    "prefect.orchestration": "client",
                },
                "related": [above, *about],
                "payload": {
                    "intended": {"from": before and before[2], "to": state[2]},
                    "initial_state": before and _payload(before),
                    "validated_state": _payload(state),
                    "task_run": {"task_key": key, "dynamic_key": made, "name": name},
                },
                "id": state[0],
                "follows": follows,
                "received": iso(at),
            }
            self._keys.add(at, event, name=f"prefect.task-run.{state[3]}", key=str(state[0]),
                           follows=follows, resources=[own, *resources])  # fmt: skip
            before = state


def context_of(run: Run) -> RunContext:
    """Name what a run's events are related to."""
    deployment = run.deployment
    context = RunContext(
        name=run.name, flow_id=run.flow.id, flow_name=run.flow.name, tags=frozenset(run.tags)
    )
    if deployment is None:
        return context
    queue = deployment.queue
    return msgspec.structs.replace(
        context,
        deployment_id=deployment.id,
        deployment_name=deployment.name,
        work_queue_id=queue.id,
        work_queue_name=queue.name,
        work_pool_id=queue.pool_id,
        work_pool_name=queue.pool_name,
        work_pool_type=queue.pool_type,
    )


def _payload(state: Row) -> dict[str, object]:
    return {"type": state[2], "name": state[3], "message": state[5]}


def _as_product(state: State) -> product.State:
    return product.State(
        id=state.id,
        type=StateType(state.type),
        name=state.name,
        timestamp=moment_of(state.timestamp),
        message=state.message,
    )
