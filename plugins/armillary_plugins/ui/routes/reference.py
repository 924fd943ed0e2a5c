"""The reference of the API: an overview, and a page for each topic."""

from __future__ import annotations

from armillary.api import Answer, Call, Routes
from armillary.errors import NotFound
from armillary_plugins.ui.answers import html_answer
from armillary_plugins.ui.reference import reference_of
from armillary_plugins.ui.site import site_of

routes = Routes(tag="Pages", mount="")
_PAGE = "/docs"
_NEAR = "/system"
"""The entry of the navigation it is reached from."""


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
