"""What is looked at on every page: its weight, where it fetches from, its keys, and axe's finds."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

from playwright.sync_api import Page, Response

from armillary_plugins.agent.pages import PAGES as COMMANDS
from armillary_plugins.artifacts.pages import PAGES as ARTIFACTS
from armillary_plugins.automations.pages import PAGES as AUTOMATIONS
from armillary_plugins.blocks.pages import PAGES as BLOCKS
from armillary_plugins.concurrency.pages import PAGES as LIMITS
from armillary_plugins.events.pages import PAGES as EVENTS
from armillary_plugins.ui.answers import POLICY
from armillary_plugins.ui.routes import PAGES
from armillary_plugins.ui.twins import TWIN_ENDINGS
from armillary_plugins.variables.pages import PAGES as VARIABLES

MOST_BYTES = 60 * 1024
MOST_REQUESTS = 8
_ADDED = (COMMANDS, ARTIFACTS, AUTOMATIONS, BLOCKS, EVENTS, LIMITS, VARIABLES)
_OPEN = ("/patterns", "/docs")
"""Pages that anybody may see; what else is open leads elsewhere or is a file."""
_AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
_BY_COLOUR = ["color-contrast", "link-in-text-block"]
"""The rules that a theme can break by itself."""
_VIOLATIONS = """
async (rules) => {
  const options = { resultTypes: ["violations"] };
  if (rules) options.runOnly = { type: "rule", values: rules };
  const found = await axe.run(document, options);
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`));
}
"""
_WEIGHT = """
() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .filter(({ name }) => !name.includes("/ui/stream"))
  .map(({ name, encodedBodySize }) => [name.split("#")[0], encodedBodySize])
"""
_USED = """
[...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
  .filter((one) => one.checkVisibility() && !one.disabled && one.type !== "hidden")
  .filter((one) => !one.closest("[aria-hidden='true']"))
"""
_OUT_OF_REACH = f"""
() => {_USED.strip()}
  .filter((one) => one.tabIndex !== 0 || one.closest("[inert]"))
  .map((one) => one.outerHTML.slice(0, 200))
"""
_NAMED = "(one) => [one.tagName, one.id, one.textContent.trim().slice(0, 60)].join(' ')"
_IN_ORDER = f"() => {_USED.strip()}.map({_NAMED})"
_HERE = f"() => ({_NAMED})(document.activeElement)"
_FOCUSED = """
() => {
  const { tagName, textContent, className } = document.activeElement;
  const { outlineStyle } = getComputedStyle(document.activeElement);
  return [tagName, className, textContent.trim().slice(0, 60), outlineStyle];
}
"""


_LEADS_ON = "/worker/{id:uuid}"
"""No page of its own: it leads to the pool's."""


def addresses(made: Mapping[str, str]) -> list[str]:
    """Where every page is; ``made`` has an id or a name for each kind of thing."""
    routes = [route for routes in PAGES for route in routes.http if route.method == "GET"]
    paths = [route.path for route in routes if route.scope or route.path.startswith(_OPEN)]
    found = []
    lists = [page.path for pages in _ADDED for page in pages.lists]
    added = [*lists, *(page.path for pages in _ADDED for page in pages.pages)]
    for path in (*paths, *added):
        if not path.startswith("/ui/") and not path.endswith((*TWIN_ENDINGS, _LEADS_ON)):
            thing = made.get(path.partition("/{")[0].rpartition("/")[2], "")
            path = path.replace("{occurred}/{id:uuid}", "{id:uuid}")  # noqa: PLW2901 - step by step
            for parameter in ("id:uuid", "name", "key", "slug"):
                path = path.replace(f"{{{parameter}}}", thing)  # noqa: PLW2901 - step by step
            found.append(path)
    return sorted(found)


def faults_of(page: Page, path: str, *, status: int = 200) -> list[str]:
    """Open a page, look at all of it, and say what is wrong."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.set_viewport_size({"width": 1280, "height": 900})
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == status, f"{path}: {answer.status}"
    faults = [*_answered(answer), *_weighed(page), *_fetched(asked, answer.url)]
    faults += _by_keys(page)
    page.evaluate(_AXE)
    faults += [f"in light: {found}" for found in page.evaluate(_VIOLATIONS, None)]
    page.emulate_media(color_scheme="dark")
    faults += [f"in dark: {found}" for found in page.evaluate(_VIOLATIONS, _BY_COLOUR)]
    page.set_viewport_size({"width": 390, "height": 844})
    width = page.evaluate("document.documentElement.scrollWidth")
    if width > 390:
        faults.append(f"is {width} pixels wide on a phone")
    return [f"{path} {fault}" for fault in faults]


def _answered(answer: Response) -> list[str]:
    policy = answer.headers.get("content-security-policy")
    return [] if policy == POLICY else [f"has the policy {policy}"]


def _weighed(page: Page) -> list[str]:
    sizes: dict[str, int] = dict(page.evaluate(_WEIGHT))
    total = sum(sizes.values())
    faults = [] if total <= MOST_BYTES else [f"weighs {total} bytes: {sizes}"]
    requests = len(sizes) + 1  # the stream
    return faults if requests <= MOST_REQUESTS else [*faults, f"takes {requests} requests"]


def _fetched(asked: list[str], url: str) -> list[str]:
    origin = "/".join(url.split("/")[:3]) + "/"
    return [f"asks for {one}" for one in asked if not one.startswith((origin, "data:"))]


def _by_keys(page: Page) -> list[str]:
    """The first key leads to a link past the navigation, and all that can be used is reached."""
    faults = [f"keeps {one} from the keyboard" for one in page.evaluate(_OUT_OF_REACH)]
    page.keyboard.press("Tab")
    tag, names, text, outline = page.evaluate(_FOCUSED)
    if (tag, names) != ("A", "skip") or outline == "none":
        return [*faults, f"begins with {tag} {text!r} ({outline}) and not with a way past"]
    page.keyboard.press("Enter")
    focused = page.evaluate("document.activeElement.id")
    return faults if focused == "content" else [*faults, f"skips to {focused!r}"]


def order_of_keys(page: Page) -> tuple[list[str], list[str]]:
    """What gets the focus one after the other from the beginning, and what stands there to read."""
    stands: list[str] = page.evaluate(_IN_ORDER)
    gets = []
    for _ in stands:
        page.keyboard.press("Tab")
        gets.append(page.evaluate(_HERE))
    return gets, stands
