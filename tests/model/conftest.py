"""The server that the machines drive: one for all examples of a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.model import server as servers


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[servers.Server]:
    with servers.running(database_url, tmp_path) as found:
        yield found
