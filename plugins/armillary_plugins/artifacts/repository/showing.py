"""Artifacts as pages show them: the latest of each key, the history of one, and one alone."""

from __future__ import annotations

from collections.abc import Sequence

from armillary.db.unit import Reader, Row

_RUNS = """
  left join flow_run f on f.id = a.flow_run_id and f.workspace = a.workspace
  left join task_run t on t.id = a.task_run_id and t.workspace = a.workspace
"""
_ABOUT = "a.flow_run_id, f.name, a.task_run_id, t.name"
_KEYS = f"""
select k.key, a.id, a.created, a.type, substr(a.description, 1, 200), {_ABOUT}
from (
  select c.key, c.latest_id from artifact_collection c
  where c.workspace = ? and c.key {{ilike}} ? escape '\\' and {{kind}} c.key {{way}}
  limit ?
) k cross join artifact a {_RUNS} where a.id = k.latest_id and a.workspace = ?
order by k.key {{order}}
"""
_OF_TYPE = "(select x.type from artifact x where x.id = c.latest_id) = ? and"


def _keys(kind: str, way: str, order: str) -> str:
    return (
        _KEYS.replace("{kind}", kind)
        .replace("{way}", f"{way} ? order by c.key {order}")
        .replace("{order}", order)
    )


LIST_AFTER = {False: _keys("", ">", "asc"), True: _keys(_OF_TYPE, ">", "asc")}
LIST_BEFORE = {False: _keys("", "<", "desc"), True: _keys(_OF_TYPE, "<", "desc")}
HISTORY = f"""
select a.key, a.id, a.created, a.type, substr(a.description, 1, 200), {_ABOUT}
from artifact a {_RUNS}
where a.workspace = ? and a.key = ? and a.id < ? order by a.id desc limit ?
"""
_ONE = f"""
select a.id, a.created, a.key, a.type, substr(a.description, 1, 2000),
  case when length(a.data) <= ? then a.data end, a.task_run_id, t.name, a.flow_run_id, f.name,
  a.updated
from artifact a {_RUNS} where a.id = ? and a.workspace = ?
"""


async def list_keys(  # noqa: PLR0913 - which keys, from where, how many
    reader: Reader,
    pattern: str,
    kind: str,
    *,
    limit: int,
    after: str = "",
    before: str = "",
) -> Sequence[Row]:
    """List the latest artifact of each key: the first, those behind a key, or right before one."""
    sql = (LIST_BEFORE if before else LIST_AFTER)[bool(kind)]
    of_type = (kind,) if kind else ()
    return await reader.all(
        sql, reader.workspace, pattern, *of_type, before or after, limit, reader.workspace
    )


async def list_history(reader: Reader, key: str, *, limit: int, before: str) -> Sequence[Row]:
    """List artifacts of a key with ids below one, newest first: ids ascend."""
    return await reader.all(HISTORY, reader.workspace, key, before, limit)


async def read_shown(reader: Reader, artifact_id: str, *, longest: int) -> Row | None:
    """Read what the page of an artifact shows; long data is left out."""
    return await reader.one(_ONE, longest, artifact_id, reader.workspace)
