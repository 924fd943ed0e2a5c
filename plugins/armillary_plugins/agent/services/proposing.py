"""Proposing states to the server until it has answered, and asking it for what a run needs."""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from armillary.clock import Clock
from armillary.ids import Ids
from armillary_plugins.agent.outcome import TERMINAL, Next
from armillary_plugins.agent.services.link import Away, Link

Json = Any
_AGAIN = 1.0
_LONGEST = 10.0
_UNDER_WAY = frozenset({"PENDING", "RUNNING", "CANCELLING"})
_log = logging.getLogger("armillary_plugins.agent")


class Answer(msgspec.Struct, frozen=True):
    """What a proposal came to: ACCEPT, REJECT, WAIT or ABORT, and the state the run has."""

    status: str
    state: Json = None
    seconds: float = 0.0
    reason: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the run has the state that was proposed."""
        return self.status == "ACCEPT"


class Office:
    """Asks the server, patiently."""

    def __init__(self, link: Link, clock: Clock, ids: Ids) -> None:
        self.link = link
        self._clock = clock
        self._ids = ids

    async def ask(self, method: str, path: str, body: Json = None) -> Json:
        """Ask until there is an answer, however long the server is away."""
        wait = _AGAIN
        while True:
            try:
                return await self.link.ask(method, path, body)
            except Away as error:
                _log.debug("%s; asked again in %g s", error, wait)
                await self._clock.sleep(wait)
                wait = min(wait * 2, _LONGEST)

    async def propose(self, run_id: str, wanted: Next, *, transition: str | None = None) -> Answer:
        """Propose a state; one that was taken although its answer was lost counts as accepted."""
        transition = transition or self._ids.uuid4()
        details = {"transition_id": transition}
        body = {"state": {**msgspec.to_builtins(wanted), "state_details": details}}
        path, wait = f"/flow_runs/{run_id}/set_state", _AGAIN
        while True:
            try:
                answer = await self.link.ask("POST", path, body)
                break
            except Away as error:
                _log.debug("%s; asked again in %g s", error, wait)
            await self._clock.sleep(wait)
            wait = min(wait * 2, _LONGEST)
            # An end may have been answered by another attempt: that must not be ended as well.
            if wanted.type in TERMINAL and not await self._is_under_way(run_id):
                return Answer(status="ABORT", reason="It is not under way any more.")
        details = answer.get("details") or {}
        given = Answer(
            status=answer["status"],
            state=answer.get("state"),
            seconds=float(details.get("delay_seconds") or 0),
            reason=details.get("reason") or "",
        )
        if given.status in {"ACCEPT", "WAIT"}:
            return given
        # Whoever comes twice, on a bad line, is turned down because he was taken before.
        if _made_by(transition, given.state) or (
            given.status == "ABORT" and await self._was_taken(run_id, transition)
        ):
            return Answer(status="ACCEPT", state=given.state)
        return given

    async def _is_under_way(self, run_id: str) -> bool:
        run = await self.ask("GET", f"/flow_runs/{run_id}")
        return run["state_type"] in _UNDER_WAY

    async def _was_taken(self, run_id: str, transition: str) -> bool:
        run = await self.ask("GET", f"/flow_runs/{run_id}")
        return _made_by(transition, run.get("state"))


def _made_by(transition: str, state: Json) -> bool:
    details = (state or {}).get("state_details") or {}
    return bool(details.get("transition_id") == transition)
