"""Flow runs over HTTP in lists, pages, counts and histories."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from armillary.testing import ManualClock


async def post(client: httpx.AsyncClient, path: str, body: object) -> Any:
    answer = await client.post(f"/api{path}", json=body)
    assert answer.is_success, answer.text
    return answer.json()


@pytest.fixture
async def flow(client: httpx.AsyncClient) -> str:
    found: str = (await post(client, "/flows/", {"name": "etl"}))["id"]
    return found


async def make(client: httpx.AsyncClient, flow: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = await post(client, "/flow_runs/", {"flow_id": flow, **more})
    return found


async def test_a_run_is_listed_exactly_as_it_is_read(client: httpx.AsyncClient, flow: str) -> None:
    made = await make(
        client, flow, parameters={"a": [1]}, tags=["x"], state={"type": "RUNNING", "data": [1]}
    )
    listed = await post(client, "/flow_runs/filter", {})
    assert listed == [(await client.get(f"/api/flow_runs/{made['id']}")).json()]


async def test_nulls_and_unknown_members_change_nothing(
    client: httpx.AsyncClient, flow: str
) -> None:
    await make(client, flow)
    bodies: list[dict[str, Any]] = [
        {"sort": None, "limit": None, "offset": None, "flows": None, "flow_runs": None},
        {"flow_runs": {"id": None, "state": {"type": None}, "mystery": {"any_": []}}},
        {"mystery": 1},
    ]
    for body in bodies:
        assert len(await post(client, "/flow_runs/filter", body)) == 1


async def test_a_filter_of_the_wrong_type_is_422_with_its_place(client: httpx.AsyncClient) -> None:
    body = {"flow_runs": {"id": {"any_": ["no uuid"]}}}
    answer = await client.post("/api/flow_runs/filter", json=body)
    assert answer.status_code == 422
    assert answer.json()["exception_detail"][0]["loc"][:4] == ["body", "flow_runs", "id", "any_"]


async def test_a_page_says_how_many_runs_there_are(client: httpx.AsyncClient, flow: str) -> None:
    for _ in range(3):
        await make(client, flow, tags=["t"])
    body = {"flow_runs": {"tags": {"all_": ["t"]}}, "limit": 2, "page": 2}
    page = await post(client, "/flow_runs/paginate", body)
    assert len(page.pop("results")) == 1
    assert page == {"count": 3, "limit": 2, "pages": 2, "page": 2}


async def test_a_tag_is_listed_and_counted_with_the_state_its_run_has_now(
    client: httpx.AsyncClient, flow: str, clock: ManualClock
) -> None:
    later = (clock.now() + timedelta(hours=1)).isoformat()
    details = {"scheduled_time": later}
    state = {"type": "SCHEDULED", "state_details": details}
    runs = [await make(client, flow, tags=["t", "u"], state=state) for _ in range(3)]
    first, second, third = (run["id"] for run in runs)
    await clock.advance(10)
    for run, name in ((second, "Running"), (first, "Running")):
        await post(
            client, f"/flow_runs/{run}/set_state", {"state": {"type": "RUNNING", "name": name},
                                                    "force": True},
        )  # fmt: skip
        await clock.advance(1)
    await client.patch(f"/api/flow_runs/{third}", json={"tags": ["t", "v"]})
    tags = {"all_": ["t", "u"]}
    started = {"sort": "START_TIME_DESC"}
    for flow_runs, expected in (
        ({"tags": tags}, [first, second]),
        ({"tags": tags, "state": {"name": {"any_": ["Running"]}}}, [first, second]),
        ({"tags": tags, "state": {"type": {"any_": ["SCHEDULED"]}}}, []),
        ({"tags": {"any_": ["v", "u"]}, "state": {"type": {"not_any_": ["RUNNING"]}}}, [third]),
        ({"tags": {"all_": ["v"]}, "state": {"type": {"any_": ["SCHEDULED"]}}}, [third]),
    ):
        listed = await post(client, "/flow_runs/filter", {"flow_runs": flow_runs, **started})
        assert [run["id"] for run in listed] == expected, flow_runs
        counted = await post(client, "/flow_runs/count", {"flow_runs": flow_runs})
        assert counted == len(expected), flow_runs


async def test_names_of_states_may_be_long_and_begin_alike(
    client: httpx.AsyncClient, flow: str
) -> None:
    # random, so that PostgreSQL cannot pack it into an entry of an index
    start = "".join(chr(0x4E00 + (7919 * place) % 20000) for place in range(5000))
    names = [f"{start}{end}" for end in "ab"]
    for name in names:
        await make(client, flow, state={"type": "COMPLETED", "name": name}, tags=["t"])
    for sort in ("EXPECTED_START_TIME_DESC", "START_TIME_DESC", "ID_DESC"):
        for wanted in (names, names[:1]):
            state = {"state": {"name": {"any_": wanted}}}
            body = {"flow_runs": state, "sort": sort}
            listed = await post(client, "/flow_runs/filter", body)
            assert {run["state_name"] for run in listed} == set(wanted)
            assert len(listed) == len(wanted)
            assert await post(client, "/flow_runs/count", body) == len(wanted)


async def test_lateness_is_null_without_runs_and_else_seconds(
    client: httpx.AsyncClient, flow: str, clock: ManualClock
) -> None:
    assert await post(client, "/flow_runs/lateness", {}) is None
    due = clock.now() - timedelta(seconds=30)
    details = {"scheduled_time": due.isoformat()}
    await make(client, flow, state={"type": "SCHEDULED", "state_details": details})
    await make(client, flow, state={"type": "RUNNING"})
    assert await post(client, "/flow_runs/lateness", {}) == 15


async def test_a_history_counts_runs_by_state_in_each_interval(
    client: httpx.AsyncClient, flow: str, clock: ManualClock
) -> None:
    start = clock.now()
    await make(client, flow, state={"type": "RUNNING"})
    await clock.advance(90)
    for _ in range(2):
        await make(client, flow, state={"type": "COMPLETED"})
    body = {
        "history_start": start.isoformat(),
        "history_end": (start + timedelta(seconds=150)).isoformat(),
        "history_interval_seconds": 60,
    }
    first, second, third = await post(client, "/flow_runs/history", body)
    assert first["states"] == [
        {
            "state_type": "RUNNING",
            "state_name": "Running",
            "count_runs": 1,
            "sum_estimated_run_time": 90,
            "sum_estimated_lateness": 0,
        }
    ]
    assert [each["count_runs"] for each in second["states"]] == [2]
    assert third["states"] == []
    assert second["interval_start"] == first["interval_end"]


async def test_a_history_has_at_most_500_intervals_of_at_least_a_second(
    client: httpx.AsyncClient, clock: ManualClock
) -> None:
    window = {
        "history_start": clock.now().isoformat(),
        "history_end": (clock.now() + timedelta(days=30)).isoformat(),
    }
    many = await post(client, "/flow_runs/history", {**window, "history_interval_seconds": 1})
    assert len(many) == 500
    refused = await client.post(
        "/api/task_runs/history", json={**window, "history_interval_seconds": 0.5}
    )
    assert refused.status_code == 422
    assert "detail" in refused.json()
    backwards = {"history_start": window["history_end"], "history_end": window["history_start"]}
    body = {**backwards, "history_interval_seconds": 1}
    assert await post(client, "/flow_runs/history", body) == []


async def test_pages_of_task_runs_show_less_than_lists_of_them(
    client: httpx.AsyncClient, flow: str
) -> None:
    run = await make(client, flow)
    body = {"flow_run_id": run["id"], "task_key": "t", "dynamic_key": "0"}
    made = await post(client, "/task_runs/", body)
    asked = {"flow_runs": {"id": {"any_": [run["id"]]}}}
    (listed,) = await post(client, "/task_runs/filter", asked)
    assert listed["id"] == made["id"]
    page = await post(client, "/task_runs/paginate", asked)
    assert "dynamic_key" not in page["results"][0]
    assert page["results"][0]["task_key"] == "t"
    assert await post(client, "/task_runs/count", asked) == page["count"] == 1


@pytest.mark.parametrize("sort", ["EXPECTED_START_TIME_DESC", "START_TIME_ASC", "NAME_ASC"])
async def test_a_type_and_a_name_of_a_state_are_both_required(
    client: httpx.AsyncClient, flow: str, sort: str
) -> None:
    late = await make(client, flow, state={"type": "SCHEDULED", "name": "Late"})
    await make(client, flow, state={"type": "SCHEDULED"})
    await make(client, flow, state={"type": "RUNNING", "name": "Late"})
    both = {"type": {"any_": ["SCHEDULED", "PENDING"]}, "name": {"any_": ["Late", "Early"]}}
    but = {"type": {"any_": ["SCHEDULED"]}, "name": {"not_any_": ["Scheduled"]}}
    for state in (both, but):
        found = await post(
            client, "/flow_runs/filter", {"sort": sort, "flow_runs": {"state": state}}
        )
        assert [run["id"] for run in found] == [late["id"]]
