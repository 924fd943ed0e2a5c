"""What the core asks blocks for: defaults of job variables, and the default result storage."""

from __future__ import annotations

from typing import Any

from armillary.core import Core
from tests.api import NOBODY
from tests.plugins.blocks.conftest import Blocks

Json = Any


def template(document_id: str) -> Json:
    """A pool whose one variable is a text that must be long, by default what a block holds."""
    shape = {
        "type": "object",
        "properties": {"password": {"type": "string", "minLength": 4}},
        "required": ["password"],
    }
    default = {"$ref": {"block_document_id": document_id}}
    return {
        "job_configuration": {"login": "{{ login }}"},
        "variables": {
            "type": "object",
            "properties": {"login": {**shape, "default": default}},
            "required": ["login"],
        },
    }


async def test_a_default_that_is_a_block_stands_for_what_the_block_holds(
    blocks: Blocks, schema: Json
) -> None:
    document = await blocks.document(schema)
    await blocks.pool("good", base_job_template=template(document["id"]))
    made = await blocks.deployment(work_pool_name="good", job_variables={"other": 1})
    await blocks.run(made["id"])
    place = f"/block_documents/{document['id']}"
    await blocks.patch(place, {"data": {"password": "x"}})
    body = {"name": "bad", "type": "process", "base_job_template": template(document["id"])}
    answer = await blocks.post("/work_pools/", body, status=422)
    assert "too short" in answer["exception_detail"][0]["msg"]
    await blocks.delete(place)
    gone = {"detail": "Block not found."}
    assert await blocks.post("/work_pools/", body, status=404) == gone
    flow_run = f"/deployments/{made['id']}/create_flow_run"
    assert await blocks.post(flow_run, {}, status=404) == gone
    again = {
        "name": "again", "flow_id": made["flow_id"], "work_pool_name": "good",
        "job_variables": {"other": 1},
    }  # fmt: skip
    assert await blocks.post("/deployments/", again, status=404) == gone
    pool = {"work_pool_name": "good"}
    await blocks.call("PATCH", f"/deployments/{made['id']}", pool, status=404)


async def test_results_are_stored_only_where_something_can_be_written(blocks: Blocks) -> None:
    block_type = await blocks.type()
    able = await blocks.document(
        await blocks.schema(block_type, capabilities=["write-path", "read-path"])
    )
    unable = await blocks.document(await blocks.schema(block_type, version="2"), "unable")

    async def choose(document_id: str | None, status: int = 200) -> Json:
        body = {"default_result_storage_block_id": document_id}
        return await blocks.call("PUT", "/admin/storage", body, status=status)

    async def chosen() -> Json:
        return (await blocks.get("/admin/storage"))["default_result_storage_block_id"]

    assert await choose(able["id"]) == {"default_result_storage_block_id": able["id"]}
    assert "write-path" in (await choose(unable["id"], 422))["detail"]
    await choose(NOBODY, 404)
    assert await chosen() == able["id"]
    await blocks.delete(f"/block_documents/{unable['id']}")
    assert await chosen() == able["id"]
    await choose(None)
    assert await chosen() is None
    await choose(able["id"])
    await blocks.delete(f"/block_documents/{able['id']}")
    assert await chosen() is None


async def test_the_storage_goes_with_the_type_of_its_block(blocks: Blocks, core: Core) -> None:
    block_type = await blocks.type()
    schema = await blocks.schema(block_type, capabilities=["write-path"])
    for by, place in (
        ("block_schemas", schema["id"]), ("block_types", block_type["id"]),
    ):  # fmt: skip
        if by == "block_types":
            schema = await blocks.schema(block_type, capabilities=["write-path"])
        document = await blocks.document(schema)
        body = {"default_result_storage_block_id": document["id"]}
        await blocks.call("PUT", "/admin/storage", body)
        await blocks.delete(f"/{by}/{place}")
        storage = await blocks.get("/admin/storage")
        assert storage == {"default_result_storage_block_id": None}
    assert await core.deletions.family.orphans(core.database.read(None)) == {}
