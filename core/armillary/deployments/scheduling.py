"""Creating the runs a deployment's schedules ask for, each at most once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from armillary.db.filters import json_list
from armillary.db.unit import Row, Unit
from armillary.deployments.schedules import (
    CronSchedule,
    IntervalSchedule,
    RRuleSchedule,
    Schedule,
    ScheduleError,
    horizon,
    idempotency_key,
    parse_schedule,
)
from armillary.flow_runs.creating import NewFlowRun, insert_flow_runs
from armillary.names import slug
from armillary.orchestration.states import StateDetails, StateType, propose

if TYPE_CHECKING:
    from armillary.core import Core

_DEPLOYMENT = """
select d.id, d.flow_id, d.name, d.version, d.work_queue_id, d.work_queue_name, d.parameters,
  d.tags, d.labels, d.infrastructure_document_id
from deployment d where d.id = ? and d.workspace = ?
"""
_SCHEDULES = """
select id, schedule, parameters, slug from deployment_schedule
where deployment_id = ? and active = 1 order by id
"""
_EXISTING = "select idempotency_key from flow_run where flow_id = ? and idempotency_key {in_list}"
_KINDS = {
    CronSchedule: "CronSchedule",
    IntervalSchedule: "IntervalSchedule",
    RRuleSchedule: "RRuleSchedule",
}
_encode = msgspec.json.Encoder().encode
_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_tags = msgspec.json.Decoder(list[str]).decode


class Horizon(msgspec.Struct, frozen=True, kw_only=True):
    """How far ahead runs are created: at least, and at most."""

    min_runs: int = 3
    max_runs: int = 100
    min_time: timedelta = timedelta(hours=1)
    max_time: timedelta = timedelta(days=100)


_AT_ONCE = Horizon()


class Broken(msgspec.Struct, frozen=True):
    """A schedule that cannot be read or computed, and why."""

    schedule_id: str
    reason: str


class Scheduled(msgspec.Struct, frozen=True):
    """What came of scheduling a deployment."""

    created: int
    broken: tuple[Broken, ...]


async def schedule_deployment(  # noqa: PLR0913 - where, what, from when, how far
    core: Core,
    unit: Unit,
    deployment_id: str,
    *,
    now: datetime,
    ahead: Horizon,
    end: datetime | None = None,
) -> Scheduled:
    """Create the runs a deployment's active schedules ask for from ``now`` on.

    Runs that exist by their key are left as they are; nothing is announced.  ``end`` cuts the
    horizon.  A schedule that cannot be computed is reported, the others go on.
    """
    deployment = await unit.one(_DEPLOYMENT, deployment_id, unit.workspace)
    if deployment is None:
        return Scheduled(0, ())
    created, broken = 0, []
    for row in await unit.all(_SCHEDULES, deployment_id):
        try:
            schedule = parse_schedule(row[1].encode(), now=now)
            moments = horizon(
                schedule,
                now=now,
                min_runs=ahead.min_runs,
                max_runs=ahead.max_runs,
                min_time=ahead.min_time,
                max_time=ahead.max_time,
            )
        except (ScheduleError, OverflowError, ValueError) as error:
            broken.append(Broken(row[0], str(error)))
            continue
        wanted = [moment for moment in moments if end is None or moment <= end]
        created += await _create(core, unit, deployment, row, schedule, wanted)
    return Scheduled(created, tuple(broken))


async def schedule_at_once(core: Core, unit: Unit, deployment_id: str) -> None:
    """Create what a deployment's schedules ask for now, unless it is paused."""
    paused = await unit.value("select paused from deployment where id = ?", deployment_id)
    if not paused:
        await schedule_deployment(core, unit, deployment_id, now=unit.now, ahead=_AT_ONCE)


async def _create(  # noqa: PLR0913, PLR0917 - one schedule's runs, all their parts
    core: Core,
    unit: Unit,
    deployment: Row,
    row: Row,
    schedule: Schedule,
    moments: Sequence[datetime],
) -> int:
    keys = {idempotency_key(deployment[0], row[0], moment): moment for moment in moments}
    existing = {found[0] for found in await unit.all(_EXISTING, deployment[1], json_list(keys))}
    new = [
        _run(core, unit, deployment, row, schedule, key, moment)
        for key, moment in keys.items()
        if key not in existing
    ]
    answers = await insert_flow_runs(core.gate, unit, new)
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return len(new)


def _run(  # noqa: PLR0913, PLR0917 - one run, all its parts
    core: Core,
    unit: Unit,
    deployment: Row,
    row: Row,
    schedule: Schedule,
    key: str,
    moment: datetime,
) -> NewFlowRun:
    parameters = {**_object(deployment[6]), **_object(row[2])}
    return NewFlowRun(
        workspace=unit.workspace,
        id=core.ids.uuid7(),
        name=slug(core.chance),
        flow_id=deployment[1],
        proposal=propose(
            StateType.SCHEDULED,
            message="Flow run scheduled",
            details=StateDetails(scheduled_time=moment),
        ),
        deployment_id=deployment[0],
        deployment_version=deployment[3],
        work_queue_id=deployment[4],
        work_queue_name=deployment[5],
        idempotency_key=key,
        schedule_id=row[0],
        auto_scheduled=True,
        infrastructure_document_id=deployment[9],
        parameters=_encode(parameters).decode(),
        tags=list(dict.fromkeys(["auto-scheduled", *_tags(deployment[7])])),
        job_variables="{}",
        base_labels=_object(deployment[8]),
        created_by=_encode(
            {"id": row[0], "type": "SCHEDULE", "display_value": row[3] or _KINDS[type(schedule)]}
        ).decode(),
        announced=False,
    )
