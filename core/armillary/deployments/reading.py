"""Deployments as answered: rows straight into the shape of the wire."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from armillary.clock import from_micros, maybe_moment
from armillary.concurrency.limits import LIMIT_COLUMNS, limit_from_columns
from armillary.db.filters import json_list
from armillary.db.unit import Reader, Row
from armillary.deployments.schemas import Deployment, DeploymentSchedule

COLUMNS = f"""
d.id, d.created, d.updated, d.name, d.version, d.description, d.flow_id, d.paused,
d.concurrency_options, d.job_variables, d.parameters, d.tags, d.labels, d.work_queue_name,
d.last_polled, d.parameter_openapi_schema, d.path, d.pull_steps, d.entrypoint,
d.storage_document_id, d.infrastructure_document_id, d.created_by, d.updated_by, d.status,
d.enforce_parameter_schema, q.id, q.name, p.name, {LIMIT_COLUMNS}
"""
_LIMIT_FROM = 28
JOINS = """
left join work_queue q on q.id = d.work_queue_id
left join work_pool p on p.id = q.work_pool_id
left join concurrency_limit l on l.id = d.concurrency_limit_id
"""
_BY_ID = f"select {COLUMNS} from deployment d {JOINS} where d.workspace = ? and d.id = ?"
_BY_NAME = f"""
select {COLUMNS} from deployment d join flow f on f.id = d.flow_id {JOINS}
where f.workspace = ? and f.name = ? and d.name = ?
"""
SCHEDULE_COLUMNS = """
c.id, c.created, c.updated, c.deployment_id, c.schedule, c.active, c.max_scheduled_runs,
c.parameters, c.slug
"""
_SCHEDULES = f"""
select {SCHEDULE_COLUMNS} from deployment_schedule c where c.deployment_id {{in_list}}
order by c.updated desc, c.id desc
"""


async def read(reader: Reader, deployment_id: str, *, now: int) -> Deployment | None:
    """Read a deployment by its key."""
    return await _with_schedules(
        reader, await reader.one(_BY_ID, reader.workspace, deployment_id), now=now
    )


async def read_by_name(reader: Reader, flow: str, name: str, *, now: int) -> Deployment | None:
    """Read a deployment by its flow's name and its own."""
    return await _with_schedules(
        reader, await reader.one(_BY_NAME, reader.workspace, flow, name), now=now
    )


async def _with_schedules(reader: Reader, row: Row | None, *, now: int) -> Deployment | None:
    if row is None:
        return None
    return (await shaped(reader, [row], now=now))[0]


async def shaped(reader: Reader, rows: Sequence[Row], *, now: int) -> list[Deployment]:
    """Shape rows of :data:`COLUMNS`, with their schedules read in one statement."""
    schedules: dict[str, list[DeploymentSchedule]] = {row[0]: [] for row in rows}
    if rows:
        for found in await reader.all(_SCHEDULES, json_list(schedules)):
            schedules[found[3]].append(schedule_from_row(found))
    return [_deployment(row, schedules[row[0]], now=now) for row in rows]


async def schedules_of(reader: Reader, deployment_id: str) -> list[DeploymentSchedule]:
    """List a deployment's schedules, those changed last first."""
    rows = await reader.all(_SCHEDULES, json_list([deployment_id]))
    return [schedule_from_row(row) for row in rows]


def schedule_from_row(row: Row) -> DeploymentSchedule:
    """Shape a row of :data:`SCHEDULE_COLUMNS`."""
    return DeploymentSchedule(
        id=row[0],
        created=from_micros(row[1]),
        updated=from_micros(row[2]),
        deployment_id=row[3],
        schedule=msgspec.Raw(row[4].encode()),
        active=bool(row[5]),
        max_scheduled_runs=row[6],
        parameters=msgspec.Raw(row[7].encode()),
        slug=row[8],
    )


def _raw(text: str | None) -> msgspec.Raw:
    return msgspec.Raw((text or "null").encode())


def _deployment(row: Row, schedules: list[DeploymentSchedule], *, now: int) -> Deployment:
    return Deployment(
        id=row[0],
        created=from_micros(row[1]),
        updated=from_micros(row[2]),
        name=row[3],
        version=row[4],
        description=row[5],
        flow_id=row[6],
        paused=bool(row[7]),
        schedules=schedules,
        concurrency_limit=None,
        global_concurrency_limit=limit_from_columns(row[_LIMIT_FROM:], now),
        concurrency_options=_raw(row[8]),
        job_variables=_raw(row[9]),
        parameters=_raw(row[10]),
        tags=_raw(row[11]),
        labels=_raw(row[12]),
        work_queue_name=row[26] if row[25] is not None else row[13],
        work_queue_id=row[25],
        last_polled=maybe_moment(row[14]),
        parameter_openapi_schema=_raw(row[15]),
        path=row[16],
        pull_steps=_raw(row[17]),
        entrypoint=row[18],
        storage_document_id=row[19],
        infrastructure_document_id=row[20],
        created_by=_raw(row[21]),
        updated_by=_raw(row[22]),
        work_pool_name=row[27],
        status=row[23],
        enforce_parameter_schema=bool(row[24]),
    )
