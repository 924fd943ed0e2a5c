from collections.abc import Mapping

import httpx
import pytest

from tests.api import Api


@pytest.fixture
def core_flags() -> Mapping[str, object]:
    return {"plugins.disable": ("ui",)}


@pytest.fixture
def api(client: httpx.AsyncClient) -> Api:
    return Api(client)
