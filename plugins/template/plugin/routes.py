"""The routes that tell the number and ask for the job."""

from __future__ import annotations

from armillary.api import Answer, Call, Routes
from armillary_plugins.example.jobs import ask_to_begin_again
from armillary_plugins.example.repository import read_moments
from armillary_plugins.example.schemas import Moments

routes = Routes(tag="example")


@routes.get("/example/moments", scope="see_workspace_settings", answers={200: Moments})
async def tell_moments(call: Call) -> Answer:
    """Tell how many moments were counted."""
    return Answer.json(Moments(await read_moments(call.read())))


@routes.post("/example/begin_again", scope="write_workspace_settings")
async def begin_again(call: Call) -> Answer:
    """Have a job forget them."""
    await ask_to_begin_again(call)
    return Answer.empty()
