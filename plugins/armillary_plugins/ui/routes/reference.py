"""The reference of the API: an overview, and a page for each topic."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import msgspec

from armillary.api import Answer, Call, Routes
from armillary.app import declared_by
from armillary.errors import NotFound
from armillary.openapi import document, document_routes
from armillary_plugins.ui.answers import html_answer
from armillary_plugins.ui.reference import shaped
from armillary_plugins.ui.reference_schemas import Reference
from armillary_plugins.ui.site import site_of

if TYPE_CHECKING:
    from armillary import Core

routes = Routes(tag="Pages", mount="")
_PAGE = "/docs"
_NEAR = "/system"
"""The entry of the navigation it is reached from."""
_MADE: WeakKeyDictionary[object, Reference] = WeakKeyDictionary()


@routes.get(_PAGE, scope=None)
async def show_reference(call: Call) -> Answer:
    """Show what programs can ask for, as open to anybody as the document it is made of."""
    site = site_of(call.core)
    shell = site.shell(call, _NEAR, live=False)
    reference = await reference_of(call.core)
    return html_answer(call, site.render("reference", shell=shell, reference=reference))


@routes.get(f"{_PAGE}/{{name}}", scope=None)
async def show_topic(call: Call) -> Answer:
    """Show the operations of one topic, and what they take and answer."""
    name = call.path["name"]
    reference = await reference_of(call.core)
    topic = next((topic for topic in reference.topics if topic.slug == name), None)
    if topic is None:
        raise NotFound(f"The reference has no topic {name}; {_PAGE} lists those there are.")
    site = site_of(call.core)
    shell = site.shell(call, _NEAR, live=False)
    return html_answer(call, site.render("topic", shell=shell, topic=topic))


async def reference_of(core: Core) -> Reference:
    """Return the reference of what this process serves; it is made with the first page of it."""
    found = _MADE.get(core)
    if found is None:
        http = declared_by(core).http
        every = [*http, *document_routes(http).http]
        found = await asyncio.to_thread(lambda: shaped(msgspec.json.decode(document(every))))
        _MADE[core] = found
    return found
