"""A list page and its part that changes, which scripts ask for by itself.

::

    /runs?state=Failed               the page; only its changing part where a script filters
    /ui/fragments/runs?state=Failed  that part, asked for again when something has happened
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from armillary.api import Answer, Call, Routes
from armillary.clock import from_micros
from armillary_plugins.ui.answers import html_answer
from armillary_plugins.ui.site import site_of
from armillary_web.htmx import is_fragment, push_url

FRAGMENTS = "/ui/fragments"
"""Before the address of a page stands this in that of its changing part."""


class Listed(msgspec.Struct, frozen=True):
    """A page of a list, and the address that shows it again."""

    page: Any
    """What the templates are given as ``page``."""
    path: str


Make = Callable[[Call], Awaitable[Listed]]
"""Reads what the call's query asks for."""


def declare_list(routes: Routes, path: str, make: Make, *, template: str, scope: str) -> None:
    """Declare the list page at a path; the template of its changing part begins with a ``_``."""
    part = f"_{template}"

    async def show_list(call: Call) -> Answer:
        """Show a list, or only its part that changes where a script asks."""
        site = site_of(call.core)
        shell = site.shell(call, path)
        listed = await make(call)
        context = {"page": listed.page, "now": from_micros(call.received)}
        headers = {"vary": "accept-encoding, HX-Request"}
        if is_fragment(call.headers):
            headers |= push_url(site.base_path + listed.path)
            return html_answer(call, site.render(part, **context), headers=headers)
        return html_answer(call, site.render(template, shell=shell, **context), headers=headers)

    async def show_list_fragment(call: Call) -> Answer:
        """Show the part of a list that changes."""
        listed = await make(call)
        now = from_micros(call.received)
        return html_answer(call, site_of(call.core).render(part, page=listed.page, now=now))

    routes.get(path, scope=scope)(show_list)
    routes.get(FRAGMENTS + path, scope=scope)(show_list_fragment)
