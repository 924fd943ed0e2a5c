"""Routes of automations that deploying, and looking at a deployment, ask for."""

from __future__ import annotations

from typing import Any

from armillary.api import Answer, Call, Routes

routes = Routes(tag="Automations")


@routes.delete(
    "/automations/owned-by/{resource_id}", scope="manage_automations", answers={202: None}
)
async def delete_owned(call: Call) -> Answer:  # noqa: ARG001 - a resource owns none yet
    """Drop the automations a resource owns; there are none, so all of them are gone."""
    return Answer.empty(202)


@routes.get("/automations/related-to/{resource_id}", scope="see_automations")
async def list_related(call: Call) -> Answer:  # noqa: ARG001 - nothing is related to any yet
    """The automations that act on a resource, or are owned by it; there are none."""
    related: list[dict[str, Any]] = []
    return Answer.json(related)
