"""What an agent's word changes, decided without looking anything up."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from armillary.orchestration.states import TERMINAL, StateType
from armillary_plugins.mark_crashed_runs.schemas import Heard, Heartbeat

_WORDS = 4
"""How often an agent is to be heard of before it counts as silent; one word may be lost."""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """An agent's row."""

    session: str
    host: str
    pid: int
    seen: int
    draining: bool


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of an agent and of the runs it speaks about."""

    agent: Stored | None
    held: Mapping[str, int | None]
    """The runs its session holds, each with the number of its process."""
    given_up: Collection[str] = ()
    """Runs it held once: it has not been heard to have let go of them, or they go on."""
    states: Mapping[str, StateType | None]
    """The states of the runs it speaks about that are there."""
    claims: Mapping[str, str | None]
    """The transitions by which those were claimed last."""


def holder(beat: Heartbeat, stored: Stored | None, *, now: int, silence: int) -> Stored | None:
    """Return the other agent that has the name, or None where it is free for this one."""
    if stored is None or stored.session == str(beat.session):
        return None
    replaced = beat.replaces is not None and stored.session == str(beat.replaces)
    return None if replaced or stored.seen < now - silence else stored


def answer(beat: Heartbeat, known: Known, *, silence: int) -> Heard:
    """Tell an agent what became of the runs it holds."""
    cancel: list[str] = []
    ended: list[str] = []
    lost: list[str] = []
    for run in beat.runs:
        run_id = str(run.id)
        state = known.states.get(run_id)
        if run_id not in known.held or state is None:
            lost.append(run_id)
        elif state in TERMINAL:
            ended.append(run_id)
        elif _is_anothers(str(run.claim), state, known.claims.get(run_id)):
            lost.append(run_id)
        elif state is StateType.CANCELLING:
            cancel.append(run_id)
    return Heard(cancel=cancel, ended=ended, lost=lost, within=silence / _WORDS / 1_000_000)


def _is_anothers(claim: str, state: StateType, claimed: str | None) -> bool:
    """Tell whether another agent or worker has claimed a run; one that waits may be anybody's."""
    return state is not StateType.SCHEDULED and claimed is not None and claimed != claim


def let_go(beat: Heartbeat, known: Known) -> Sequence[str]:
    """Name the runs a session held and speaks of no more."""
    spoken = {str(run.id) for run in (*beat.runs, *beat.claiming)}
    return sorted(run_id for run_id in (*known.held, *known.given_up) if run_id not in spoken)


def changes_anything(beat: Heartbeat, known: Known, *, now: int, silence: int) -> bool:
    """Tell whether a word has to be written down."""
    agent = known.agent
    return (
        agent is None
        or agent.session != str(beat.session)
        or agent.draining != beat.draining
        or agent.seen < now - silence // (2 * _WORDS)
        or beat.leaving
        or bool(beat.claiming)
        or bool(let_go(beat, known))
        or any(known.held.get(str(run.id), run.process) != run.process for run in beat.runs)
    )
