"""Paths and queries of nothing, of nonsense, and of more than there is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec
import pytest

from armillary.api import Route
from armillary.core import Core
from tests.api import NOBODY, Api
from tests.contracts.bad_input.sending import Sent, fail_for, send
from tests.contracts.every_route import http_routes, in_order, name_of, path_of, request_of
from tests.contracts.world import World, rows_of

ANSWERED_ANYHOW = {
    "POST /flow_runs/{id}/input/filter", "GET /flow_runs/{id}/graph",
}  # fmt: skip
"""Where what hangs below nobody is asked for: nothing does."""
GONE = "POST /v2/concurrency_limits/leases/{lease_id}/renew"
"""A lease nobody has is one that has ended: 410."""
MOVED = {"GET /flow-runs/flow-run/{id}", "GET /flow-runs/task-run/{id}"}
"""They only say where a page is now."""
STRANGE = ["%00", "a%00b", "%FF", "%C3%28", "%ED%A0%80", "x" * 20_000, "..", "%2e%2e%2f", "%F0%9F"]
QUERIES = [
    "flow_run_id", "task_run_id", "since", "page-token", "client", "flow-run-search", "state",
    "flow", "tags", "range", "flows", "deployments", "before", "after", "level", "limit", "offset",
    "cursor", "tasks-after", "tasks-before", "log", "include_secrets", "version",
]  # fmt: skip
FIRST_PAGES = [name for name in QUERIES if "after" not in name]
NONSENSE = [
    "%00", "%FF", "", "-1", "9" * 2500, "9" * 18, f"{'9' * 18}.{NOBODY}", "x" * 2500, "nan",
    "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00", "a0.0.0", f"p-{'9' * 19}.0.0",
    "%F0%9F", "eyJmaWx0ZXIiOnt9fQ==",
]  # fmt: skip


def with_ids(core: Core) -> Iterator[Route]:
    return (each for each in in_order(http_routes(core)) if ":uuid}" in each.path)


async def test_what_nobody_has_is_not_found(core: Core, api: Api, world: World) -> None:
    before, wrong = await rows_of(core), list[Sent]()
    for route in with_ids(core):
        made = request_of(route, world)
        ids = [value for value in msgspec.structs.asdict(world).values() if value in made.path]
        for each in ids:
            path = made.path.replace(each, NOBODY)
            more = {"json": made.body} if made.has_body else {}
            sent = await send(api, route, path, "nobody's id", **more)
            if name_of(route) in MOVED | ANSWERED_ANYHOW:
                assert sent.status in {200, 307, 308}, sent
            elif not (sent.missing or (name_of(route) == GONE and sent.status == 410)):
                wrong.append(sent)
    fail_for(wrong)
    assert await rows_of(core) == before


@pytest.mark.parametrize("text", ["7", "x", "0" * 31, f"{NOBODY}0", "%00", "{}", NOBODY[:-1] + "g"])
async def test_an_id_that_is_none_is_not_found(
    core: Core, api: Api, world: World, text: str
) -> None:
    wrong = []
    for route in with_ids(core):
        path = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", text, path_of(route, world))
        sent = await send(api, route, path, f"the id {text}", json={})
        told = not route.mount or '"Not Found"' in sent.text
        if sent.status not in {404, 405} or (not told and sent.status == 404):
            wrong.append(sent)
    fail_for(wrong)


async def test_no_strange_name_is_a_fault(core: Core, api: Api, world: World) -> None:
    wrong = []
    for route in in_order(http_routes(core)):
        made = request_of(route, world)
        path = re.sub(r":\w+\}", "}", route.path)
        if (route.method == "POST" and path.endswith("}")) or "{" not in path or ":uuid" in path:
            continue
        for text in STRANGE:
            more = {"json": made.body} if made.has_body else {}
            sent = await send(
                api, route, re.sub(r"\{\w+\}", text, path), f"the name {text[:20]}", **more
            )
            if sent.status >= 500:
                wrong.append(sent)
    fail_for(wrong)


async def test_no_query_is_a_fault(
    core: Core, api: Api, world: World, ours: Callable[[int], bool]
) -> None:
    before, wrong = await rows_of(core), list[Sent]()
    readers = [each for each in http_routes(core) if each.method == "GET"]
    for place, route in enumerate(readers):
        path = path_of(route, world).partition("?")[0]
        for number, text in enumerate(NONSENSE):
            if not ours(place + number):
                continue
            for names in (QUERIES, FIRST_PAGES):
                query = "&".join(f"{name}={text}" for name in names)
                sent = await send(api, route, f"{path}?{query}", f"{names[0]}={text[:40]}")
                if sent.status >= 500 or (text == "%00" and route.query and sent.status < 400):
                    wrong.append(sent)
    fail_for(wrong)
    assert await rows_of(core) == before


async def test_no_header_is_a_fault(api: Api) -> None:
    for headers, status in (
        ({"x-prefect-api-version": "²"}, 400),
        ({"x-prefect-api-version": "0.8." + "9" * 5000}, 400),
        ({"x-prefect-api-version": "0.8.²"}, 400),
        ({"user-agent": f"prefect/{'9' * 5000}.1.1"}, 200),
        ({"origin": "http://["}, 403),
        ({"origin": "null"}, 403),
        ({"content-length": "²"}, 200),
    ):
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        answer = await api.client.post("/api/flows/count", headers=raw, content=b"{}")
        assert answer.status_code == status, (headers, answer.text)
