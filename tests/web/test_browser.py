"""What our one script does, in a real browser under the strict policy."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from armillary_web.assets import Assets
from armillary_web.shell import PALETTES
from armillary_web.templating import Templates
from tests.web import samples
from tests.web.site import FRAGMENTS, RUN, Site, serving

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


LEAST_CONTRAST = """
([theme, palette]) => {
  Object.assign(document.documentElement.dataset, { theme, palette });
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const probe = document.createElement("i");
  document.body.append(probe);
  const light = (token) => {
    probe.style.color = `var(--${token})`;
    pen.fillStyle = getComputedStyle(probe).color;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...pen.getImageData(0, 0, 1, 1).data].map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const states = ["scheduled", "late", "pending", "running", "paused", "cancelling", "cancelled",
    "completed", "failed", "crashed", "none"].map((state) => [`state-${state}`, "sheet"]);
  const texts = ["ink", "ink-soft", "ink-faint", "link"]
    .flatMap((text) => ["sheet", "paper", "well", "hover"].map((ground) => [text, ground]));
  return Object.fromEntries([...states, ...texts]
    .map((pair) => [pair.join(" on "), contrast(...pair)]).filter(([, found]) => found < 4.5));
}
"""


@pytest.fixture(scope="module")
def browser(chromium_path: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(chromium_path), args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def site(templates: Templates, assets: Assets) -> Site:
    return Site(templates, assets)


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    faults: list[str] = []
    with serving(site) as address:
        context = browser.new_context(base_url=address)
        shown = context.new_page()
        shown.on("pageerror", lambda error: faults.append(str(error)))
        shown.on(
            "console",
            lambda message: faults.append(message.text) if "Policy" in message.text else None,
        )
        yield shown
        context.close()
    assert faults == []


def _tell(site: Site, **message: str) -> None:
    site.tell(json.dumps(message))


def _finish(site: Site) -> None:
    site.header = msgspec.structs.replace(
        site.header, state_type="COMPLETED", state_name="Completed", live_path=None
    )


def test_a_changed_run_is_fetched_and_put_in_place(page: Page, site: Site) -> None:
    page.goto(RUN)
    expect(page.locator("#run-header .badge")).to_have_text("Running")
    _finish(site)
    _tell(site, kind="run", id=samples.RUN_ID)
    expect(page.locator("#run-header .badge")).to_have_text("Completed")
    assert page.locator("#run-header").get_attribute("data-live") is None


def test_another_runs_change_is_not_asked_about(page: Page, site: Site) -> None:
    page.goto(RUN)
    _finish(site)
    with page.expect_response(lambda answer: f"{FRAGMENTS}/logs" in answer.url):
        _tell(site, kind="run", id=samples.TASK_ID)
        _tell(site, kind="logs", id=samples.RUN_ID)
    assert not [path for path in site.asked if path.startswith(f"{FRAGMENTS}/header")]


def test_a_refresh_that_fails_leaves_what_is_shown(page: Page, site: Site) -> None:
    page.goto(RUN)
    site.status = 500
    _finish(site)
    _tell(site, kind="run", id=samples.RUN_ID)
    expect(page.locator("#run-header[data-stale] .badge")).to_have_text("Running")
    site.status = 200
    _tell(site, kind="run", id=samples.RUN_ID)
    expect(page.locator("#run-header .badge")).to_have_text("Completed")


def test_a_burst_of_changes_costs_at_most_two_fetches_a_second(page: Page, site: Site) -> None:
    page.goto("/runs")
    expect(page.locator("#runs")).to_be_visible()
    for _ in range(200):
        _tell(site, kind="runs")
    page.wait_for_timeout(1200)
    assert 1 <= site.asked.count("/ui/fragments/runs") <= 4


def test_new_lines_of_a_log_come_once_and_are_followed(page: Page, site: Site) -> None:
    page.goto(RUN)
    lines = page.locator(".log-line")
    expect(lines).to_have_count(24)
    site.later = [23, 24, 25]
    _tell(site, kind="logs", id=samples.RUN_ID)
    expect(lines).to_have_count(26)
    assert f"{FRAGMENTS}/logs?level=0&after=00000023" in site.asked
    assert page.evaluate(
        "(list => list.scrollHeight - list.scrollTop - list.clientHeight < 24)"
        "(document.querySelector('.log-lines'))"
    )


def test_the_event_for_others_names_kind_and_id(page: Page, site: Site) -> None:
    page.goto(RUN)
    page.evaluate(
        "document.body.addEventListener('armillary:run-changed',"
        " event => { document.title = event.detail.kind + ' ' + event.detail.id; })"
    )
    _tell(site, kind="run", id="7")
    expect(page).to_have_title("run 7")


def test_keys_move_through_rows_and_between_sections(page: Page) -> None:
    page.goto("/runs")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator(".row-link").first).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("jk?")
    expect(page.get_by_label("Name")).to_have_value("jk?")
    expect(page.locator("#keys")).to_be_hidden()
    page.get_by_label("Name").blur()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()


def test_a_theme_is_kept_in_a_cookie_for_the_server(page: Page) -> None:
    page.goto("/runs")
    page.get_by_role("button", name="Display").click()
    page.get_by_label("Dark").check()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    cookies = {one["name"]: one["value"] for one in page.context.cookies()}
    assert cookies["armillary_theme"] == "dark"


def test_text_stands_out_enough_in_every_theme_and_palette(page: Page) -> None:
    page.goto("/runs")
    weak = {
        (theme, palette): page.evaluate(LEAST_CONTRAST, [theme, palette])
        for theme in ("light", "dark")
        for palette in PALETTES
    }
    assert {key: found for key, found in weak.items() if found} == {}


@pytest.mark.parametrize("width", [360, 400, 800, 1280])
@pytest.mark.parametrize("path", ["/runs", RUN])
def test_no_page_is_wider_than_the_window(page: Page, path: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_page_is_whole_without_scripts(browser: Browser, site: Site) -> None:
    with serving(site) as address:
        context = browser.new_context(base_url=address, java_script_enabled=False)
        shown = context.new_page()
        shown.goto(RUN)
        expect(shown.locator(".log-line")).to_have_count(24)
        expect(shown.locator("[data-scripted]:visible")).to_have_count(0)
        context.close()


def test_what_is_final_is_asked_about_twice_and_then_sent_as_confirmed(page: Page) -> None:
    page.route(f"**{RUN}/delete", lambda route: route.fulfill(status=204))
    page.goto(RUN)
    delete = page.locator("#run-header").get_by_role("button", name="Delete")
    delete.press("Enter")
    dialog = page.get_by_role("dialog", name="Please confirm")
    expect(dialog.get_by_role("button", name="Keep")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    delete.press("Enter")
    page.keyboard.press("Tab")
    with page.expect_request(f"**{RUN}/delete") as sent:
        page.keyboard.press("Enter")
    assert sent.value.post_data == "confirm=yes"
