"""A thousand clients at once: everybody is answered, by everything the server does."""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.killable import Killable
from tests.end_to_end.wire import Wire
from tests.speed import client

CLIENTS = 1000
USUAL_LIMIT = 1024
"""The open files a process may have where nobody has said otherwise."""


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Killable]:
    made = Killable(tmp_path, database_url)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (USUAL_LIMIT, limits[1]))
    try:
        made.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    yield made
    try:
        assert made.interrupt() == 0, made.log()
    finally:
        made.kill()


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return client.build(tmp_path_factory.mktemp("load"))


async def test_a_thousand_connections_are_served_without_one_failure(
    server: Killable, program: Path
) -> None:
    wire = Wire(server.port)
    flow = await wire.post("/flows/", {"name": "crowded"})
    wire.close()
    options: client.Options = {"flow-id": flow["id"], "per-connection": 1, "warmup": 0}
    load = client.Load(scenario="connections", connections=CLIENTS, seconds=120, options=options)
    figures = client.run(program, server.url, load)
    assert (figures["errors"], figures["locked"], figures["unfinished"]) == (0, 0, 0), figures
    assert figures["operations"] == CLIENTS
    assert {status[0] for status in figures["statuses"]} == {"2"}
    assert server.faults() == []
