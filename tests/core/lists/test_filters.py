"""Every filter finds what a slow, obvious reading of the same filter finds, on both databases."""

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from armillary.api import decode
from armillary.core import Core
from armillary.db.listing import Span
from armillary.flow_runs.lists import FilterFlowRuns
from armillary.flow_runs.selecting import list_flow_runs
from armillary.flow_runs.totals import average_lateness, count_flow_runs
from armillary.flows.reading import FlowSort, count_flows, list_flows
from armillary.flows.routes import FilterFlows
from armillary.task_runs.lists import FilterTaskRuns
from armillary.task_runs.reading import count_task_runs, list_task_runs
from tests.core.lists import asking, model
from tests.core.lists.world import Placed, World, instant, worlds
from tests.model.effort import tries

FLOW_SORTS = ("CREATED_DESC", "UPDATED_DESC", "NAME_ASC", "NAME_DESC")
TASK_RUN_SORTS = (
    "ID_DESC", "EXPECTED_START_TIME_ASC", "EXPECTED_START_TIME_DESC", "NAME_ASC", "NAME_DESC",
    "NEXT_SCHEDULED_START_TIME_ASC", "END_TIME_DESC",
)  # fmt: skip
RUN_SORTS = (*TASK_RUN_SORTS, "START_TIME_ASC", "START_TIME_DESC")
thorough = settings(
    max_examples=tries(50),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

brief = settings(thorough, max_examples=tries(15))


async def placed(core: Core, world: World) -> Placed:
    found = Placed(world)
    await core.database.write(found.write, workspace=found.workspace)
    return found


def body(kind: type[Any], here: Placed, asked: dict[str, Any], **more: object) -> Any:
    return decode(kind, msgspec.json.encode({**here.real(asked), **more}))


@thorough
@given(world=worlds(), asked=asking.ABOUT_FLOWS, sort=st.sampled_from(FLOW_SORTS))
async def test_flows_are_those_that_the_filters_describe(
    core: Core, world: World, asked: dict[str, Any], sort: FlowSort
) -> None:
    here = await placed(core, world)
    condition = body(FilterFlows, here, asked, sort=sort).condition()
    reader = core.database.read(here.workspace)
    found = await list_flows(reader, condition, sort, Span(50))
    assert {here.name(each.id) for each in found} == model.answer(world, "flow", asked)
    assert len(found) == await count_flows(reader, condition)


@thorough
@given(world=worlds(), asked=asking.ABOUT_FLOW_RUNS, sort=st.sampled_from(RUN_SORTS))
async def test_flow_runs_are_those_that_the_filters_describe(
    core: Core, world: World, asked: dict[str, Any], sort: str
) -> None:
    here = await placed(core, world)
    request = body(FilterFlowRuns, here, asked, sort=sort)
    selection = request.selection(here.workspace)
    reader = core.database.read(here.workspace)
    found = await list_flow_runs(reader, selection, request.sort, Span(50), now=0)
    names = [here.name(each.id) for each in found]
    assert set(names) == model.answer(world, "run", asked)
    assert len(names) == len(set(names)) == await count_flow_runs(reader, selection)


@thorough
@given(world=worlds(), asked=asking.ABOUT_TASK_RUNS, sort=st.sampled_from(TASK_RUN_SORTS))
async def test_task_runs_are_those_that_the_filters_describe(
    core: Core, world: World, asked: dict[str, Any], sort: str
) -> None:
    here = await placed(core, world)
    request = body(FilterTaskRuns, here, asked, sort=sort)
    selection = request.selection(here.workspace)
    reader = core.database.read(here.workspace)
    found = await list_task_runs(reader, selection, request.sort, Span(50), now=0)
    names = [here.name(each.id) for each in found]
    assert set(names) == model.answer(world, "task", asked)
    assert len(names) == len(set(names)) == await count_task_runs(reader, selection)


@pytest.mark.parametrize("field", sorted(asking.FLOW_FIELDS))
@brief
@given(world=worlds(), data=st.data())
async def test_each_condition_on_flows_means_what_it_says(
    core: Core, field: str, world: World, data: st.DataObject
) -> None:
    here = await placed(core, world)
    asked = {"flows": {field: data.draw(asking.FLOW_FIELDS[field])}}
    condition = body(FilterFlows, here, asked).condition()
    found = await list_flows(core.database.read(here.workspace), condition, "NAME_ASC", Span(50))
    assert {here.name(each.id) for each in found} == model.answer(world, "flow", asked)


@pytest.mark.parametrize("field", sorted(asking.FLOW_RUN_FIELDS))
@brief
@given(world=worlds(), data=st.data(), sort=st.sampled_from(RUN_SORTS))
async def test_each_condition_on_flow_runs_means_what_it_says(
    core: Core, field: str, world: World, data: st.DataObject, sort: str
) -> None:
    here = await placed(core, world)
    asked = {"flow_runs": {field: data.draw(asking.FLOW_RUN_FIELDS[field])}}
    request = body(FilterFlowRuns, here, asked, sort=sort)
    selection = request.selection(here.workspace)
    reader = core.database.read(here.workspace)
    found = await list_flow_runs(reader, selection, request.sort, Span(50), now=0)
    assert {here.name(each.id) for each in found} == model.answer(world, "run", asked)


@pytest.mark.parametrize("field", sorted(asking.TASK_RUN_FIELDS))
@brief
@given(world=worlds(), data=st.data())
async def test_each_condition_on_task_runs_means_what_it_says(
    core: Core, field: str, world: World, data: st.DataObject
) -> None:
    here = await placed(core, world)
    asked = {"task_runs": {field: data.draw(asking.TASK_RUN_FIELDS[field])}}
    selection = body(FilterTaskRuns, here, asked).selection(here.workspace)
    reader = core.database.read(here.workspace)
    found = await list_task_runs(reader, selection, "ID_DESC", Span(50), now=0)
    assert {here.name(each.id) for each in found} == model.answer(world, "task", asked)


@thorough
@given(
    world=worlds(),
    own=asking.flow_runs,
    sort=st.sampled_from(RUN_SORTS),
    span=st.builds(Span, st.integers(0, 3), st.integers(0, 3)),
)
async def test_a_part_of_a_list_of_flow_runs_is_that_part_of_the_whole(
    core: Core, world: World, own: dict[str, Any], sort: str, span: Span
) -> None:
    here = await placed(core, world)
    request = body(FilterFlowRuns, here, {"flow_runs": own}, sort=sort)
    selection = request.selection(here.workspace)
    reader = core.database.read(here.workspace)
    whole = await list_flow_runs(reader, selection, request.sort, Span(50), now=0)
    part = await list_flow_runs(reader, selection, request.sort, span, now=0)
    assert [each.id for each in part] == [each.id for each in whole][
        span.offset : span.offset + span.limit
    ]


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("EXPECTED_START_TIME_ASC", "expected_start_time"),
        ("NAME_ASC", "name"),
        ("ID_DESC", "id"),
    ],
)
@thorough
@given(world=worlds(), own=asking.flow_runs)
async def test_flow_runs_come_in_the_order_asked_for(
    core: Core, world: World, own: dict[str, Any], sort: str, key: str
) -> None:
    here = await placed(core, world)
    request = body(FilterFlowRuns, here, {"flow_runs": own}, sort=sort)
    selection = request.selection(here.workspace)
    reader = core.database.read(here.workspace)
    found = await list_flow_runs(reader, selection, request.sort, Span(50), now=0)
    keys = [getattr(each, key) for each in found]
    assert keys == sorted(keys, reverse=sort.endswith("DESC"))


@thorough
@given(world=worlds(), now=st.integers(0, 6))
async def test_the_average_lateness_is_that_of_the_runs_listed(
    core: Core, world: World, now: int
) -> None:
    here = await placed(core, world)
    selection = body(FilterFlowRuns, here, {}).selection(here.workspace)
    reader = core.database.read(here.workspace)
    moment = instant(now)
    listed = await list_flow_runs(reader, selection, "ID_DESC", Span(50), now=moment)
    average = await average_lateness(reader, selection, now=moment)
    late = [each.estimated_start_time_delta for each in listed]
    assert average == (pytest.approx(sum(late) / len(late)) if late else None)
