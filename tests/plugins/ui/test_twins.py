"""Lists for programs: the same rows, in parts, and nothing that a table program would carry out."""

from __future__ import annotations

import csv
import io

import msgspec
import pytest

from armillary_plugins.ui.twins import MOST, csv_bytes, read_limit
from tests.api import Api
from tests.plugins.ui.pages import Pages, link


async def new_run(api: Api, flow_id: str, name: str, **more: object) -> str:
    body = {"flow_id": flow_id, "name": name, "state": {"type": "PENDING"}, **more}
    return (await api.post("/flow_runs/", body, status=201))["id"]


async def test_a_list_is_the_same_as_page_json_and_csv(api: Api, pages: Pages) -> None:
    flow = await api.flow("etl")
    wanted = await new_run(api, flow, "falcon", tags=["eu", "finance"])
    await new_run(api, flow, "lynx")
    page = await pages.open("/runs?flow-run-search=falcon")
    json, table = link(page, "JSON of this list"), link(page, "CSV of this list")
    assert json == "/runs.json?flow-run-search=falcon"
    assert table == "/runs.csv?flow-run-search=falcon"
    found = (await pages.ask(json)).json()
    assert [row["id"] for row in found["rows"]] == [wanted]
    assert found["rows"][0]["tags"] == ["eu", "finance"]
    assert found["next"] is None
    answer = await pages.ask(table)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="runs.csv"'
    [row] = csv.DictReader(io.StringIO(answer.text))
    assert (row["id"], row["name"], row["flow_name"]) == (wanted, "falcon", "etl")
    assert row["tags"] == '["eu","finance"]'
    assert row["expected_start_time"] == found["rows"][0]["expected_start_time"]


@pytest.mark.parametrize("ending", ["json", "csv"])
async def test_the_parts_of_a_list_neither_repeat_nor_lose_rows(
    api: Api, pages: Pages, ending: str
) -> None:
    flow = await api.flow("etl")
    made = [await new_run(api, flow, f"run-{number}") for number in range(5)]
    seen: list[str] = []
    path = f"/runs.{ending}?flow=etl&limit=2"
    parts = 0
    while path:
        answer = await pages.ask(path)
        rows = (
            answer.json()["rows"]
            if ending == "json"
            else list(csv.DictReader(io.StringIO(answer.text)))
        )
        seen += [row["id"] for row in rows]
        path = answer.links.get("next", {}).get("url", "")
        parts += 1
    assert parts == 3
    assert sorted(seen) == sorted(made)


class _Row(msgspec.Struct):
    name: str
    number: float
    known: bool = True
    more: tuple[str, ...] = ()
    missing: str | None = None


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\N{FULLWIDTH EQUALS SIGN}1"]
)
def test_no_text_becomes_a_formula(text: str) -> None:
    written = csv_bytes(_Row, [_Row(text, -1.5, more=("=1",))]).decode()
    [cells] = list(csv.reader(io.StringIO(written, newline="")))[1:]
    assert cells == [f"'{text}", "-1.5", "true", '["=1"]', ""]


def test_a_list_without_rows_has_a_heading() -> None:
    assert csv_bytes(_Row, []) == b"name,number,known,more,missing\r\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", MOST), ("7", 7), ("0", 1), ("-1", MOST), ("x", MOST), ("99999", MOST), ("9" * 99, MOST)],
)
def test_a_limit_that_makes_no_sense_is_left_out(text: str, expected: int) -> None:
    assert read_limit({"limit": text}) == expected


async def test_the_lists_of_a_run_have_twins(api: Api, pages: Pages) -> None:
    flow = await api.flow("etl")
    body = {"flow_id": flow, "name": "falcon", "state": {"type": "PENDING"}}
    run = (await api.post("/flow_runs/", body, status=201))["id"]
    await api.set_state(run, "RUNNING")
    for number in range(3):
        task = {"flow_run_id": run, "task_key": "t", "dynamic_key": str(number)}
        await api.post("/task_runs/", {**task, "name": f"t-{number}"}, status=201)
    path = f"/runs/flow-run/{run}"
    states = (await pages.ask(f"{path}/states.json")).json()["rows"]
    assert [row["state_type"] for row in states] == ["PENDING", "RUNNING"]
    seen, following = [], f"{path}/task-runs.json?limit=2"
    while following:
        part = (await pages.ask(following)).json()
        seen += [row["name"] for row in part["rows"]]
        following = part["next"]
    assert seen == ["t-0", "t-1", "t-2"]
    assert f"{path}/task-runs.csv" in (await pages.ask(path)).text
