"""A list page and its part that changes, which scripts ask for by itself.

::

    /runs?state=Failed               the page; only its changing part where a script filters
    /ui/fragments/runs?state=Failed  that part, asked for again when something has happened
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from armillary.api import Answer, Call, Routes
from armillary.clock import from_micros
from armillary_plugins.ui.answers import html_answer
from armillary_plugins.ui.site import site_of
from armillary_web.htmx import is_fragment, push_url
from armillary_web.pages import Listed

FRAGMENTS = "/ui/fragments"
"""Before the address of a page stands this in that of its changing part."""


Make = Callable[[Call], Awaitable[Listed]]
"""Reads what the call's query asks for."""


def declare_list(  # noqa: PLR0913 - each of them is another list
    routes: Routes,
    path: str,
    make: Make,
    *,
    template: str,
    scope: str,
    section: str | None = None,
) -> None:
    """Declare the list page at a path; the template of its changing part begins with a ``_``."""
    plugin, _, name = template.partition("/")
    whole, part = f"{template}.html", f"{plugin}/_{name}.html"

    async def show_list(call: Call) -> Answer:
        """Show a list, or only its part that changes where a script asks."""
        site = site_of(call.core)
        shell = site.shell(call, section or path)
        listed = await make(call)
        context = {"page": listed.page, "now": from_micros(call.received)}
        headers = {"vary": "accept-encoding, HX-Request"}
        if is_fragment(call.headers):
            headers |= push_url(site.base_path + listed.path)
            return html_answer(call, site.templates.render(part, **context), headers=headers)
        body = site.templates.render(whole, shell=shell, **context)
        return html_answer(call, body, headers=headers)

    async def show_list_fragment(call: Call) -> Answer:
        """Show the part of a list that changes."""
        listed = await make(call)
        now = from_micros(call.received)
        body = site_of(call.core).templates.render(part, page=listed.page, now=now)
        return html_answer(call, body)

    routes.get(path, scope=scope)(show_list)
    routes.get(FRAGMENTS + path, scope=scope)(show_list_fragment)
