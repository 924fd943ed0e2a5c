from collections.abc import Mapping

import httpx
import pytest

from tests.api import Api


@pytest.fixture
def database_url(copied_sqlite: str) -> str:
    """One database is enough: the agent asks the API, and never a database."""
    return copied_sqlite


@pytest.fixture
def core_flags() -> Mapping[str, object]:
    return {"plugins.disable": ("ui",)}


@pytest.fixture
def api(client: httpx.AsyncClient) -> Api:
    return Api(client)
