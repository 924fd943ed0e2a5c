"""A person looks at runs in a real browser while they go on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from tests.end_to_end.looking import addresses, faults_of, order_of_keys
from tests.end_to_end.programs import Armillary
from tests.servers import PLAIN
from tests.web.test_browser import FLAGS

AT = "2026-01-01T12:00:00Z"


class Client:
    """What a client does to a run, over the API."""

    def __init__(self, url: str) -> None:
        self.api = httpx.Client(base_url=f"{url}/api", verify=PLAIN)
        self.flow = self._post("/flows/", {"name": "watched"})["id"]

    def new_run(self, name: str) -> str:
        body = {"flow_id": self.flow, "name": name, "state": {"type": "PENDING"}}
        return self._post("/flow_runs/", body)["id"]

    def set_state(self, run: str, kind: str, message: str | None = None) -> None:
        body = {"state": {"type": kind, "message": message}, "force": True}
        self._post(f"/flow_runs/{run}/set_state", body)

    def new_task(self, run: str) -> str:
        """A running task run, reported by an event, as clients do."""
        now = datetime.now(UTC).isoformat()
        task = str(uuid4())
        flow_run = {"prefect.resource.id": f"prefect.flow-run.{run}"}
        event = {
            "id": str(uuid4()),
            "occurred": now,
            "event": "prefect.task-run.Running",
            "resource": {
                "prefect.resource.id": f"prefect.task-run.{task}",
                "prefect.orchestration": "client",
            },
            "related": [{**flow_run, "prefect.resource.role": "flow-run"}],
            "payload": {
                "intended": {"from": None, "to": "RUNNING"},
                "initial_state": None,
                "validated_state": {"type": "RUNNING", "name": "Running"},
                "task_run": {
                    "name": "extract-0", "task_key": "extract", "dynamic_key": "0",
                    "start_time": now, "run_count": 1,
                },
            },
        }  # fmt: skip
        self._post("/events", [event])
        return task

    def things(self) -> dict[str, str]:
        """One of each kind of thing that has a page: its id, or its name."""
        name = f"looked-at-{uuid4().hex[:8]}"
        run = self.new_run(name)
        task = self.new_task(run)
        self.log(run, "a line to read")
        self.set_state(run, "FAILED", "no invoices")
        self._post("/work_pools/", {"name": name, "type": "process"})
        deployment = {
            "name": name, "flow_id": self.flow, "work_pool_name": name,
            "tags": ["eu"], "schedules": [{"schedule": {"cron": "7 * * * *", "timezone": "UTC"}}],
            "parameter_openapi_schema": {
                "type": "object", "required": ["day"],
                "properties": {
                    "day": {"type": "string"}, "count": {"type": "integer", "default": 3},
                    "dry": {"type": "boolean", "default": True}, "mode": {"enum": ["a", "b"]},
                    "days": {"type": "array", "items": {"type": "string"}, "default": ["x"]},
                    "some": {"type": "array", "uniqueItems": True, "items": {"enum": ["a", "b"]}},
                    "place": {"type": "object", "properties": {"city": {"type": "string"}}},
                    "free": {"type": "object", "default": {}},
                },
            },
        }  # fmt: skip
        made = self._post("/deployments/", deployment)
        self._post(f"/deployments/{made['id']}/create_flow_run", {"parameters": {"day": "today"}})
        command = {
            "name": f"{name}-command", "flow_id": self.flow, "work_pool_name": "local",
            "job_variables": {"command": "echo hello"}, "paused": True,
        }  # fmt: skip
        limit = {"name": name, "limit": 1, "active": True}
        return {
            "flow-run": run,
            "task-run": task,
            "flow": self.flow,
            "deployment": made["id"],
            "command": self._post("/deployments/", command)["id"],
            "work-pool": name,
            "work-queue": made["work_queue_id"],
            "concurrency-limit": self._post("/v2/concurrency_limits/", limit)["id"],
            **self._kept(name, run),
            "docs": "block-documents",
        }

    def _kept(self, name: str, run: str) -> dict[str, str]:
        """One of each kind of thing that is kept for runs, with what is hard to show of it."""
        shown = {"key": name, "type": "table", "flow_run_id": run}
        data = [{"country": "Austria", "orders": 3}, {"country": "Germany"}]
        artifact = {**shown, "data": json.dumps(data), "description": "Orders of **today**"}
        watched = {
            "name": name, "tags": ["eu"],
            "trigger": {"posture": "Reactive", "expect": ["a.b"], "threshold": 3, "within": 60},
            "actions": [{"type": "cancel-flow-run"}],
        }  # fmt: skip
        variable = {"name": name, "value": {"days": [1, 2]}, "tags": ["eu"]}
        self._post("/block_types/install_system_block_types", {})
        block_type = self.api.get("/block_types/slug/secret").json()["id"]
        asked = {"block_schemas": {"block_type_id": {"any_": [block_type]}}}
        block = {
            "name": name, "data": {"value": "hush"}, "block_type_id": block_type,
            "block_schema_id": self._post("/block_schemas/filter", asked)[0]["id"],
        }  # fmt: skip
        return {
            "artifact": self._post("/artifacts/", artifact)["id"],
            "key": name,
            "automation": self._post("/automations/", watched)["id"],
            "variable": self._post("/variables/", variable)["id"],
            "block": self._post("/block_documents/", block)["id"],
            "catalog": "smb",
            "event": self._event(),
        }

    def _event(self) -> str:
        """The day and the id of a stored event, as an address has them."""
        body = {"filter": {"event": {"prefix": ["prefect.flow-run."]}}, "limit": 1}
        stored: list[dict[str, Any]] = []
        while not stored:
            stored = self._post("/events/filter", body)["events"]
        return f"{stored[0]['occurred'][:10]}/{stored[0]['id']}"

    def log(self, run: str, message: str) -> None:
        line = {
            "name": "prefect.flow_runs", "level": 20, "timestamp": AT, "flow_run_id": run,
            "message": message,
        }  # fmt: skip
        self._post("/logs/", [line])

    def _post(self, path: str, body: Any) -> Any:
        answer = self.api.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


@pytest.fixture(scope="module")
def browser(chromium_path: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(chromium_path), args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def client(armillary: Armillary) -> Client:
    return Client(armillary.url)


@pytest.fixture
def page(browser: Browser, armillary: Armillary) -> Iterator[Page]:
    """A tab that may not meet a fault, nor load itself anew behind the test's back."""
    faults: list[str] = []
    context = browser.new_context(base_url=armillary.url)
    shown = context.new_page()
    shown.on("pageerror", lambda error: faults.append(str(error)))
    shown.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    yield shown
    context.close()
    assert faults == []


def _mark(page: Page) -> None:
    page.evaluate("window.same = true")


def test_a_runs_page_follows_the_run_without_being_loaded_anew(page: Page, client: Client) -> None:
    run = client.new_run("amber-falcon")
    page.goto(f"/runs/flow-run/{run}")
    _mark(page)
    badge = page.locator("#run-header .badge")
    expect(badge).to_have_text("Pending")
    client.set_state(run, "RUNNING")
    expect(badge).to_have_text("Running")
    client.new_task(run)
    expect(page.locator("#task-runs")).to_contain_text("extract-0")
    client.log(run, "halfway there")
    expect(page.locator("#logs")).to_contain_text("halfway there")
    client.set_state(run, "FAILED", "no invoices")
    expect(badge).to_have_text("Failed")
    expect(page.locator("#run-header")).to_contain_text("no invoices")
    expect(page.locator("#run-states .row")).to_have_count(3)
    client.log(run, "a line that was late")
    expect(page.locator("#logs")).to_contain_text("a line that was late")
    assert page.evaluate("window.same") is True


def test_a_change_between_a_page_and_its_stream_is_not_missed(page: Page, client: Client) -> None:
    run = client.new_run("early-stoat")

    def change_first(route: Route) -> None:
        client.set_state(run, "RUNNING")
        route.continue_()

    page.route("**/ui/stream*", change_first)
    page.goto(f"/runs/flow-run/{run}")
    expect(page.locator("#run-header .badge")).to_have_text("Running")


def test_new_runs_appear_in_the_list_and_filters_are_in_the_address(
    page: Page, client: Client
) -> None:
    page.goto("/runs")
    _mark(page)
    first = client.new_run("quiet-otter")
    row = page.locator(f"#run-{first}")
    expect(row).to_contain_text("quiet-otter")
    page.get_by_label("Name").fill("otter")
    page.get_by_label("Name").press("Enter")
    expect(page).to_have_url("/runs?flow-run-search=otter")
    client.new_run("brisk-lynx")
    second = client.new_run("loud-otter")
    expect(page.locator(f"#run-{second}")).to_be_visible()
    expect(page.get_by_text("brisk-lynx")).to_have_count(0)
    client.set_state(first, "COMPLETED")
    expect(row).to_contain_text("Completed")
    assert page.evaluate("window.same") is True


def test_every_page_is_light_within_reach_of_keys_and_sound_to_axe_in_both_themes(
    page: Page, client: Client
) -> None:
    made = client.things()
    faults = [fault for path in addresses(made) for fault in faults_of(page, path)]
    assert not faults, "\n".join(faults)


def test_keys_alone_change_a_pool_and_are_led_as_one_reads(page: Page, client: Client) -> None:
    pool = client.things()["work-pool"]
    page.goto(f"/work-pools/work-pool/{pool}")
    gets, stands = order_of_keys(page)
    assert gets == stands
    limit = page.get_by_label("Runs at once")
    limit.focus()
    page.keyboard.type("3")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#pool")).to_contain_text("0 of 3")


def test_everything_can_be_read_without_scripts(
    browser: Browser, armillary: Armillary, client: Client
) -> None:
    run = client.new_run("solid-wren")
    client.set_state(run, "RUNNING")
    task = client.new_task(run)
    client.log(run, "written without scripts")
    client.set_state(run, "FAILED", "no invoices")
    context = browser.new_context(base_url=armillary.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    expect(page.locator("#failures")).to_contain_text("solid-wren")
    page.get_by_role("link", name="Runs", exact=True).click()
    page.get_by_label("Name").fill("solid")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name="solid-wren").click()
    expect(page.locator("#run-header")).to_contain_text("no invoices")
    expect(page.locator("#run-states .row")).to_have_count(3)
    expect(page.locator("#logs")).to_contain_text("written without scripts")
    page.get_by_role("link", name="extract-0").click()
    expect(page).to_have_url(f"/runs/task-run/{task}")
    expect(page.locator("#run-header .badge")).to_have_text("Running")
    context.close()
