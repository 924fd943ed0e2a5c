"""The routes of logs: what clients send is stored, and what is wrong is said."""

import csv
import io

import httpx
import pytest

from armillary.core import Core

RUN = "018f0000-0000-7000-8000-000000000001"
AT = "2026-01-01T12:00:00Z"


@pytest.fixture
def core_flags() -> dict[str, object]:
    return {"targets": ("logs",)}


def line(**more: object) -> dict[str, object]:
    return {"name": "n", "level": 20, "message": "m", "timestamp": AT, "flow_run_id": RUN, **more}


async def post(client: httpx.AsyncClient, *lines: dict[str, object]) -> httpx.Response:
    return await client.post("/api/logs/", json=list(lines))


async def listed(client: httpx.AsyncClient, body: object = None) -> list[dict]:
    answer = await client.post("/api/logs/filter", json=body or {})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_lines_are_taken_and_given_back(client: httpx.AsyncClient) -> None:
    answer = await post(client, line(message="a", level=30, task_run_id=None))
    assert (answer.status_code, answer.json()) == (201, None)
    [log] = await listed(client)
    assert sorted(log) == sorted(
        ["id", "created", "updated", "name", "level", "message", "timestamp", "flow_run_id",
         "task_run_id"]
    )  # fmt: skip
    assert (log["message"], log["level"], log["timestamp"]) == ("a", 30, AT)
    assert (log["flow_run_id"], log["task_run_id"]) == (RUN, None)


async def test_nothing_to_store_is_stored(client: httpx.AsyncClient) -> None:
    assert (await post(client)).status_code == 201
    assert await listed(client) == []


async def test_nul_characters_are_taken_out_of_messages(client: httpx.AsyncClient) -> None:
    assert (await post(client, line(message="a\0b"))).status_code == 201
    assert [log["message"] for log in await listed(client)] == ["ab"]


@pytest.mark.parametrize("moment", ["2026-01-01 12:00:00+00:00", 1767268800, "2026-01-01T12:00:00"])
async def test_times_are_taken_in_every_form_clients_send(
    client: httpx.AsyncClient, moment: object
) -> None:
    await post(client, line(timestamp=moment))
    assert [log["timestamp"] for log in await listed(client)] == [AT]


@pytest.mark.parametrize(
    "wrong",
    [
        {"level": "high"},
        {"level": 2**70},
        {"level": 2**31},
        {"timestamp": "yesterday"},
        {"timestamp": 1e300},
        {"flow_run_id": "7"},
        {"task_run_id": "not-a-run"},
        {"message": None},
    ],
)
async def test_a_line_that_is_wrong_stores_nothing_of_its_batch(
    client: httpx.AsyncClient, wrong: dict[str, object]
) -> None:
    answer = await post(client, line(), line(**wrong))
    assert answer.status_code == 422
    assert answer.json()["exception_message"] == "Invalid request received."
    assert await listed(client) == []


async def test_half_a_character_is_refused(client: httpx.AsyncClient) -> None:
    content = b'[{"name":"n","level":1,"message":"\\ud800","timestamp":"2026-01-01T12:00:00Z"}]'
    assert (await client.post("/api/logs/", content=content)).status_code == 422


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"limit": 201}, "Invalid limit: must be less than or equal to 200."),
        ({"limit": -1}, "Invalid limit: must be greater than or equal to 0."),
    ],
)
async def test_a_limit_out_of_bounds_is_said_in_the_words_clients_look_for(
    client: httpx.AsyncClient, body: object, detail: str
) -> None:
    answer = await client.post("/api/logs/filter", json=body)
    assert (answer.status_code, answer.json()) == (422, {"detail": detail})


@pytest.mark.parametrize(
    "body",
    [{"offset": -1}, {"sort": "LEVEL_ASC"}, {"logs": {"text": {"query": "x" * 201}}},
     {"logs": {"level": {"ge_": 2**64}}}, {"logs": {"flow_run_id": {"any_": ["7"]}}}],
)  # fmt: skip
async def test_a_filter_that_is_wrong_is_refused(client: httpx.AsyncClient, body: object) -> None:
    assert (await client.post("/api/logs/filter", json=body)).status_code == 422


async def test_nothing_but_nulls_asks_for_everything(client: httpx.AsyncClient) -> None:
    await post(client, line())
    body = {"logs": None, "limit": None, "offset": None, "sort": None}
    assert len(await listed(client, body)) == 1
    assert await listed(client, {"limit": 0}) == []


async def flow_run(core: Core) -> str:
    """A run with a name that no plain file name can hold."""
    run_id = core.ids.uuid7()
    columns = {
        "id": run_id, "workspace": 1, "created": 0, "updated": 0, "name": "müde katze",
        "flow_id": run_id, "run_count": 0, "total_run_time": 0.0, "auto_scheduled": 0,
        "empirical_policy": "{}", "parameters": "{}", "context": "{}", "tags": "[]", "labels": "{}",
    }  # fmt: skip
    sql = f"insert into flow_run ({', '.join(columns)}) values ({', '.join('?' * len(columns))})"
    await core.database.write(lambda unit: unit.run(sql, *columns.values()), workspace=1)
    return run_id


async def test_a_runs_lines_are_downloaded_whole_and_in_order(
    client: httpx.AsyncClient, core: Core
) -> None:
    run_id = await flow_run(core)
    lines = [
        line(flow_run_id=run_id, message=f'line "{n}",\nend', timestamp=1767268800 + n)
        for n in range(1205)
    ]
    await post(client, *reversed(lines))
    await post(client, line(message="of another run"))
    answer = await client.get(f"/api/flow_runs/{run_id}/logs/download")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"flow-run-logs.csv\"; filename*=UTF-8''m%C3%BCde%20katze-logs.csv"
    )
    rows = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert rows[0] == ["timestamp", "level", "flow_run_id", "task_run_id", "message"]
    assert rows[1] == ["2026-01-01T12:00:00.000000Z", "20", run_id, "", 'line "0",\nend']
    assert [row[4] for row in rows[1:]] == [f'line "{n}",\nend' for n in range(1205)]


async def test_logs_of_a_run_that_is_not_there_cannot_be_downloaded(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get(f"/api/flow_runs/{RUN}/logs/download")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Flow run not found"})
    assert (await client.get("/api/flow_runs/7/logs/download")).status_code == 404
