"""What a rule may answer: Accept, Reject, Wait or Abort, as values."""

from __future__ import annotations

import enum
from typing import TypeAlias

import msgspec

from armillary.orchestration.policies import RunChange
from armillary.orchestration.states import Proposal


class Status(enum.StrEnum):
    """How the answer to a proposal is called on the wire."""

    ACCEPT = "ACCEPT"
    REJECT = "REJECT"
    WAIT = "WAIT"
    ABORT = "ABORT"


class Accept(msgspec.Struct, frozen=True):
    """Go on; ``state`` replaces the proposal by one that differs but is no refusal."""

    state: Proposal | None = None
    change: RunChange | None = None


class Reject(msgspec.Struct, frozen=True):
    """Not this state: ``state`` instead, or, without one, the run stays where it is."""

    reason: str
    state: Proposal | None = None
    change: RunChange | None = None


class Wait(msgspec.Struct, frozen=True):
    """Ask again after ``seconds``."""

    seconds: int
    reason: str


class Abort(msgspec.Struct, frozen=True):
    """Do not go on with this run."""

    reason: str


Verdict: TypeAlias = Accept | Reject | Wait | Abort

ACCEPT = Accept()
