"""What agents say of themselves, and what they are told."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta

from armillary.api import Body, OrDefault

Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]
Small: TypeAlias = Annotated[int, Meta(ge=0, lt=2**31)]


class HeldRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run an agent holds: ``claim`` is the transition by which it claims it."""

    id: UUID
    claim: UUID
    process: Small | None = None


class Heartbeat(Body, kw_only=True):
    """An agent says that it lives, what it runs, and what it is about to claim."""

    name: Name
    session: UUID
    host: OrDefault[str] = ""
    pid: OrDefault[Small] = 0
    pools: OrDefault[list[str]] = []
    slots: OrDefault[Small] = 0
    draining: OrDefault[bool] = False
    leaving: OrDefault[bool] = False
    replaces: UUID | None = None
    """The session of one of the same name that the agent knows to be dead."""
    claiming: OrDefault[list[HeldRun]] = []
    runs: OrDefault[list[HeldRun]] = []


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent is told of the runs it holds."""

    cancel: list[str]
    """Somebody wants them cancelled."""
    ended: list[str]
    """They have ended, by their own word or somebody else's."""
    lost: list[str]
    """They are not the agent's any more: deleted, or given up."""
    within: float
    """Seconds within which the agent is to be heard of again."""


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent as answered."""

    name: str
    host: str
    pid: int
    pools: list[str]
    slots: int
    draining: bool
    started: datetime
    last_heard_of: datetime
    alive: bool
    runs: int


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who has a name that another agent wants."""

    session: str
    host: str
    pid: int
    last_heard_of: datetime
