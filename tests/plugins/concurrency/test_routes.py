"""Limits, slots and leases over HTTP, as clients use them."""

from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from armillary.concurrency import limits
from armillary.core import Core
from armillary.db.unit import Unit
from armillary.testing import ManualClock, app_of
from armillary_plugins.concurrency.config import Config
from armillary_plugins.concurrency.services import TakeSlotsBack

V2 = "/api/v2/concurrency_limits"
UNKNOWN = "018f0000-0000-7000-8000-000000000001"
HOLDER = {"type": "task_run", "id": UNKNOWN}


@pytest.fixture
def core_flags() -> dict[str, object]:
    return {"targets": ("concurrency",)}


async def make(client: httpx.AsyncClient, name: str = "l", limit: int = 1, **more: Any) -> str:
    answer = await client.post(f"{V2}/", json={"name": name, "limit": limit, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def take(client: httpx.AsyncClient, *names: str, **more: Any) -> httpx.Response:
    return await client.post(f"{V2}/increment", json={"names": names, "slots": 1, **more})


async def lease(client: httpx.AsyncClient, *names: str, **more: Any) -> httpx.Response:
    body = {"names": names, "slots": 1, "lease_duration": 60, "holder": HOLDER, **more}
    return await client.post(f"{V2}/increment-with-lease", json=body)


async def end(client: httpx.AsyncClient, lease_id: str) -> int:
    answer = await client.post(f"{V2}/decrement-with-lease", json={"lease_id": lease_id})
    return answer.status_code


async def renew(client: httpx.AsyncClient, lease_id: str, **more: Any) -> httpx.Response:
    return await client.post(f"{V2}/leases/{lease_id}/renew", json={"lease_duration": 60, **more})


async def used(client: httpx.AsyncClient, name: str = "l") -> int:
    answer = await client.get(f"{V2}/{name}")
    return int(answer.json()["active_slots"])


async def emitted(core: Core) -> list[dict[str, Any]]:
    rows = await core.database.read(None).all("select body from outbox order by id")
    return [msgspec.json.decode(row[0]) for row in rows]


async def test_a_limit_is_created_read_listed_changed_and_deleted(
    client: httpx.AsyncClient,
) -> None:
    created = await client.post(f"{V2}/", json={"name": "l", "limit": 3, "active": None})
    assert created.status_code == 201
    shown = created.json()
    assert sorted(shown) == [
        "active", "active_slots", "avg_slot_occupancy_seconds", "created", "denied_slots", "id",
        "limit", "name", "slot_decay_per_second", "updated",
    ]  # fmt: skip
    assert (shown["active"], shown["avg_slot_occupancy_seconds"]) == (True, 2.0)
    by_name, by_id = await client.get(f"{V2}/l"), await client.get(f"{V2}/{shown['id']}")
    assert by_name.json() == by_id.json()
    assert sorted(by_name.json()) == [
        "active", "active_slots", "created", "id", "limit", "name", "slot_decay_per_second",
        "updated",
    ]  # fmt: skip
    changed = await client.patch(f"{V2}/l", json={"limit": 5, "active": False, "name": "m"})
    assert (changed.status_code, changed.content) == (204, b"")
    shown = (await client.get(f"{V2}/m")).json()
    assert (shown["limit"], shown["active"]) == (5, False)
    assert (await client.delete(f"{V2}/{shown['id']}")).status_code == 204
    gone = await client.get(f"{V2}/m")
    assert (gone.status_code, gone.json()) == (404, {"detail": "Concurrency Limit not found"})


async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient) -> None:
    for path in ("l", UNKNOWN):
        assert (await client.patch(f"{V2}/{path}", json={})).status_code == 404
        assert (await client.delete(f"{V2}/{path}")).status_code == 404


async def test_limits_are_listed_by_name_in_parts(client: httpx.AsyncClient) -> None:
    for name in ("b", "tag:z", "a", "deployment:y"):
        await make(client, name)
    answer = await client.post(f"{V2}/filter", json={"limit": 2, "offset": 1})
    assert [limit["name"] for limit in answer.json()] == ["b", "deployment:y"]
    assert len((await client.post(f"{V2}/filter", json={})).json()) == 4


async def test_a_name_is_there_once(client: httpx.AsyncClient) -> None:
    await make(client, "l")
    await make(client, "m")
    again = await client.post(f"{V2}/", json={"name": "l", "limit": 1})
    assert again.status_code == 409
    assert "Data integrity conflict" in again.json()["detail"]
    assert (await client.patch(f"{V2}/m", json={"name": "l"})).status_code == 409
    assert (await client.get(f"{V2}/m")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 1},
        {"name": "a/b", "limit": 1},
        {"name": "", "limit": 1},
        {"name": "l", "limit": -1},
        {"name": "l", "limit": 2**31},
        {"name": "l", "limit": 1, "slot_decay_per_second": -1},
        {"name": "l", "limit": 1, "active_slots": -1},
        {"name": "l", "limit": "many"},
    ],
)
async def test_what_is_no_limit_is_refused(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await client.post(f"{V2}/", json=body)
    assert answer.status_code == 422
    assert answer.json()["exception_message"] == "Invalid request received."


async def test_changes_to_a_limit_are_events(client: httpx.AsyncClient, core: Core) -> None:
    limit_id = await make(client, "l", 2, slot_decay_per_second=0.5)
    await client.patch(f"{V2}/l", json={})
    await client.delete(f"{V2}/l")
    events = await emitted(core)
    assert [event["event"].rpartition(".")[2] for event in events] == [
        "created", "updated", "deleted",
    ]  # fmt: skip
    for event in events:
        assert event["resource"]["prefect.resource.id"] == f"prefect.concurrency-limit.{limit_id}"
        assert event["payload"] == {
            "name": "l", "limit": 2, "active": True, "slot_decay_per_second": 0.5,
        }  # fmt: skip


async def test_slots_are_taken_and_given_back(client: httpx.AsyncClient) -> None:
    limit_id = await make(client, "l", 2)
    taken = await take(client, "l", slots=2)
    assert (taken.status_code, taken.json()) == (200, [{"id": limit_id, "name": "l", "limit": 2}])
    assert await used(client) == 2
    back = await client.post(
        f"{V2}/decrement", json={"names": ["l", "nobody"], "slots": 1, "occupancy_seconds": 3}
    )
    assert (back.status_code, back.json()) == (200, taken.json())
    assert await used(client) == 1
    await client.post(f"{V2}/decrement", json={"names": ["l"], "slots": 9})
    assert await used(client) == 0


async def test_names_nobody_knows_are_passed_over(client: httpx.AsyncClient) -> None:
    assert (await take(client, "nobody", "none")).json() == []
    await make(client, "l")
    assert [each["name"] for each in (await take(client, "nobody", "l")).json()] == ["l"]


async def test_a_lease_on_nothing_can_be_renewed_and_ended(
    client: httpx.AsyncClient, core: Core
) -> None:
    answer = await lease(client, "tag:nobody")
    assert answer.status_code == 200
    assert answer.json()["limits"] == []
    lease_id = answer.json()["lease_id"]
    assert str(UUID(lease_id)) == lease_id
    assert (await renew(client, lease_id)).status_code == 204
    assert await end(client, lease_id) == 204
    assert await core.database.read(None).all("select id from concurrency_lease") == []


async def test_inactive_limits_are_named_and_not_counted(client: httpx.AsyncClient) -> None:
    await make(client, "off", 1, active=False, active_slots=1)
    await make(client, "on", 1)
    taken = await lease(client, "on", "off")
    assert [each["name"] for each in taken.json()["limits"]] == ["off", "on"]
    assert (await used(client, "on"), await used(client, "off")) == (1, 1)
    alone = await lease(client, "off", slots=7)
    assert [each["name"] for each in alone.json()["limits"]] == ["off"]
    assert (await renew(client, alone.json()["lease_id"])).status_code == 204
    await client.patch(f"{V2}/off", json={"active": True})
    assert await end(client, taken.json()["lease_id"]) == 204
    assert await end(client, alone.json()["lease_id"]) == 204
    assert (await used(client, "on"), await used(client, "off")) == (0, 1)
    await client.patch(f"{V2}/off", json={"active": False})
    listed = await client.post(f"{V2}/decrement", json={"names": ["off"], "slots": 1})
    assert [each["name"] for each in listed.json()] == ["off"]
    assert await used(client, "off") == 1


@pytest.mark.parametrize("limit", [0, 1])
async def test_more_than_there_ever_is_is_refused(client: httpx.AsyncClient, limit: int) -> None:
    await make(client, "l", limit)
    answer = await take(client, "l", slots=limit + 1)
    assert answer.status_code == 422
    assert answer.json() == {"detail": "Slots requested is greater than the limit"}


async def test_who_finds_no_slot_is_told_when_to_ask_again(client: httpx.AsyncClient) -> None:
    await make(client, "l")
    await take(client, "l")
    for answer in (await take(client, "l"), await lease(client, "l")):
        assert (answer.status_code, answer.json()) == (423, {"detail": "Locked"})
        assert 0 < float(answer.headers["retry-after"]) <= 1
    assert await used(client) == 1


async def test_of_several_limits_all_are_taken_or_none(client: httpx.AsyncClient) -> None:
    await make(client, "full", 1, active_slots=1)
    await make(client, "free", 1)
    assert (await take(client, "free", "full")).status_code == 423
    assert (await used(client, "free"), await used(client, "full")) == (0, 1)


async def test_a_rate_needs_decay(client: httpx.AsyncClient) -> None:
    await make(client, "l", 2)
    await make(client, "decays", 2, slot_decay_per_second=1)
    answer = await take(client, "l", "decays", mode="rate_limit")
    assert answer.status_code == 422
    assert "slot decay" in answer.json()["detail"]
    assert (await take(client, "decays", mode="rate_limit")).status_code == 200


async def test_a_rate_is_kept_exactly_however_often_it_is_asked_for(
    client: httpx.AsyncClient, clock: ManualClock
) -> None:
    await make(client, "l", 3, slot_decay_per_second=1)
    granted = 0
    for _ in range(101):
        granted += (await take(client, "l", mode="rate_limit")).status_code == 200
        await clock.advance(0.1)
    assert granted == 3 + 10


async def test_decay_is_shown_in_whole_slots(client: httpx.AsyncClient, clock: ManualClock) -> None:
    await make(client, "l", 5, active_slots=5, slot_decay_per_second=0.5)
    shown = []
    for _ in range(5):
        shown.append(await used(client))
        await clock.advance(1)
    assert shown == [5, 5, 4, 4, 3]


async def test_changing_a_limit_stalls_no_decay(
    client: httpx.AsyncClient, clock: ManualClock
) -> None:
    await make(client, "l", 5, active_slots=5, slot_decay_per_second=0.5)
    for number in range(20):
        await clock.advance(0.25)
        await client.patch(f"{V2}/l", json={"limit": 5 + number % 2})
    assert await used(client) == 3
    await client.patch(f"{V2}/l", json={"active_slots": 4})
    await clock.advance(1.9)
    assert await used(client) == 4
    await client.patch(f"{V2}/l", json={"slot_decay_per_second": 1})
    await clock.advance(0.9)
    assert await used(client) == 4


async def test_a_lease_is_renewed_until_it_is_gone(
    client: httpx.AsyncClient, clock: ManualClock, core: Core
) -> None:
    await make(client, "l")
    lease_id = (await lease(client, "l")).json()["lease_id"]
    service = TakeSlotsBack(core, Config())
    for _ in range(3):
        await clock.advance(50)
        assert (await renew(client, lease_id)).status_code == 204
        await service.run_once()
    assert await used(client) == 1
    assert await end(client, lease_id) == 204
    assert await used(client) == 0
    assert await end(client, lease_id) == 204
    gone = await renew(client, lease_id)
    assert (gone.status_code, list(gone.json())) == (410, ["detail"])
    assert (await renew(client, UNKNOWN)).status_code == 410
    assert await end(client, UNKNOWN) == 204
    assert (await renew(client, "no-lease")).status_code == 404


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("increment", {"names": [], "slots": 1}),
        ("increment", {"names": ["l"], "slots": 0}),
        ("increment", {"names": ["l"]}),
        ("increment", {"names": ["l"], "slots": 1, "mode": "other"}),
        ("increment-with-lease", {"names": ["l"], "slots": 1, "lease_duration": 59}),
        ("increment-with-lease", {"names": ["l"], "slots": 1, "lease_duration": 86401}),
        ("increment-with-lease", {"names": ["l"], "slots": 1, "holder": {"type": "x"}}),
        ("decrement", {"names": ["l"], "slots": -1}),
        ("decrement", {"names": ["l"], "slots": 1, "occupancy_seconds": -1}),
        ("decrement-with-lease", {"lease_id": "x"}),
        ("decrement-with-lease", {}),
        (f"leases/{UNKNOWN}/renew", {"lease_duration": 1}),
    ],
)
async def test_what_makes_no_sense_is_refused_and_changes_nothing(
    client: httpx.AsyncClient, route: str, body: dict[str, Any]
) -> None:
    await make(client, "l", 2)
    answer = await client.post(f"{V2}/{route}", json=body)
    assert answer.status_code == 422
    assert await used(client) == 0


async def test_deleting_a_limit_leaves_leases_that_can_be_renewed(
    client: httpx.AsyncClient,
) -> None:
    await make(client, "l")
    lease_id = (await lease(client, "l")).json()["lease_id"]
    await client.delete(f"{V2}/l")
    assert (await renew(client, lease_id)).status_code == 204
    await make(client, "l")
    assert await end(client, lease_id) == 204
    assert await used(client) == 0


async def test_workspaces_do_not_see_each_others_limits(core: Core) -> None:
    async def make_other(unit: Unit) -> None:
        await limits.insert(unit, limits.new_limit("other", "l", 1, unit.micros))

    await core.database.write(make_other, workspace=2)
    transport = httpx.ASGITransport(app=app_of(core))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        assert (await client.get(f"{V2}/l")).status_code == 404
        assert (await take(client, "l")).json() == []
        await make(client, "l", 3)
        assert [each["limit"] for each in (await take(client, "l")).json()] == [3]
    kept = await limits.read(core.database.read(2), "other")
    assert kept is not None
    assert kept.active_slots == 0
