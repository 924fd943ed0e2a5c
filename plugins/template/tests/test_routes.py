"""The number is told by the API and shown by the page."""

import httpx

from armillary.core import Core
from armillary_plugins.example.config import Config
from armillary_plugins.example.services import CountMoments


async def test_the_number_is_told_and_shown(core: Core, client: httpx.AsyncClient) -> None:
    await CountMoments(core, Config()).turn()
    assert (await client.get("/api/example/moments")).json() == {"moments": 1}
    assert "1 moments were counted." in (await client.get("/example")).text


async def test_asking_to_begin_again_leaves_a_job(client: httpx.AsyncClient) -> None:
    assert (await client.post("/api/example/begin_again")).status_code == 204
    jobs = (await client.post("/api/jobs/filter", json={})).json()
    assert [(job["queue"], job["job"]) for job in jobs] == [("example", "begin_again")]
