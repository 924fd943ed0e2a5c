"""Automations in the browser: told in a sentence, switched, deleted, and said to be asleep."""

from typing import Any

import msgspec
import pytest

from tests.api import NOBODY, Api
from tests.plugins.ui.pages import Pages, link, part


async def new(api: Api, name: str, **more: Any) -> str:
    body = {
        "name": name,
        "trigger": {"posture": "Reactive", "expect": ["a.happened"]},
        "actions": [{"type": "cancel-flow-run"}],
        **more,
    }
    return (await api.post("/automations/", body, status=201))["id"]


async def test_automations_are_listed_by_name_even_where_names_are_the_same(
    api: Api, pages: Pages
) -> None:
    assert "prefect automation create" in part(await pages.open("/automations"), "automations")
    made = [await new(api, name, tags=["ops"]) for name in ("same", "same", "same", "first")]
    ids, path = [], "/automations.json?limit=2"
    while path:
        answer = (await pages.ask(path)).json()
        ids += [row["id"] for row in answer["rows"]]
        path = answer["next"]
    assert ids == [made[3], *sorted(made[:3])]
    page = await pages.open("/automations?name=SAME&tags=ops")
    assert "first" not in part(page, "automations")
    assert "nothing waits for their triggers yet" in (await pages.ask("/automations")).text
    assert link(page, "ops") == "/automations?tags=ops"


@pytest.mark.parametrize(
    ("trigger", "told"),
    [
        ({"posture": "Reactive", "expect": ["a", "b", "c"]}, "a, b or c of anything"),
        (
            {"posture": "Reactive", "expect": ["a"], "threshold": 3, "within": 600,
             "match": {"prefect.resource.id": ["x", "y"]}},
            "a of x or y 3 times within 10m",
        ),
        (
            {"posture": "Proactive", "expect": ["a"], "within": 60},
            "a of anything does not happen within 1m",
        ),
        (
            {"type": "compound", "require": "any", "within": 60, "triggers": [
                {"posture": "Reactive", "expect": ["a"]}, {"posture": "Reactive"}]},
            "any: (a of anything) or (any event of anything)",
        ),
        ({"posture": "Reactive", "match": {"prefect.resource.id": []}}, "any event of nothing"),
        ({"type": "compound", "require": "all", "within": 60, "triggers": []}, "all: nothing"),
        ({"type": "sequence", "within": 60, "triggers": []}, "nothing"),
    ],
)  # fmt: skip
async def test_an_automation_is_told_in_a_sentence(
    api: Api, pages: Pages, trigger: dict[str, Any], told: str
) -> None:
    made = await new(api, "watch", trigger=trigger)
    page = await pages.ask(f"/automations/automation/{made}")
    assert f"<dd>{told}</dd>" in page.text
    assert "<dd>cancel flow run</dd>" in page.text


async def test_parameters_of_an_action_may_be_any_number(api: Api, pages: Pages) -> None:
    action = {"type": "run-deployment", "deployment_id": NOBODY, "parameters": {"x": "huge"}}
    body = msgspec.json.encode({
        "name": "watch", "trigger": {"posture": "Reactive"}, "actions": [action],
    }).replace(b'"huge"', b"1e999")  # fmt: skip
    headers = {"content-type": "application/json"}
    made = await api.client.post("/api/automations/", content=body, headers=headers)
    assert made.status_code == 201
    assert "run deployment" in part(await pages.open("/automations"), "automations")


async def test_an_automation_is_switched_and_deleted(api: Api, pages: Pages) -> None:
    path = f"/automations/automation/{await new(api, 'watch')}"
    answer = await pages.send(f"{path}/off", back="/automations?name=watch")
    assert answer.headers["location"] == "/automations?name=watch"
    key = path.rpartition("/")[2]
    assert (await api.get(f"/automations/{key}"))["enabled"] is False
    await pages.send(f"{path}/on")
    assert (await api.get(f"/automations/{key}"))["enabled"] is True
    assert "Delete watch?" in (await pages.send(f"{path}/delete", status=200)).text
    await pages.send(f"{path}/delete", confirm="yes")
    await pages.ask(path, status=404)
