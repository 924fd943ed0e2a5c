"""Static files, the page of all components, and the page for what failed."""

from __future__ import annotations

from armillary.api import Answer, Call, Routes
from armillary.clock import from_micros
from armillary.errors import NotFound
from armillary_plugins.ui.answers import accepts_gzip, html_answer
from armillary_plugins.ui.site import site_of
from armillary_web.assets import ASSETS_PATH
from armillary_web.htmx import is_fragment

_TEMPLATES = {403: "errors/403.html", 404: "errors/404.html"}


def show_failure(call: Call, status: int, detail: str) -> Answer:
    """Answer what went wrong with a page, or with a part in its place on one."""
    site = site_of(call.core)
    if is_fragment(call.headers):
        body = site.templates.render("errors/fragment.html", detail=detail, retry_path=None)
        return html_answer(call, body, status)
    name = _TEMPLATES.get(status, "errors/refused.html" if status < 500 else "errors/500.html")
    shell = site.shell(call, None, live=False)
    body = site.templates.render(name, shell=shell, detail=detail, request_id=None)
    return html_answer(call, body, status)


routes = Routes(tag="Pages", mount="", failure=show_failure)


@routes.get(f"{ASSETS_PATH}/{{path:path}}", scope=None)
async def read_file(call: Call) -> Answer:
    """Send a static file; its address changes with its content, so it is kept for good."""
    path = f"{ASSETS_PATH}/{call.path['path'].lstrip('/')}"
    asset = site_of(call.core).assets.read(path)
    if asset is None:
        raise NotFound(f"There is no file at {path}; load the page again.")
    headers = dict(asset.headers)
    if asset.gzipped is not None and accepts_gzip(call):
        headers["content-encoding"] = "gzip"
        return Answer(asset.gzipped, media_type=asset.content_type, headers=headers)
    return Answer(asset.content, media_type=asset.content_type, headers=headers)


@routes.get("/patterns", scope=None)
async def show_patterns(call: Call) -> Answer:
    """Show every component as it looks."""
    site = site_of(call.core)
    shell = site.shell(call, None, live=False)
    now = from_micros(call.received)
    return html_answer(call, site.templates.render("patterns.html", shell=shell, now=now))
