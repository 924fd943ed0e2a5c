"""Plain commands made and changed in the browser, by the same description as everywhere else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from armillary.forms import Form
from armillary_plugins.agent.command_form import spec_of, texts_of, texts_of_form
from armillary_plugins.agent.jobs_file import Spec, checked, deployment_of, differences
from tests.api import NOBODY, Api
from tests.web.documents import Document

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PLAIN = {"name": "backup", "command": "backup.sh --all", "pool": "local"}


def spec(**fields: str) -> tuple[Spec | None, dict[str, str]]:
    return spec_of(texts_of_form(Form([*{**PLAIN, **fields}.items()])), now=NOW)


def test_what_is_typed_is_the_job_a_file_describes() -> None:
    made, problems = spec(
        command="report '--title=a b' {{ parameters.day }}", cron="0 3 * * *",
        timezone="Europe/Vienna", retries="3", retry_delay="1.5", timeout="600",
        env="A=1\nB=x=y\n", parameters="day=5\ncity=Wien\nlist=[1]", working_dir="/srv",
        pool="p", queue="q", tags="a, b,", description="What for", concurrency_limit="2",
        paused="yes",
    )  # fmt: skip
    assert problems == {}
    assert made == checked(
        {
            "command": ["report", "--title=a b", "{{ parameters.day }}"], "cron": "0 3 * * *",
            "timezone": "Europe/Vienna", "retries": 3, "retry_delay": 1.5, "timeout": 600.0,
            "env": {"A": "1", "B": "x=y"}, "parameters": {"day": 5, "city": "Wien", "list": [1]},
            "working_dir": "/srv", "pool": "p", "queue": "q", "tags": ["a", "b"],
            "description": "What for", "concurrency_limit": 2, "paused": True,
        }
    )  # fmt: skip
    read_by_a_shell = {"shell": "yes"}
    piped, _ = spec(command="a | b && c", interval="60", **read_by_a_shell)
    assert piped is not None
    assert (piped.command, piped.interval) == ("a | b && c", 60.0)


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"name": ""}, "name", "Give it a name"),
        ({"name": "a/b"}, "name", "without /"),
        ({"command": ""}, "command", "is empty"),
        ({"command": "echo 'a"}, "command", "No closing quotation"),
        ({"cron": "61 * * * *"}, "cron", "61"),
        ({"cron": "0 3 * * *", "timezone": "Mars/Olympus"}, "timezone", "Mars/Olympus"),
        ({"cron": "0 3 * * *", "interval": "5"}, "interval", "take one"),
        ({"timezone": "UTC"}, "timezone", "there is no cron"),
        ({"interval": "soon"}, "interval", "no number of seconds"),
        ({"interval": "-1"}, "interval", "> 0"),
        ({"retries": "1.5"}, "retries", "no whole number"),
        ({"timeout": "nan"}, "timeout", ""),
        ({"env": "A=1\nB"}, "env", "Line 2"),
        ({"parameters": "=1"}, "parameters", "no NAME=VALUE"),
        ({"concurrency_limit": "0"}, "concurrency_limit", ">= 1"),
    ],
)
def test_what_does_not_do_is_said_of_its_field(
    fields: dict[str, str], field: str, said: str
) -> None:
    made, problems = spec(**fields)
    assert made is None
    assert set(problems) == {field}
    assert said in problems[field]


@pytest.mark.parametrize(
    "given",
    [
        {"command": ["report", "{{ parameters.day }}", "a b", "", "it's", "$x"], "env": {"A": "1"}},
        {"command": "a | b", "interval": 90, "parameters": {"n": 5, "t": "5", "o": {"a": [1]}}},
        {"command": ["x"], "cron": "0 3 * * *", "timezone": "Europe/Vienna", "paused": True},
        {"command": ["x"], "timeout": 0.5, "retries": 0, "tags": ["a", "b"], "queue": "fast"},
    ],
)
def test_a_form_sent_as_it_was_shown_changes_nothing(given: dict[str, Any]) -> None:
    there = deployment_of("job", checked(given))
    texts = texts_of(there)
    sent = Form(
        [
            (name, "yes" if value is True else value)
            for name in texts.__struct_fields__
            if (value := getattr(texts, name))
        ]
    )
    made, problems = spec_of(texts_of_form(sent, name="job"), now=NOW)
    assert problems == {}
    assert made is not None
    assert differences(deployment_of("job", made), there) == []


@pytest.fixture
def core_flags() -> Mapping[str, object]:
    """With the pages, other than the agent's other tests."""
    return {}


@pytest.fixture
def api(client: httpx.AsyncClient) -> Api:
    return Api(client)


async def send(
    api: Api, path: str, *, status: int, **fields: str
) -> tuple[httpx.Response, Document]:
    answer = await api.client.post(path, data=fields, follow_redirects=False)
    assert answer.status_code == status, answer.text[:600]
    return answer, Document(answer.text or "<p></p>")


def errors(page: Document) -> list[str | None]:
    return [one.attributes["name"] for one in page.elements if "aria-invalid" in one.attributes]


async def test_a_command_is_made_previewed_and_changed(api: Api) -> None:
    page = Document((await api.client.get("/deployments")).text)
    assert "/commands/new" in [one.attributes.get("href") for one in page.all("a")]
    assert (await api.client.get("/commands/new")).status_code == 200
    _, page = await send(api, "/commands/new", status=422, **{**PLAIN, "env": "oops"})
    assert errors(page) == ["env"]
    _, page = await send(api, "/commands/new", status=200, **PLAIN, do="preview")
    assert "+ command = backup.sh --all" in page.all("pre")[0].text
    assert await api.post("/deployments/filter") == []
    made = {**PLAIN, "cron": "0 3 * * *", "do": "save"}
    answer, _ = await send(api, "/commands/new", status=303, **made)
    [there] = await api.post("/deployments/filter")
    one = f"/deployments/deployment/{there['id']}"
    assert answer.headers["location"] == one
    assert there["work_pool_name"] == "local"
    _, page = await send(api, "/commands/new", status=422, **made)
    assert errors(page) == ["name"]
    edit = f"/commands/command/{there['id']}"
    page = Document((await api.client.get(one)).text)
    assert edit in [one.attributes.get("href") for one in page.all("a")]
    assert 'value="0 3 * * *"' in (await api.client.get(edit)).text
    schedule = there["schedules"][0]["id"]
    await api.patch(f"/deployments/{there['id']}/schedules/{schedule}", {"active": False})
    changed = {**made, "retries": "2", "name": "ignored"}
    _, page = await send(api, edit, status=200, **{**changed, "do": "preview"})
    assert page.all("pre")[0].text.split("\n")[:1] == ["+ retries = 2"]
    await send(api, edit, status=303, **changed)
    [there] = await api.post("/deployments/filter")
    assert there["name"] == "backup"
    assert there["job_variables"] == {"command": "backup.sh --all", "retries": 2}
    assert there["schedules"][0]["active"] is False, "the form says nothing of that"


async def test_what_the_server_refuses_is_said_beside_the_field(api: Api) -> None:
    fields = {**PLAIN, "pool": "nowhere", "do": "save"}
    _, page = await send(api, "/commands/new", status=422, **fields)
    assert errors(page) == ["pool"]


async def test_only_plain_commands_are_changed_there(api: Api) -> None:
    flow = await api.deployment(None, "nightly", entrypoint="f.py:f")
    for deployment in (flow["id"], NOBODY):
        for method in ("GET", "POST"):
            answer = await api.client.request(method, f"/commands/command/{deployment}")
            assert answer.status_code == 404
    page = await api.client.get(f"/deployments/deployment/{flow['id']}")
    assert "/commands/command" not in page.text
