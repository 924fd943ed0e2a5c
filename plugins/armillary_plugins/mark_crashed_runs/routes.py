"""The route by which agents are heard of, and the list of them."""

from __future__ import annotations

from armillary.api import Answer, Call, Routes
from armillary.clock import from_micros
from armillary.db.unit import Reader, Unit
from armillary.errors import Refused
from armillary_plugins.mark_crashed_runs import repository
from armillary_plugins.mark_crashed_runs.config import Config
from armillary_plugins.mark_crashed_runs.heartbeats import (
    Known,
    Stored,
    answer,
    changes_anything,
    holder,
)
from armillary_plugins.mark_crashed_runs.schemas import Agent, Heard, Heartbeat, Holder

routes = Routes(tag="Agents")


class NameTaken(Refused):
    """An agent of that name is alive: 409, with who it is."""

    def __init__(self, name: str, other: Stored) -> None:
        where = f"process {other.pid} on {other.host}"
        super().__init__(
            409,
            f"An agent called {name!r} is already running ({where}): stop it, or give this one "
            "another name.",
        )
        self.holder = Holder(
            session=other.session,
            host=other.host,
            pid=other.pid,
            last_heard_of=from_micros(other.seen),
        )

    @property
    def body(self) -> dict[str, object]:
        """The sentence, and who has the name."""
        return {"detail": str(self), "holder": self.holder}


@routes.post("/agents/heartbeat", scope="write_workers", answers={200: Heard}, refuses=(409,))
async def heartbeat(call: Call, body: Heartbeat) -> Answer:
    """Record that an agent lives and what it runs; tell it what became of that."""
    silence = int(call.core.config(Config).silence * 1_000_000)

    async def look(reader: Reader, now: int) -> Known:
        found = await repository.known(reader, body)
        other = holder(body, found.agent, now=now, silence=silence)
        if other is not None:
            raise NameTaken(body.name, other)
        return found

    async def work(unit: Unit) -> Known:
        found = await look(unit, unit.micros)
        await repository.write(unit, body, found)
        return found

    known = await look(call.read(), call.received)
    if changes_anything(body, known, now=call.received, silence=silence):
        known = await call.write(work)
    return Answer.json(answer(body, known, silence=silence))


@routes.get("/agents/", scope="see_workers", answers={200: list[Agent]})
async def list_agents(call: Call) -> Answer:
    """List the agents of the workspace."""
    since = call.received - int(call.core.config(Config).silence * 1_000_000)
    return Answer.json(await repository.agents(call.read(), since=since))
