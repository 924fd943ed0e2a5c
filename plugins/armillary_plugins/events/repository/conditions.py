"""The filter of events in SQL: the same decisions as in memory.

Where one resource is asked for by its id, its rows in event_resource lead, in the order of time;
where one of several is, they are found first; else the events of the workspace are gone through
by time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from armillary.db.dialect import Dialect
from armillary.db.filters import FALSE, Condition, among, any_of, every, exists, none_of, some
from armillary.errors import Invalid
from armillary.searching import parse
from armillary_plugins.events.matching import ID, ROLE, patterns
from armillary_plugins.events.schemas import (
    AnyResourceFilter,
    EventFilter,
    Labels,
    NameFilter,
    RelatedFilter,
)
from armillary_plugins.events.window import Window

_PRIMARY = "(event.body{json} -> 'resource')"
_RELATED = "{elements}(event.body{json} -> 'related') related where true"
_EACH = "related.value{json}"
_TEXT = (
    "(event.event || ' ' || cast(event.body{json} -> 'resource' as text)"
    " || ' ' || cast(event.body{json} -> 'related' as text)"
    " || ' ' || cast(event.body{json} -> 'payload' as text))"
)


MOST = 900
"""Values in a statement, apart from ids and names, of which there may be any number: SQLite takes
conditions nested a thousand deep, and one `or` after the other is such a nest."""


class Source(msgspec.Struct, frozen=True):
    """Where events come from: what follows ``from``, the condition, the expressions to sort by."""

    tables: str
    where: Condition
    occurred: str
    key: str


class Conditions:
    """Makes conditions for one workspace, window and database."""

    def __init__(self, workspace: int, window: Window, dialect: Dialect) -> None:
        self._stretch = (workspace, window.since, window.until)
        self._dialect = dialect
        self._leading: str | None = None

    def source(self, events: EventFilter) -> Source:
        """Say how the events are found that a filter lets through; Invalid if it asks too much."""
        listed = [each for each in _ids(events) if each]
        self._leading = next((ids[0] for ids in listed if len(ids) == 1), None)
        parts = self._parts(events)
        if self._leading is not None:
            parts.insert(0, _leading(self._leading, self._stretch))
            return Source(
                tables="event_resource found cross join event",
                where=every([*parts, Condition("event.key = found.event_key")]),
                occurred="found.occurred",
                key="found.event_key",
            )
        if not listed:
            parts.insert(0, Condition(_stretch("event"), self._stretch))
        return Source("event", every(parts), "event.occurred", "event.key")

    def _parts(self, events: EventFilter) -> list[Condition]:
        parts = []
        if events.event is not None:
            parts += _names(events.event)
        if events.id is not None and events.id.id:
            parts += any_of("event.id", [str(each) for each in events.id.id])
        if events.resource is not None:
            parts += self._primary(events.resource)
        for each in events.all_any:
            parts += self._any(each)
        for related in events.all_related:
            parts += self._related(related)
        if events.text is not None:
            parts.append(parse(events.text.query).on(_TEXT))
        _check(parts)
        return parts

    def _primary(self, wanted: AnyResourceFilter) -> list[Condition]:
        found = self._with_resource(wanted.id)
        if wanted.id:
            found += any_of("event.resource_id", wanted.id)
        if wanted.id_prefix:
            found.append(_begins("event.resource_id", wanted.id_prefix))
        return found + self._labels(_PRIMARY, wanted.labels)

    def _any(self, wanted: AnyResourceFilter) -> list[Condition]:
        found = self._with_resource(wanted.id)
        if not (wanted.id_prefix or wanted.labels):
            return found
        return [
            *found,
            some(
                [
                    every(self._one(_PRIMARY, wanted)),
                    exists(_RELATED, every(self._one(_EACH, wanted))),
                ]
            ),
        ]

    def _one(self, resource: str, wanted: AnyResourceFilter) -> list[Condition]:
        found = []
        if wanted.id:
            found.append(_label(resource, ID, every(any_of("label.value", wanted.id))))
        if wanted.id_prefix:
            found.append(_label(resource, ID, _begins("label.value", wanted.id_prefix)))
        return found + self._labels(resource, wanted.labels)

    def _related(self, wanted: RelatedFilter) -> list[Condition]:
        pairs = wanted.resources_in_roles
        inside = []
        if wanted.id:
            inside.append(_label(_EACH, ID, every(any_of("label.value", wanted.id))))
        if wanted.role:
            inside.append(_label(_EACH, ROLE, every(any_of("label.value", wanted.role))))
        if pairs:
            inside.append(some([_pair(each, role) for each, role in pairs]))
        inside += self._labels(_EACH, wanted.labels)
        if not inside:
            return []
        return [
            *self._with_resource(wanted.id),
            *self._with_resource([each for each, _ in pairs] if pairs else None),
            exists(_RELATED, every(inside)),
        ]

    def _with_resource(self, ids: Sequence[str] | None) -> list[Condition]:
        """Have to do with one of the resources, in whatever role; what the index finds."""
        if not ids or list(ids) == [self._leading]:
            return []
        source = f"select one.event_key from event_resource one where {_stretch('one')}"
        found = among("event.key", source, every(any_of("one.resource_id", ids)))
        return [Condition(found.sql, (*self._stretch, *found.args))]

    def _labels(self, resource: str, labels: Labels | None) -> list[Condition]:
        return [
            self._matches(resource, label, [values] if isinstance(values, str) else values)
            for label, values in (labels or {}).items()
        ]

    def _matches(self, resource: str, label: str, values: Sequence[str]) -> Condition:
        if not values:
            return FALSE
        return _label(
            resource,
            label,
            some(
                Condition(
                    f"label.value {'' if wanted else 'not '}{{glob}} ?",
                    (self._dialect.wildcards(text),),
                )
                for text, wanted in patterns(values)
            ),
        )


def _check(parts: Iterable[Condition]) -> None:
    asked = sum(len(part.args) for part in parts)
    if asked > MOST:
        raise Invalid(
            f"The filter has about {asked} prefixes, labels and roles, and {MOST} is the limit: "
            "ask for fewer, or for whole ids and names, of which there may be more.",
            loc=("body", "filter"),
            kind="too_long",
        )


def _names(names: NameFilter) -> list[Condition]:
    found = []
    if names.prefix:
        found.append(_begins("event.event", names.prefix))
    if names.exclude_prefix:
        begins = _begins("event.event", names.exclude_prefix)
        found.append(Condition(f"not {begins.sql}", begins.args))
    if names.name:
        found += any_of("event.event", names.name)
    return found + none_of("event.event", names.exclude_name)


def _stretch(alias: str) -> str:
    return f"{alias}.workspace = ? and {alias}.occurred >= ? and {alias}.occurred <= ?"


def _leading(resource_id: str, stretch: tuple[object, ...]) -> Condition:
    return Condition(f"{_stretch('found')} and found.resource_id = ?", (*stretch, resource_id))


def _ids(events: EventFilter) -> list[Sequence[str]]:
    """List the ids of resources asked for, one list for each that must be there."""
    primary = [events.resource.id] if events.resource is not None else []
    involved = [each.id for each in events.all_any]
    related = [each.id for each in events.all_related]
    pairs = [
        [resource_id for resource_id, _ in each.resources_in_roles or ()]
        for each in events.all_related
    ]
    return [ids or () for ids in (*primary, *involved, *related, *pairs)]


def _begins(column: str, prefixes: Iterable[str]) -> Condition:
    joined = some(
        Condition(f"substr({column}, 1, ?) = ?", (len(prefix), prefix)) for prefix in prefixes
    )
    return Condition(f"({joined.sql})", joined.args)


def _label(resource: str, label: str, condition: Condition) -> Condition:
    found = exists(f"{{members}}({resource}) label where label.key = ?", condition)
    return Condition(found.sql, (label, *found.args))


def _pair(resource_id: str, role: str) -> Condition:
    return every(
        [
            _label(_EACH, ID, Condition("label.value = ?", (resource_id,))),
            _label(_EACH, ROLE, Condition("label.value = ?", (role,))),
        ]
    )
