"""A workspace with something of everything, and a log in which no fault may be."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import httpx
import pytest

from armillary.core import Core
from tests.api import Api
from tests.conftest import DIALECTS
from tests.contracts.world import World, a_world


@pytest.fixture
def api(client: httpx.AsyncClient) -> Api:
    return Api(client)


@pytest.fixture
async def world(core: Core, api: Api) -> World:
    return await a_world(core, api)


@pytest.fixture
def ours(dialect: str, request: pytest.FixtureRequest) -> Callable[[int], bool]:
    """Tells whether the database of this test has a try; between them the chosen ones have all.

    PostgreSQL takes twice as long for each, and has every fourth.
    """
    if len(DIALECTS[request.config.getoption("--dialect")]) == 1:
        return lambda _: True
    return lambda number: (number % 4 == 3) == (dialect == "postgres")


@pytest.fixture(autouse=True)
def _faultless(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whoever sends nonsense leaves no fault of the server in the log."""
    yield
    records = caplog.get_records("call")
    assert [each.getMessage() for each in records if each.levelno >= logging.ERROR] == []
