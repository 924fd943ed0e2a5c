"""Routes of automations that deploying asks for."""

from __future__ import annotations

from armillary.api import Answer, Call, Routes

routes = Routes(tag="Automations")


@routes.delete(
    "/automations/owned-by/{resource_id}", scope="manage_automations", answers={202: None}
)
async def delete_owned(call: Call) -> Answer:  # noqa: ARG001 - a resource owns none yet
    """Drop the automations a resource owns; there are none, so all of them are gone."""
    return Answer.empty(202)
