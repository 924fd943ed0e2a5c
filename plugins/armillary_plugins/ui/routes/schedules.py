"""All schedules, the next to fire first, and the switch of each."""

from __future__ import annotations

import re

from armillary.api import Answer, Call, Routes
from armillary.clock import from_micros, maybe_moment
from armillary.db.unit import Row
from armillary.deployments.routes import schedules as api
from armillary.deployments.schemas import UpdateSchedule
from armillary.forms import Form
from armillary_plugins.ui.actions import back_path, see_other
from armillary_plugins.ui.deployment_schemas import SchedulePage, ScheduleRow, ScheduleTwin
from armillary_plugins.ui.lists import FRAGMENTS, declare_list
from armillary_plugins.ui.repository import schedules as repository
from armillary_plugins.ui.repository.schedules import NEVER, Place, place_of
from armillary_plugins.ui.schedule_times import schedule_row
from armillary_plugins.ui.twins import declare_twins
from armillary_web.pages import Listed, Twin, twin_paths
from armillary_web.slices import Slice

routes = Routes(tag="Pages", mount="")
_PAGE = 50
_FIRES = 3
_LIST = "/schedules"
_ONE = "/deployments/deployment/{id:uuid}/schedules/{schedule_id:uuid}"
_PLACE = re.compile(r"(\d{1,19})\.([0-9a-f-]{36})")


@routes.post(f"{_ONE}/pause", scope="write_deployments")
async def pause(call: Call, body: Form) -> Answer:
    """Let a schedule rest, and go back to where that was asked for."""
    return await _switch(call, body, active=False)


@routes.post(f"{_ONE}/resume", scope="write_deployments")
async def resume(call: Call, body: Form) -> Answer:
    """Let a schedule go on, and go back to where that was asked for."""
    return await _switch(call, body, active=True)


async def _switch(call: Call, form: Form, *, active: bool) -> Answer:
    await api.update_schedule(call, UpdateSchedule(active=active))
    return see_other(call, back_path(form, f"/deployments/deployment/{call.path['id']}"))


async def make_page(call: Call) -> Listed:
    """Read a page of the list."""
    after, before = _place(call.query.get("after")), _place(call.query.get("before"))
    found = await _list(call, after=after, before=before)
    if before is not None and after is None and not found.more:
        after = before = None
        found = await _list(call)
    here = _query(after, before)
    ends = found.ends(place_of)
    earlier = after is not None or before is not None
    later = found.more or before is not None
    page = SchedulePage(
        rows=tuple(_row(call, row) for row in found.rows),
        live_path=FRAGMENTS + _LIST + here,
        twins=twin_paths(_LIST),
        back=_LIST + here,
        previous_path=_turn(None, ends[0]) if ends and earlier else None,
        next_path=_turn(ends[1], None) if ends and later else None,
    )
    return Listed(page, _LIST + here)


declare_list(routes, _LIST, make_page, template="ui/schedules", scope="see_deployments")


async def make_twin(call: Call, limit: int) -> Twin:
    """Read a part of the list for programs."""
    found = await repository.list_schedules(
        call.read(), limit=limit, now=call.received, after=_place(call.query.get("after"))
    )
    ends = found.ends(place_of)
    following = _turn(ends[1], None) if found.more and ends else None
    rows = [_twin(_row(call, row, fires=0)) for row in found.rows]
    return Twin(kind=ScheduleTwin, rows=rows, next_path=following)


declare_twins(routes, _LIST, make_twin, scope="see_deployments")


async def _list(
    call: Call, *, after: Place | None = None, before: Place | None = None
) -> Slice[Row]:
    return await repository.list_schedules(
        call.read(), limit=_PAGE, now=call.received, after=after, before=before
    )


def _row(call: Call, row: Row, *, fires: int = _FIRES) -> ScheduleRow:
    fires_at_all = row[3] and not row[7]
    return schedule_row(
        row,
        now=from_micros(call.received),
        fires=fires if fires_at_all else 0,
        deployment_name=row[5],
        flow_name=row[6],
        paused=bool(row[7]),
        next_run=maybe_moment(None if row[8] == NEVER else row[8]),
    )


def _twin(row: ScheduleRow) -> ScheduleTwin:
    return ScheduleTwin(
        id=row.id,
        deployment_id=row.deployment_id,
        deployment=f"{row.flow_name}/{row.deployment_name}",
        schedule=row.words,
        timezone=row.timezone,
        active=row.active,
        paused=row.paused,
        next_run=row.next_run,
    )


def _turn(after: Place | None, before: Place | None) -> str:
    return _LIST + _query(after, before)


def _query(after: Place | None, before: Place | None) -> str:
    for word, place in (("after", after), ("before", before)):
        if place is not None:
            return f"?{word}={place.ahead}.{place.id}"
    return ""


def _place(text: str | None) -> Place | None:
    found = _PLACE.fullmatch(text or "")
    return None if found is None else Place(min(int(found[1]), NEVER), found[2])
