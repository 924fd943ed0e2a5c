"""Lists by start of what was expected in a window, whenever it began."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from itertools import combinations_with_replacement
from typing import Any

import httpx
import pytest

from armillary.testing import ManualClock
from tests.api import Api

HOURS: list[tuple[float, float | None]] = [
    (0, 0), (0, 0.5), (0, 2), (1, 6), (1, 2), (2, 0.99), (2, 1.5), (2, 2.5), (3, 0.5), (3, 4),
    (3, 4.01), (4, None), (5, None), (5, 5), (6, 6),
]  # fmt: skip
"""When each run is expected, and when it begins."""
ENDS = (0.0, 1.0, 2.0, 3.0, 4.5, 6.0)
WINDOWS: list[tuple[float | None, float | None]] = [
    *combinations_with_replacement(ENDS, 2), *((None, end) for end in ENDS),
    *((end, None) for end in ENDS),
]  # fmt: skip


@pytest.fixture
def api(client: httpx.AsyncClient) -> Api:
    return Api(client)


@pytest.fixture
async def base(clock: ManualClock) -> datetime:
    return clock.now()


@pytest.fixture
async def flow(api: Api, clock: ManualClock, base: datetime) -> str:
    """A flow with a run for each of the hours."""
    flow = await api.flow("f")
    begins = []
    for number, (expected, begin) in enumerate(HOURS):
        due = (base + timedelta(hours=expected)).isoformat()
        state = {"type": "SCHEDULED", "state_details": {"scheduled_time": due}}
        body = {"flow_id": flow, "state": state, "tags": ["t", f"t{number % 2}"]}
        run = await api.post("/flow_runs/", body, status=201)
        if begin is not None:
            begins.append((begin, run["id"]))
    for begin, run_id in sorted(begins):
        await clock.advance((base + timedelta(hours=begin) - clock.now()).total_seconds())
        proposed = {"state": {"type": "RUNNING"}, "force": True}
        await api.post(f"/flow_runs/{run_id}/set_state", proposed, status=201)
    return flow


AMONG: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}), ({"state": {"type": {"any_": ["RUNNING"]}}}, {}),
    ({"state": {"name": {"any_": ["Running", "Late"]}}}, {}),
    ({"tags": {"all_": ["t"]}}, {}), ({"tags": {"any_": ["t0", "t1"]}}, {}),
    ({}, {"flows": {"id": {"any_": ["{flow}"]}}}), ({}, {"flows": {"name": {"any_": ["f"]}}}),
]  # fmt: skip
"""What else is asked of the runs, each in a way that is searched for differently."""


@pytest.mark.parametrize("sort", ["START_TIME_DESC", "START_TIME_ASC"])
@pytest.mark.parametrize("among", AMONG)
async def test_a_list_by_start_of_a_window_has_all_in_it_however_far_they_began_from_it(
    api: Api, flow: str, base: datetime, among: Any, sort: str
) -> None:
    every_run = await api.post("/flow_runs/filter", {})
    assert len(every_run) == len(HOURS)
    every_run.sort(key=begun, reverse=sort == "START_TIME_DESC")
    own, others = json.loads(json.dumps(among).replace("{flow}", flow))
    for ends in WINDOWS:
        low, high = (None if end is None else base + timedelta(hours=end) for end in ends)
        expected = [
            run["id"] for run in every_run
            if ("state" not in own or run["state_type"] == "RUNNING")
            and (low is None or low <= moment(run["expected_start_time"]))
            and (high is None or moment(run["expected_start_time"]) <= high)
        ]  # fmt: skip
        window = {"after_": low and low.isoformat(), "before_": high and high.isoformat()}
        body = {"sort": sort, "flow_runs": {"expected_start_time": window, **own}, **others}
        for limit, offset in ((200, 0), (3, 0), (3, 2)):
            part = {**body, "limit": limit, "offset": offset}
            found = [run["id"] for run in await api.post("/flow_runs/filter", part)]
            assert found == expected[offset : offset + limit], part


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def begun(run: dict[str, Any]) -> tuple[datetime, str]:
    return moment(run["start_time"] or run["expected_start_time"]), run["id"]
