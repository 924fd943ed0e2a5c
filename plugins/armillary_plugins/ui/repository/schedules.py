"""The list of schedules over all deployments, the next to fire first."""

from __future__ import annotations

import msgspec

from armillary.db.unit import Reader, Row
from armillary_web.slices import Slice, cut

NEVER = 2**62
"""Where in the order a schedule stands that has nothing ahead."""
_LIST = f"""
select c.id, c.deployment_id, c.schedule, c.active, c.slug, d.name, f.name, d.paused, k.ahead
from (
  select * from (
    select n.id as id, coalesce((select min(r.next_scheduled_start_time) from flow_run r
      where r.schedule_id = n.id and r.state_type = 'SCHEDULED'
        and r.next_scheduled_start_time >= ?), {NEVER}) as ahead
    from deployment_schedule n where n.workspace = ?) s
  {{cut}} order by s.ahead {{way}}, s.id {{way}} limit ?) k
  cross join deployment_schedule c
  join deployment d on d.id = c.deployment_id
  join flow f on f.id = d.flow_id
where c.id = k.id order by k.ahead {{way}}, k.id {{way}}
"""
_FIRST = _LIST.format(cut="", way="asc")
_NEXT = _LIST.format(cut="where (s.ahead, s.id) > (?, ?)", way="asc")
_PREVIOUS = _LIST.format(cut="where (s.ahead, s.id) < (?, ?)", way="desc")
_AHEAD = 8


class Place(msgspec.Struct, frozen=True):
    """Where in the list a page is cut: the schedule there, not included."""

    ahead: int
    id: str


def place_of(row: Row) -> Place:
    """Where a row of the list stands."""
    return Place(row[_AHEAD], row[0])


async def list_schedules(
    reader: Reader,
    *,
    limit: int,
    now: int,
    after: Place | None = None,
    before: Place | None = None,
) -> Slice[Row]:
    """List schedules: the first, those behind a place, or those right before one."""
    workspace = reader.workspace
    if after is not None:
        rows = await reader.all(_NEXT, now, workspace, after.ahead, after.id, limit + 1)
    elif before is not None:
        rows = await reader.all(_PREVIOUS, now, workspace, before.ahead, before.id, limit + 1)
        return cut(rows, limit, backwards=True)
    else:
        rows = await reader.all(_FIRST, now, workspace, limit + 1)
    return cut(rows, limit)
