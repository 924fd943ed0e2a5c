"""What an automation waits for: the four kinds of triggers, as they are stored and answered."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

Specification: TypeAlias = dict[str, str | list[str]]
"""Labels, each with patterns one of which has to match; none at all match everything."""
Posture: TypeAlias = Literal["Reactive", "Proactive"]
Whole: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]

LEAST_SILENCE = 10.0
"""Seconds for which something must fail to happen, at least."""
LEAST_MEASURED = 300.0
"""Seconds that a metric is measured over, and for which it must hold, at least."""


class EventTrigger(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="event"):
    """Fires when something happens (reactive), or fails to happen in time (proactive).

    ``after`` are events from which on it is awaited, ``for_each`` labels whose values are told
    apart.  ``within`` is in seconds; without any, a reactive trigger fires for each event.
    """

    id: str
    match: Specification = msgspec.field(default_factory=dict)
    match_related: Specification | list[Specification] = msgspec.field(default_factory=dict)
    after: list[str] = msgspec.field(default_factory=list)
    expect: list[str] = msgspec.field(default_factory=list)
    for_each: list[str] = msgspec.field(default_factory=list)
    posture: Posture
    threshold: Whole = 1
    within: float = 0.0

    def __post_init__(self) -> None:
        """Name everything once; refuse a silence that is too short to be noticed."""
        for name in ("after", "expect", "for_each"):
            unique = list(dict.fromkeys(getattr(self, name)))
            msgspec.structs.force_setattr(self, name, unique)
        if self.posture != "Proactive":
            return
        if not self.within:
            msgspec.structs.force_setattr(self, "within", LEAST_SILENCE)
        elif self.within < LEAST_SILENCE:
            message = "`within` of a proactive trigger must be at least 10 seconds"
            raise ValueError(message)


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured, and from which value on that is to be said."""

    name: Literal["lateness", "duration", "successes"]
    threshold: float
    operator: Literal["<", "<=", ">", ">="]
    range: float = LEAST_MEASURED
    firing_for: float = LEAST_MEASURED

    def __post_init__(self) -> None:
        """Refuse spans in which too little happens to be measured."""
        for name in ("range", "firing_for"):
            if getattr(self, name) < LEAST_MEASURED:
                message = f"`{name}` of a metric must be at least 300 seconds (5 minutes)"
                raise ValueError(message)


class MetricTrigger(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="metric"):
    """Fires when something measured over many runs passes a threshold."""

    id: str
    match: Specification = msgspec.field(default_factory=dict)
    match_related: Specification | list[Specification] = msgspec.field(default_factory=dict)
    posture: Literal["Metric"] = "Metric"
    metric: Metric


class CompoundTrigger(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="compound"):
    """Fires when some of its triggers have fired, ``within`` seconds if that is given."""

    id: str
    triggers: list[Trigger]
    within: float | None
    require: Annotated[int, msgspec.Meta(ge=1)] | Literal["any", "all"]

    def __post_init__(self) -> None:
        """Refuse to require more triggers than there are."""
        if isinstance(self.require, int) and self.require > len(self.triggers):
            message = (
                f"`require` is {self.require}, but there are only {len(self.triggers)} triggers"
            )
            raise ValueError(message)


class SequenceTrigger(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="sequence"):
    """Fires when its triggers have fired in their order."""

    id: str
    triggers: list[Trigger]
    within: float | None


Trigger: TypeAlias = EventTrigger | MetricTrigger | CompoundTrigger | SequenceTrigger
