"""Resuming a paused run: its input checked against the schema it asked for, then proposed."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from armillary.api import Call
from armillary.db.unit import Unit
from armillary.deployments.hydration import HydrationError
from armillary.deployments.parameters import ParameterError, check_parameters
from armillary.errors import RunNotFound
from armillary.flow_runs import repository
from armillary.orchestration.driving import Decided
from armillary.orchestration.engine import FlowRunProposal
from armillary.orchestration.states import Proposal, State, StateDetails, StateType, propose
from armillary.orchestration.verdicts import Status
from armillary.orchestration.wire import AbortDetails, state_from_row

_STATE = """
select s.id, s.type, s.name, s.timestamp, s.message, s.data, s.details
from flow_run r left join flow_run_state s on s.id = r.state_id
where r.id = ? and r.workspace = ?
"""
_NOT_PAUSED = "Cannot resume a flow run that is not paused."
_encode = msgspec.json.Encoder().encode


class _Refused(Exception):
    """The input does not do; says why."""


async def resume(call: Call, run_id: str, run_input: Mapping[str, msgspec.Raw] | None) -> Decided:
    """Resume a run; RunNotFound without it.

    A run that is not paused is answered by ABORT without a state, an input that does not do by
    REJECT with the reason in abort details, as clients know it.
    """
    row = await call.read().one(_STATE, run_id, call.workspace)
    if row is None:
        message = f"Flow run with id {run_id} not found"
        raise RunNotFound(message)
    state = state_from_row(row)
    if state is None or state.type is not StateType.PAUSED:
        return _not_paused()
    keyset = state.details.run_input_keyset
    try:
        given = await _checked_input(call, run_id, keyset, run_input or {}) if keyset else {}
    except _Refused as refused:
        return Decided(
            status=Status.REJECT,
            state=state,
            details=AbortDetails(str(refused)),
            written=False,
        )
    return await call.write(lambda unit: _propose(call, unit, run_id, state, given))


def _not_paused() -> Decided:
    return Decided(
        status=Status.ABORT, state=None, details=AbortDetails(_NOT_PAUSED), written=False
    )


async def _checked_input(
    call: Call,
    run_id: str,
    keyset: Mapping[str, str],
    run_input: Mapping[str, msgspec.Raw],
) -> dict[str, msgspec.Raw]:
    try:
        hydrated = await call.core.variables.hydrate(call.read(), run_input)
    except HydrationError as error:
        raise _Refused(f"Error hydrating run input: {error}") from error
    schema = await repository.read_input(call.read(), run_id, keyset.get("schema", ""))
    if schema is None:
        message = "The run's input cannot be checked: its schema was not stored."
        raise _Refused(message)
    try:
        check_parameters(hydrated, schema.encode())
    except ParameterError as error:
        raise _Refused(f"Run input validation failed: {error}") from error
    return hydrated


async def _propose(
    call: Call, unit: Unit, run_id: str, paused: State, given: Mapping[str, msgspec.Raw]
) -> Decided:
    """Propose the state to go on in, if the run is still in that pause; keep the input."""
    current = await unit.value("select state_id from flow_run where id = ?", run_id)
    if current != paused.id:
        return _not_paused()
    decided = await call.core.gate.set_flow_run_state_in(
        unit,
        FlowRunProposal(
            workspace=call.workspace,
            run_id=run_id,
            proposal=_way_on(call, paused),
            client=call.client,
        ),
    )
    keyset = paused.details.run_input_keyset
    if decided.status is Status.ACCEPT and given and keyset:
        await repository.add_input(
            unit,
            new_id=call.core.ids.uuid7(),
            run_id=run_id,
            key=keyset["response"],
            value=_encode(given).decode(),
            sender=None,
        )
    return decided


def _way_on(call: Call, paused: State) -> Proposal:
    """A suspended run is scheduled again, a waiting one just runs on."""
    if not paused.details.pause_reschedule:
        return propose(StateType.RUNNING)
    details = StateDetails(scheduled_time=call.core.clock.now())
    return propose(StateType.SCHEDULED, name="Resuming", details=details)
