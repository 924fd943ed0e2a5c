"""Routes of artifacts, and of the latest of each key."""

from __future__ import annotations

from armillary.api import Answer, Call, Routes
from armillary.errors import NotFound
from armillary.paging import slice_of
from armillary_plugins.artifacts.criteria import ArtifactCriteria, LatestCriteria
from armillary_plugins.artifacts.repository import reading, writing
from armillary_plugins.artifacts.schemas import (
    Artifact,
    ArtifactCollection,
    CreateArtifact,
    FilterArtifacts,
    FilterLatest,
    UpdateArtifact,
)

routes = Routes(tag="Artifacts")


@routes.post("/artifacts/", scope="write_artifacts", answers={201: Artifact})
async def create_artifact(call: Call, body: CreateArtifact) -> Answer:
    """Create an artifact; with a key it becomes the latest of that key."""
    body.check()
    made = await call.write(lambda unit: writing.create_artifact(unit, call.core.ids, body))
    return Answer.json(made, 201)


@routes.get("/artifacts/{id:uuid}", scope="see_artifacts", answers={200: Artifact})
async def get_artifact(call: Call) -> Answer:
    """Read an artifact."""
    return _found(await reading.read_artifact(call.read(), call.path["id"]))


@routes.get("/artifacts/{key}/latest", scope="see_artifacts", answers={200: Artifact})
async def get_latest_artifact(call: Call) -> Answer:
    """Read the latest artifact of a key, under the id of its collection."""
    return _found(await reading.read_latest(call.read(), call.path["key"]))


def _found(artifact: Artifact | None) -> Answer:
    if artifact is None:
        raise NotFound("Artifact not found.")
    return Answer.json(artifact)


@routes.post("/artifacts/filter", scope="see_artifacts", answers={200: list[Artifact]})
async def filter_artifacts(call: Call, body: FilterArtifacts) -> Answer:
    """List artifacts."""
    span = slice_of(body.limit, body.offset)
    selection = body.selection(call.workspace)
    return Answer.json(await reading.list_artifacts(call.read(), selection, body.sort, span))


@routes.post(
    "/artifacts/latest/filter", scope="see_artifacts", answers={200: list[ArtifactCollection]}
)
async def filter_latest(call: Call, body: FilterLatest) -> Answer:
    """List keys with their latest artifacts."""
    span = slice_of(body.limit, body.offset)
    selection = body.selection(call.workspace)
    return Answer.json(await reading.list_latest(call.read(), selection, body.sort, span))


@routes.post("/artifacts/count", scope="see_artifacts", answers={200: int})
async def count(call: Call, body: ArtifactCriteria) -> Answer:
    """Count artifacts."""
    selection = body.selection(call.workspace)
    return Answer.json(await reading.count_artifacts(call.read(), selection))


@routes.post("/artifacts/latest/count", scope="see_artifacts", answers={200: int})
async def count_latest(call: Call, body: LatestCriteria) -> Answer:
    """Count keys whose latest artifacts meet a filter."""
    selection = body.selection(call.workspace)
    return Answer.json(await reading.count_latest(call.read(), selection))


@routes.patch("/artifacts/{id:uuid}", scope="write_artifacts")
async def update_artifact(call: Call, body: UpdateArtifact) -> Answer:
    """Change an artifact's data, description or metadata."""
    artifact_id = call.path["id"]
    await call.write(lambda unit: writing.update_artifact(unit, artifact_id, body))
    return Answer.empty()


@routes.delete("/artifacts/{id:uuid}", scope="manage_artifacts")
async def delete_artifact(call: Call) -> Answer:
    """Delete an artifact; the one before it becomes the latest of its key."""
    artifact_id, ids = call.path["id"], call.core.ids
    if not await call.write(lambda unit: writing.delete_artifact(unit, ids, artifact_id)):
        raise NotFound("Artifact not found.")
    return Answer.empty()
