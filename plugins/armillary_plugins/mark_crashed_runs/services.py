"""The loop that looks after agents."""

from __future__ import annotations

from armillary import Core, Done, LoopService
from armillary.clock import from_micros
from armillary.db.unit import Unit
from armillary.errors import Unavailable
from armillary.orchestration.engine import FlowRunProposal
from armillary.orchestration.states import StateType, propose
from armillary_plugins.mark_crashed_runs import repository
from armillary_plugins.mark_crashed_runs.config import Config
from armillary_plugins.mark_crashed_runs.repository import Forsaken, Present

_SECOND = 1_000_000
_LATE = 5
"""Seconds by which a turn may be late without anything being the matter."""
_DAY = 86_400 * _SECOND
_UNDER_WAY = frozenset({StateType.PENDING, StateType.RUNNING, StateType.CANCELLING})


class MarkCrashedRuns(LoopService):
    """Ends the runs of agents that are gone.

    An agent that could not be heard is not gone: for as long as the server itself was away, or
    only just came up, no agent is taken for silent.
    """

    name = "mark_crashed_runs"

    def __init__(self, core: Core, config: Config) -> None:
        super().__init__(core, interval=config.interval)
        self.config = config
        self._listening_since: int | None = None
        self._looked = 0
        self._set_back = False
        """Whether the clock may have been put back since agents were heard of."""

    async def open(self) -> None:
        """Nobody was heard of later than now, whatever the clock said before the start."""
        self._set_back = True
        try:
            await self._hear_nobody_later_than(self.core.clock.micros())
        except Unavailable as error:
            self.log.warning("left for the first turn: %s", error)

    async def run_once(self) -> Done:
        """End one batch, each run in its own unit of work."""
        now = self.core.clock.micros()
        put_back = now < self._looked
        if put_back or self._set_back:
            await self._hear_nobody_later_than(now)
        away = now - self._looked - int(self.interval * _SECOND)
        if self._listening_since is None or put_back or away > _LATE * _SECOND:
            self._listening_since = now
        reader = self.core.database.read(None)
        since = self._since(now)
        runs = await repository.forsaken(reader, since, limit=self.config.batch)
        changed = 0
        for run in self.each(runs):
            changed += await self._end(run)
        if runs and since:
            await self.core.database.write(
                lambda unit: repository.forget_agents(unit, now - _DAY), workspace=None
            )
        self._looked = now
        return Done(found=len(runs), changed=changed)

    async def _hear_nobody_later_than(self, now: int) -> None:
        """Where the clock was put back, nobody is alive because of when he was heard of."""

        async def work(unit: Unit) -> None:
            await repository.hear_no_later(unit, now)

        await self.core.database.write(work, workspace=None)
        self._set_back = False

    def _since(self, now: int) -> int:
        """Who was last heard of before this moment is gone."""
        silence = int(self.config.silence * _SECOND)
        if self._listening_since is None or now - self._listening_since < silence:
            return 0
        return now - silence

    async def _end(self, run: Forsaken) -> bool:
        async def work(unit: Unit) -> bool:
            state = await repository.present(unit, run.run_id)
            if state is None or state.claim != run.claim:
                await repository.forget(unit, run)
                return False
            await repository.give_up(unit, run)
            if not is_under_way(state):
                return False
            kind = StateType.CRASHED
            if state.type is StateType.CANCELLING:
                kind = StateType.CANCELLED
            request = FlowRunProposal(
                workspace=run.workspace,
                run_id=run.run_id,
                proposal=propose(kind, message=said_of(run)),
            )
            return (await self.core.gate.set_flow_run_state_in(unit, request)).written

        return await self.core.database.write(work, workspace=run.workspace)


def is_under_way(state: Present) -> bool:
    """Tell whether a run needs somebody who looks after it."""
    if state.type is StateType.SCHEDULED:
        return state.retried_by_its_process
    return state.type in _UNDER_WAY


def said_of(run: Forsaken) -> str:
    """Say what is known of a run whose agent is gone."""
    where = "" if run.host is None else f" on {run.host}"
    if run.given_up:
        heard = "does not look after this run any more"
    elif run.restarted:
        heard = "was started anew and knows nothing of this run"
    elif run.seen is None:
        heard = "left without a word about this run"
    else:
        heard = f"was last heard of at {from_micros(run.seen):%Y-%m-%d %H:%M:%S} UTC"
    process = "" if run.process is None else f" The process of the run was {run.process}."
    return f"The agent {run.agent}{where} {heard}.{process}"
