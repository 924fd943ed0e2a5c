"""A page of a stranger whose name leads here is answered nothing, under no name of ours."""

from collections.abc import Mapping

import httpx
import pytest

from armillary.core import Core
from armillary.errors import Refused
from armillary.hosts import Hosts
from armillary.settings import ServerSettings
from armillary.testing import app_of
from tests.contracts.peer import Peer

OURS = (
    "127.0.0.1:4200", "127.0.0.1", "[::1]:4200", "192.0.2.7:80", "localhost", "LOCALHOST:4200",
    "localhost.", "here", "build-box:4200", "flows.localhost:4200", "mine.local",
    "host.docker.internal:4200", "nas.home.arpa", "",
)  # fmt: skip
STRANGE = (
    "evil.example", "evil.example:4200", "EVIL.example.", "localhost.evil.example",
    "127.0.0.1.evil.example:4200", "127.0.0.1.nip.example", "notlocal.com", "xlocalhost.com",
    "0x7f.0.0.1", "[evil.example]:4200", "a@evil.example",
)  # fmt: skip
BEHIND = ServerSettings(names=("Flows.Example.org", "armillary.example.org"))
EVIL = {"host": "evil.example:4200", "origin": "http://evil.example:4200"}


def refused(settings: ServerSettings, host: str | None) -> str:
    try:
        Hosts(settings).refuse_strange(host)
    except Refused as error:
        return str(error)
    return ""


@pytest.mark.parametrize("host", OURS)
def test_a_name_that_no_website_can_have_is_ours(host: str) -> None:
    for settings in (ServerSettings(), ServerSettings(host="localhost"), BEHIND):
        assert refused(settings, host) == ""


@pytest.mark.parametrize("host", STRANGE)
def test_a_name_that_somebody_may_own_is_not(host: str) -> None:
    for settings in (ServerSettings(), ServerSettings(host="::1"), BEHIND):
        assert "add it to the setting server.names" in refused(settings, host)


def test_who_names_no_host_is_no_browser() -> None:
    assert refused(ServerSettings(), None) == ""


def test_a_proxys_name_is_ours_once_it_is_set() -> None:
    for host in ("flows.example.org", "FLOWS.example.org.:443", "armillary.example.org:80"):
        assert refused(BEHIND, host) == ""
    assert refused(BEHIND, "example.org") != ""


def test_an_open_address_is_asked_under_any_name_until_some_are_set() -> None:
    opened = ServerSettings(host="0.0.0.0", insecure=True)  # noqa: S104
    assert refused(opened, "flows.corp.example") == ""
    some = ServerSettings(host="0.0.0.0", insecure=True, names=("a.example",))  # noqa: S104
    assert refused(some, "flows.corp.example") != ""


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/flows/"),
        ("POST", "/api/flow_runs/filter"),
        ("GET", "/api/variables/name/secret"),
        ("GET", "/api/health"),
        ("GET", "/runs"),
        ("GET", "/docs"),
        ("DELETE", "/api/flows/00000000-0000-4000-8000-000000000000"),
    ],
)
async def test_a_strangers_page_neither_reads_nor_changes_anything(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await client.request(method, path, headers=EVIL, json={"name": "planted"})
    assert answer.status_code == 403
    assert "evil.example" in answer.json()["detail"]
    assert (await client.post("/api/flows/count", json={})).json() == 0


async def test_a_strangers_page_opens_no_websocket(core: Core) -> None:
    peer = Peer(app_of(core), "/api/events/out", headers=EVIL)
    closed = await peer.message()
    assert (closed["type"], closed["code"]) == ("websocket.close", 1008)


class TestBehindAProxy:
    @pytest.fixture
    def core_flags(self) -> Mapping[str, object]:
        return {"server.names": ["flows.example.org"]}

    async def test_its_pages_do_what_pages_do(self, client: httpx.AsyncClient) -> None:
        own = {"host": "flows.example.org", "origin": "https://flows.example.org"}
        answer = await client.post("/api/flows/", json={"name": "f"}, headers=own)
        assert answer.status_code == 201
