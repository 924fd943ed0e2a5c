"""The filter of events: what it means, and that SQL and memory mean the same."""

from datetime import timedelta
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from armillary.core import Core
from armillary.events.envelope import Event
from armillary_plugins.events.matching import matcher, subject_of
from armillary_plugins.events.repository.finding import count_events, filter_events
from armillary_plugins.events.schemas import EventFilter
from armillary_plugins.events.window import Window, window_of
from tests.model.effort import tries
from tests.plugins.events.samples import START, body_of, event, number, store

ALL = Window(0, 2**53)
WORKSPACES = count(100)


def filter_of(conditions: object) -> EventFilter:
    return msgspec.convert(conditions, EventFilter, strict=False)


async def by_sql(core: Core, conditions: object, *, workspace: int = 1) -> set[str]:
    bodies = await filter_events(
        core.database.read(workspace), filter_of(conditions), ALL, limit=200, offset=0
    )
    return {subject_of(body).id for body in bodies}


def in_memory(events: list[Event], conditions: object) -> set[str]:
    test = matcher(filter_of(conditions), ALL)
    return {made.id for made in events if test(subject_of(body_of(made)))}


RUN = {"prefect.resource.id": "prefect.flow-run.1", "prefect.resource.name": "blue cat"}
FLOW = {"prefect.resource.id": "prefect.flow.1", "prefect.resource.role": "flow"}
TAG = {"prefect.resource.id": "prefect.tag.x", "prefect.resource.role": "tag", "size": "10%"}
EVENTS = [
    event(1, "prefect.flow-run.Running", resource=RUN, related=[FLOW, TAG]),
    event(2, "prefect.flow-run.Failed", resource=RUN, related=[FLOW], payload={"why": "No Disk"}),
    event(3, "prefect.flow.created", resource={"prefect.resource.id": "prefect.flow.1"}),
    event(4, "custom_event", resource={"prefect.resource.id": "s3://[a]/b*", 'odd"label': "1"}),
]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, {1, 2, 3, 4}),
        ({"event": {"prefix": ["prefect.flow-run."]}}, {1, 2}),
        ({"event": {"prefix": ["prefect."], "exclude_prefix": ["prefect.flow."]}}, {1, 2}),
        ({"event": {"name": ["custom_event", "prefect.flow.created"]}}, {3, 4}),
        ({"event": {"exclude_name": ["custom_event"]}}, {1, 2, 3}),
        ({"event": {"name": []}}, {1, 2, 3, 4}),
        ({"event": {"prefix": ["custom%"]}}, set()),
        ({"resource": {"id": ["prefect.flow.1"]}}, {3}),
        ({"resource": {"id_prefix": ["prefect.flow", "s3:"]}}, {1, 2, 3, 4}),
        ({"resource": {"labels": {"prefect.resource.name": "blue*"}}}, {1, 2}),
        ({"resource": {"labels": {"prefect.resource.name": "BLUE*"}}}, set()),
        ({"resource": {"labels": {"prefect.resource.name": ["red", "b??e cat"]}}}, {1, 2}),
        ({"resource": {"labels": {"prefect.resource.name": "!red"}}}, {1, 2}),
        ({"resource": {"labels": {"prefect.resource.name": []}}}, set()),
        ({"resource": {"labels": {"prefect.resource.id": "s3://[a]/b*"}}}, {4}),
        ({"resource": {"labels": {'odd"label': "1"}}}, {4}),
        ({"related": {"id": ["prefect.flow.1"]}}, {1, 2}),
        ({"related": {"role": ["tag"]}}, {1}),
        ({"related": {"resources_in_roles": [["prefect.flow.1", "flow"]]}}, {1, 2}),
        ({"related": {"resources_in_roles": [["prefect.flow.1", "tag"]]}}, set()),
        ({"related": {"id": ["prefect.flow.1"], "role": ["tag"]}}, set()),
        ({"related": [{"id": ["prefect.flow.1"]}, {"role": ["tag"]}]}, {1}),
        ({"related": {"labels": {"size": "10%", "prefect.resource.role": "t*"}}}, {1}),
        ({"related": {"labels": {"size": "10%", "prefect.resource.role": "flow"}}}, set()),
        ({"any_resource": {"id": ["prefect.flow.1"]}}, {1, 2, 3}),
        ({"any_resource": {"id_prefix": ["prefect.tag."]}}, {1}),
        ({"any_resource": [{"id": ["prefect.flow.1"]}, {"id": ["prefect.tag.x"]}]}, {1}),
        ({"any_resource": {"labels": {"prefect.resource.role": "!tag"}}}, {1, 2}),
        ({"id": {"id": [number(2), number(9)]}}, {2}),
        ({"text": {"query": "disk created"}}, {2, 3}),
        ({"text": {"query": "prefect -failed +run"}}, {1}),
        ({"text": {"query": '"blue cat"'}}, {1, 2}),
        ({"text": {"query": "10%"}}, {1}),
    ],
)  # fmt: skip
async def test_a_filter_lets_through_what_it_names(
    core: Core, conditions: object, expected: set[int]
) -> None:
    await store(core, *EVENTS)
    wanted = {number(n) for n in expected}
    assert in_memory(EVENTS, conditions) == wanted
    assert await by_sql(core, conditions) == wanted


TEXT = st.text("aA*[é", max_size=3)
IDS = st.sampled_from(["a", "aa", "aA", "b"])
ROLES = st.sampled_from(["", "r", "s"])
LABELS = st.sampled_from(["prefect.resource.id", "prefect.resource.role", "l", "m"])
NAMES = st.sampled_from(["a", "a.b", "a.c", "%", "A"])
PATTERNS = st.builds(
    lambda sign, text: sign + text,
    st.sampled_from(["", "!"]),
    st.text("aA*?[]é%_\\", max_size=3),
)
LABEL_FILTERS = st.none() | st.dictionaries(
    LABELS, PATTERNS | st.lists(PATTERNS, max_size=2), max_size=2
)


def some_of(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | st.lists(values, max_size=2)


def resources(role: st.SearchStrategy[str] | None) -> st.SearchStrategy[dict[str, str]]:
    fixed = {
        "prefect.resource.id": IDS,
        **({"prefect.resource.role": role} if role is not None else {}),
    }
    return st.fixed_dictionaries(fixed, optional={"l": TEXT, "m": TEXT})


EVENT_PARTS = st.fixed_dictionaries(
    {
        "name": NAMES,
        "resource": resources(None),
        "related": st.lists(resources(ROLES), max_size=3),
        "payload": st.dictionaries(TEXT, TEXT | st.integers(), max_size=2),
    }
)
ANY = st.fixed_dictionaries(
    {"id": some_of(IDS), "id_prefix": some_of(TEXT), "labels": LABEL_FILTERS}
)
RELATED = st.fixed_dictionaries(
    {
        "id": some_of(IDS),
        "role": some_of(ROLES),
        "resources_in_roles": some_of(st.tuples(IDS, ROLES)),
        "labels": LABEL_FILTERS,
    }
)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "event": st.fixed_dictionaries(
            {
                "prefix": some_of(NAMES),
                "exclude_prefix": some_of(NAMES),
                "name": some_of(NAMES),
                "exclude_name": some_of(NAMES),
            }
        ),
        "resource": ANY,
        "related": RELATED | st.lists(RELATED, max_size=2),
        "any_resource": ANY | st.lists(ANY, max_size=2),
        "id": st.fixed_dictionaries({"id": some_of(st.sampled_from([number(0), number(1)]))}),
        "text": st.fixed_dictionaries({"query": st.text('aA*+-é" ', max_size=6)}),
    },
)


@given(parts=st.lists(EVENT_PARTS, min_size=1, max_size=4), conditions=FILTERS)
@settings(
    max_examples=tries(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_sql_and_memory_let_the_same_events_through(
    core: Core, parts: list[dict[str, Any]], conditions: dict[str, Any]
) -> None:
    workspace = next(WORKSPACES)
    events = [event(n, **part) for n, part in enumerate(parts)]
    await store(core, *events, workspace=workspace)
    assert await by_sql(core, conditions, workspace=workspace) == in_memory(events, conditions)


def test_a_window_includes_both_its_ends() -> None:
    moment = START + timedelta(seconds=5)
    window = window_of(filter_of({"occurred": {"since": moment, "until": moment}}), START)
    test = matcher(EventFilter(), window)
    within = [n for n in range(10) if test(subject_of(body_of(event(n))))]
    assert within == [5]


def test_without_more_a_filter_reaches_half_a_year_back_and_up_to_now() -> None:
    window = window_of(EventFilter(), START)
    midnight = START.replace(hour=0)
    assert window == window_of(
        filter_of({"occurred": {"since": midnight - timedelta(days=180), "until": START}}), START
    )


async def test_one_event_of_each_resource_is_the_first_in_the_order_asked_for(core: Core) -> None:
    def of(resource: str) -> dict[str, Any]:
        return {"resource": {"prefect.resource.id": resource}}

    await store(core, event(1, **of("a")), event(2, **of("b")), event(3, **of("a")))
    reader = core.database.read(1)
    for order, expected in (("DESC", [3, 2]), ("ASC", [1, 2])):
        wanted = filter_of({"resource": {"distinct": True}, "order": order})
        bodies = await filter_events(reader, wanted, ALL, limit=50, offset=0)
        assert [subject_of(body).id for body in bodies] == [number(n) for n in expected]
        assert await count_events(reader, wanted, ALL) == 2
