"""Settings of agent."""

from __future__ import annotations

from typing import Annotated

import msgspec

Seconds = Annotated[float, msgspec.Meta(gt=0)]


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For whom the agent works, what it takes, and how it ends what it runs."""

    server: str = ""
    """The address of the server it works for, such as http://127.0.0.1:4200; by default the one
    in its own process."""
    name: str = ""
    """What it is called; by default after its machine. No two that live have one name."""
    pools: tuple[str, ...] = ("local",)
    """The pools whose runs it takes; `pool/queue` takes no more of a pool than that queue."""
    limit: Annotated[int, msgspec.Meta(ge=1)] = 10
    """Runs it has under way at once at most."""
    interval: Seconds = 1.0
    """Seconds between two looks for runs that are due."""
    python: str = ""
    """The Python that runs flows; by default the first python3 of the path that has Prefect."""
    grace: Annotated[float, msgspec.Meta(ge=0)] = 10.0
    """Seconds a process has to end after it was asked to; then it is killed."""
    drain: Annotated[float, msgspec.Meta(ge=0)] = 20.0
    """Seconds that runs under way may go on for when the agent is stopped."""
