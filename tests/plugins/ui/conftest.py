"""Runs to look at, made over the API, and pages as a browser asks for them."""

from __future__ import annotations

import httpx
import pytest

from armillary.core import Core
from tests.api import Api
from tests.plugins.ui.pages import Pages


@pytest.fixture
def api(client: httpx.AsyncClient) -> Api:
    return Api(client)


@pytest.fixture
def pages(client: httpx.AsyncClient, core: Core) -> Pages:
    return Pages(client, core)
