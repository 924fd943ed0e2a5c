"""Where nobody keeps blocks, none is found."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest

from armillary.core import Core
from tests.api import NOBODY, Api


@pytest.fixture
def core_flags() -> Mapping[str, object]:
    return {"plugins.disable": ("ui", "blocks")}


async def test_without_a_source_there_are_no_blocks(core: Core, client: httpx.AsyncClient) -> None:
    assert core.collect("register_block_sources", core) == []
    api = Api(client)
    default = {"$ref": {"block_document_id": NOBODY}}
    variables = {"type": "object", "properties": {"login": {"default": default}}}
    template = {"job_configuration": {}, "variables": variables}
    body = {"name": "pool", "type": "process", "base_job_template": template}
    assert await api.post("/work_pools/", body, status=404) == {"detail": "Block not found."}
    storage = {"default_result_storage_block_id": NOBODY}
    await api.call("PUT", "/admin/storage", storage, status=404)
    await api.call("DELETE", "/admin/storage", status=204)
