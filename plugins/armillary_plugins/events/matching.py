"""The filter of events in memory: the same decisions as the store's, for events as they come."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import msgspec

from armillary.searching import parse
from armillary_plugins.events.schemas import (
    AnyResourceFilter,
    EventFilter,
    Labels,
    NameFilter,
    RelatedFilter,
)
from armillary_plugins.events.window import Window

ID = "prefect.resource.id"
ROLE = "prefect.resource.role"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_encode = msgspec.json.Encoder().encode


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What of an event is decided on."""

    id: str
    occurred: datetime
    event: str
    resource: dict[str, str]
    related: list[dict[str, str]]
    payload: msgspec.Raw

    @property
    def micros(self) -> int:
        """When it occurred."""
        return (self.occurred - _EPOCH) // _MICROSECOND

    @property
    def text(self) -> str:
        """What a search looks into."""
        parts = (_encode(self.resource), _encode(self.related), bytes(self.payload))
        return " ".join((self.event, *(part.decode() for part in parts)))


Resource: TypeAlias = Mapping[str, str]
Test: TypeAlias = Callable[[Subject], bool]
ResourceTest: TypeAlias = Callable[[Resource], bool]
subject_of = msgspec.json.Decoder(Subject).decode


def matcher(events: EventFilter, window: Window) -> Test:
    """Compile a filter; ``distinct`` and ``order`` say nothing about a single event."""
    since, until = window.since, window.until
    tests: list[Test] = [lambda subject: since <= subject.micros <= until]
    if events.event is not None:
        tests += _names(events.event)
    if events.id is not None and events.id.id:
        ids = frozenset(map(str, events.id.id))
        tests.append(lambda subject: subject.id in ids)
    if events.resource is not None:
        primary = _resource(events.resource)
        tests.append(lambda subject: primary(subject.resource))
    tests += [_of_any(_resource(each)) for each in events.all_any]
    tests += [_of_related(test) for each in events.all_related if (test := _related(each))]
    if events.text is not None:
        search = parse(events.text.query)
        tests.append(lambda subject: search.matches(subject.text))
    return lambda subject: all(test(subject) for test in tests)


def label_tests(labels: Labels) -> list[ResourceTest]:
    """Compile what is asked of labels: one test for each label."""
    return [
        _label(label, [values] if isinstance(values, str) else values)
        for label, values in labels.items()
    ]


def patterns(values: Iterable[str]) -> list[tuple[str, bool]]:
    """Take the sign off patterns: pairs of pattern and whether it may match."""
    return [(value.removeprefix("!"), not value.startswith("!")) for value in values]


def _names(names: NameFilter) -> list[Test]:
    tests: list[Test] = []
    if names.prefix:
        prefix = tuple(names.prefix)
        tests.append(lambda subject: subject.event.startswith(prefix))
    if names.exclude_prefix:
        exclude_prefix = tuple(names.exclude_prefix)
        tests.append(lambda subject: not subject.event.startswith(exclude_prefix))
    if names.name:
        name = frozenset(names.name)
        tests.append(lambda subject: subject.event in name)
    if names.exclude_name:
        exclude_name = frozenset(names.exclude_name)
        tests.append(lambda subject: subject.event not in exclude_name)
    return tests


def _resource(wanted: AnyResourceFilter) -> ResourceTest:
    tests: list[ResourceTest] = []
    if wanted.id:
        ids = frozenset(wanted.id)
        tests.append(lambda resource: resource[ID] in ids)
    if wanted.id_prefix:
        prefix = tuple(wanted.id_prefix)
        tests.append(lambda resource: resource[ID].startswith(prefix))
    tests += label_tests(wanted.labels or {})
    return _all(tests)


def _related(wanted: RelatedFilter) -> ResourceTest | None:
    """Compile what one related resource must be; None if nothing is asked."""
    tests: list[ResourceTest] = []
    if wanted.id:
        ids = frozenset(wanted.id)
        tests.append(lambda resource: resource[ID] in ids)
    if wanted.role:
        roles = frozenset(wanted.role)
        tests.append(lambda resource: resource.get(ROLE) in roles)
    if wanted.resources_in_roles:
        pairs = frozenset(wanted.resources_in_roles)
        tests.append(lambda resource: (resource[ID], resource.get(ROLE)) in pairs)
    tests += label_tests(wanted.labels or {})
    return _all(tests) if tests else None


def _label(label: str, values: Sequence[str]) -> ResourceTest:
    compiled = [(_pattern(text), wanted) for text, wanted in patterns(values)]

    def test(resource: Resource) -> bool:
        value = resource.get(label)
        if value is None:
            return False
        return any((match(value) is not None) == wanted for match, wanted in compiled)

    return test


def _pattern(text: str) -> Callable[[str], re.Match[str] | None]:
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in text)
    return re.compile("".join(parts), re.DOTALL).fullmatch


def _all(tests: Sequence[ResourceTest]) -> ResourceTest:
    if len(tests) == 1:
        return tests[0]
    return lambda resource: all(test(resource) for test in tests)


def _of_any(test: ResourceTest) -> Test:
    return lambda subject: test(subject.resource) or any(map(test, subject.related))


def _of_related(test: ResourceTest) -> Test:
    return lambda subject: any(map(test, subject.related))
