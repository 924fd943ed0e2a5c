"""What can be done with a run on its page, and the first error that it shows."""

from __future__ import annotations

import httpx

from tests.api import NOBODY, Api
from tests.plugins.ui.pages import Pages, part
from tests.web.documents import Document


async def send(pages: Pages, path: str, *, status: int = 303, **fields: str) -> httpx.Response:
    answer = await pages.client.post(path, data=fields, follow_redirects=False)
    assert answer.status_code == status, answer.text[:500]
    return answer


async def state_of(api: Api, run_id: str) -> str:
    return str((await api.get(f"/flow_runs/{run_id}"))["state_name"])


def actions(page: Document) -> set[str]:
    """The last words of the addresses the page's forms go to."""
    return {(one.attributes.get("action") or "").rpartition("/")[2] for one in page.all("form")}


async def test_a_run_that_failed_can_be_retried_with_one_press(api: Api, pages: Pages) -> None:
    run = (await api.run((await api.deployment())["id"], parameters={"a": 1}))["id"]
    await api.set_state(run, "FAILED")
    path = f"/runs/flow-run/{run}"
    page = await pages.open(path)
    assert actions(page) >= {"retry", "delete"}
    assert "cancel" not in actions(page)
    assert any("parameters=%7B%22a%22" in (one.attributes["href"] or "") for one in page.all("a"))
    assert (await send(pages, f"{path}/retry")).headers["location"] == path
    assert await state_of(api, run) == "AwaitingRetry"


async def test_what_is_final_is_asked_about_before_it_is_done(api: Api, pages: Pages) -> None:
    run = (await api.run((await api.deployment())["id"], name="falcon"))["id"]
    path = f"/runs/flow-run/{run}"
    assert actions(await pages.open(path)) >= {"cancel", "delete"}
    for word in ("cancel", "delete"):
        asked = Document((await send(pages, f"{path}/{word}", status=200)).text)
        assert f"{path}/{word}" in [one.attributes.get("action") for one in asked.all("form")]
        assert "falcon?" in asked.all("h1")[0].text
    assert await state_of(api, run) == "Scheduled"
    await send(pages, f"{path}/cancel", confirm="yes")
    assert await state_of(api, run) == "Cancelled"
    assert (await send(pages, f"{path}/delete", confirm="yes")).headers["location"] == "/runs"
    await api.get(f"/flow_runs/{run}", status=404)


async def test_what_cannot_be_done_is_said_and_changes_nothing(api: Api, pages: Pages) -> None:
    flow = await api.flow()
    body = {"flow_id": flow, "state": {"type": "PENDING"}}
    run = (await api.post("/flow_runs/", body, status=201))["id"]
    await api.set_state(run, "COMPLETED")
    path = f"/runs/flow-run/{run}"
    assert "retry" not in actions(await pages.open(path)), "nobody would start it"
    for word, reason in (("retry", "without an associated deployment"), ("cancel", "COMPLETED")):
        answer = await send(pages, f"{path}/{word}", status=409, confirm="yes")
        assert "This could not be done." in answer.text
        assert reason in answer.text
    for word in ("retry", "cancel", "delete"):
        for confirm in ("", "yes"):
            nobody = f"/runs/flow-run/{NOBODY}/{word}"
            await send(pages, nobody, status=404, confirm=confirm)
    assert await state_of(api, run) == "Completed"


async def test_the_first_error_stands_among_the_lines_around_it(api: Api, pages: Pages) -> None:
    run = (await api.run((await api.deployment())["id"]))["id"]
    lines = [
        {
            "name": "n", "message": f"line {second}", "flow_run_id": run,
            "level": 40 if second in {7, 9} else 20,
            "timestamp": f"2026-01-01T12:00:{second:02}Z",
        }
        for second in range(20)
    ]  # fmt: skip
    path = f"/runs/flow-run/{run}"
    await api.post("/logs/", [line for line in lines if line["level"] == 20], status=201)
    assert part(await pages.open(path), "run-error") == ""
    await api.post("/logs/", [line for line in lines if line["level"] == 40], status=201)
    await api.set_state(run, "COMPLETED")
    page = await pages.open(path)
    text = part(page, "run-error")
    assert [f"line {second}" in text for second in range(3, 12)] == [True] * 9
    assert "line 2 " not in text
    assert "line 12" not in text
    marked = [one.text for one in page.all("li") if one.attributes.get("aria-current")]
    assert len(marked) == 1
    assert "line 7" in marked[0]
    fragment = await pages.open(f"/ui/fragments{path}/error")
    assert part(fragment, "run-error") == text


async def test_a_command_that_failed_without_errors_shows_what_it_said_last(
    api: Api, pages: Pages
) -> None:
    run = (await api.run((await api.deployment())["id"]))["id"]
    path = f"/runs/flow-run/{run}"
    line = {"name": "stdout", "flow_run_id": run, "timestamp": "2026-01-01T12:00:00Z", "level": 20}
    await api.post("/logs/", [{**line, "message": "reading"}], status=201)
    await api.set_state(run, "FAILED", message="exit code 2")
    assert "What it said last" in (text := part(await pages.open(path), "run-error"))
    assert "reading" in text
    later = {**line, "name": "stderr", "level": 30, "message": "no such file"}
    done = {**line, "timestamp": "2026-01-01T12:00:01Z", "message": "done"}
    await api.post("/logs/", [later, done], status=201)
    marked = [one for one in (await pages.open(path)).all("li") if "aria-current" in one.attributes]
    assert [("no such file" in one.text) for one in marked] == [True]
