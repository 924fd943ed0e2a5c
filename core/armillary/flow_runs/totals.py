"""Numbers about flow runs: how many, how late, and how they went over time."""

from __future__ import annotations

from armillary.db.unit import Reader
from armillary.flow_runs.criteria import Selection
from armillary.flow_runs.selecting import counting
from armillary.flow_runs.tagged import count_tagged
from armillary.history import Interval, Window, estimated_run_time, lateness, read_history


async def count_flow_runs(reader: Reader, selection: Selection) -> int:
    """Count the runs."""
    if any(selection.tags) and not selection.narrow:
        return await count_tagged(reader, selection)
    where = await counting(reader, selection)
    rows = await reader.all(f"select count(*) from flow_run r where {where.sql}", *where.args)
    return int(rows[0][0])


async def average_lateness(reader: Reader, selection: Selection, *, now: int) -> float | None:
    """Return the average of the runs' lateness in seconds; None without runs."""
    where = await counting(reader, selection)
    late = lateness("r", now)
    sql = f"select avg({late.sql}) from flow_run r where {where.sql}"
    rows = await reader.all(sql, *late.args, *where.args)
    return None if rows[0][0] is None else float(rows[0][0])


async def flow_run_history(
    reader: Reader, selection: Selection, window: Window, *, now: int
) -> list[Interval]:
    """Count the runs by state in each interval of a window, by expected start."""
    return await read_history(
        reader,
        "flow_run r",
        selection.where(),
        window,
        sums=(estimated_run_time("r", now), lateness("r", now)),
    )
