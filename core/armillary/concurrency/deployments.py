"""The slot that a flow run holds of its deployment, from its claim to its end."""

from __future__ import annotations

from typing import TypeAlias
from uuid import UUID

from armillary.concurrency import leases, limits
from armillary.concurrency.leases import Grant, Holder, Lease
from armillary.db.unit import Unit
from armillary.orchestration.states import State
from armillary.orchestration.transition import FlowRunFacts, Transition

LeaseId: TypeAlias = UUID


async def renewed(transition: Transition, unit: Unit, lease_id: LeaseId) -> bool:
    """Give the run the deployment's grace period from now on; False if its lease is gone."""
    return await leases.renew(unit, str(lease_id), _end(transition, unit))


async def taken(transition: Transition, unit: Unit) -> LeaseId | None:
    """Take a slot of the deployment's limit; None if there is none."""
    run = transition.run
    if run.deployment_limit is None:
        return None
    locked = await limits.lock(unit, [run.deployment_limit.id])
    grant = Grant(
        id=_new_id(transition, unit),
        slots=1,
        expires=_end(transition, unit),
        holder=Holder("flow_run", run.id),
    )
    if locked and await leases.take(unit, locked, grant):
        return UUID(grant.id)
    return None


async def untaken(transition: Transition, unit: Unit) -> None:
    """Give back what was taken in this very transition."""
    await leases.give_back(unit, [_new_id(transition, unit)])


async def kept(transition: Transition, unit: Unit) -> LeaseId | None:
    """Return the lease the run holds already, as it does between attempts in one process."""
    held = await _held(transition.run, transition.initial, unit)
    if not held:
        return None
    await leases.prolong(unit, held[0].id, _end(transition, unit))
    return UUID(held[0].id)


async def held_for_good(transition: Transition, unit: Unit) -> None:
    """Let the run keep its slot until it gives it back: its client cannot renew the lease."""
    for lease in await _held(transition.run, transition.initial, unit):
        await leases.renew(unit, lease.id, leases.NEVER)


async def given_back(run: FlowRunFacts, state: State | None, unit: Unit) -> None:
    """Give back the slot the run holds, if it holds one."""
    held = await _held(run, state, unit)
    if held:
        await leases.give_back(unit, [lease.id for lease in held])


async def _held(run: FlowRunFacts, state: State | None, unit: Unit) -> list[Lease]:
    lease_id = state and state.details.deployment_concurrency_lease_id
    return await leases.of_run(
        unit,
        run.id,
        lease_id=str(lease_id) if lease_id else None,
        limit_id=run.deployment_limit.id if run.deployment_limit else None,
    )


def _end(transition: Transition, unit: Unit) -> int:
    """The end of the deployment's grace period, or of the server's."""
    limit = transition.run.deployment_limit
    grace = limit and limit.grace_period_seconds
    return leases.after(unit.micros, grace or transition.limits.deployment_lease)


def _new_id(transition: Transition, unit: Unit) -> str:
    return leases.derived_id(transition.run.id, unit.micros, transition.chance)
