"""Writing a deployment's schedules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from armillary.db.filters import json_list
from armillary.db.unit import Row, Unit
from armillary.deployments.checking import sized
from armillary.deployments.schedules import ScheduleError, dump_schedule, parse_schedule
from armillary.deployments.schemas import CreateSchedule, UpdateSchedule
from armillary.errors import Conflict, Invalid, NotFound
from armillary.ids import Ids

MAX_RUNS = 50
_INSERT = """
insert into deployment_schedule (id, workspace, created, updated, deployment_id, schedule, active,
  max_scheduled_runs, parameters, slug) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_OF_DEPLOYMENT = "select id, slug from deployment_schedule where deployment_id = ?"
_FREE_SLUGS = "update deployment_schedule set slug = null where id {in_list}"


def stored_schedule(schedule: msgspec.Raw, now: datetime) -> str:
    """Check a schedule and shape it for its column; Invalid says what is wrong with it."""
    try:
        return dump_schedule(parse_schedule(schedule, now=now)).decode()
    except ScheduleError as error:
        raise Invalid(str(error), loc=("body", "schedule")) from error


def checked_runs(count: int | None) -> int | None:
    """Check how many runs a schedule may have ahead of it."""
    if count is not None and not 0 < count <= MAX_RUNS:
        message = f"max_scheduled_runs must be between 1 and {MAX_RUNS}, not {count}."
        raise Invalid(message, loc=("body", "max_scheduled_runs"))
    return count


def given(document: msgspec.Raw) -> bool:
    """Tell whether a document was sent, and not as null."""
    return bytes(document) not in (b"", b"null")


async def add(
    unit: Unit, ids: Ids, deployment_id: str, schedules: Sequence[CreateSchedule]
) -> list[str]:
    """Add schedules; Conflict if a slug is taken.  Returns their ids."""
    taken = {row[1] for row in await unit.all(_OF_DEPLOYMENT, deployment_id)}
    added: list[str] = []
    for schedule in schedules:
        if schedule.slug is not None and schedule.slug in taken:
            message = f"The deployment has a schedule with the slug {schedule.slug!r} already."
            raise Conflict(message)
        taken.add(schedule.slug)
        added.append(ids.uuid7())
        await unit.run(
            _INSERT, added[-1], unit.workspace, unit.micros, unit.micros, deployment_id,
            stored_schedule(schedule.schedule, unit.now), int(schedule.active),
            checked_runs(schedule.max_scheduled_runs), sized(schedule.parameters),
            schedule.slug,
        )  # fmt: skip
    return added


async def replace_all(
    unit: Unit, ids: Ids, deployment_id: str, schedules: Sequence[CreateSchedule]
) -> None:
    """Delete a deployment's schedules and add these."""
    await unit.run("delete from deployment_schedule where deployment_id = ?", deployment_id)
    await add(unit, ids, deployment_id, schedules)


async def update(unit: Unit, deployment_id: str, schedule_id: str, changes: UpdateSchedule) -> None:
    """Change what is given of a schedule; NotFound if the deployment has no such schedule."""
    columns: dict[str, object] = {}
    if given(changes.schedule):
        columns["schedule"] = stored_schedule(changes.schedule, unit.now)
    if changes.active is not None:
        columns["active"] = int(changes.active)
    if changes.max_scheduled_runs is not msgspec.UNSET:
        columns["max_scheduled_runs"] = checked_runs(changes.max_scheduled_runs)
    if changes.parameters is not None:
        columns["parameters"] = sized(changes.parameters)
    if isinstance(changes.slug, str):
        await _refuse_taken_slug(unit, deployment_id, schedule_id, changes.slug)
        columns["slug"] = changes.slug
    assignments = ", ".join(f"{column} = ?" for column in ("updated", *columns))
    touched = await unit.run(
        f"update deployment_schedule set {assignments} where id = ? and deployment_id = ?",
        unit.micros,
        *columns.values(),
        schedule_id,
        deployment_id,
    )
    if not touched:
        message = "Schedule not found."
        raise NotFound(message)


async def _refuse_taken_slug(unit: Unit, deployment_id: str, schedule_id: str, slug: str) -> None:
    for row in await unit.all(_OF_DEPLOYMENT, deployment_id):
        if row[1] == slug and row[0] != schedule_id:
            message = f"The deployment has a schedule with the slug {slug!r} already."
            raise Conflict(message)


async def delete(unit: Unit, deployment_id: str, schedule_id: str) -> None:
    """Delete a schedule; NotFound if the deployment has no such schedule."""
    touched = await unit.run(
        "delete from deployment_schedule where id = ? and deployment_id = ?",
        schedule_id,
        deployment_id,
    )
    if not touched:
        message = "Schedule not found."
        raise NotFound(message)


async def patch_all(
    unit: Unit, ids: Ids, deployment_id: str, wanted: Sequence[UpdateSchedule]
) -> None:
    """Change a deployment's schedules by slug, or replace them all where slugs are missing.

    Where every stored schedule has a slug, so must every given one: each changes the schedule
    of its slug (or of ``replaces``), or is added.  Otherwise all are deleted and those given
    with a ``schedule`` are added.
    """
    stored = await unit.all(_OF_DEPLOYMENT, deployment_id)
    if not stored or any(row[1] is None for row in stored):
        new = [_as_new(each) for each in wanted if given(each.schedule)]
        await replace_all(unit, ids, deployment_id, new)
        return
    _check_slugs(stored, wanted)
    by_slug = {row[1]: row[0] for row in stored}
    renamed = [by_slug[each.replaces] for each in wanted if each.replaces in by_slug]
    await unit.run(_FREE_SLUGS, json_list(renamed))  # two may swap theirs
    for schedule in wanted:
        target = by_slug.get(schedule.replaces) or by_slug.get(_slug(schedule))
        if target is not None:
            await update(unit, deployment_id, target, schedule)
        elif not given(schedule.schedule):
            message = f"No schedule has the slug {_slug(schedule)!r}: give its schedule to add it."
            raise Invalid(message, loc=("body", "schedules"))
        else:
            await add(unit, ids, deployment_id, [_as_new(schedule)])


def _check_slugs(stored: Sequence[Row], wanted: Sequence[UpdateSchedule]) -> None:
    if any(_slug(schedule) is None for schedule in wanted):
        message = "The stored schedules all have slugs: give each schedule its slug."
        raise Invalid(message, loc=("body", "schedules"))
    replaced = [each.replaces for each in wanted if each.replaces is not None]
    if len(set(replaced)) < len(replaced):
        message = "Two schedules replace the same one: let each replace another."
        raise Invalid(message, loc=("body", "schedules"))
    slugs = {row[1] for row in stored}
    for schedule in wanted:
        renames = schedule.replaces in slugs and schedule.replaces != _slug(schedule)
        if renames and _slug(schedule) in slugs - set(replaced):
            message = f"The slug {_slug(schedule)!r} is another schedule's: replace that one too."
            raise Invalid(message, loc=("body", "schedules"))


def _slug(schedule: UpdateSchedule) -> str | None:
    return schedule.slug if isinstance(schedule.slug, str) else None


def _as_new(schedule: UpdateSchedule) -> CreateSchedule:
    return CreateSchedule(
        schedule=schedule.schedule,
        active=schedule.active if schedule.active is not None else True,
        max_scheduled_runs=(
            None if schedule.max_scheduled_runs is msgspec.UNSET else schedule.max_scheduled_runs
        ),
        parameters=schedule.parameters or {},
        slug=_slug(schedule),
    )
