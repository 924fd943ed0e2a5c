"""The filter of events, its requests and answers, on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, TypeAlias, TypeVar
from uuid import UUID

import msgspec

from armillary.api import Body, OrDefault
from armillary.searching import TextFilter

T = TypeVar("T")
Order: TypeAlias = Literal["ASC", "DESC"]
TimeUnit: TypeAlias = Literal["week", "day", "hour", "minute", "second"]
Labels: TypeAlias = dict[str, str | list[str]]


class OccurredFilter(Body):
    """When, both ends included."""

    since: datetime | None = None
    until: datetime | None = None


class NameFilter(Body):
    """Names, whole or by how they begin."""

    prefix: list[str] | None = None
    exclude_prefix: list[str] | None = None
    name: list[str] | None = None
    exclude_name: list[str] | None = None


class AnyResourceFilter(Body):
    """One resource that meets all of this."""

    id: list[str] | None = None
    id_prefix: list[str] | None = None
    labels: Labels | None = None


class ResourceFilter(AnyResourceFilter):
    """The same of the primary resource; ``distinct`` keeps one event of each."""

    distinct: OrDefault[bool] = False


class RelatedFilter(Body):
    """One related resource that meets all of this."""

    id: list[str] | None = None
    role: list[str] | None = None
    resources_in_roles: list[tuple[str, str]] | None = None
    labels: Labels | None = None


class IdFilter(Body):
    """Events by id."""

    id: list[UUID] | None = None


class EventFilter(Body):
    """Which events: all of its members decide together."""

    occurred: OccurredFilter | None = None
    event: NameFilter | None = None
    resource: ResourceFilter | None = None
    related: list[RelatedFilter] | RelatedFilter | None = None
    any_resource: list[AnyResourceFilter] | AnyResourceFilter | None = None
    id: IdFilter | None = None
    text: TextFilter | None = None
    order: OrDefault[Order] = "DESC"

    @property
    def all_related(self) -> Sequence[RelatedFilter]:
        """What related resources must be there."""
        return _several(self.related)

    @property
    def all_any(self) -> Sequence[AnyResourceFilter]:
        """What resources must be there, primary or related."""
        return _several(self.any_resource)

    @property
    def distinct(self) -> bool:
        """Whether one event of each resource is wanted."""
        return self.resource is not None and self.resource.distinct


class FilterEvents(Body):
    """Which events to list, and how many."""

    filter: OrDefault[EventFilter] = msgspec.field(default_factory=EventFilter)
    limit: OrDefault[int] = 50


class EventPage(msgspec.Struct, frozen=True):
    """Stored events as they were, how many there are in all, and where the next ones are."""

    events: list[msgspec.Raw]
    total: int
    next_page: str | None


class NextPage(msgspec.Struct, frozen=True):
    """Which page to list: as the page before it named it."""

    page_token: str = msgspec.field(name="page-token")


class CountEvents(Body):
    """Which events to count, and in spans of how much time."""

    filter: EventFilter
    time_unit: OrDefault[TimeUnit] = "day"
    time_interval: OrDefault[Annotated[float, msgspec.Meta(ge=0.01, le=1_000_000)]] = 1.0


class EventCount(msgspec.Struct, frozen=True):
    """How many events something has, and from when to when."""

    value: str
    label: str
    count: int
    start_time: datetime
    end_time: datetime


def _several(given: list[T] | T | None) -> Sequence[T]:
    if given is None:
        return ()
    return given if isinstance(given, list) else (given,)
