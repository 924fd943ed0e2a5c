"""Artifacts that came after their flow run was deleted are cleared away, no others."""

import httpx

from armillary import Done
from armillary.core import Core
from armillary.testing import ManualClock
from armillary_plugins.artifacts.config import Config
from armillary_plugins.artifacts.services import DeleteArtifactsOfDeletedRuns
from tests.api import NOBODY, OTHER_PREFIX, Api, add_other_workspace


async def test_artifacts_of_no_run_go_once_they_are_old(
    core: Core, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    await add_other_workspace(core)
    ours, theirs = Api(client), Api(client, OTHER_PREFIX)
    flow = await ours.flow()
    run = await ours.post("/flow_runs/", {"flow_id": flow}, status=201)
    for api in (ours, theirs):
        for more in ({"flow_run_id": NOBODY}, {"task_run_id": NOBODY}, {}):
            await api.post("/artifacts/", {"key": "k", **more}, status=201)
    await ours.post("/artifacts/", {"flow_run_id": run["id"]}, status=201)
    service = DeleteArtifactsOfDeletedRuns(core, Config(after=300, look_at=4))
    assert await service.run_once() == Done(found=0)
    assert await service.run_once() == Done(found=0)
    await clock.advance(301)
    assert await service.run_once() == Done(found=2, changed=2)
    assert await service.run_once() == Done(found=0)
    assert (await ours.post("/artifacts/count"), await theirs.post("/artifacts/count")) == (3, 2)
    assert await core.deletions.family.orphans(core.database.read(None)) == {}
