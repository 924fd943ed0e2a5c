"""Valid bodies, mutated at several places at once: never a fault, and a refusal changes nothing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from armillary.core import Core
from tests.api import Api
from tests.contracts.bad_input.sending import JSON, send
from tests.contracts.bad_input.test_bodies import leaves, with_value
from tests.contracts.every_route import http_routes, name_of, path_of, request_of
from tests.contracts.world import World, rows_of
from tests.model.effort import tries

TARGETS = (
    "POST /flows/", "POST /flow_runs/", "POST /task_runs/", "POST /deployments/",
    "POST /work_pools/", "POST /flows/filter", "POST /flow_runs/filter", "POST /task_runs/filter",
    "POST /deployments/filter", "POST /logs/filter", "POST /events/filter",
    "POST /flow_runs/{id}/set_state", "POST /task_runs/{id}/set_state",
    "POST /deployments/{id}/create_flow_run", "POST /logs/", "POST /events",
    "POST /automations/", "POST /automations/filter",
)  # fmt: skip
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=20)
    | st.datetimes().map(str)
    | st.uuids().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@pytest.mark.parametrize("name", TARGETS)
@settings(
    max_examples=tries(10),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
async def test_a_mutated_body_is_never_a_fault(
    core: Core, api: Api, world: World, name: str, data: st.DataObject
) -> None:
    route = next(each for each in http_routes(core) if name_of(each) == name)
    body: Any = request_of(route, world).body
    for _ in range(data.draw(st.integers(1, 3))):
        places = list(leaves(body))
        if places:
            body = with_value(body, data.draw(st.sampled_from(places)), data.draw(JSON_VALUES))
    before = await rows_of(core)
    content = msgspec.json.encode(body)
    sent = await send(api, route, path_of(route, world), repr(body), content=content, headers=JSON)
    assert sent.status < 500, sent
    if sent.status >= 400:
        assert await rows_of(core) == before, sent
