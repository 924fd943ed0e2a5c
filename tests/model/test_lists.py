"""Lists, counts and pages over HTTP against a reading of the filters in plain Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.lists import asking, model
from tests.core.lists.world import Placed, World, worlds
from tests.model.effort import effort
from tests.model.server import Server
from tests.model.test_schedules import STARTS

ABOUT_DEPLOYMENTS = asking.some_of(
    flows=asking.flows,
    flow_runs=asking.flow_runs,
    task_runs=asking.task_runs,
    deployments=asking.deployments,
    work_pools=asking.work_pools,
    work_pool_queues=asking.work_pool_queues,
)
_BY_NAME = {"NAME_ASC": "name", "NAME_DESC": "name", "CREATED_DESC": "", "UPDATED_DESC": ""}
_OF_RUNS = {
    "ID_DESC": "id",
    "EXPECTED_START_TIME_ASC": "expected_start_time",
    "EXPECTED_START_TIME_DESC": "expected_start_time",
    "NAME_ASC": "name",
    "NAME_DESC": "name",
    "NEXT_SCHEDULED_START_TIME_ASC": "next_scheduled_start_time",
    "END_TIME_DESC": "end_time",
}
_STARTED = {"START_TIME_ASC": "started", "START_TIME_DESC": "started"}
KINDS: dict[str, tuple[str, st.SearchStrategy[Any], dict[str, str]]] = {
    "flows": ("flow", asking.ABOUT_FLOWS, _BY_NAME),
    "flow_runs": ("run", asking.ABOUT_FLOW_RUNS, {**_OF_RUNS, **_STARTED}),
    "task_runs": ("task", asking.ABOUT_TASK_RUNS, _OF_RUNS),
    "deployments": ("deployment", ABOUT_DEPLOYMENTS, _BY_NAME),
}
"""Of each list: what it lists, how it is asked, and its orders with the key of each."""


class Listed:
    """A world in the default workspace, asked over HTTP."""

    def __init__(self, server: Server, world: World) -> None:
        self.server = server
        server.begin(STARTS[0])
        self.here = Placed(world)
        self.here.workspace = 1
        server.write(self.here.write)

    def ask(self, path: str, asked: dict[str, Any], **more: Any) -> Any:
        return self.server.ok("POST", path, {**self.here.real(asked), **more})

    def names(self, rows: list[dict[str, Any]]) -> list[str]:
        return [self.here.name(row["id"]) for row in rows]


def key_of(world: World, kind: str, key: str, server_side: Listed) -> Callable[[str], Any]:
    """What a row is sorted by."""

    def read(name: str) -> Any:
        row = world.find(kind, name)
        assert row is not None
        if key == "id":
            return server_side.here.id(name)
        if key == "started":
            return row.start_time if row.start_time is not None else row.expected_start_time
        return getattr(row, key) if key else 0

    return read


def check_order(keys: list[Any], *, descending: bool) -> None:
    """Keys ascend or descend; those that are missing stand together at one end."""
    known = [key for key in keys if key is not None]
    assert known == sorted(known, reverse=descending)
    nulls = [None] * (len(keys) - len(known))
    assert keys in ([*known, *nulls], [*nulls, *known])


@pytest.mark.parametrize("path", sorted(KINDS))
def test_lists_are_what_a_slow_reading_of_the_filters_finds(
    server: Server, dialect: str, path: str
) -> None:
    kind, about, sorts = KINDS[path]

    @effort(dialect, examples=80)
    @given(
        world=worlds(),
        asked=about,
        sort=st.sampled_from(sorted(sorts)),
        limit=st.integers(0, 4),
        offset=st.integers(0, 4),
        page=st.integers(1, 3),
    )
    def agree(  # noqa: PLR0917
        world: World, asked: dict[str, Any], sort: str, limit: int, offset: int, page: int
    ) -> None:
        listed = Listed(server, world)
        whole = listed.names(listed.ask(f"/{path}/filter", asked, sort=sort))
        assert set(whole) == model.answer(world, kind, asked)
        assert len(whole) == len(set(whole)) == listed.ask(f"/{path}/count", asked)
        key = key_of(world, kind, sorts[sort], listed)
        check_order([key(name) for name in whole], descending=sort.endswith("DESC"))
        some = {"sort": sort, "limit": limit, "offset": offset}
        part = listed.names(listed.ask(f"/{path}/filter", asked, **some))
        assert part == whole[offset : offset + limit]
        if limit:
            found = listed.ask(f"/{path}/paginate", asked, sort=sort, limit=limit, page=page)
            first = (page - 1) * limit
            assert listed.names(found["results"]) == whole[first : first + limit]
            pages = -(-len(whole) // limit)
            assert (found["count"], found["pages"], found["page"]) == (len(whole), pages, page)

    agree()
